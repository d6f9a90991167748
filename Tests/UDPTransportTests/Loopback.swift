import Glibc
import Primitives
import Testing
import UDPTransport

/// An endpoint written as text.
func endpoint(_ address: String, _ port: UInt16 = 0) throws -> UDPEndpoint {
    UDPEndpoint(address: try #require(IPAddress(address)), port: port)
}

/// What arrived, with its bytes kept.
struct Arrival: Equatable {
    let datagram: ReceivedDatagram
    let bytes: [UInt8]
}

/// Receives until `count` datagrams have come, or a second has passed without one.
func receive(_ count: Int, on socket: inout UDPSocket, into batch: inout ReceiveBatch) throws -> [Arrival] {
    let clock = MonotonicClock()
    var arrivals: [Arrival] = []
    var patience = 1_000
    while arrivals.count < count, patience > 0 {
        let received = try socket.receive(into: &batch, clock: clock)
        for index in 0..<received {
            let span = batch.bytes(at: index)
            let bytes = unsafe span.withUnsafeBytes { unsafe Array($0) }
            arrivals.append(Arrival(datagram: batch[index], bytes: bytes))
        }
        if received == 0 {
            usleep(1_000)
            patience -= 1
        }
    }
    return arrivals
}

/// Whether nothing comes in, which takes a moment to believe.
func staysQuiet(_ socket: inout UDPSocket) throws -> Bool {
    var batch = try ReceiveBatch(capacity: 1)
    usleep(20_000)
    return try socket.receive(into: &batch, clock: MonotonicClock()) == 0
}

extension TransmitBatch {
    /// Adds a datagram that has to find room.
    mutating func queue(
        _ bytes: [UInt8],
        from source: IPAddress? = nil,
        to destination: UDPEndpoint,
        gathers: Bool = true
    ) {
        let isAdded = unsafe append(bytes.span.bytes, from: source, to: destination, gathers: gathers)
        #expect(isAdded)
    }
}

extension UDPSocket {
    /// Sends a batch, all of which has to go.
    mutating func flush(_ batch: inout TransmitBatch) {
        let isSent = send(&batch)
        #expect(isSent && batch.count == 0)
    }
}
