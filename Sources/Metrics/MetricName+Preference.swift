extension MetricName {
    /// Which of two values of a metric a user would rather have.
    package enum Preference: Hashable, Sendable {
        /// The smaller one: latencies, failures, losses.
        case lower
        /// The greater one: what succeeded.
        case higher
        /// Neither: the metric says what was asked for, or what else was done for it. `esp.dropped` is one, since a
        /// gateway that drops replayed packets does what it should.
        case neither
    }

    package var preference: Preference {
        switch self {
        case .handshakeFailed, .childRekeyFailed, .ikeRekeyFailed, .reauthenticationFailed, .retransmissions,
            .tunnelsLost, .mobikeRestarts, .natExhausted, .trafficLost, .trafficReordered, .trafficDuplicated,
            .handshakeLatency, .childRekeyLatency, .ikeRekeyLatency, .reauthenticationLatency, .mobikeLatency,
            .trafficLatency, .trafficRoundTrip, .trafficJitter, .trafficFirstPacket, .childRekeyOutage, .childRekeyGap,
            .ikeRekeyOutage, .ikeRekeyGap, .reauthenticationOutage, .reauthenticationGap, .mobikeOutage, .mobikeGap,
            .natOutage, .natGap, .restartOutage, .restartGap, .recoveryTime:
            .lower
        case .handshakeSuccess, .tunnelsUp, .handshakeEstablished, .childRekeyEstablished, .ikeRekeyEstablished,
            .reauthenticationEstablished, .mobikeUpdates, .trafficReceived:
            .higher
        case .handshakeOffered, .childRekeyOffered, .ikeRekeyOffered, .reauthenticationOffered, .initialContactReplaced,
            .unknownIKESPI, .generatorLag, .arrivalsSkipped, .clipped, .mobikeMoves, .trafficOffered, .unknownESPSPI,
            .trafficClockError, .espDropped:
            .neither
        }
    }

    /// Of a count that has a preference, the count of its occasions: what could have ended so.
    ///
    /// Two such counts say which is better only where there were as many occasions. Clients that lose their IKE SAs
    /// establish more of them, which is no success.
    package var occasions: MetricName? {
        switch self {
        case .handshakeEstablished, .handshakeFailed, .retransmissions, .tunnelsLost: .handshakeOffered
        case .childRekeyEstablished, .childRekeyFailed: .childRekeyOffered
        case .ikeRekeyEstablished, .ikeRekeyFailed: .ikeRekeyOffered
        case .reauthenticationEstablished, .reauthenticationFailed: .reauthenticationOffered
        case .mobikeUpdates, .mobikeRestarts: .mobikeMoves
        case .trafficReceived, .trafficLost, .trafficReordered, .trafficDuplicated, .natExhausted: .trafficOffered
        default: nil
        }
    }
}
