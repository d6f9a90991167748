import Dispatch
import Glibc
import Primitives
import Testing
import UDPTransport

@Suite("The event loop")
struct EventLoopTests {
    let clock = MonotonicClock()
    /// Long enough that a test which waits so long has failed.
    var longAfter: Instant { clock.now + .seconds(5) }

    @Test("a wait without events ends at its deadline, not before")
    func endsAtDeadline() throws {
        var loop = try EventLoop()
        for microseconds in [0, 100, 1_000, 20_000] as [Int64] {
            let deadline = clock.now + .microseconds(microseconds)
            #expect(try loop.wait(until: deadline, clock: clock) == 0)
            #expect(clock.now >= deadline)
            #expect(clock.now < deadline + .seconds(1))
        }
        #expect(loop.wasWoken == false)
    }

    @Test("a socket with something to receive is told by its token, until it is received")
    func tellsReadable() throws {
        var loop = try EventLoop()
        var quiet = try UDPSocket(bindingTo: endpoint("127.0.0.1"), allowance: .loopback)
        var busy = try UDPSocket(bindingTo: endpoint("127.0.0.1"), allowance: .nothing)
        try loop.watch(quiet, token: 0)
        try loop.watch(busy, token: 17)
        var batch = try TransmitBatch()
        batch.queue([1], to: busy.local)
        quiet.flush(&batch)

        #expect(try loop.wait(until: longAfter, clock: clock) == 1)
        #expect(loop[0] == EventLoop.Ready(token: 17, readiness: .readable))
        var buffers = try ReceiveBatch()
        #expect(try busy.receive(into: &buffers, clock: clock) == 1)
        #expect(try loop.wait(until: clock.now, clock: clock) == 0)
    }

    @Test("room to send is told only to who waits for it, and a socket that is forgotten no more")
    func tellsWritable() throws {
        var loop = try EventLoop()
        let socket = try UDPSocket(bindingTo: endpoint("127.0.0.1"), allowance: .nothing)
        try loop.watch(socket, token: 3)
        #expect(try loop.wait(until: clock.now, clock: clock) == 0)
        try loop.watch(socket, token: 4, for: [.readable, .writable])
        #expect(try loop.wait(until: longAfter, clock: clock) == 1)
        #expect(loop[0] == EventLoop.Ready(token: 4, readiness: .writable))
        try loop.forget(socket)
        #expect(try loop.wait(until: clock.now, clock: clock) == 0)
    }

    @Test("an ICMP error is told until it has been taken")
    func tellsICMPErrors() throws {
        var loop = try EventLoop()
        var socket = try UDPSocket(bindingTo: endpoint("127.0.0.1"), allowance: .loopback)
        try loop.watch(socket, token: 1)
        var batch = try TransmitBatch()
        // Port 1 of a loopback address of its own: nobody listens there.
        try batch.queue([1], to: endpoint("127.9.9.9", 1))
        socket.flush(&batch)

        #expect(try loop.wait(until: longAfter, clock: clock) == 1)
        #expect(loop[0].readiness.contains(.failed))
        #expect(socket.nextError()?.number == ECONNREFUSED)
        var buffers = try ReceiveBatch()
        #expect(try socket.receive(into: &buffers, clock: clock) == 0)
        #expect(try loop.wait(until: clock.now, clock: clock) == 0)
    }

    @Test("another thread ends the wait, also one that has not begun yet")
    func isWoken() throws {
        var loop = try EventLoop()
        let waker = loop.waker
        waker.wake()
        #expect(try loop.wait(until: longAfter, clock: clock) == 0)
        #expect(loop.wasWoken == true)

        DispatchQueue.global().asyncAfter(deadline: .now() + 0.02) { waker.wake() }
        let start = clock.now
        #expect(try loop.wait(until: longAfter, clock: clock) == 0)
        #expect(loop.wasWoken == true)
        #expect(clock.now < start + .seconds(4))

        #expect(try loop.wait(until: clock.now, clock: clock) == 0)
        #expect(loop.wasWoken == false)
    }

    @Test("the waker takes nothing from the sockets that are ready with it")
    func isWokenBesideSockets() throws {
        var loop = try EventLoop()
        var sender = try UDPSocket(bindingTo: endpoint("127.0.0.1"), allowance: .loopback)
        let first = try UDPSocket(bindingTo: endpoint("127.0.0.1"), allowance: .nothing)
        let second = try UDPSocket(bindingTo: endpoint("127.0.0.1"), allowance: .nothing)
        try loop.watch(first, token: 1)
        try loop.watch(second, token: 2)
        var batch = try TransmitBatch()
        for destination in [first.local, second.local] {
            batch.queue([1], to: destination)
        }
        sender.flush(&batch)
        loop.waker.wake()
        usleep(20_000)

        #expect(try loop.wait(until: longAfter, clock: clock) == 2)
        #expect(Set([loop[0].token, loop[1].token]) == [1, 2])
        #expect(loop.wasWoken == true)
    }
}

@Suite("Deadlines")
struct DeadlinesTests {
    @Test(
        "the clients that are due come in the order of their deadlines, and each once",
        arguments: 0..<20 as Range<UInt64>
    )
    func agreesWithASearch(seed: UInt64) {
        var random = RandomStream(seed: seed, entity: 1, purpose: Purpose(rawValue: 1))
        let count = 200
        var deadlines = Deadlines(count: count)
        var expected = [Instant](repeating: .never, count: count)
        var now = Instant.zero

        for _ in 0..<5_000 {
            switch random.below(10) {
            case 0..<6:
                let client = Int(random.below(UInt64(count)))
                let deadline = now + .nanoseconds(Int64(random.below(1_000)))
                deadlines.arm(client, at: deadline)
                expected[client] = deadline
            case 6:
                let client = Int(random.below(UInt64(count)))
                deadlines.cancel(client)
                expected[client] = .never
            case 7:
                #expect(deadlines.earliest() == expected.min())
            default:
                now += .nanoseconds(Int64(random.below(50)))
                let due = expected.indices.filter { expected[$0] <= now }.sorted {
                    (expected[$0], $0) < (expected[$1], $1)
                }
                var taken: [Int] = []
                while let client = deadlines.popDue(at: now) { taken.append(client) }
                #expect(taken == due)
                for client in due { expected[client] = .never }
            }
        }
    }

    @Test("a client is due again only when it is armed again")
    func disarms() {
        var deadlines = Deadlines(count: 1)
        deadlines.arm(0, at: .zero)
        #expect(deadlines.popDue(at: .zero) == 0)
        #expect(deadlines.popDue(at: .zero) == nil)
        #expect(deadlines[0] == .never)
        deadlines.grow(to: 3)
        deadlines.arm(2, at: .zero + .seconds(1))
        #expect(deadlines.earliest() == .zero + .seconds(1))
        deadlines.arm(2, at: .zero + .seconds(9))
        #expect(deadlines.popDue(at: .zero + .seconds(1)) == nil)
        #expect(deadlines.earliest() == .zero + .seconds(9))
    }
}
