/// The name of a metric, the same in thresholds, as a key of `metrics` in `result.json`, and in the documents.
package enum MetricName: String, CaseIterable, Hashable, Sendable {
    /// Arrivals and reconnects that asked for an IKE SA (a count).
    case handshakeOffered = "handshake.offered"
    /// IKE SAs established together with their first Child SA (a count).
    case handshakeEstablished = "handshake.established"
    /// Attempts that ended without an IKE SA, by reason (a count).
    case handshakeFailed = "handshake.failed"
    /// Established out of those that ended either way (a ratio).
    case handshakeSuccess = "handshake.success"
    /// From the intended start of the attempt to the established IKE SA (a time).
    case handshakeLatency = "handshake.latency"
    /// Rekeyings of Child SAs that were started (a count).
    case childRekeyOffered = "child.rekey.offered"
    /// Rekeyings of Child SAs that ended with a new Child SA in use (a count).
    case childRekeyEstablished = "child.rekey.established"
    /// Rekeyings of Child SAs that failed, by reason (a count).
    case childRekeyFailed = "child.rekey.failed"
    /// From when a rekeying that began here was due to the new Child SA (a time).
    case childRekeyLatency = "child.rekey.latency"
    /// Rekeyings of IKE SAs that were started (a count).
    case ikeRekeyOffered = "ike.rekey.offered"
    /// Rekeyings of IKE SAs that ended with a new IKE SA in use (a count).
    case ikeRekeyEstablished = "ike.rekey.established"
    /// Rekeyings of IKE SAs that failed, by reason (a count).
    case ikeRekeyFailed = "ike.rekey.failed"
    /// From when a rekeying that began here was due to the new IKE SA (a time).
    case ikeRekeyLatency = "ike.rekey.latency"
    /// Reauthentications that clients began (a count).
    case reauthenticationOffered = "reauthentication.offered"
    /// Reauthentications that ended with a new IKE SA and its first Child SA (a count).
    case reauthenticationEstablished = "reauthentication.established"
    /// Reauthentications that ended without a new IKE SA, by reason (a count).
    case reauthenticationFailed = "reauthentication.failed"
    /// From when a reauthentication was due to the new IKE SA (a time).
    case reauthenticationLatency = "reauthentication.latency"
    /// IKE SAs that a gateway dropped for an INITIAL_CONTACT, in virtual time (a count).
    case initialContactReplaced = "initial-contact.replaced"
    /// Answers to clients that the gateway does not have their IKE SA (a count).
    case unknownIKESPI = "ike-spi.unknown"
    /// Requests that initiators sent again (a count).
    case retransmissions = "retransmissions"
    /// Clients with an established IKE SA out of those that want one (a ratio).
    case tunnelsUp = "tunnels.up"
    /// Established IKE SAs that ended while their client wanted them, by reason (a count).
    case tunnelsLost = "tunnels.lost"
    /// From a fault's start until a condition holds again (a time).
    case recoveryTime = "recovery.time"
    /// How late the generator itself was: actual minus intended time (a time).
    case generatorLag = "generator.lag"
    /// Arrivals that found no idle client (a count).
    case arrivalsSkipped = "arrivals.skipped"
    /// Attempts that a ceiling of `safety` held back (a count).
    case clipped = "clipped"
    /// Moves of clients that had an IKE SA, or were about to have one (a count).
    case mobikeMoves = "mobike.moves"
    /// New addresses that a gateway was told of and took (a count).
    case mobikeUpdates = "mobike.updates"
    /// Moves after which a client began anew, for want of MOBIKE (a count).
    case mobikeRestarts = "mobike.restarts"
    /// From a change of address to the gateway's answer (a time).
    case mobikeLatency = "mobike.latency"
    /// Packets that a shared NAT had no ports for (a count).
    case natExhausted = "nat.exhausted"
    /// Packets that were due in a tunnel (a count).
    case trafficOffered = "traffic.offered"
    /// Packets that came out of a tunnel's other end (a count).
    case trafficReceived = "traffic.received"
    /// Packets that did not, by reason (a count).
    case trafficLost = "traffic.lost"
    /// From when a packet was due to its arrival behind the tunnel (a time).
    case trafficLatency = "traffic.latency"
    /// From when an echoed packet was due to its return (a time).
    case trafficRoundTrip = "traffic.round-trip"
    /// Answers that an end does not have the Child SA of an ESP packet (a count).
    case unknownESPSPI = "esp-spi.unknown"
    /// Packets that came after one with a higher number (a count).
    case trafficReordered = "traffic.reordered"
    /// Packets that came out of a tunnel a second time (a count).
    case trafficDuplicated = "traffic.duplicated"
    /// Between the latency of a packet and that of the one that came before it (a time).
    case trafficJitter = "traffic.jitter"
    /// From the intended start of an attempt to the first packet through its tunnel (a time).
    case trafficFirstPacket = "traffic.first-packet"
    /// How far off one-way times of real time may be: 0 where both ends have one clock (a time).
    case trafficClockError = "traffic.clock-error"
    /// ESP packets that an end did not let through, by reason (a count).
    case espDropped = "esp.dropped"
    /// Packets of a flow that a rekey of a Child SA cost, divided by the offered rate (a time).
    case childRekeyOutage = "child.rekey.outage"
    /// Longest time between two packets of a flow over a rekey of a Child SA (a time).
    case childRekeyGap = "child.rekey.gap"
    /// Packets of a flow that a rekey of an IKE SA cost, divided by the offered rate (a time).
    case ikeRekeyOutage = "ike.rekey.outage"
    /// Longest time between two packets of a flow over a rekey of an IKE SA (a time).
    case ikeRekeyGap = "ike.rekey.gap"
    /// Packets of a flow that a reauthentication cost, divided by the offered rate (a time).
    case reauthenticationOutage = "reauthentication.outage"
    /// Longest time between two packets of a flow over a reauthentication (a time).
    case reauthenticationGap = "reauthentication.gap"
    /// Packets of a flow that a move cost, divided by the offered rate (a time).
    case mobikeOutage = "mobike.outage"
    /// Longest time between two packets of a flow over a move (a time).
    case mobikeGap = "mobike.gap"
    /// Packets of a flow that a NAT's rebinding cost, divided by the offered rate (a time).
    case natOutage = "nat.outage"
    /// Longest time between two packets of a flow over a NAT's rebinding (a time).
    case natGap = "nat.gap"
    /// Packets of a flow that a gateway's restart cost, divided by the offered rate (a time).
    case restartOutage = "restart.outage"
    /// Longest time between two packets of a flow over a gateway's restart (a time).
    case restartGap = "restart.gap"

    /// What a metric's values are, and so what may be asked of it.
    package enum Kind: Hashable, Sendable {
        /// A total that only grows; its `rate` is events per second.
        case counter
        /// A share between 0 % and 100 %, which has a value at each moment.
        case ratio
        /// A histogram of times.
        case latency
        /// One time per fault, measured by a condition.
        case recovery
    }

    package var kind: Kind {
        switch self {
        case .handshakeOffered, .handshakeEstablished, .handshakeFailed, .childRekeyOffered, .childRekeyEstablished,
            .childRekeyFailed, .ikeRekeyOffered, .ikeRekeyEstablished, .ikeRekeyFailed, .reauthenticationOffered,
            .reauthenticationEstablished, .reauthenticationFailed, .initialContactReplaced, .unknownIKESPI,
            .retransmissions, .tunnelsLost, .arrivalsSkipped, .clipped, .mobikeMoves, .mobikeUpdates, .mobikeRestarts,
            .natExhausted, .trafficOffered, .trafficReceived, .trafficLost, .unknownESPSPI, .trafficReordered,
            .trafficDuplicated, .espDropped:
            .counter
        case .handshakeSuccess, .tunnelsUp: .ratio
        case .handshakeLatency, .childRekeyLatency, .ikeRekeyLatency, .reauthenticationLatency, .generatorLag,
            .mobikeLatency, .trafficLatency, .trafficRoundTrip, .trafficJitter, .trafficFirstPacket, .trafficClockError,
            .childRekeyOutage, .childRekeyGap, .ikeRekeyOutage, .ikeRekeyGap, .reauthenticationOutage,
            .reauthenticationGap, .mobikeOutage,
            .mobikeGap, .natOutage, .natGap, .restartOutage, .restartGap:
            .latency
        case .recoveryTime: .recovery
        }
    }

    /// Whether results leave it out where it did not happen: it is of a feature that few workloads ask for.
    package var isOfFeature: Bool {
        switch self {
        case .reauthenticationOffered, .reauthenticationEstablished, .reauthenticationFailed, .reauthenticationLatency,
            .initialContactReplaced, .unknownIKESPI, .mobikeMoves, .mobikeUpdates, .mobikeRestarts, .mobikeLatency,
            .natExhausted, .trafficOffered, .trafficReceived, .trafficLost, .trafficLatency, .trafficRoundTrip,
            .unknownESPSPI, .trafficReordered, .trafficDuplicated, .trafficJitter, .trafficFirstPacket,
            .trafficClockError,
            .espDropped, .childRekeyOutage, .childRekeyGap, .ikeRekeyOutage, .ikeRekeyGap, .reauthenticationOutage,
            .reauthenticationGap, .mobikeOutage, .mobikeGap, .natOutage, .natGap, .restartOutage, .restartGap:
            true
        default: false
        }
    }

    /// Whether it is known of each flow, and not only of its population.
    package var isPerFlow: Bool {
        switch self {
        case .trafficOffered, .trafficReceived, .trafficLost, .trafficLatency, .trafficRoundTrip, .trafficReordered,
            .trafficDuplicated, .trafficJitter, .trafficFirstPacket, .trafficClockError, .childRekeyOutage,
            .childRekeyGap, .ikeRekeyOutage, .ikeRekeyGap, .reauthenticationOutage, .reauthenticationGap, .mobikeOutage,
            .mobikeGap, .natOutage, .natGap, .restartOutage, .restartGap:
            true
        default: false
        }
    }

    /// The unit of the values in `result.json`.
    package var unit: String {
        switch kind {
        case .counter: "count"
        case .ratio: "ratio"
        case .latency, .recovery: "ns"
        }
    }
}
