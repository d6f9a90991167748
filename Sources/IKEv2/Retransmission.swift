package import Primitives

/// When a request is sent again, and when it is given up (RFC 7296 section 2.4).
package struct RetransmissionSchedule: Hashable, Sendable {
    /// How long each sending of a request waits for the answer; after the last one the request has failed.
    package let waits: [Duration]

    package init(waits: [Duration]) {
        precondition(!waits.isEmpty && waits.allSatisfy { $0 > .zero }, "every sending waits for some time")
        self.waits = waits
    }

    /// `first`, then each wait `factor` thousandths of the one before it, none above `limit`.
    ///
    /// `tries` counts the sendings after the first one.
    package init(first: Duration, factorPerMille: Int64, tries: Int, limit: Duration? = nil) {
        var waits: [Duration] = []
        var wait = first.nanoseconds
        for _ in 0...max(0, tries) {
            waits.append(.nanoseconds(min(wait, limit?.nanoseconds ?? .max)))
            let (product, overflow) = wait.multipliedReportingOverflow(by: factorPerMille)
            wait = overflow ? .max : product / 1000
        }
        self.init(waits: waits)
    }

    /// What charon does unless told otherwise: 4 s x 1.8^n, 5 tries, 165 s in all (strongswan.conf).
    package static let strongSwan = RetransmissionSchedule(first: .seconds(4), factorPerMille: 1800, tries: 5)
}

/// The one request that waits for its answer (RFC 7296 section 2.3: a window of 1).
package struct OutstandingRequest: Sendable {
    /// The message as sent, marker excluded, to be sent again octet by octet (RFC 7296 section 2.1).
    package let message: [UInt8]
    package let note: PacketNote
    /// How often it was sent again.
    package private(set) var retransmissions = 0
    package private(set) var deadline: Instant

    package init(message: [UInt8], note: PacketNote, sentAt now: Instant, schedule: RetransmissionSchedule) {
        self.message = message
        self.note = note
        deadline = now + schedule.waits[0]
    }

    /// Counts a sending; false when the schedule is exhausted and the request has failed.
    package mutating func retransmit(at now: Instant, schedule: RetransmissionSchedule) -> Bool {
        guard retransmissions + 1 < schedule.waits.count else { return false }
        retransmissions += 1
        deadline = now + schedule.waits[retransmissions]
        return true
    }
}
