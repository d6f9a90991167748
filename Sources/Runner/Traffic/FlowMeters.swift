import IKEv2
package import Load
package import Primitives

/// What is measured of one flow where its packets come out.
struct FlowMeter {
    /// Whose its packets are in a tally.
    let subject: Int
    /// The highest number that has come, and which of the 64 up to it have.
    private var highest: UInt64 = 0
    private var recent: UInt64 = 0
    private var lastArrival = Instant.zero
    private var lastLatency: Duration?
    private var outages: [Outage] = []

    /// What a packet is to those before it.
    enum Arrival {
        /// The difference of its latency from that of the packet before it, if there was one.
        case inOrder(jitter: Duration?)
        /// A packet with a higher number was faster (RFC 4737 section 3.3).
        case reordered(jitter: Duration?)
        /// It has come before (RFC 5560).
        case duplicate
    }

    init(_ flow: PacketFlow) { subject = flow.subject }

    var hasOutages: Bool { !outages.isEmpty }

    mutating func receive(_ number: UInt64, due: Instant, at now: Instant) -> Arrival {
        let isReordered = number <= highest
        if isReordered {
            let place = highest - number
            if place < 64 {
                guard recent & 1 << place == 0 else { return .duplicate }
                recent |= 1 << place
            }
        } else {
            let distance = number - highest
            recent = distance < 64 ? recent << distance | 1 : 1
            highest = number
        }
        let latency = now - due
        // RFC 3550 section 6.4.1, before it is smoothed: in the order in which they come.
        let jitter = lastLatency.map { $0 > latency ? $0 - latency : latency - $0 }
        lastLatency = latency
        lastArrival = now
        for index in outages.indices { outages[index].receive(number, due: due, at: now) }
        return isReordered ? .reordered(jitter: jitter) : .inOrder(jitter: jitter)
    }

    func hasSeen(_ number: UInt64) -> Bool {
        number <= highest && highest - number < 64 && recent & 1 << (highest - number) != 0
    }

    /// Something happens to the flow's tunnel; it is over at `end`, if that is known.
    mutating func begin(_ event: TunnelEvent, _ flow: PacketFlow, at now: Instant, until end: Instant?) {
        // What has been missing for longer than anything is waited for was lost before.
        let after = max(highest, flow.number - min(flow.number, flow.count(in: UnansweredPackets.patience)))
        let patience = UnansweredPackets.patience
        let earliest = now > .zero + patience ? now - patience : .zero
        outages.append(Outage(event, after: after, lastArrival: max(lastArrival, earliest), end: end))
    }

    mutating func settle(_ event: TunnelEvent, at now: Instant) {
        for index in outages.indices where outages[index].event == event { outages[index].settle(at: now) }
    }

    /// Gives away the outages that are over, or all.
    mutating func takeOutages(at now: Instant, _ flow: PacketFlow, all: Bool) -> [FlowOutage] {
        var taken: [FlowOutage] = []
        let last = flow.number - min(flow.number, flow.count(in: UnansweredPackets.patience))
        outages.removeAll { outage in
            guard all || outage.isOver(at: now) else { return false }
            let lost = outage.lost(of: last)
            taken.append(
                FlowOutage(
                    event: outage.event,
                    lost: lost,
                    time: flow.interval(before: lost),
                    gap: outage.gap(until: now)
                )
            )
            return true
        }
        return taken
    }
}

/// What an event has come to for one flow.
struct FlowOutage: Hashable, Sendable {
    var event: TunnelEvent
    var lost: UInt64
    /// The lost packets by the offered rate.
    var time: Duration
    var gap: Duration
}

/// The meters of a client's flows, and what they need to know of its tunnel.
package struct FlowMeters {
    /// By flow.
    private var meters: [FlowMeter] = []
    private var wasReauthenticating = false
    private var wasUp = false
    /// When the attempt was due whose tunnel has carried no packet yet.
    private var begun: Instant?

    package init() {}

    package mutating func add(_ flow: PacketFlow) { meters.append(FlowMeter(flow)) }

    /// Counts a packet that has come out of the tunnel; false where it has come before. What its flow has to report
    /// comes first.
    ///
    /// - Parameter arrival: when it came, where that is told later than now.
    package mutating func receive(
        _ number: UInt64,
        due: Instant,
        of index: Int,
        _ tally: inout ClientTally,
        at now: Instant,
        arrival: Instant? = nil
    ) -> Bool {
        let subject = meters[index].subject
        switch meters[index].receive(number, due: due, at: arrival ?? now) {
        case .duplicate:
            tally.mark(.packetDuplicated, subject, at: now)
            return false
        case .reordered(let jitter):
            tally.mark(.packetReordered, subject, at: now)
            if let jitter { tally.sample(.jitter, subject, jitter, at: now) }
        case .inOrder(let jitter):
            if let jitter { tally.sample(.jitter, subject, jitter, at: now) }
        }
        if let begun {
            tally.sample(.firstPacket, subject, max((arrival ?? now) - begun, .zero), at: now)
            self.begun = nil
        }
        return true
    }

    /// Whether a packet has come, as far as is known.
    package func hasSeen(_ number: UInt64, of index: Int) -> Bool { meters[index].hasSeen(number) }

    /// Whether there is something to report of a flow, now or later.
    func hasOutages(of index: Int) -> Bool { meters[index].hasOutages }

    /// Reports what events have cost a flow that are over.
    mutating func report(
        _ index: Int,
        _ flow: PacketFlow,
        _ tally: inout ClientTally,
        at now: Instant,
        all: Bool = false
    ) {
        guard meters[index].hasOutages else { return }
        for outage in meters[index].takeOutages(at: now, flow, all: all) {
            tally.sample(outage.event.outage, flow.subject, outage.time, at: now)
            tally.sample(outage.event.gap, flow.subject, outage.gap, at: now)
        }
    }

    /// Something happens to the tunnel; it is over at `end`, if that is known.
    mutating func begin(_ event: TunnelEvent, _ flows: [PacketFlow], at now: Instant, until end: Instant?) {
        for index in flows.indices where flows[index].isRunning {
            meters[index].begin(event, flows[index], at: now, until: end)
        }
    }

    private mutating func settle(_ event: TunnelEvent, at now: Instant) {
        for index in meters.indices { meters[index].settle(event, at: now) }
    }

    /// Ends the measuring of a flow that sends no more, or of a run.
    mutating func finish(
        _ index: Int,
        _ flow: PacketFlow,
        _ tally: inout ClientTally,
        at now: Instant
    ) {
        report(index, flow, &tally, at: now, all: true)
    }
}

// Which events there are, by what a client's machines send and report.
extension FlowMeters {
    mutating func follow(_ output: borrowing Output, _ tunnel: TunnelState, _ flows: [PacketFlow], at now: Instant) {
        for datagram in output.datagrams {
            let note = datagram.note
            guard !note.isResponse, !note.isRetransmission, note.beginsMessage else { continue }
            switch note.operation {
            case .rekeyChild: begin(.childRekey, flows, at: now, until: nil)
            case .rekeyIKE: begin(.ikeRekey, flows, at: now, until: nil)
            default: break
            }
        }
        for report in output.reports { follow(report, flows, at: now) }
        // What comes after a reauthentication is no first packet.
        if tunnel.isUp, !wasUp, !wasReauthenticating { begun = tunnel.intended }
        wasUp = tunnel.isUp
        guard tunnel.isReauthenticating != wasReauthenticating else { return }
        wasReauthenticating = tunnel.isReauthenticating
        if wasReauthenticating {
            begin(.reauthentication, flows, at: now, until: nil)
        } else {
            settle(.reauthentication, at: now)
        }
    }

    /// A rekey is over when what it replaced is gone.
    private mutating func follow(_ report: Report, _ flows: [PacketFlow], at now: Instant) {
        switch report {
        case .childRekeyed(_, _, _, _, let fromHere):
            // The peer's rekey is heard of when it is done.
            if !fromHere { begin(.childRekey, flows, at: now, until: nil) }
        case .childDeleted, .childRekeyFailed: settle(.childRekey, at: now)
        case .ikeRekeyed(_, _, _, let fromHere):
            if !fromHere { begin(.ikeRekey, flows, at: now, until: nil) }
        case .ikeRekeyFailed: settle(.ikeRekey, at: now)
        case .closed:
            settle(.ikeRekey, at: now)
            settle(.childRekey, at: now)
        default: break
        }
    }
}

/// What measuring has to know of a client.
struct TunnelState {
    var isUp: Bool
    /// Until the former IKE SA is gone.
    var isReauthenticating: Bool
    /// When its latest attempt was due.
    var intended: Instant

    init(_ client: borrowing Client) {
        isUp = client.isUp
        isReauthenticating = client.isReauthenticating || client.hasFormer
        intended = client.intended
    }
}
