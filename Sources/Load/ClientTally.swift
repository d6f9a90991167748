import IKEv2
import Metrics
package import Primitives

/// What one shard or worker has counted since its driver last emptied it.
///
/// Counts are sums and samples are lists, so that any number of tallies merges exactly and in any grouping.
package struct ClientTally: ~Copyable {
    /// A count that belongs to one second of the run.
    ///
    /// Whose it is, a number says: a population's own, or from the number of populations on that of a flow.
    package struct Mark: Hashable, Sendable, BitwiseCopyable {
        package var second: UInt32
        package var subject: UInt16
        package var kind: Kind
        package var amount: Int32
    }

    package enum Kind: UInt8, Hashable, Sendable, BitwiseCopyable, CaseIterable {
        case offered, established, failed, up, wanted, skipped
        case childRekeyed, childRekeyFailed, ikeRekeyed, ikeRekeyFailed, retransmitted, clipped
        case childRekeyStarted, ikeRekeyStarted, lost
        case replaced, reauthenticationStarted, reauthenticated, reauthenticationFailed
        case moved, addressesUpdated, begunAnew, unknownToGateway, portsExhausted
        case packetOffered, packetReceived, packetLost, childUnknown
        case packetReordered, packetDuplicated, espDropped
    }

    package enum Latency: UInt8, Hashable, Sendable, BitwiseCopyable, CaseIterable {
        case handshake, childRekey, ikeRekey, lag, reauthentication, addressUpdate, packet, roundTrip
        case jitter, firstPacket, clockError
        case childRekeyOutage, childRekeyGap, ikeRekeyOutage, ikeRekeyGap, reauthenticationOutage, reauthenticationGap
        case moveOutage, moveGap, natOutage, natGap, restartOutage, restartGap
    }

    package struct Sample: Hashable, Sendable, BitwiseCopyable {
        package var second: UInt32
        package var subject: UInt16
        package var kind: Latency
        package var value: Duration
    }

    /// A failure with its reason.
    package struct Failure: Hashable, Sendable {
        package var second: UInt32
        package var subject: UInt16
        package var kind: Kind
        package var reason: String
    }

    package private(set) var marks: [Mark] = []
    package private(set) var samples: [Sample] = []
    package private(set) var failures: [Failure] = []
    /// By kind and subject, where the mark may be that the next one is added to.
    private var places = [UInt32](repeating: 0, count: Self.placeCount)

    package init() {}

    package mutating func removeAll() {
        marks.removeAll(keepingCapacity: true)
        samples.removeAll(keepingCapacity: true)
        failures.removeAll(keepingCapacity: true)
    }

    package mutating func mark(_ kind: Kind, _ subject: Int, _ amount: Int32 = 1, at now: Instant) {
        let second = UInt32(now.nanoseconds / 1_000_000_000)
        // Packets of many flows come in turn, and each flow has marks of several kinds.
        let place = (subject &* Self.kindsApart &+ Int(kind.rawValue)) & (Self.placeCount - 1)
        let index = Int(places[place])
        if index < marks.count, marks[index].kind == kind, marks[index].second == second,
            marks[index].subject == UInt16(subject)
        {
            marks[index].amount += amount
            return
        }
        places[place] = UInt32(marks.count)
        marks.append(Mark(second: second, subject: UInt16(subject), kind: kind, amount: amount))
    }

    /// Powers of two: so many subjects by so many kinds have places of their own.
    private static var placeCount: Int { 512 }
    private static var kindsApart: Int { 32 }

    package mutating func sample(_ kind: Latency, _ subject: Int, _ value: Duration, at now: Instant) {
        let second = UInt32(now.nanoseconds / 1_000_000_000)
        samples.append(Sample(second: second, subject: UInt16(subject), kind: kind, value: value))
    }

    private mutating func fail(_ kind: Kind, _ subject: Int, _ reason: String, at now: Instant) {
        mark(kind, subject, at: now)
        let second = UInt32(now.nanoseconds / 1_000_000_000)
        failures.append(Failure(second: second, subject: UInt16(subject), kind: kind, reason: reason))
    }

    mutating func offered(_ population: Int, at now: Instant) { mark(.offered, population, at: now) }

    mutating func established(_ population: Int, latency: Duration, at now: Instant) {
        mark(.established, population, at: now)
        mark(.up, population, at: now)
        sample(.handshake, population, latency, at: now)
    }

    mutating func failed(_ population: Int, _ reason: CloseReason, at now: Instant) {
        fail(.failed, population, reason.name, at: now)
    }

    mutating func lost(_ population: Int, _ reason: CloseReason, at now: Instant) {
        fail(.lost, population, reason.name, at: now)
    }

    mutating func reauthenticated(_ population: Int, latency: Duration, at now: Instant) {
        mark(.reauthenticated, population, at: now)
        sample(.reauthentication, population, latency, at: now)
    }

    mutating func reauthenticationFailed(_ population: Int, _ reason: CloseReason, at now: Instant) {
        fail(.reauthenticationFailed, population, reason.name, at: now)
    }

    /// A packet that was due in a tunnel does not come out of it.
    package mutating func packetLost(_ flow: Int, _ reason: String, at now: Instant) {
        fail(.packetLost, flow, reason, at: now)
    }

    /// An ESP packet was not let through.
    package mutating func packetDropped(_ population: Int, _ reason: String, at now: Instant) {
        fail(.espDropped, population, reason, at: now)
    }

    mutating func up(_ population: Int, at now: Instant) { mark(.up, population, at: now) }

    mutating func down(_ population: Int, at now: Instant) { mark(.up, population, -1, at: now) }

    mutating func wanted(_ change: Int32, _ population: Int, at now: Instant) {
        mark(.wanted, population, change, at: now)
    }

    package mutating func skipped(_ population: Int, at now: Instant) { mark(.skipped, population, at: now) }

    /// Counts the rekeys that begin with a datagram.
    mutating func count(_ note: PacketNote, _ population: Int, at now: Instant) {
        guard !note.isResponse, !note.isRetransmission, note.beginsMessage else { return }
        switch note.operation {
        case .rekeyChild: mark(.childRekeyStarted, population, at: now)
        case .rekeyIKE: mark(.ikeRekeyStarted, population, at: now)
        default: break
        }
    }

    /// Counts what an IKE SA reports about its exchanges.
    mutating func count(_ report: Report, _ population: Int, at now: Instant) {
        switch report {
        case .childRekeyed(_, _, _, let due, let fromHere):
            mark(.childRekeyed, population, at: now)
            if fromHere {
                sample(.childRekey, population, now - due, at: now)
            } else {
                // The peer's rekey is heard of when it is done.
                mark(.childRekeyStarted, population, at: now)
            }
        case .ikeRekeyed(_, _, let due, let fromHere):
            mark(.ikeRekeyed, population, at: now)
            if fromHere {
                sample(.ikeRekey, population, now - due, at: now)
            } else {
                mark(.ikeRekeyStarted, population, at: now)
            }
        case .childRekeyFailed(_, let reason): fail(.childRekeyFailed, population, reason.name, at: now)
        case .ikeRekeyFailed(_, let reason): fail(.ikeRekeyFailed, population, reason.name, at: now)
        case .addressesUpdated(let due, true):
            mark(.addressesUpdated, population, at: now)
            sample(.addressUpdate, population, now - due, at: now)
        case .unknownToPeer:
            mark(.unknownToGateway, population, at: now)
        case .childUnknownToPeer:
            mark(.childUnknown, population, at: now)
        case .retransmitted:
            mark(.retransmitted, population, at: now)
        default: break
        }
    }
}
