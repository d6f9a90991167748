import Glibc
import Primitives
import Testing
import UDPTransport

@Suite("A UDP socket")
struct UDPSocketTests {
    @Test(
        "a batch arrives in order, with its bytes, its sender and its destination",
        arguments: [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::1", "::1"), ("::", "::1")]
    )
    func carriesBatches(bound: String, reached: String) throws {
        var receiver = try UDPSocket(bindingTo: endpoint(bound), allowance: .nothing)
        var sender = try UDPSocket(bindingTo: endpoint(reached), allowance: .loopback)
        let destination = try endpoint(reached, receiver.local.port)
        let messages = (0..<64).map { index in [UInt8](repeating: UInt8(index), count: index * 20) }

        var batch = try TransmitBatch()
        for message in messages { batch.queue(message, to: destination) }
        let isAdded = unsafe batch.append([1].span.bytes, to: destination)
        #expect(!isAdded, "the batch is full")
        sender.flush(&batch)

        var buffers = try ReceiveBatch()
        let arrivals = try receive(64, on: &receiver, into: &buffers)
        #expect(arrivals.map(\.bytes) == messages)
        #expect(arrivals.allSatisfy { $0.datagram.source == sender.local })
        #expect(arrivals.allSatisfy { $0.datagram.destination == destination.address && !$0.datagram.isTruncated })
        #expect(sender.counters.sent == 64)
        #expect(receiver.counters.received == 64)
    }

    @Test("one socket speaks for thousands of addresses, and tells which of them was answered")
    func servesThousandsOfSources() throws {
        var gateway = try UDPSocket(bindingTo: endpoint("127.0.0.1"), allowance: .loopback)
        var clients = try UDPSocket(bindingTo: endpoint("0.0.0.0"), allowance: .loopback)
        var outgoing = try TransmitBatch()
        var buffers = try ReceiveBatch()
        let sources = try #require(IPPrefix("127.64.0.0/10"))
        let count = 4_096

        for start in stride(from: 0, to: count, by: 64) {
            let addresses = (start..<start + 64).map { sources[UInt64($0 * 1_021)] }
            for address in addresses { outgoing.queue([7], from: address, to: gateway.local) }
            clients.flush(&outgoing)

            let requests = try receive(64, on: &gateway, into: &buffers)
            #expect(requests.map(\.datagram.source.address) == addresses)
            for request in requests { outgoing.queue(request.bytes, to: request.datagram.source) }
            gateway.flush(&outgoing)

            let answers = try receive(64, on: &clients, into: &buffers)
            #expect(answers.map(\.datagram.destination) == addresses)
        }
        #expect(clients.counters.received == UInt64(count))
        #expect(clients.counters.lost == 0)
    }

    @Test("a datagram longer than its room is cut, and its true length told")
    func cutsLongDatagrams() throws {
        var receiver = try UDPSocket(bindingTo: endpoint("127.0.0.1"), allowance: .nothing)
        var sender = try UDPSocket(bindingTo: endpoint("127.0.0.1"), allowance: .loopback)
        var batch = try TransmitBatch()
        let message = (0..<300).map { UInt8(truncatingIfNeeded: $0) }
        for length in [100, 101, 300] { batch.queue(Array(message[..<length]), to: receiver.local) }
        sender.flush(&batch)

        var buffers = try ReceiveBatch(capacity: 8, datagramCapacity: 100)
        let arrivals = try receive(3, on: &receiver, into: &buffers)
        #expect(arrivals.map(\.datagram.byteCount) == [100, 101, 300])
        #expect(arrivals.map(\.datagram.isTruncated) == [false, true, true])
        #expect(arrivals.allSatisfy { $0.bytes == Array(message[..<100]) })
        #expect(receiver.counters.truncated == 2)
    }

    @Test("a datagram larger than UDP allows is counted as failed, and those behind it go")
    func refusesOversizedDatagrams() throws {
        var receiver = try UDPSocket(bindingTo: endpoint("127.0.0.1"), allowance: .nothing)
        var sender = try UDPSocket(bindingTo: endpoint("127.0.0.1"), allowance: .loopback)
        var batch = try TransmitBatch(byteCapacity: 200_000)
        let largest = [UInt8](repeating: 1, count: 65_507)
        batch.queue(largest, to: receiver.local)
        batch.queue([UInt8](repeating: 2, count: 65_508), to: receiver.local)
        batch.queue([3], to: receiver.local)
        sender.flush(&batch)

        var buffers = try ReceiveBatch(capacity: 4, datagramCapacity: 65_535)
        #expect(try receive(2, on: &receiver, into: &buffers).map(\.bytes) == [largest, [3]])
        #expect(sender.counters.sent == 2)
        #expect(sender.counters.failed == 1)
        #expect(sender.lastFailure == SocketError(.send, number: EMSGSIZE))
    }

    @Test("nothing leaves for an address that is not allowed, and what is around it does")
    func keepsToItsAllowance() throws {
        var allowed = try UDPSocket(bindingTo: endpoint("127.0.0.1"), allowance: .nothing)
        var forbidden = try UDPSocket(bindingTo: endpoint("127.0.0.2"), allowance: .nothing)
        let allowance = Allowance([try #require(IPPrefix("127.0.0.1/32"))])
        var sender = try UDPSocket(bindingTo: endpoint("0.0.0.0"), allowance: allowance)
        var batch = try TransmitBatch()
        for (index, isAllowed) in [false, true, true, false, false, true, false].enumerated() {
            batch.queue([UInt8(index)], to: isAllowed ? allowed.local : forbidden.local)
        }
        sender.flush(&batch)

        var buffers = try ReceiveBatch()
        #expect(try receive(3, on: &allowed, into: &buffers).map(\.bytes) == [[1], [2], [5]])
        #expect(try staysQuiet(&forbidden))
        #expect(sender.counters.sent == 3)
        #expect(sender.counters.refused == 4)
    }

    @Test("an ICMP error is told with the destination it is about, and the socket goes on")
    func tellsICMPErrors() throws {
        var receiver = try UDPSocket(bindingTo: endpoint("127.0.0.1"), allowance: .nothing)
        var sender = try UDPSocket(bindingTo: endpoint("127.0.0.1"), allowance: .loopback)
        let closed = try unusedEndpoint()
        var batch = try TransmitBatch()
        batch.queue([1], to: closed)
        sender.flush(&batch)

        batch.queue([2], to: receiver.local)
        sender.flush(&batch)
        var buffers = try ReceiveBatch()
        #expect(try receive(1, on: &receiver, into: &buffers).map(\.bytes) == [[2]])
        #expect(try sender.receive(into: &buffers, clock: MonotonicClock()) == 0)

        let told = sender.nextError()
        let error = try #require(told)
        #expect(error.destination == closed)
        #expect(error.number == ECONNREFUSED)
        #expect(error.type == 3 && error.code == 3, "port unreachable")
        #expect(error.reporter == closed.address)
        #expect(sender.nextError() as ICMPError? == nil)
        #expect(sender.counters.failed == 0)
    }

    @Test("an arrival is the moment the datagram came in, not the one it was looked at")
    func stampsArrivals() throws {
        var receiver = try UDPSocket(bindingTo: endpoint("127.0.0.1"), allowance: .nothing)
        var sender = try UDPSocket(bindingTo: endpoint("127.0.0.1"), allowance: .loopback)
        var buffers = try ReceiveBatch()
        var batch = try TransmitBatch()
        let clock = MonotonicClock()
        // The system starts to stamp datagrams a moment after it was first asked to.
        usleep(50_000)
        let before = clock.now
        batch.queue([1], to: receiver.local)
        sender.flush(&batch)
        let after = clock.now
        usleep(50_000)

        #expect(try receiver.receive(into: &buffers, clock: clock) == 1)
        let slack = Duration.milliseconds(5)
        #expect(buffers[0].arrival + slack >= before)
        #expect(buffers[0].arrival <= after + slack)
    }

    @Test("what came in too fast is counted as lost")
    func countsLostDatagrams() throws {
        var receiver = try UDPSocket(bindingTo: endpoint("127.0.0.1"), allowance: .nothing, receiveBuffer: 4_096)
        var sender = try UDPSocket(bindingTo: endpoint("127.0.0.1"), allowance: .loopback)
        var batch = try TransmitBatch()
        var buffers = try ReceiveBatch()
        for _ in 0..<500 {
            batch.queue([UInt8](repeating: 0, count: 100), to: receiver.local)
            sender.flush(&batch)
        }
        sender.flush(&batch)
        while try receiver.receive(into: &buffers, clock: MonotonicClock()) > 0 {}
        // The count comes with the first datagram that finds room again.
        batch.queue([1], to: receiver.local)
        sender.flush(&batch)
        _ = try receive(1, on: &receiver, into: &buffers)

        #expect(receiver.counters.lost > 0)
        #expect(receiver.counters.received + receiver.counters.lost == sender.counters.sent)
    }

    @Test("a port that is taken cannot be bound again")
    func refusesTakenPorts() throws {
        let first = try UDPSocket(bindingTo: endpoint("127.0.0.1"), allowance: .nothing)
        let taken = first.local
        #expect(throws: SocketError(.open, number: EADDRINUSE)) {
            _ = try UDPSocket(bindingTo: taken, allowance: .nothing)
        }
    }

    /// An endpoint of this machine that nobody listens on: one that was bound a moment ago.
    private func unusedEndpoint() throws -> UDPEndpoint {
        let socket = try UDPSocket(bindingTo: endpoint("127.0.0.1"), allowance: .nothing)
        return socket.local
    }
}

@Suite("A socket's allowance")
struct AllowanceTests {
    @Test(
        "an address is allowed by a prefix that contains it, and by none else",
        arguments: [
            ("10.1.2.3", ["10.1.0.0/16"], true),
            ("10.2.2.3", ["10.1.0.0/16"], false),
            ("10.2.2.3", ["10.1.0.0/16", "10.2.2.3"], true),
            ("10.1.2.3", [], false),
            ("::ffff:10.1.2.3", ["10.1.0.0/16"], true),
            ("10.1.2.3", ["::/0"], false),
            ("2001:db8::1", ["0.0.0.0/0"], false),
            ("2001:db8::1", ["2001:db8::/32"], true),
        ]
    )
    func permits(address: String, prefixes: [String], isPermitted: Bool) throws {
        let allowance = Allowance(try prefixes.map { try #require(IPPrefix($0)) })
        #expect(try allowance.permits(#require(IPAddress(address))) == isPermitted)
    }

    @Test(
        "loopback is this machine alone",
        arguments: [
            ("127.0.0.1", true), ("127.255.255.255", true), ("128.0.0.1", false), ("::1", true), ("::2", false),
            ("0.0.0.0", false), ("::", false),
        ]
    )
    func loopback(address: String, isPermitted: Bool) throws {
        #expect(try Allowance.loopback.permits(#require(IPAddress(address))) == isPermitted)
        #expect(try Allowance.anywhere.permits(#require(IPAddress(address))))
    }
}
