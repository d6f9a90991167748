import IKECrypto
import IKEWire
import IKEv2
import Load
import Primitives
import Workload

extension PeerPolicy {
    /// How the clients of a population behave towards its gateway, or towards another one.
    convenience init(
        _ workload: Workload,
        population: Int,
        towards gateway: Int? = nil,
        _ material: AuthenticationMaterial
    ) {
        let place = workload.populations[population].profile
        let profile = workload.profiles[place]
        let gateway = workload.gateways[gateway ?? workload.populations[population].gateway]
        var values = Values(
            identity: material.identities[place],
            preSharedKey: profile.authentication.key,
            ikeProposals: profile.proposals.parsedIKE,
            childProposals: profile.proposals.parsedChild,
            localSelectors: profile.trafficSelectors.local.compactMap { selector in
                switch selector {
                case .dynamic: nil
                case .prefix(let prefix): TrafficSelector(prefix)
                }
            },
            remoteSelectors: profile.trafficSelectors.remote.map { TrafficSelector($0) }
        )
        values.authentication = material.clients[place]
        values.peerIdentity = IdentityTemplate(gateway.identity)
        if profile.requestsAddress {
            let configuration = profile.configuration
            values.requestedAddresses = AddressFamilies(configuration.addresses.map { $0 == .ipv4 ? .ipv4 : .ipv6 })
            values.requestsNameServers = configuration.settings.contains(.nameServers)
            values.requestsSubnets = configuration.settings.contains(.subnets)
        } else {
            values.requestedAddresses = []
        }
        values.childMode = ChildMode(profile.mode)
        values.additionalChildren = max(0, profile.children - 1)
        values.ikeLifetime = Lifetime(profile.lifetimes.ike)
        values.childLifetime = Lifetime(profile.lifetimes.child)
        values.retransmission = RetransmissionSchedule(waits: profile.retransmission.waits)
        values.liveness = profile.liveness
        values.natKeepalive = profile.natKeepalive
        values.fragmentation = FragmentSizes(profile.fragmentation)
        values.lifeCycle = LifeCyclePolicy(profile.lifeCycle)
        values.forcesEncapsulation = profile.mobility.forcesEncapsulation
        if profile.mobility.isMobile {
            // Whatever else a gateway calls its own, only what the workload names is ever gone to.
            values.mobility = MobilityPolicy(allowedPeers: gateway.addresses.map { IPPrefix($0) })
        }
        self.init(values)
    }

    /// How a simulated gateway, or `ikestorm gateway`, behaves towards everybody.
    ///
    /// - Parameter servesLive: whether the policy's RADIUS servers can be asked.
    convenience init(
        _ workload: Workload,
        gateway: Int,
        _ material: AuthenticationMaterial,
        servesLive: Bool = false
    ) {
        let authentication = material.gateways[gateway]
        let gateway = workload.gateways[gateway]
        let policy = gateway.policy
        var values = Values(
            identity: IdentityTemplate(gateway.identity),
            preSharedKey: policy.authentication.key,
            ikeProposals: policy.proposals.parsedIKE,
            childProposals: policy.proposals.parsedChild,
            localSelectors: policy.trafficSelectors.map { TrafficSelector($0) },
            remoteSelectors: policy.pool.isEmpty
                ? [TrafficSelector(IPPrefix("0.0.0.0/0")!)] : policy.pool.map { TrafficSelector($0) }
        )
        values.childMode = ChildMode(policy.mode)
        values.nameServers = policy.nameServers
        values.subnets = policy.subnets
        values.authentication = authentication
        if servesLive, policy.radius?.servers.isEmpty == false { values.authentication.eap?.usesBackend = true }
        values.ikeLifetime = Lifetime(policy.lifetimes.ike)
        values.childLifetime = Lifetime(policy.lifetimes.child)
        values.retransmission = RetransmissionSchedule(waits: policy.retransmission.waits)
        values.liveness = policy.liveness
        values.fragmentation = FragmentSizes(policy.fragmentation)
        values.lifeCycle = LifeCyclePolicy(policy.lifeCycle)
        values.forcesEncapsulation = policy.mobility.forcesEncapsulation
        if policy.mobility.isMobile {
            let addresses = gateway.addresses
            let told = addresses.count > 1 ? Array(addresses.prefix(MobilityPolicy.mostAddresses)) : []
            values.mobility = MobilityPolicy(additionalAddresses: told)
        }
        values.halfOpenTimeout = policy.halfOpen.timeout
        self.init(values)
    }
}

extension Workload.Gateway {
    /// Where it can be reached, in either world.
    fileprivate var addresses: [IPAddress] {
        let simulated = simulated?.addresses ?? []
        return simulated + realAddresses.filter { !simulated.contains($0) }
    }
}

extension IPPrefix {
    /// One address by itself.
    fileprivate init(_ address: IPAddress) { self.init(address: address, length: 8 * address.byteCount) }
}

extension ChildMode {
    fileprivate init(_ mode: Workload.Mode) {
        self =
            switch mode {
            case .tunnel: .tunnel
            case .transport: .transport
            }
    }
}

extension Workload.Authentication {
    /// The key that all clients share, where there is one.
    var key: [UInt8] {
        switch sharedKey {
        case .one(let text): Array(text.utf8)
        case .derived, .listed, .none: []
        }
    }
}

extension Workload.Proposals {
    // The workload's reader has parsed them before.
    var parsedIKE: [Proposal] { ike.map { Self.parse($0, .ike) } }
    var parsedChild: [Proposal] { child.map { Self.parse($0, .esp) } }

    private static func parse(_ notation: String, _ protocolID: ProtocolID) -> Proposal {
        do {
            return try Proposal(notation: notation, protocolID: protocolID)
        } catch {
            preconditionFailure("a validated workload's proposals can be read: \(notation)")
        }
    }
}

extension FragmentSizes {
    /// Nil where there are to be no fragments.
    init?(_ fragmentation: Workload.Fragmentation) {
        switch fragmentation {
        case .never: return nil
        case .standard: self = .standard
        case .pathMTU(let byteCount), .size(let byteCount):
            self.init(ipv4: UInt16(byteCount), ipv6: UInt16(byteCount))
        }
    }
}

extension Lifetime {
    init(_ lifetime: Workload.Lifetime) {
        self.init(rekey: lifetime.rekey, jitter: lifetime.jitter, hard: lifetime.hard)
        if lifetime.hasVolume { volume = Volume(packets: lifetime.packets ?? .max, octets: lifetime.bytes ?? .max) }
    }
}

extension ReconnectPolicy {
    init(_ reconnect: Workload.Reconnect) {
        self.init(
            causes: reconnect.after.map { Cause($0) },
            waits: reconnect.waits,
            jitter: reconnect.jitter,
            giveUpAfter: reconnect.giveUpAfter
        )
    }
}

extension ReconnectPolicy.Cause {
    init(_ reason: Workload.Reconnect.Reason) {
        self =
            switch reason {
            case .timeout: .timeout
            case .delete: .delete
            case .refused: .refused
            case .authentication: .authentication
            case .expired: .expired
            }
    }
}

extension [Proposal] {
    /// The key exchange methods that the proposals name and this build can compute.
    var keyExchanges: [KeyExchangeMethod] {
        var methods: [KeyExchangeMethod] = []
        for proposal in self {
            for transform in proposal.transforms where transform.type == .keyExchange {
                guard let method = KeyExchangeMethod(rawValue: transform.id), !methods.contains(method) else {
                    continue
                }
                methods.append(method)
            }
        }
        return methods
    }
}
