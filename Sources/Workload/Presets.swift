import Primitives

/// Values that real products have, each with its source; the documents print the same list.
package enum Presets {
    package struct Preset<Value: Sendable>: Sendable {
        package var name: String
        package var value: Value
        package var source: String
    }

    /// When requests are sent again, and when the peer is given up.
    package static let retransmission: [Preset<Workload.Retransmission>] = [
        Preset(
            name: "strongswan",
            value: Workload.Retransmission(first: .seconds(4), factorMillionths: 1_800_000, tries: 5),
            source:
                "strongswan.conf(5): retransmit_timeout 4.0, retransmit_base 1.8, retransmit_tries 5; "
                + "gives up after 165 s"
        ),
        Preset(
            name: "libreswan",
            // The timeout of 60 s ends the last wait early.
            value: Workload.Retransmission(
                waits: [500, 1_000, 2_000, 4_000, 8_000, 16_000, 28_500].map { .milliseconds($0) }
            ),
            source: "ipsec.conf(5): retransmit-interval 500 ms, doubled each time, retransmit-timeout 60 s"
        ),
        Preset(
            name: "android",
            value: Workload.Retransmission(waits: [500, 1_000, 2_000, 4_000, 8_000].map { .milliseconds($0) }),
            source: "Android IkeSessionParams, IKE_RETRANS_TIMEOUT_MS_LIST_DEFAULT: 0.5, 1, 2, 4 and 8 s"
        ),
        Preset(
            name: "apple",
            value: Workload.Retransmission(waits: [1, 2, 4, 8, 16].map { .seconds($0) }),
            source: "not documented by Apple: our assumption, until somebody measures it"
        ),
    ]

    /// What a client does after it failed or lost its IKE SA.
    package static let reconnect: [Preset<Workload.Reconnect>] = [
        Preset(
            name: "strongswan",
            value: Workload.Reconnect(
                after: [.timeout, .delete, .expired],
                waits: [.zero],
                jitter: .zero,
                giveUpAfter: nil
            ),
            source:
                "swanctl.conf(5) with keyingtries = 0, dpd_action = restart and close_action = start: at once, for ever"
        ),
        Preset(
            name: "libreswan",
            value: Workload.Reconnect(
                after: [.timeout, .delete, .refused, .expired],
                waits: (0...60).map { .seconds(5 * $0) },
                jitter: .zero,
                giveUpAfter: nil
            ),
            source: "pluto's revival: at once, then 5 s more each time, at most 300 s (REVIVE_CONN_DELAY, _MAX)"
        ),
        Preset(
            name: "android",
            value: Workload.Reconnect(
                after: [.timeout, .delete, .refused, .expired],
                waits: [1, 2, 5, 30, 60, 300, 900].map { .seconds($0) },
                jitter: .zero,
                giveUpAfter: nil
            ),
            source: "Android Vpn.java, IKEV2_VPN_RETRY_DELAYS_MS: 1, 2, 5, 30, 60, 300 and then every 900 s"
        ),
        Preset(
            name: "apple",
            value: Workload.Reconnect(
                after: [.timeout, .delete, .expired],
                waits: [.seconds(1), .seconds(5), .seconds(30)],
                jitter: .percent(50),
                giveUpAfter: nil
            ),
            source: "VPN on demand, which starts again with traffic; its pace is not documented: our assumption"
        ),
        Preset(
            name: "windows",
            value: Workload.Reconnect(
                after: [.timeout, .delete, .expired],
                waits: [.seconds(60)],
                jitter: .zero,
                giveUpAfter: 3
            ),
            source: "RASENTRY's defaults for a phone-book entry: 3 redial attempts, 60 s apart"
        ),
    ]

    /// When SAs are rekeyed, and when they end.
    package static let lifetimes: [Preset<Workload.Lifetimes>] = [
        Preset(
            name: "strongswan",
            value: Workload.Lifetimes(
                ike: Workload.Lifetime(rekey: .hours(4), jitter: .percent(10), over: .minutes(24)),
                child: Workload.Lifetime(rekey: .hours(1), jitter: .percent(10), over: .minutes(6))
            ),
            source: "swanctl.conf(5): rekey_time 4h and 1h, rand_time and over_time 10 %"
        ),
        Preset(
            name: "libreswan",
            // ikelifetime 8h less rekeymargin 9m, and up to 100 % (rekeyfuzz) of the margin earlier: 9 of 471 minutes.
            value: Workload.Lifetimes(
                ike: Workload.Lifetime(rekey: .minutes(471), jitter: nineOf471, over: .minutes(9)),
                child: Workload.Lifetime(rekey: .minutes(471), jitter: nineOf471, over: .minutes(9))
            ),
            source: "ipsec.conf(5): ikelifetime and salifetime 8h, rekeymargin 9m, rekeyfuzz 100 %"
        ),
        Preset(
            name: "android",
            value: Workload.Lifetimes(
                ike: Workload.Lifetime(rekey: .hours(2), jitter: .zero, over: .hours(2)),
                child: Workload.Lifetime(rekey: .hours(1), jitter: .zero, over: .hours(1))
            ),
            source: "Android IkeSessionParams and ChildSessionParams: soft and hard 2 h and 4 h, 1 h and 2 h"
        ),
        Preset(
            name: "apple",
            value: Workload.Lifetimes(
                ike: Workload.Lifetime(rekey: .minutes(60), jitter: .zero, over: .minutes(6)),
                child: Workload.Lifetime(rekey: .minutes(30), jitter: .zero, over: .minutes(3))
            ),
            source:
                "NEVPNIKEv2SecurityAssociationParameters.lifetimeMinutes: 60 and 30; the hard ends are our assumption"
        ),
    ]

    /// NATs in the terms of RFC 4787.
    package static let nat: [Preset<Workload.NAT>] = [
        Preset(
            name: "linux-conntrack",
            value: Workload.NAT(
                mapping: .addressAndPortDependent,
                filtering: .addressAndPortDependent,
                timeoutOneWay: .seconds(30),
                timeoutTwoWay: .seconds(120),
                ports: .preserve
            ),
            source: "Linux nf_conntrack_udp_timeout 30 s and nf_conntrack_udp_timeout_stream 120 s"
        ),
        Preset(
            name: "rfc4787-minimum",
            value: Workload.NAT(
                mapping: .endpointIndependent,
                filtering: .addressDependent,
                timeoutOneWay: .seconds(120),
                timeoutTwoWay: .seconds(120),
                ports: .random
            ),
            source: "RFC 4787 REQ-1, REQ-5 (not below 2 minutes) and REQ-8"
        ),
        Preset(
            name: "cisco-cgn",
            value: Workload.NAT(
                mapping: .endpointIndependent,
                filtering: .endpointIndependent,
                timeoutOneWay: .seconds(300),
                timeoutTwoWay: .seconds(300),
                ports: .random
            ),
            source: "Cisco IOS: ip nat translation udp-timeout 300 s"
        ),
        Preset(
            name: "fortigate-cgn",
            value: Workload.NAT(
                mapping: .endpointIndependent,
                filtering: .endpointIndependent,
                timeoutOneWay: .seconds(300),
                timeoutTwoWay: .seconds(300),
                ports: .random
            ),
            source: "FortiGate CGN: a session TTL of 300 s"
        ),
    ]

    private static let nineOf471 = Probability(partsPerBillion: 19_108_280)
}

extension Workload.Retransmission {
    /// The waits of a first one and a factor, each no longer than a limit.
    init(first: Duration, factorMillionths: Int64, tries: Int, atMost: Duration? = nil) {
        let limit = Int128(atMost?.nanoseconds ?? Int64.max / 128)
        var wait = Int128(first.nanoseconds)
        waits = (0...tries).map { _ in
            defer { wait = min(wait * Int128(factorMillionths) / 1_000_000, Int128(Int64.max / 128)) }
            return Duration(nanoseconds: Int64(min(wait, limit)))
        }
    }
}
