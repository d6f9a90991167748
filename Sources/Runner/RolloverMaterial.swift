import BasicContainers
import IKECrypto
import IKEv2
import Load
import Primitives
import Workload

/// What a gateway, and clients that change with it, go by after a rollover of certificates.
struct RolloverMaterial: Sendable {
    let gateway: AuthenticationPolicy
    /// Nil where no clients change.
    let clients: AuthenticationPolicy?

    /// For each fault of a workload, nil where it is of another kind: what an earlier rollover has brought is what a
    /// later one takes the place of.
    static func all(of workload: Workload) throws(AuthenticationProblem) -> [RolloverMaterial?] {
        var gateways = workload.gateways.map(\.policy.authentication)
        var clients = workload.populations.map { workload.profiles[$0.profile].authentication }
        var materials = [RolloverMaterial?](repeating: nil, count: workload.faults.count)
        let order = workload.faults.indices.sorted { (workload.faults[$0].at, $0) < (workload.faults[$1].at, $1) }
        for index in order {
            guard case .certificateRollover(let rollover) = workload.faults[index].effect else { continue }
            let place = rollover.gateway
            gateways[place].roll(to: rollover.certificates, believing: rollover.authorities, rollover.keepsOld)
            var theirs: AuthenticationPolicy?
            if let population = rollover.population {
                clients[population].roll(
                    to: rollover.clientCertificates,
                    believing: rollover.authorities,
                    rollover.keepsOld
                )
                theirs = try AuthenticationPolicy(clients[population], .client, epoch: workload.run.epoch)
            }
            materials[index] = RolloverMaterial(
                gateway: try AuthenticationPolicy(gateways[place], .server, epoch: workload.run.epoch),
                clients: theirs
            )
        }
        return materials
    }
}

extension Workload.Authentication {
    fileprivate mutating func roll(
        to credentials: Workload.CredentialFile?,
        believing authorities: Workload.AuthorityFile?,
        _ keepsOld: Bool
    ) {
        if let credentials { self.credentials = credentials }
        guard var believed = authorities else { return }
        if keepsOld { believed.certificates += self.authorities?.certificates ?? [] }
        self.authorities = believed
    }
}

/// A rollover as a worker's shards carry it out.
struct RolloverTerms: Sendable {
    let gatewayPolicy: PeerPolicy
    let clientPlan: ClientPlan?

    /// For each fault of a workload, nil where it is of another kind.
    static func all(_ plan: SimulationPlan, _ policies: [PeerPolicy], _ clientPlans: [ClientPlan]) -> [RolloverTerms?] {
        let workload = plan.workload
        let clients = ClientPlan.afterRollovers(of: workload, plan.authentication, clientPlans)
        return workload.faults.indices.map { fault in
            guard case .certificateRollover(let rollover) = workload.faults[fault].effect,
                let material = plan.authentication.rollovers[fault]
            else { return nil }
            return RolloverTerms(
                gatewayPolicy: policies[rollover.gateway].proving(material.gateway),
                clientPlan: clients[fault]
            )
        }
    }
}

extension ClientPlan {
    /// For each fault of a workload what the clients that it changes go by from then on; nil where it changes none.
    static func afterRollovers(
        of workload: Workload,
        _ material: AuthenticationMaterial,
        _ plans: [ClientPlan]
    ) -> [ClientPlan?] {
        workload.faults.indices.map { fault in
            guard case .certificateRollover(let rollover) = workload.faults[fault].effect,
                let population = rollover.population, let clients = material.rollovers[fault]?.clients
            else { return nil }
            return plans[population].proving(clients)
        }
    }

    /// The same but for what its clients prove themselves by, and take for a proof.
    fileprivate func proving(_ authentication: AuthenticationPolicy) -> ClientPlan {
        ClientPlan(population: population, policy: policy.proving(authentication), reconnect: reconnect, seed: seed)
    }
}

extension PeerPolicy {
    /// The same but for what it proves itself by, and takes for a proof.
    fileprivate func proving(_ authentication: AuthenticationPolicy) -> PeerPolicy {
        var values = self.values
        values.authentication = authentication
        return PeerPolicy(values)
    }
}

extension ClientShard {
    /// Exchanges that are under way go on as those who change now are.
    mutating func rollOver(_ rollover: Workload.CertificateRollover, fault: Int) {
        guard let terms = terms.rollovers[fault] else { return }
        gatewayPolicies[rollover.gateway] = terms.gatewayPolicy
        guard let clientPlan = terms.clientPlan else { return }
        for local in 0..<clients.count
        where clients[local].population == rollover.population && clients[local].flood == nil
            && clients[local].client.place.isHit(by: fault, share: rollover.share, seed: plan.seed)
        {
            clients[local].plan = clientPlan
        }
    }
}
