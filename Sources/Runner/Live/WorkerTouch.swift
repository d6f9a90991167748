import Primitives
import UDPTransport

/// What one worker has touched: by client, and what did not belong to any.
struct WorkerTouch: Sendable {
    struct Counts: Hashable, Sendable {
        var attempts: UInt32 = 0
        var sent: UInt32 = 0
        var received: UInt32 = 0
        var sentByteCount: UInt64 = 0
        var receivedByteCount: UInt64 = 0
    }

    /// By client of the worker.
    private(set) var clients: [Counts]
    /// Datagrams that came from elsewhere than a target, or for nobody.
    var strayCount: UInt64 = 0
    /// Packets that left by an old port, since the system had no socket for a new one.
    var missingSockets: UInt64 = 0
    /// ICMP errors, by the system's number.
    private(set) var errors: [Int32: UInt64] = [:]

    init(clients: Int) {
        self.clients = Array(repeating: Counts(), count: clients)
    }

    mutating func began(_ local: Int) { clients[local].attempts += 1 }

    mutating func sent(_ local: Int, _ byteCount: Int) {
        clients[local].sent += 1
        clients[local].sentByteCount += UInt64(byteCount)
    }

    mutating func received(_ local: Int, _ byteCount: Int) {
        clients[local].received += 1
        clients[local].receivedByteCount += UInt64(byteCount)
    }

    mutating func failed(_ error: ICMPError) { errors[error.number, default: 0] += 1 }
}
