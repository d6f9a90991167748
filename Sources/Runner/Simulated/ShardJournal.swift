import IKEv2
import Primitives
import Simulation

/// What a shard keeps for the run's files until the next checkpoint: life-cycle events and, on request, packets.
struct ShardJournal: ~Copyable {
    struct Entry: Sendable {
        var time: Instant
        /// The client, and its own count of entries: with the time, the same order for every partition.
        var client: UInt32
        var count: UInt64
        var report: Report
        var isGateway: Bool
    }

    struct CapturedPacket: Sendable {
        var order: EventOrder
        var source: UDPEndpoint
        var destination: UDPEndpoint
        var octets: [UInt8]
    }

    var entries: [Entry] = []
    var packets: [CapturedPacket] = []
    var keys: [CapturedKeys] = []
    var childKeys: [CapturedChildKeys] = []

    mutating func removeAll() {
        entries.removeAll(keepingCapacity: true)
        packets.removeAll(keepingCapacity: true)
        keys.removeAll(keepingCapacity: true)
        childKeys.removeAll(keepingCapacity: true)
    }
}

/// The keys of one IKE SA, for Wireshark's tables.
struct CapturedKeys: Sendable {
    var order: EventOrder
    var keys: RunSinks.Keys
}
