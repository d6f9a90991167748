package import Primitives

extension Workload {
    /// A way between clients and a gateway, the same in both directions.
    package struct Path: Hashable, Sendable {
        /// Whether all its clients' datagrams pass one link (in virtual time).
        package var hasSharedLink: Bool { bandwidth?.isShared == true }

        package var name: String
        package var delay: Delay
        package var loss: Loss
        package var duplication: Probability
        package var reordering: Reordering?
        package var bandwidth: Bandwidth?
        /// The largest IP packet that passes, and what happens to a larger one; nil passes all.
        package var mtu: MTU?
        package var nat: NAT?
    }

    /// The one-way delay: a part drawn once per client, and a part drawn for each packet.
    package struct Delay: Hashable, Sendable {
        package var perClient: Distribution
        package var jitter: Distribution?
        /// Whether a packet never overtakes one of the same client and direction.
        package var keepsOrder: Bool

        /// The least delay of any packet, which bounds the lookahead of virtual time.
        package var minimum: Duration { perClient.minimum + (jitter?.minimum ?? .zero) }
    }

    package enum Loss: Hashable, Sendable {
        case none
        /// Each packet is lost by itself (Bernoulli).
        case random(Probability)
        /// Two states that change before each packet, with a loss in each (Gilbert-Elliott).
        case gilbertElliott(toBad: Probability, toGood: Probability, inGood: Probability, inBad: Probability)
    }

    /// A share of the packets is held back by an extra delay, so that later ones overtake them.
    package struct Reordering: Hashable, Sendable {
        package var share: Probability
        package var extraDelay: Duration
    }

    /// A link's rate and the tail-drop queue in front of it.
    package struct Bandwidth: Hashable, Sendable {
        package var bitsPerSecond: UInt64
        package var queueByteCount: Int
        /// Whether all clients of the path share one link; else each has its own.
        package var isShared: Bool
    }

    package struct MTU: Hashable, Sendable {
        package var byteCount: Int
        package var overMTU: OverMTU

        package enum OverMTU: String, CaseIterable, Hashable, Sendable {
            case fragment
            case drop
        }
    }

    /// A NAT in front of each client, or of all, in the terms of RFC 4787.
    package struct NAT: Hashable, Sendable {
        package var mapping: Dependence
        package var filtering: Dependence
        /// The UDP timeout of a mapping that has seen packets from inside alone.
        package var timeoutOneWay: Duration
        /// The UDP timeout of a mapping that has seen packets both ways.
        package var timeoutTwoWay: Duration
        package var ports: Ports
        /// Nil: each client has a NAT of its own.
        package var shared: Shared?

        /// One NAT for all clients of the path, as carriers have (RFC 6888).
        package struct Shared: Hashable, Sendable {
            /// Its outer addresses.
            package var addresses: [IPPrefix]
            /// How many ports of one address a client has for itself (RFC 7422).
            package var portsPerClient: Int
        }

        package enum Dependence: String, CaseIterable, Hashable, Sendable {
            case endpointIndependent = "endpoint-independent"
            case addressDependent = "address-dependent"
            case addressAndPortDependent = "address-and-port-dependent"
        }

        package enum Ports: String, CaseIterable, Hashable, Sendable {
            case preserve
            case sequential
            case random
        }
    }

    /// A length of time that is drawn.
    package struct Distribution: Hashable, Sendable {
        package var shape: Shape
        /// No draw is below this: a smaller one is raised to it.
        package var minimum: Duration
        /// No draw is above this: a larger one is lowered to it; nil for none.
        package var maximum: Duration?

        package enum Shape: Hashable, Sendable {
            case constant(Duration)
            case uniform(from: Duration, to: Duration)
            case normal(mean: Duration, deviation: Duration)
            /// The logarithm is normal around the median's, with this deviation in millionths.
            case lognormal(median: Duration, sigmaMillionths: Int64)
            case exponential(mean: Duration)
            /// Points of the cumulative distribution, from 0 % to 100 %, with straight lines between.
            case empirical([Quantile])
        }

        /// The longest time that it is written with.
        package var longest: Duration {
            let written: [Duration] =
                switch shape {
                case .constant(let time): [time]
                case .uniform(_, let to): [to]
                case .normal(let mean, let deviation): [mean, deviation]
                case .lognormal(let median, _): [median]
                case .exponential(let mean): [mean]
                case .empirical(let quantiles): quantiles.map(\.value)
                }
            return ([minimum] + written).max() ?? minimum
        }

        package struct Quantile: Hashable, Sendable {
            package var share: Probability
            package var value: Duration
        }
    }
}
