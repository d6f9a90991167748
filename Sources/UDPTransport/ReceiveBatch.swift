import CLinux
import Glibc
package import Primitives

/// What is known of a received datagram beside its bytes.
package struct ReceivedDatagram: Hashable, Sendable {
    package let source: UDPEndpoint
    /// The address that the datagram was sent to.
    package let destination: IPAddress
    /// When the system took it in, which may be well before it was received.
    package let arrival: Instant
    /// As it was sent; the bytes are fewer when `isTruncated`.
    package let byteCount: Int
    package let isTruncated: Bool
}

/// Buffers that many datagrams are received into with one system call, again and again.
@safe
package struct ReceiveBatch: ~Copyable {
    /// How many datagrams the last call has brought.
    package private(set) var count = 0
    private(set) var truncatedCount = 0
    private(set) var lostCount: UInt64 = 0
    private let buffers: Buffers
    private let datagramCapacity: Int
    private var clock = MonotonicClock()
    /// When the last call was made: the arrival of a datagram that the system did not stamp.
    private var receivedAt = Instant.zero

    /// Makes room for `capacity` messages of up to `datagramCapacity` octets.
    package init(capacity: Int = 64, datagramCapacity: Int = 9_216) throws(SocketError) {
        buffers = try Buffers(capacity: capacity, datagramCapacity: datagramCapacity)
        self.datagramCapacity = datagramCapacity
    }

    /// In how many messages the system has given all datagrams so far: fewer than those are where it gathers them.
    package var messageCount: UInt64 { unsafe clinux_receiver_messages(buffers.pointer) }

    /// What receives from a socket that gathers, and from any other.
    package static func gathering() throws(SocketError) -> ReceiveBatch { try ReceiveBatch(datagramCapacity: 65_535) }

    /// What is known of the n-th datagram.
    package subscript(index: Int) -> ReceivedDatagram {
        precondition(index >= 0 && index < count, "only what was received is looked at")
        let datagram = unsafe clinux_receiver_datagram(buffers.pointer, Int32(index)).pointee
        // The kernel stamps a socket's datagrams only from a moment after it was opened.
        let arrival = datagram.arrival == 0 ? receivedAt : clock.instant(datagram.arrival)
        return ReceivedDatagram(
            source: UDPEndpoint(address: IPAddress(datagram.remote), port: datagram.remote_port),
            destination: IPAddress(datagram.local),
            arrival: arrival,
            byteCount: Int(datagram.byte_count),
            isTruncated: datagram.is_truncated != 0
        )
    }

    /// The n-th datagram's bytes; they are good until the next call.
    @_lifetime(borrow self)
    package func bytes(at index: Int) -> RawSpan {
        precondition(index >= 0 && index < count, "only what was received is looked at")
        let byteCount = unsafe Int(clinux_receiver_datagram(buffers.pointer, Int32(index)).pointee.byte_count)
        let start = unsafe clinux_receiver_bytes(buffers.pointer, Int32(index))
        let span = unsafe RawSpan(_unsafeStart: start, byteCount: min(byteCount, datagramCapacity))
        // SAFETY: the buffers live as long as the batch, and only `receive`, which is mutating, writes to them.
        return unsafe _overrideLifetime(span, borrowing: self)
    }

    /// Receives from a socket; a negative result is an error number.
    mutating func receive(from socket: borrowing Descriptor, clock: MonotonicClock) -> Int32 {
        let result = unsafe clinux_receiver_receive(buffers.pointer, socket.number)
        count = max(Int(result), 0)
        self.clock = clock
        receivedAt = clock.now
        lostCount = unsafe UInt64(clinux_receiver_lost(buffers.pointer))
        truncatedCount = 0
        for index in 0..<count {
            let datagram = unsafe clinux_receiver_datagram(buffers.pointer, Int32(index)).pointee
            if datagram.is_truncated != 0 { truncatedCount += 1 }
        }
        return result
    }

    /// Owns the buffers of recvmmsg, and nothing else.
    ///
    /// Not private: a release build destroys a batch inline in other modules, which then name this type.
    @safe
    struct Buffers: ~Copyable {
        let pointer: OpaquePointer

        init(capacity: Int, datagramCapacity: Int) throws(SocketError) {
            guard let pointer = unsafe clinux_receiver_create(Int32(capacity), Int32(datagramCapacity)) else {
                throw SocketError(.allocate, number: ENOMEM)
            }
            unsafe self.pointer = pointer
        }

        deinit { unsafe clinux_receiver_destroy(pointer) }
    }
}
