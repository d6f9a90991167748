import CLinux
import Glibc
package import Primitives

/// One UDP port, on one local address or on all of a family.
///
/// A socket on all addresses sends from any that the machine has, as each datagram names it: one is enough for
/// thousands of clients. It never blocks, and it sends nothing to an address outside its allowance.
package struct UDPSocket: ~Copyable {
    /// What a socket has done so far.
    package struct Counters: Hashable, Sendable {
        package var sent: UInt64 = 0
        package var received: UInt64 = 0
        /// Datagrams that were longer than the batch's room for one.
        package var truncated: UInt64 = 0
        /// Datagrams that the allowance kept in.
        package var refused: UInt64 = 0
        /// Datagrams that the system would not send.
        package var failed: UInt64 = 0
        /// Datagrams that came in faster than they were received, and were lost.
        package var lost: UInt64 = 0

        package init() {}
    }

    /// What a socket that many clients share asks for each way, in octets.
    package static var usualBufferByteCount: Int { 4 << 20 }

    package let allowance: Allowance
    /// The address that was bound, and the port that the system gave.
    package let local: UDPEndpoint
    package private(set) var counters = Counters()
    /// Why the system would not send the last datagram of `counters.failed`.
    package private(set) var lastFailure: SocketError?
    let descriptor: Descriptor

    /// Binds a port; port 0 is any free one, the address 0.0.0.0 or :: every one of its family.
    ///
    /// Buffers are asked for in octets. Without privileges the system may grant less: `receiveBufferByteCount` tells.
    ///
    /// - Parameter gathers: Whether the system may hand over datagrams of one length from one peer as one (UDP_GRO), to
    ///   be taken apart by a batch that is `.gathering()`.
    package init(
        bindingTo local: UDPEndpoint,
        allowance: Allowance,
        receiveBuffer: Int = UDPSocket.usualBufferByteCount,
        sendBuffer: Int = UDPSocket.usualBufferByteCount,
        gathers: Bool = false
    ) throws(SocketError) {
        let address = clinux_address(local.address)
        let opened = clinux_udp_open(address, local.port, Int32(receiveBuffer), Int32(sendBuffer))
        let descriptor = Descriptor(try SocketError.check(opened, .open))
        if gathers { clinux_udp_gather(descriptor.number) }
        let port = try SocketError.check(clinux_udp_local_port(descriptor.number), .open)
        self.descriptor = descriptor
        self.allowance = allowance
        self.local = UDPEndpoint(address: local.address, port: UInt16(port))
    }

    /// How many octets may wait to be received.
    package var receiveBufferByteCount: Int { Int(clinux_udp_receive_buffer(descriptor.number)) }

    /// Receives what has come in, up to what the batch holds, and returns how many datagrams that are.
    ///
    /// An ICMP error that came back is no reason to stop: it waits in the error queue, for `nextError()`.
    package mutating func receive(
        into batch: inout ReceiveBatch,
        clock: MonotonicClock
    ) throws(SocketError) -> Int {
        // The system tells an ICMP error once, in place of what was asked for, and then goes on.
        var result = batch.receive(from: descriptor, clock: clock)
        for _ in 1..<Self.attempts where result < 0 { result = batch.receive(from: descriptor, clock: clock) }
        let count = try SocketError.check(result, .receive)
        counters.received += UInt64(count)
        counters.truncated += UInt64(batch.truncatedCount)
        counters.lost = max(counters.lost, batch.lostCount)
        return Int(count)
    }

    /// Sends a batch, and returns whether all of it is off; if not, the socket is full, and the rest stays where it is.
    ///
    /// A datagram that the allowance forbids, or that the system refuses, is counted and dropped; those behind it go.
    package mutating func send(_ batch: inout TransmitBatch) -> Bool {
        let end = batch.count
        var next = 0
        while next < end {
            var permitted = next
            while permitted < end, allowance.permits(batch.destination(at: permitted)) { permitted += 1 }
            while next < permitted {
                guard let count = send(batch, from: next, to: permitted) else {
                    batch.drop(first: next)
                    return false
                }
                next += count
            }
            if next < end {
                counters.refused += 1
                next += 1
            }
        }
        batch.drop(first: end)
        return true
    }

    /// Sends some datagrams and returns how many are done with, at least one, or nil when the socket is full.
    private mutating func send(_ batch: borrowing TransmitBatch, from first: Int, to end: Int) -> Int? {
        // An error may be an ICMP error about an earlier datagram: only one that stays is about this one.
        var result = batch.send(on: descriptor, from: first, to: end)
        for _ in 1..<Self.attempts where result < 0 && result != -EAGAIN {
            result = batch.send(on: descriptor, from: first, to: end)
        }
        if result == -EAGAIN { return nil }
        guard result > 0 else {
            counters.failed += 1
            lastFailure = SocketError(.send, number: -result)
            return 1
        }
        counters.sent += UInt64(result)
        return Int(result)
    }

    /// Takes the oldest ICMP error that has come back, or nil.
    package func nextError() -> ICMPError? {
        var error = clinux_icmp_error()
        guard unsafe clinux_udp_take_error(descriptor.number, &error) == 1 else { return nil }
        return ICMPError(error)
    }

    /// More than one, for while one ICMP error is told another may come back.
    private static var attempts: Int { 4 }
}

/// What came back instead of an answer: the system's or a router's word that a datagram did not arrive.
package struct ICMPError: Hashable, Sendable {
    /// Where the datagram was going.
    package let destination: UDPEndpoint
    /// Who said so; nil when it was this machine.
    package let reporter: IPAddress?
    /// What the system makes of it, such as `ECONNREFUSED`.
    package let number: Int32
    package let type: UInt8
    package let code: UInt8

    init(_ error: clinux_icmp_error) {
        destination = UDPEndpoint(address: IPAddress(error.destination), port: error.destination_port)
        let reporter = IPAddress(error.reporter)
        self.reporter = reporter == .unspecified ? nil : reporter
        number = error.error_number
        type = error.icmp_type
        code = error.icmp_code
    }
}

/// Owns one file descriptor, and nothing else.
struct Descriptor: ~Copyable {
    let number: Int32

    init(_ number: Int32) { self.number = number }

    deinit { clinux_close(number) }
}

extension IPAddress {
    init(_ address: clinux_address) { self.init(high: address.high, low: address.low) }
}

extension clinux_address {
    init(_ address: IPAddress) { self.init(high: address.high, low: address.low) }
}
