import Glibc
import Primitives
import Testing
import UDPTransport

/// UDP_SEGMENT and UDP_GRO: what leaves or comes as one is what each datagram would be by itself.
@Suite("Datagrams that the system takes and gives together")
struct GatheringTests {
    /// Lengths of datagrams with the last number of the address that each is from.
    private static let batches: [[(byteCount: Int, source: UInt64)]] = [
        (0..<64).map { _ in (1_000, 2) },
        (0..<60).map { (1_000, 2 + $0 / 7) },
        [(500, 2), (500, 2), (400, 2), (500, 2), (500, 2), (501, 2), (1, 2), (0, 2), (0, 2), (300, 3), (300, 2)],
        (0..<40).map { (100 + $0 % 3, 2) },
    ]

    @Test(
        "arrive as they were, in order, whoever gathers",
        arguments: batches.indices,
        [(true, true), (true, false), (false, true)]
    )
    func arrive(batch: Int, by end: (sender: Bool, receiver: Bool)) throws {
        var receiver = try UDPSocket(bindingTo: endpoint("127.0.0.1"), allowance: .nothing, gathers: end.receiver)
        var sender = try UDPSocket(bindingTo: endpoint("0.0.0.0"), allowance: .loopback)
        var outgoing = try TransmitBatch(gathers: end.sender)
        var messages: [[UInt8]] = []
        for (index, datagram) in Self.batches[batch].enumerated() {
            messages.append([UInt8](repeating: UInt8(index), count: datagram.byteCount))
            let source = IPAddress(v4: 0x7F00_0000 + UInt32(datagram.source))
            outgoing.queue(messages[index], from: source, to: receiver.local)
        }
        sender.flush(&outgoing)
        #expect(sender.counters.sent == UInt64(messages.count))
        var incoming = try ReceiveBatch.gathering()
        let arrivals = try receive(messages.count, on: &receiver, into: &incoming)
        #expect(arrivals.map(\.bytes) == messages)
        #expect(arrivals.map(\.datagram.source.address.low) == Self.batches[batch].map { 0xFFFF_7F00_0000 + $0.source })
        #expect(arrivals.allSatisfy { !$0.datagram.isTruncated && $0.datagram.byteCount == $0.bytes.count })
        #expect(receiver.counters.received == UInt64(messages.count))
    }

    /// In how many messages each batch leaves: an address begins one, and so does what is longer than those before it
    /// or empty; what is shorter ends one.
    private static let messageCounts: [UInt64] = [1, 9, 7, 27]

    @Test(
        "are as many messages as there are runs of one length and address where the system can, and not one more",
        arguments: batches.indices,
        [(true, true), (true, false), (false, true)]
    )
    func gather(batch: Int, by end: (sender: Bool, receiver: Bool)) throws {
        guard Self.canGather else { return print("left out: this system knows no UDP_SEGMENT and UDP_GRO") }
        var receiver = try UDPSocket(bindingTo: endpoint("127.0.0.1"), allowance: .nothing, gathers: end.receiver)
        var sender = try UDPSocket(bindingTo: endpoint("0.0.0.0"), allowance: .loopback)
        var outgoing = try TransmitBatch(gathers: end.sender)
        let datagrams = Self.batches[batch]
        for datagram in datagrams {
            let source = IPAddress(v4: 0x7F00_0000 + UInt32(datagram.source))
            outgoing.queue([UInt8](repeating: 1, count: datagram.byteCount), from: source, to: receiver.local)
        }
        sender.flush(&outgoing)
        let (all, gathered) = (UInt64(datagrams.count), Self.messageCounts[batch])
        #expect(outgoing.messageCount == (end.sender ? gathered : all))
        var incoming = try ReceiveBatch.gathering()
        #expect(try receive(datagrams.count, on: &receiver, into: &incoming).count == datagrams.count)
        // Loopback takes no message apart for a socket that takes it whole, and puts none together.
        #expect(incoming.messageCount == (end.sender && end.receiver ? gathered : all))
    }

    /// Whether the system takes both options of a socket: UDP_SEGMENT, which is 103, and UDP_GRO.
    private static var canGather: Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(descriptor) }
        return [(103, 1_000), (104, 1)].allSatisfy { option, value in
            var value = Int32(value)
            let byteCount = socklen_t(MemoryLayout<Int32>.size)
            return unsafe setsockopt(descriptor, Int32(IPPROTO_UDP), Int32(option), &value, byteCount) == 0
        }
    }

    @Test("are sent one by one where they are longer than a packet of their way")
    func areSentWhereTooLong() throws {
        var receiver = try UDPSocket(bindingTo: endpoint("127.0.0.1"), allowance: .nothing)
        var sender = try UDPSocket(bindingTo: endpoint("127.0.0.1"), allowance: .loopback)
        var outgoing = try TransmitBatch(byteCapacity: 400_000)
        // A packet over loopback has 65,536 octets: the kernel takes no message apart that is longer.
        for _ in 0..<3 { outgoing.queue([UInt8](repeating: 7, count: 65_507), to: receiver.local) }
        for _ in 0..<3 { outgoing.queue([UInt8](repeating: 8, count: 30_000), to: receiver.local) }
        sender.flush(&outgoing)
        var incoming = try ReceiveBatch.gathering()
        let arrivals = try receive(6, on: &receiver, into: &incoming)
        #expect(arrivals.map(\.bytes.count) == [65_507, 65_507, 65_507, 30_000, 30_000, 30_000])
    }
}
