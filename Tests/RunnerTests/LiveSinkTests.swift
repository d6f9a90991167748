import ESP
import Primitives
import Runner
import Synchronization
import Testing
import UDPTransport
import Workers

/// `ikestorm sink` by itself, over loopback: what it says of what has come, and what it sends where it is ordered to.
@Suite("The sink of one-way flows", .serialized)
struct LiveSinkTests {
    /// A sink in a thread, and a socket that speaks to it.
    private final class Rig {
        private let isStopped = Stop()
        private let thread: PinnedThread
        private var socket: UDPSocketBox
        let clock = MonotonicClock()

        final class Stop: Sendable {
            let isSet = Atomic<Bool>(false)
            let port = Mutex<UInt16?>(nil)
        }

        final class UDPSocketBox {
            var socket: UDPSocket
            init(_ socket: consuming UDPSocket) { self.socket = socket }
        }

        init() throws {
            let stop = isStopped
            thread = try PinnedThread(cpu: nil) {
                var options = SinkServiceOptions(address: IPAddress(v4: 0x7F00_0001))
                (options.echoPort, options.flowPort) = (0, 0)
                var service = try SinkService(options: options) { stop.isSet.load(ordering: .relaxed) }
                let port = service.ports.flow
                stop.port.withLock { $0 = port }
                try service.serve()
            }
            let local = UDPEndpoint(address: IPAddress(v4: 0x7F00_0001), port: 0)
            socket = UDPSocketBox(try UDPSocket(bindingTo: local, allowance: .loopback))
            while isStopped.port.withLock({ $0 }) == nil {}
        }

        deinit {
            isStopped.isSet.store(true, ordering: .relaxed)
            do { try thread.join() } catch { fatalError("the sink stopped: \(error)") }
        }

        func send(_ write: (inout ByteWriter) -> Void) throws {
            var writer = ByteWriter()
            write(&writer)
            var batch = try TransmitBatch()
            let port = isStopped.port.withLock { $0 ?? 0 }
            let destination = UDPEndpoint(address: IPAddress(v4: 0x7F00_0001), port: port)
            let isAdded = batch.append(writer.span, to: destination)
            let isSent = socket.socket.send(&batch)
            #expect(isAdded && isSent)
        }

        func send(_ number: UInt64, of flow: UInt32 = 4) throws {
            try send { writer in
                writer.write([UInt8](repeating: 0, count: FlowMark.byteCount).rawSpan)
                writer.withMutableBytes { FlowMark(flow: flow, number: number, time: .zero).write(into: &$0) }
            }
        }

        /// What comes within a time.
        func receive(for time: Duration) throws -> [[UInt8]] {
            var came: [[UInt8]] = []
            var batch = try ReceiveBatch()
            let end = clock.now + time
            while clock.now < end {
                let count = try socket.socket.receive(into: &batch, clock: clock)
                for index in 0..<count { came.append(batch.bytes(at: index).copied()) }
            }
            return came
        }

        func ask(_ poll: FlowPoll) throws -> [FlowAnswer] {
            try send { poll.write(into: &$0) }
            // What was ordered may come meanwhile.
            return try receive(for: .milliseconds(100)).compactMap { try? FlowAnswer(decoding: $0.rawSpan) }
        }
    }

    @Test("says what has come, again until it is known, and nothing unasked")
    func tells() throws {
        let rig = try Rig()
        for number in [1, 2, 4, 3] as [UInt64] { try rig.send(number) }
        #expect(try rig.receive(for: .milliseconds(100)).isEmpty)
        let first = try #require(try rig.ask(FlowPoll(flow: 4, sentAt: 17)).first)
        #expect(first.arrivals.map(\.number) == [1, 2, 4, 3] && first.firstArrival == 0 && first.pollSentAt == 17)
        #expect(first.arrivals.allSatisfy { $0.time <= first.pollCameAt && $0.time >= first.since })
        let again = try #require(try rig.ask(FlowPoll(flow: 4, since: first.since, known: 2, sentAt: 18)).first)
        #expect(again.arrivals == Array(first.arrivals.dropFirst(2)) && again.firstArrival == 2)
        // What another sink knew is not what this one has told.
        let other = try #require(try rig.ask(FlowPoll(flow: 4, since: first.since + 1, known: 4, sentAt: 19)).first)
        #expect(other.arrivals == again.arrivals)
        #expect(try rig.ask(FlowPoll(flow: 5, sentAt: 20)).first?.arrivals == [])
    }

    @Test("tells more than fits one answer in several, up to eight")
    func tellsMuch() throws {
        let rig = try Rig()
        for number in 1...600 as ClosedRange<UInt64> { try rig.send(number) }
        _ = try rig.receive(for: .milliseconds(50))
        let answers = try rig.ask(FlowPoll(flow: 4, sentAt: 1))
        #expect(answers.map(\.arrivals.count) == Array(repeating: 64, count: 8))
        #expect(answers.map(\.firstArrival) == (0..<8).map { $0 * 64 })
        #expect(answers.flatMap { $0.arrivals.map(\.number) } == Array(1...512))
        let rest = try rig.ask(FlowPoll(flow: 4, since: answers[0].since, known: 512, sentAt: 2))
        #expect(rest.flatMap { $0.arrivals.map(\.number) } == Array(513...600))
    }

    @Test("sends what is ordered at its time, once, however often it is ordered")
    func sends() throws {
        let rig = try Rig()
        let now = rig.clock.systemTime(of: rig.clock.now)
        // Later than both polls take, however busy the machine is.
        let orders = (0..<3).map { FlowPoll.Order(due: now + 2_000_000_000 + $0 * 10_000_000, byteCount: 100) }
        var poll = FlowPoll(flow: 5, sentAt: 1, firstOrder: 1, orders: Array(orders.prefix(2)))
        #expect(try rig.ask(poll).first?.ordered == 2)
        poll.orders = orders
        #expect(try rig.ask(poll).first?.ordered == 3)
        let came = try rig.receive(for: .milliseconds(2_500))
        let marks = try came.map { try FlowMark(decoding: $0.rawSpan) }
        #expect(marks.map(\.number) == [1, 2, 3] && marks.allSatisfy { $0.flow == 5 })
        #expect(marks.map(\.time.nanoseconds) == orders.map(\.due))
        // With its inner header of IPv4 and UDP a packet has 100 octets.
        #expect(came.allSatisfy { $0.count == 72 })
        #expect(try rig.ask(poll).first?.ordered == 3)
        #expect(try rig.receive(for: .milliseconds(100)).isEmpty)
        // What is due far away is nobody's order.
        let far = FlowPoll(
            flow: 5,
            sentAt: 2,
            firstOrder: 4,
            orders: [.init(due: now + 60_000_000_000, byteCount: 100)]
        )
        #expect(try rig.ask(far).first?.ordered == 3)
    }

    @Test("takes no order that nobody could mean, and goes on")
    func survivesOrders() throws {
        let rig = try Rig()
        let now = rig.clock.systemTime(of: rig.clock.now)
        for first in [0, 1 << 62, .max - 1, .max] as [UInt64] {
            for byteCount in [0, 72, .max] as [UInt16] {
                let orders = [0, now, .max].map { FlowPoll.Order(due: $0, byteCount: byteCount) }
                _ = try rig.ask(
                    FlowPoll(flow: 6, since: .max, known: .max, sentAt: .max, firstOrder: first, orders: orders)
                )
            }
        }
        // What is too long or too far is not sent, and what was there before still is.
        _ = try rig.receive(for: .milliseconds(100))
        let long = FlowPoll(flow: 7, sentAt: 1, orders: [.init(due: now, byteCount: 9_001)])
        #expect(try rig.ask(long).first?.ordered == 0)
        let fair = FlowPoll(flow: 7, sentAt: 2, orders: [.init(due: now + 1_000_000_000_000, byteCount: 100)])
        #expect(try rig.ask(fair).first?.ordered == 0)
        try rig.send(1, of: 8)
        #expect(try rig.ask(FlowPoll(flow: 8, sentAt: 3)).first?.arrivals.map(\.number) == [1])
    }
}
