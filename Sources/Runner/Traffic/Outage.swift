import Load
import Primitives

/// What happens to a tunnel that may cost its flows packets.
enum TunnelEvent: UInt8, CaseIterable {
    case childRekey, ikeRekey, reauthentication, move, natRebinding, restart

    var outage: ClientTally.Latency {
        switch self {
        case .childRekey: .childRekeyOutage
        case .ikeRekey: .ikeRekeyOutage
        case .reauthentication: .reauthenticationOutage
        case .move: .moveOutage
        case .natRebinding: .natOutage
        case .restart: .restartOutage
        }
    }

    var gap: ClientTally.Latency {
        switch self {
        case .childRekey: .childRekeyGap
        case .ikeRekey: .ikeRekeyGap
        case .reauthentication: .reauthenticationGap
        case .move: .moveGap
        case .natRebinding: .natGap
        case .restart: .restartGap
        }
    }
}

/// What an event has cost one flow, measured where its packets come out.
///
/// It lasts from the event to the first packet that was due when the event was over and has come; all before that
/// packet which have not come within two seconds after it are lost (RFC 2544 section 23). Out of that come both
/// measures of RFC 6201: the packets lost by the offered rate, and the longest time between two packets.
struct Outage {
    let event: TunnelEvent
    /// Packets up to this one are not the event's.
    private let after: UInt64
    /// When the event is over, if it is known.
    private var end: Instant?
    /// How many have come of the packets behind `after`, and before the first one that shows that all is well.
    private var received: UInt64 = 0
    private var lastArrival: Instant
    private(set) var gap = Duration.zero
    private var recovery: (number: UInt64, at: Instant)?

    init(_ event: TunnelEvent, after: UInt64, lastArrival: Instant, end: Instant?) {
        self.event = event
        self.after = after
        self.lastArrival = lastArrival
        self.end = end
    }

    /// The event is over, unless that is known already.
    mutating func settle(at now: Instant) { end = end ?? now }

    mutating func receive(_ number: UInt64, due: Instant, at now: Instant) {
        guard number > after else { return }
        if let recovery {
            if number < recovery.number { received += 1 }
            return
        }
        gap = max(gap, now - lastArrival)
        lastArrival = now
        if let end, due >= end { recovery = (number, now) } else { received += 1 }
    }

    /// Whether nothing that comes changes it any more.
    func isOver(at now: Instant) -> Bool {
        guard let recovery else { return false }
        return recovery.at + UnansweredPackets.patience <= now
    }

    /// How many packets are lost to it; without a recovery, of those up to a number.
    func lost(of last: UInt64) -> UInt64 {
        let offered = (recovery.map { $0.number - 1 } ?? max(last, after)) - after
        return offered - min(received, offered)
    }

    /// The gap up to the end of what is measured, where there is no recovery.
    func gap(until now: Instant) -> Duration { recovery == nil ? max(gap, now - lastArrival) : gap }
}
