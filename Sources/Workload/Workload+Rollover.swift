package import Primitives

extension Workload {
    /// A gateway, and a share of a population's clients, prove themselves and believe otherwise from one moment on.
    package struct CertificateRollover: Hashable, Sendable {
        package var gateway: Int
        /// What the gateway proves itself by; nil: by what it had before.
        package var certificates: CredentialFile?
        /// Whose certificates all of them believe.
        package var authorities: AuthorityFile?
        /// Whether they believe those as well that they believed before.
        package var keepsOld: Bool
        /// Whose clients change; nil: nobody's.
        package var population: Int?
        package var share: Probability
        /// What clients that change prove themselves by; nil: by what they had before.
        package var clientCertificates: CredentialFile?
    }
}

extension WorkloadSchema {
    static let rolloverFields = [
        Field("certificates", .scalar(.file), "a PEM file: what the gateway proves itself by from then on"),
        Field("authorities", .scalar(.file), "a PEM file: the authorities that those who change believe from then on"),
        Field("keeps-old", .scalar(.boolean), "whether they go on believing the authorities that they believed before"),
        Field(
            "client-certificates",
            .scalar(.file),
            "a PEM file: what the clients that change prove themselves by from then on, each in turn"
        ),
    ]
}

extension WorkloadReader {
    mutating func rollover(_ view: RecordView) -> Workload.CertificateRollover {
        let credentials = { (text: String, path: String) throws(UnitProblem) in
            try Workload.CredentialFile(text: text, path: path)
        }
        return Workload.CertificateRollover(
            gateway: reference(view.value("gateway"), to: .gateways),
            certificates: file(view, "certificates", credentials),
            authorities: file(view, "authorities") { text, path throws(UnitProblem) in
                try Workload.AuthorityFile(text: text, path: path)
            },
            keepsOld: view.boolean("keeps-old"),
            population: view.has("population") ? reference(view.value("population"), to: .populations) : nil,
            share: view.has("share") ? view.percent("share") : .one,
            clientCertificates: file(view, "client-certificates", credentials)
        )
    }

    /// Clients change together with the gateway that they go to.
    mutating func checkRollovers(_ faults: [Workload.Fault], _ populations: [Workload.Population]) {
        for fault in faults {
            guard case .certificateRollover(let rollover) = fault.effect else { continue }
            let view = root.view("faults").node.entry(fault.name)?.value
            guard let place = rollover.population else {
                for key in ["share", "client-certificates"] {
                    guard let mark = view?.entry(key)?.value.mark else { continue }
                    fail(mark, "`\(key)` is of clients, and none change", "add `population`")
                }
                continue
            }
            guard populations.indices.contains(place), populations[place].gateway != rollover.gateway,
                gatewayNames.indices.contains(populations[place].gateway)
            else { continue }
            fail(
                view?.entry("population")?.value.mark ?? root.node.mark,
                "the clients of \(populations[place].name) go to another gateway than the one that changes",
                "write \(gatewayNames[populations[place].gateway])"
            )
        }
    }
}

extension WarningCheck {
    /// Who shows no certificate, and believes none, changes nothing.
    mutating func checkRollovers() {
        for fault in workload.faults {
            guard case .certificateRollover(let rollover) = fault.effect else { continue }
            let gateway = workload.gateways[rollover.gateway]
            if !gateway.policy.authentication.signs {
                warn("faults.\(fault.name)", "\(gateway.name) has no certificates, nor do its clients: nothing changes")
            }
        }
    }
}

extension Workload {
    /// The keys of a rollover as a resolved workload has them.
    func entries(_ rollover: CertificateRollover) -> [(key: String, value: YAMLValue)] {
        var entries: [(key: String, value: YAMLValue)] = [("gateway", .quoted(gateways[rollover.gateway].name))]
        if let file = rollover.certificates { entries.append(("certificates", .quoted(file.path))) }
        if let file = rollover.authorities { entries.append(("authorities", .quoted(file.path))) }
        entries.append(("keeps-old", .plain(rollover.keepsOld)))
        guard let population = rollover.population else { return entries }
        entries += [("population", .quoted(populations[population].name)), ("share", .plain(rollover.share))]
        if let file = rollover.clientCertificates { entries.append(("client-certificates", .quoted(file.path))) }
        return entries
    }
}
