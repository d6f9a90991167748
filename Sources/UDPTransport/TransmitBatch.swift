import CLinux
import Glibc
package import Primitives

/// Datagrams that leave with one system call, each from an address of its own.
@safe
package struct TransmitBatch: ~Copyable {
    private let buffers: Buffers

    /// Makes room for `capacity` datagrams of `byteCapacity` octets together.
    ///
    /// - Parameter gathers: Whether neighbours of one length that go the same way, and may, are given to the system as
    ///   one, for it to take apart (UDP_SEGMENT): on the wire they are the same. Where it cannot, that ends by itself.
    package init(capacity: Int = 64, byteCapacity: Int = 64 * 2_048, gathers: Bool = true) throws(SocketError) {
        precondition(byteCapacity >= 65_535, "a batch has room for the largest datagram")
        buffers = try Buffers(capacity: capacity, byteCapacity: byteCapacity, gathers: gathers)
    }

    /// How many datagrams wait to be sent.
    package var count: Int { unsafe Int(clinux_transmitter_count(buffers.pointer)) }

    package var isEmpty: Bool { count == 0 }

    /// In how many messages the system has taken all datagrams so far: fewer than those are where it takes them apart.
    package var messageCount: UInt64 { unsafe clinux_transmitter_messages(buffers.pointer) }

    /// Adds a datagram, and returns false, having added nothing, when there is no room: send the batch first.
    ///
    /// Without a source, the socket's own address or the system's choice is used.
    ///
    /// - Parameter gathers: Whether it may leave together with its neighbours. Who captures on this machine sees them
    ///   as one frame then, so it is for bulk alone.
    package mutating func append(
        _ bytes: RawSpan,
        from source: IPAddress? = nil,
        to destination: UDPEndpoint,
        gathers: Bool = false
    ) -> Bool {
        precondition(bytes.byteCount <= 65_535, "a datagram's length fits its UDP header")
        let added = unsafe bytes.withUnsafeBytes { bytes in
            unsafe clinux_transmitter_append(
                buffers.pointer,
                bytes.baseAddress,
                Int32(bytes.count),
                clinux_address(source ?? .unspecified),
                clinux_address(destination.address),
                destination.port,
                gathers ? 1 : 0
            )
        }
        return added == 1
    }

    func destination(at index: Int) -> IPAddress {
        unsafe IPAddress(clinux_transmitter_datagram(buffers.pointer, Int32(index)).pointee.remote)
    }

    /// Sends from a socket, and returns how many went; a negative result is the error number of the first one.
    func send(on socket: borrowing Descriptor, from first: Int, to end: Int) -> Int32 {
        unsafe clinux_transmitter_send(buffers.pointer, socket.number, Int32(first), Int32(end))
    }

    /// Forgets every datagram.
    package mutating func removeAll() { drop(first: count) }

    /// Forgets the datagrams before one; those behind it stay.
    mutating func drop(first count: Int) {
        unsafe clinux_transmitter_drop(buffers.pointer, Int32(count))
    }

    /// Owns the buffers of sendmmsg, and nothing else.
    ///
    /// Not private: a release build destroys a batch inline in other modules, which then name this type.
    @safe
    struct Buffers: ~Copyable {
        let pointer: OpaquePointer

        init(capacity: Int, byteCapacity: Int, gathers: Bool) throws(SocketError) {
            let gathers: Int32 = gathers ? 1 : 0
            guard let pointer = unsafe clinux_transmitter_create(Int32(capacity), Int32(byteCapacity), gathers) else {
                throw SocketError(.allocate, number: ENOMEM)
            }
            unsafe self.pointer = pointer
        }

        deinit { unsafe clinux_transmitter_destroy(pointer) }
    }
}
