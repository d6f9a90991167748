import Primitives

extension Workload {
    /// How clients show who they are by EAP, as either end has it.
    package struct EAP: Hashable, Sendable {
        /// A method, as workloads name it.
        package enum Method: String, CaseIterable, Hashable, Sendable {
            case md5
            case gtc
            case mschapv2
            case tls

            var hasPassword: Bool { self != .tls }
            /// Whether RFC 5998 section 4 lets it stand alone.
            var isSafeAlone: Bool { self == .tls }
        }

        /// Most wanted first.
        package var methods: [Method]
        /// What a client calls itself; nil: its `identity`.
        package var identity: IdentityTemplate?
        package var password: SharedKey?
        /// What it has for EAP-TLS.
        package var credentials: CredentialFile?
        package var authorities: AuthorityFile?
        /// Whether the gateway shows who it is by EAP alone.
        package var isOnly: Bool
        /// Whether the gateway asks for the identity.
        package var asksIdentity: Bool

        package init(
            methods: [Method],
            identity: IdentityTemplate? = nil,
            password: SharedKey? = nil,
            credentials: CredentialFile? = nil,
            authorities: AuthorityFile? = nil,
            isOnly: Bool = false,
            asksIdentity: Bool = false
        ) {
            self.methods = methods
            self.identity = identity
            self.password = password
            self.credentials = credentials
            self.authorities = authorities
            self.isOnly = isOnly
            self.asksIdentity = asksIdentity
        }
    }
}

extension WorkloadSchema {
    static let eap = Record(
        fields: [
            Field(
                "method",
                .either([eapMethod, .list(of: eapMethod, least: 1)]),
                .required,
                "the method, or several, most wanted first"
            ),
            Field("identity", .scalar(.text), "what clients call themselves in EAP: their `identity` unless said"),
            Field("password", .scalar(.text), "the password of all clients"),
            Field(
                "password-derived",
                .scalar(.text),
                "a secret: each client's password is the HMAC-SHA-256 of its identity under it, in hexadecimal digits"
            ),
            Field("password-file", .scalar(.file), "a CSV file with the columns identity and password"),
            Field(
                "certificates",
                .scalar(.file),
                "for EAP-TLS, a PEM file as that of `authentication.certificates`"
            ),
            Field("authorities", .scalar(.file), "for EAP-TLS, the certificates of the authorities that are believed"),
            Field(
                "only",
                .scalar(.boolean),
                .standard("false"),
                "whether the gateway shows who it is by EAP alone (RFC 5998)"
            ),
            Field(
                "ask-identity",
                .scalar(.boolean),
                .standard("false"),
                "whether a gateway asks for the identity, which IKE_AUTH has told it already"
            ),
        ],
        unsupported: ["peap", "ttls", "sim", "aka"].map { ($0, "the methods are md5, gtc, mschapv2 and tls") }
    )

    private static let eapMethod = Shape.keyword(Workload.EAP.Method.allCases.map(\.rawValue), noun: "method of EAP")
}

extension WorkloadReader {
    mutating func eap(_ outer: RecordView) -> Workload.EAP? {
        guard outer.has("eap") else { return nil }
        let view = outer.view("eap")
        let one = view.value("method")?.scalar.flatMap { Workload.EAP.Method(rawValue: $0) }
        let identity = view.has("identity")
        var eap = Workload.EAP(
            methods: one.map { [$0] } ?? view.keywords("method", as: Workload.EAP.Method.self),
            identity: identity ? self.identity(view) : nil,
            password: sharedKey(view, "password"),
            isOnly: view.boolean("only"),
            asksIdentity: view.boolean("ask-identity")
        )
        eap.credentials = file(view, "certificates") { text, path throws(UnitProblem) in
            try Workload.CredentialFile(text: text, path: path)
        }
        eap.authorities = file(view, "authorities") { text, path throws(UnitProblem) in
            try Workload.AuthorityFile(text: text, path: path)
        }
        check(eap, view)
        return eap
    }

    private mutating func check(_ eap: Workload.EAP, _ view: RecordView) {
        if eap.methods.contains(where: \.hasPassword), keys("password", of: view).isEmpty {
            fail(view.node.mark, "`\(view.path)` has no password", "write `password`")
        }
        for key in ["certificates", "authorities"] where eap.methods.contains(.tls) && !view.has(key) {
            fail(view.node.mark, "EAP-TLS needs `\(key)`", "add a PEM file, such as `ikestorm pki` makes")
        }
        if eap.isOnly, let method = eap.methods.first(where: { !$0.isSafeAlone }) {
            fail(
                view.mark("only"),
                "\(method.rawValue) does not show who the gateway is: RFC 5998 section 4 does not allow it alone",
                "use tls, or leave `only` out"
            )
        }
    }
}

extension Workload {
    /// The map of `eap` as a resolved workload has it.
    func value(_ eap: EAP) -> YAMLValue {
        var entries: [(key: String, value: YAMLValue)] = [
            ("method", .list(eap.methods.map { .plain($0.rawValue) }))
        ]
        if let identity = eap.identity { entries.append(("identity", .quoted(identity.description))) }
        entries += values(eap.password, "password")
        if let file = eap.credentials { entries.append(("certificates", .quoted(file.path))) }
        if let file = eap.authorities { entries.append(("authorities", .quoted(file.path))) }
        if eap.isOnly { entries.append(("only", .plain(true))) }
        if eap.asksIdentity { entries.append(("ask-identity", .plain(true))) }
        return .map(entries)
    }
}

extension WarningCheck {
    /// Whether EAP goes wrong between two ends, or what else is to be looked at.
    mutating func checkEAP(_ profile: Workload.Profile, _ gateway: Workload.Gateway) {
        let path = "profiles.\(profile.name).authentication"
        switch (profile.authentication.eap, gateway.policy.authentication.eap) {
        case (.none, .none): return
        case (.some, .none):
            warn(path, "\(profile.name) asks for EAP, and \(gateway.name) has none: nobody is authenticated")
        case (.none, .some):
            guard profile.authentication.credentials == nil else { return }
            warn(path, "\(gateway.name) wants EAP, and \(profile.name) has none: nobody is authenticated")
        case (let ours?, let theirs?):
            if Set(ours.methods).isDisjoint(with: theirs.methods) {
                warn(
                    path,
                    "\(profile.name) and \(gateway.name) have no method of EAP in common: nobody is authenticated"
                )
            }
            if let one = ours.password, let other = theirs.password, disagree(one, other) {
                warn(path, "\(profile.name) and \(gateway.name) have different passwords: nobody is authenticated")
            }
            let hasProof = profile.authentication.sharedKey != nil || profile.authentication.authorities != nil
            if ours.isOnly, !theirs.isOnly, !hasProof {
                warn(
                    path,
                    "\(gateway.name) shows itself by AUTH, which \(profile.name) cannot check: nobody is authenticated"
                )
            }
        }
    }
}
