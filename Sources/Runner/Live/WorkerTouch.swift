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

        fileprivate func since(_ earlier: Counts) -> Counts {
            Counts(
                attempts: attempts - earlier.attempts,
                sent: sent - earlier.sent,
                received: received - earlier.received,
                sentByteCount: sentByteCount - earlier.sentByteCount,
                receivedByteCount: receivedByteCount - earlier.receivedByteCount
            )
        }
    }

    /// By client of the worker.
    private(set) var clients: [Counts]
    /// What clients had done when they left an address, and where they went.
    private(set) var departures: [Departure] = []

    struct Departure: Sendable {
        var local: Int
        /// All that the client had done by then, at earlier addresses too.
        var counts: Counts
        var destination: IPAddress
    }

    /// Datagrams that came from elsewhere than a target, or for nobody.
    var strayCount: UInt64 = 0
    /// Packets that left by an old port, since the system had no socket for a new one.
    var missingSockets: UInt64 = 0
    /// ICMP errors, by the system's number.
    private(set) var errors: [Int32: UInt64] = [:]

    init(clients: Int) {
        self.clients = Array(repeating: Counts(), count: clients)
    }

    mutating func moved(_ local: Int, to destination: IPAddress) {
        departures.append(
            Departure(local: local, counts: clients[local], destination: destination)
        )
    }

    /// What a client did, address by address, from the given one on, by its departures in order.
    func stays(
        of local: Int,
        from first: IPAddress,
        _ departures: [Departure]
    ) -> [(source: IPAddress, counts: Counts)] {
        var stays: [(source: IPAddress, counts: Counts)] = []
        var (source, earlier) = (first, Counts())
        for departure in departures {
            stays.append((source, departure.counts.since(earlier)))
            (source, earlier) = (departure.destination, departure.counts)
        }
        return stays + [(source, clients[local].since(earlier))]
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
