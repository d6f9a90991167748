import Gateway
import IKECrypto
import IKEv2
import Primitives
import Simulation
import Workload

/// A part of a simulated run: a shard of clients, a gateway's front desk, or a NAT or a link that many clients share.
struct RunPart: ~Copyable, SimulatedPart {
    typealias Message = GatewayMessage

    var shard: ClientShard?
    var desk: FrontDesk?
    var sharedNAT: SharedNAT?
    var sharedLink: SharedLink?

    init(index: Int, plan: SimulationPlan, terms: ShardTerms) {
        if index < plan.shardCount {
            shard = ClientShard(index: UInt32(index), plan: plan, terms: terms)
        } else if index >= plan.firstSharedLinkPart {
            sharedLink = SharedLink(plan, index - plan.firstSharedLinkPart)
        } else if index >= plan.shardCount + plan.gatewayCount {
            sharedNAT = SharedNAT(plan, index - plan.shardCount - plan.gatewayCount)
        } else {
            desk = FrontDesk(plan.deskSettings(index - plan.shardCount))
        }
    }

    var nextTime: Instant {
        switch shard {
        case .some(let shard): return shard.nextTime
        case .none: break
        }
        switch desk {
        case .some(let desk): return desk.nextTime
        case .none: break
        }
        switch sharedNAT {
        case .some(let sharedNAT): return sharedNAT.nextTime
        case .none: break
        }
        switch sharedLink {
        case .some(let sharedLink): return sharedLink.nextTime
        case .none: return .never
        }
    }

    /// Shards wait; front desks have nothing to wait for.
    var isWaiting: Bool {
        switch shard {
        case .some(let shard): return shard.isWaiting
        case .none: return false
        }
    }

    static func carryOut(_ waiting: [Int], of parts: borrowing Cells<RunPart>) -> LaneUse {
        ClientShard.carryOut(waiting, of: parts)
    }

    mutating func accept(_ messages: [GatewayMessage]) {
        shard?.accept(messages)
        desk?.accept(messages)
        sharedNAT?.accept(messages)
        sharedLink?.accept(messages)
    }

    mutating func run(before limit: Instant, into outbox: inout Outbox<GatewayMessage>) -> Int {
        let inShard = shard?.run(before: limit, into: &outbox) ?? 0
        let atDesk = desk?.run(before: limit, into: &outbox) ?? 0
        let atNAT = sharedNAT?.run(before: limit, into: &outbox) ?? 0
        let atLink = sharedLink?.run(before: limit, into: &outbox) ?? 0
        return inShard + atDesk + atNAT + atLink
    }
}

extension SimulationPlan {
    /// What a gateway's front desk is told.
    func deskSettings(_ index: Int) -> FrontDeskSettings {
        let gateway = workload.gateways[index]
        guard let simulated = gateway.simulated else {
            preconditionFailure("a simulated run's gateways have a model")
        }
        var settings = FrontDeskSettings(
            entity: deskEntity(index),
            name: StableName.hash(of: "gateways." + gateway.name),
            seed: seed,
            internalLatency: simulated.internalLatency,
            costs: CostTable(simulated.costs)
        )
        settings.cores = simulated.cores
        settings.serialShare = simulated.serialShare
        settings.queuePackets = simulated.queuePackets
        settings.queueByteCount = simulated.queueByteCount
        settings.esp = simulated.esp.map {
            ESPPoolSettings(
                cores: $0.cores,
                queuePackets: $0.queuePackets,
                perPacket: $0.perPacket,
                perKilobyte: $0.perKilobyte
            )
        }
        let limits = gateway.policy.halfOpen
        settings.halfOpen.cookiesAbove = limits.cookiesAbove
        settings.halfOpen.cookiesAbovePerSource = limits.cookiesAbovePerSource
        settings.halfOpen.refuseAbovePerSource = limits.refuseAbovePerSource
        settings.halfOpen.refuseAbove = limits.refuseAbove
        settings.keyExchanges = gateway.policy.proposals.parsedIKE.keyExchanges
        settings.signs = gateway.policy.authentication.credentials != nil
        settings.backend = gateway.policy.radius.map { backendSettings($0, of: index) }
        settings.pool = gateway.policy.pool
        settings.windowSize = UInt32(gateway.policy.lifeCycle.windowSize)
        settings.unknownSPIAnswers = UInt32(gateway.policy.lifeCycle.unknownSPIAnswers)
        settings.restarts = restartSchedule(index)
        settings.logLength = Self.logLength
        settings.excerpt = excerpt
        return settings
    }

    private func backendSettings(_ radius: Workload.RADIUS, of index: Int) -> BackendSettings {
        var settings = BackendSettings(
            latency: DurationDistribution(radius.latency),
            sockets: radius.sockets,
            workers: radius.workers,
            waits: radius.waits
        )
        settings.outages = workload.faults.compactMap { fault in
            guard case .radiusOutage(let gateway, let lasting) = fault.effect, gateway == index else { return nil }
            let start = Instant.zero + fault.at
            return start..<start + lasting
        }
        return settings
    }

    func restartSchedule(_ index: Int) -> RestartSchedule {
        RestartSchedule(
            workload.faults.compactMap { fault in
                guard case .gatewayRestart(let gateway, let down, let keepsState) = fault.effect, gateway == index
                else { return nil }
                let start = Instant.zero + fault.at
                return RestartSchedule.Restart(down: start, up: start + down, keepsState: keepsState)
            }
        )
    }
}

extension CostTable {
    init(_ file: CostTableFile) {
        self.init(
            operation: { Cost(file.price(of: $0)) },
            keyExchange: { method in file.price(ofKeyExchange: method.word).map { Cost($0.cost) } }
        )
        if let signatures = file.signatures {
            signature = Cost(signatures.sign)
            verification = Cost(signatures.verify)
        }
    }
}

extension Cost {
    fileprivate init(_ cost: CostTableFile.Cost) {
        self.init(
            baseNanoseconds: cost.baseNanoseconds,
            perActiveSAPicoseconds: cost.perActiveSAPicoseconds
        )
    }
}

extension CostTableFile {
    /// A round of EAP is decrypted, answered and encrypted as an INFORMATIONAL exchange is, unless the table says more.
    fileprivate func price(of operation: PricedOperation) -> Cost {
        operation == .eapRound ? eap ?? self[.informational] : self[Operation(operation)]
    }
}

extension CostTableFile.Operation {
    fileprivate init(_ operation: PricedOperation) {
        self =
            switch operation {
            case .eapRound: .informational
            case .ikeSAInit: .ikeSAInit
            case .cookieCheck: .cookieCheck
            case .cookieDemand: .cookieDemand
            case .refuse: .refuse
            case .discard: .discard
            case .ikeAuthPSK: .ikeAuthPSK
            case .createChildSA: .createChildSA
            case .rekeyIKESA: .rekeyIKESA
            case .informational: .informational
            case .delete: .delete
            case .retransmissionAnswered: .retransmissionAnswered
            case .ownRequest: .ownRequest
            case .ownResponse: .ownResponse
            case .ownRetransmission: .ownRetransmission
            case .halfOpenExpiry: .halfOpenExpiry
            }
    }
}

extension KeyExchangeMethod {
    /// The word for it in proposals and cost tables.
    var word: String {
        switch self {
        case .modp2048: "modp2048"
        case .modp3072: "modp3072"
        case .modp4096: "modp4096"
        case .modp2048s256: "modp2048s256"
        case .ecp192: "ecp192"
        case .ecp256: "ecp256"
        case .ecp384: "ecp384"
        case .ecp521: "ecp521"
        case .curve25519: "x25519"
        case .curve448: "x448"
        case .mlKEM768: "mlkem768"
        case .mlKEM1024: "mlkem1024"
        }
    }
}
