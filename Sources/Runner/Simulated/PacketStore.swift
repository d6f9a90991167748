import BasicContainers
import Primitives

/// The octets of the datagrams that are on their way to or from a shard's clients, by handle.
///
/// What is sealed is written into a packet's own buffer, and buffers of packets that are gone are used again: a packet
/// of a flow is copied nowhere and allocates nothing.
struct PacketStore: ~Copyable {
    struct Packet: ~Copyable {
        /// As long as the longest packet that was in it.
        var buffer: [UInt8] = []
        var byteCount = 0
        var source = UDPEndpoint(address: .unspecified, port: 0)
        var destination = UDPEndpoint(address: .unspecified, port: 0)
        var isEncapsulated = false
        /// The flow that an ESP packet is of, as a tally has it.
        var subject: UInt16 = 0
        /// Of the two that a path has made of one, the one that arrives later, as the earlier one knows it.
        var twin: UInt32?
        /// Of the two, whether this one says nothing of a loss: the earlier one does not, nor does the later one where
        /// the earlier one was received. A dummy never does.
        var isMoot = false

        var octets: RawSpan {
            @_lifetime(borrow self)
            get { buffer.rawSpan.extracting(first: byteCount) }
        }

        var slice: ArraySlice<UInt8> { buffer[..<byteCount] }
    }

    private var packets = UniqueArray<Packet>()
    private var free: [UInt32] = []

    /// A packet in whose buffer something can be written.
    mutating func reserve() -> UInt32 {
        if let handle = free.popLast() { return handle }
        packets.append(Packet())
        return UInt32(packets.count - 1)
    }

    /// Lends the buffer of a packet that has been reserved.
    @inline(__always)
    mutating func write<Result>(_ handle: UInt32, _ body: (inout [UInt8]) -> Result) -> Result {
        body(&packets[Int(handle)].buffer)
    }

    /// Says what has been written, and where it goes.
    mutating func fill(
        _ handle: UInt32,
        byteCount: Int,
        from source: UDPEndpoint,
        to destination: UDPEndpoint,
        isEncapsulated: Bool,
        subject: UInt16 = 0
    ) {
        packets[Int(handle)].byteCount = byteCount
        packets[Int(handle)].source = source
        packets[Int(handle)].destination = destination
        packets[Int(handle)].isEncapsulated = isEncapsulated
        packets[Int(handle)].subject = subject
        packets[Int(handle)].twin = nil
        packets[Int(handle)].isMoot = false
    }

    /// Keeps a copy of octets.
    mutating func insert(
        _ octets: RawSpan,
        from source: UDPEndpoint,
        to destination: UDPEndpoint,
        isEncapsulated: Bool
    ) -> UInt32 {
        let handle = reserve()
        write(handle) { buffer in
            buffer.removeAll(keepingCapacity: true)
            unsafe octets.withUnsafeBytes { unsafe buffer.append(contentsOf: $0) }
        }
        fill(handle, byteCount: octets.byteCount, from: source, to: destination, isEncapsulated: isEncapsulated)
        return handle
    }

    mutating func insert(
        _ octets: ArraySlice<UInt8>,
        from source: UDPEndpoint,
        to destination: UDPEndpoint,
        isEncapsulated: Bool
    ) -> UInt32 {
        unsafe insert(octets.span.bytes, from: source, to: destination, isEncapsulated: isEncapsulated)
    }

    /// Makes another one of a packet.
    mutating func copy(_ handle: UInt32) -> UInt32 {
        let index = Int(handle)
        let copy = insert(
            octets(of: handle),
            from: packets[index].source,
            to: packets[index].destination,
            isEncapsulated: packets[index].isEncapsulated
        )
        packets[Int(copy)].subject = packets[index].subject
        packets[Int(copy)].isMoot = packets[index].isMoot
        return copy
    }

    func octets(of handle: UInt32) -> ArraySlice<UInt8> {
        packets[Int(handle)].slice
    }

    /// The flow that an ESP packet is of.
    func subject(of handle: UInt32) -> Int { Int(packets[Int(handle)].subject) }

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

    /// Puts a packet back that goes on.
    mutating func restore(_ handle: UInt32, _ packet: consuming Packet) {
        packets[Int(handle)] = packet
    }

    /// Puts a packet back that goes on, and leaves an empty one.
    mutating func restore(_ handle: UInt32, from packet: inout Packet) { swap(&packet, &packets[Int(handle)]) }

    /// Gives the buffer back and forgets the packet.
    mutating func release(_ handle: UInt32, _ packet: consuming Packet) {
        packets[Int(handle)] = packet
        free.append(handle)
    }

    /// Forgets a packet that is in its place.
    mutating func release(_ handle: UInt32) { free.append(handle) }

    var liveCount: Int { packets.count - free.count }
}
