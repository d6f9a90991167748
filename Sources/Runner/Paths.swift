import Primitives
import Simulation
import Workload

extension Link {
    init(_ path: Workload.Path, seed: UInt64) {
        self.init(
            seed: seed,
            latency: Latency(
                perClient: DurationDistribution(path.delay.perClient),
                perPacket: path.delay.jitter.map { DurationDistribution($0) },
                keepsOrder: path.delay.keepsOrder
            ),
            loss: Loss(path.loss),
            duplication: path.duplication,
            reordering: path.reordering.map { Reordering(share: $0.share, extraDelay: $0.extraDelay) },
            bandwidth: path.bandwidth.map { Bandwidth($0) },
            mtu: path.mtu.map { MTU(byteCount: $0.byteCount, excess: $0.overMTU == .drop ? .drop : .fragment) }
        )
    }
}

extension Bandwidth {
    init(_ bandwidth: Workload.Bandwidth) {
        self.init(bitsPerSecond: bandwidth.bitsPerSecond, queueByteCount: bandwidth.queueByteCount)
    }
}

extension Loss {
    init(_ loss: Workload.Loss) {
        self =
            switch loss {
            case .none: .none
            case .random(let probability): .random(probability)
            case .gilbertElliott(let toBad, let toGood, let inGood, let inBad):
                .gilbertElliott(toBad: toBad, toGood: toGood, inGood: inGood, inBad: inBad)
            }
    }
}

extension DurationDistribution {
    init(_ distribution: Workload.Distribution) {
        let shape: Shape =
            switch distribution.shape {
            case .constant(let value): .constant(value)
            case .uniform(let from, let to): .uniform(from: from, to: to)
            case .normal(let mean, let deviation): .normal(mean: mean, deviation: deviation)
            case .lognormal(let median, let sigma): .lognormal(median: median, sigmaMillionths: sigma)
            case .exponential(let mean): .exponential(mean: mean)
            case .empirical(let quantiles):
                .empirical(quantiles.map { Quantile(share: $0.share, value: $0.value) })
            }
        self.init(shape, minimum: distribution.minimum, maximum: distribution.maximum)
    }
}

extension NATBehaviour {
    init(_ nat: Workload.NAT) {
        self.init(
            mapping: Dependence(nat.mapping),
            filtering: Dependence(nat.filtering),
            timeoutOneWay: nat.timeoutOneWay,
            timeoutTwoWay: nat.timeoutTwoWay,
            ports: PortChoice(nat.ports)
        )
    }
}

extension NATBehaviour.Dependence {
    init(_ dependence: Workload.NAT.Dependence) {
        self =
            switch dependence {
            case .endpointIndependent: .endpointIndependent
            case .addressDependent: .addressDependent
            case .addressAndPortDependent: .addressAndPortDependent
            }
    }
}

extension NATBehaviour.PortChoice {
    init(_ ports: Workload.NAT.Ports) {
        self =
            switch ports {
            case .preserve: .preserve
            case .sequential: .sequential
            case .random: .random
            }
    }
}
