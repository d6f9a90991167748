import Primitives

/// The octets of the datagrams that are on their way to or from a shard's clients, by handle.
struct PacketStore: ~Copyable {
    struct Packet {
        var octets: [UInt8] = []
        var source = UDPEndpoint(address: .unspecified, port: 0)
        var destination = UDPEndpoint(address: .unspecified, port: 0)
        var isEncapsulated = false
        /// The flow that an ESP packet is of, as a tally has it.
        var subject: UInt16 = 0
        /// Of the two that a path has made of one, the one that arrives later, as the earlier one knows it.
        var twin: UInt32?
        /// Of the two, whether this one says nothing of a loss: the earlier one does not, nor does the later one where
        /// the earlier one was received.
        var isMoot = false
    }

    private var packets: [Packet] = []
    private var free: [UInt32] = []

    /// Keeps a copy; buffers of packets that are gone are used again.
    mutating func insert(
        _ octets: ArraySlice<UInt8>,
        from source: UDPEndpoint,
        to destination: UDPEndpoint,
        isEncapsulated: Bool,
        subject: UInt16 = 0
    ) -> UInt32 {
        let handle: UInt32
        if let reused = free.popLast() {
            handle = reused
        } else {
            handle = UInt32(packets.count)
            packets.append(Packet())
        }
        let index = Int(handle)
        packets[index].octets.removeAll(keepingCapacity: true)
        unsafe octets.withUnsafeBufferPointer { unsafe packets[index].octets.append(contentsOf: $0) }
        packets[index].source = source
        packets[index].destination = destination
        packets[index].isEncapsulated = isEncapsulated
        packets[index].subject = subject
        packets[index].twin = nil
        packets[index].isMoot = false
        return handle
    }

    /// Of two that a path has made of one, the later decides what has become of it.
    mutating func pair(_ earlier: UInt32, _ later: UInt32) {
        packets[Int(earlier)].twin = later
        packets[Int(earlier)].isMoot = true
    }

    /// Whatever becomes of a packet says nothing of a loss: it is nobody's own.
    mutating func makeMoot(_ handle: UInt32) { packets[Int(handle)].isMoot = true }

    /// One of two was received, so that the other one is not lost.
    mutating func settle(_ packet: borrowing Packet) {
        if let twin = packet.twin { packets[Int(twin)].isMoot = true }
    }

    /// Takes a packet out for as long as it is handled.
    mutating func take(_ handle: UInt32) -> Packet {
        var packet = Packet()
        swap(&packet, &packets[Int(handle)])
        return packet
    }

    /// Puts a packet back that was only looked at.
    mutating func restore(_ handle: UInt32, _ packet: consuming Packet) {
        packets[Int(handle)] = packet
    }

    /// Gives the buffer back and forgets the packet.
    mutating func release(_ handle: UInt32, _ packet: consuming Packet = Packet()) {
        if packet.octets.capacity > 0 { packets[Int(handle)] = packet }
        free.append(handle)
    }

    var liveCount: Int { packets.count - free.count }
}
