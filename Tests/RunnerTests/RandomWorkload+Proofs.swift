import Primitives

// What ends prove themselves by, each from a stream of its own.
extension RandomWorkload {
    /// The method of EAP, or EAP-TLS in its place, and how the gateway proves itself beside it.
    mutating func drawEAPProofs(_ method: String) {
        var draws = Draws(seed, entity: 16)
        let (isTLS, kind) = (draws.isOne(in: 3), draws.one(of: Self.kinds))
        // What the gateway proposes, and what clients know.
        let choice = Int(draws.pick(0...4))
        let offered = isTLS ? ["tls", "tls", "tls", "[mschapv2, tls]", "[tls, md5]"][choice] : method
        let known = isTLS ? ["tls", "tls", "tls", "tls", "[md5, tls]"][choice] : method
        let proof = draws.one(of: ["key", "key", "certificate", "alone", "alone"])
        let folder = TestAuthorities.folder(of: kind)
        let isAlone = proof == "alone" && offered == "tls"
        func eap(_ methods: String, _ certificates: String) -> String {
            var fields = ["method: \(methods)"]
            if methods != "tls" { fields.append("password-derived: secret") }
            if isTLS { fields.append("certificates: \(folder)/\(certificates).pem, authorities: \(folder)/ca.pem") }
            if isAlone { fields.append("only: true") }
            return "eap: { \(fields.joined(separator: ", ")) }"
        }
        authentication.kind = kind
        authentication.gatewaySigns = proof != "key" && !isAlone
        func all(_ certificate: String, _ eap: String) -> String {
            isAlone
                ? "{ \(eap) }"
                : authentication.gatewaySigns ? "{ \(certificate), \(eap) }" : "{ psk: test-only, \(eap) }"
        }
        authentication.gateway = all("certificates: \(folder)/gateway.pem", eap(offered, "gateway"))
        authentication.other = all("certificates: \(folder)/other/gateway.pem", eap(offered, "other/gateway"))
        authentication.client = all("authorities: \(folder)/ca.pem", eap(known, "clients"))
        if isTLS, kind == "rsa2048" { credentialCount = TestAuthorities.fewClients }
    }

    /// Certificates at one end or both; few clients have RSA keys, which take long to make.
    mutating func drawCertificates() {
        var draws = Draws(seed, entity: 11)
        let (isWanted, kind) = (draws.isOne(in: 3), draws.one(of: Self.kinds))
        let ends = draws.pick(1...3)
        guard isWanted, !authentication.client.contains("eap") else { return }
        let folder = TestAuthorities.folder(of: kind)
        let own = { (name: String, isOwn: Bool) in isOwn ? ", certificates: \(folder)/\(name).pem" : "" }
        let base = "psk: test-only, authorities: \(folder)/ca.pem"
        authentication = Authentication(
            gateway: "{ \(base)\(own("gateway", ends != 2)) }",
            other: "{ \(base) }",
            client: "{ \(base)\(own("clients", ends != 1)) }",
            kind: kind,
            gatewaySigns: ends != 2,
            clientSigns: ends != 1
        )
        if kind == "rsa2048" { credentialCount = TestAuthorities.fewClients }
    }

    /// A key of each client's own in the place of everybody's, and other ways to sign than by RFC 7427's best: the
    /// methods that are older than it (RFC 7296 section 2.15, RFC 4754), or PKCS #1.
    mutating func drawKeys() {
        var draws = Draws(seed, entity: 27)
        let isDerived = draws.isOne(in: 3)
        let signatures = draws.one(of: [
            "", "[ecdsa-p256, ecdsa-p384, rsa-sha1, ed25519]", "[ecdsa-sha512, rsa-pkcs1-sha384, ed25519]",
        ])
        if authentication.isByKey, isDerived {
            authentication.replace("psk: test-only", with: "psk-derived: secret")
        } else if authentication.gatewaySigns || authentication.clientSigns, !authentication.client.contains("eap"),
            !signatures.isEmpty
        {
            authentication.replace(" }", with: ", signatures: \(signatures) }")
        }
    }

    /// Keys, and half of the time identities, from files that have a line for each client.
    mutating func drawLists() {
        var draws = Draws(seed, entity: 29)
        let (isWanted, areListed) = (draws.isOne(in: 4), draws.isOne(in: 2))
        guard authentication.client == "{ psk: test-only }", isWanted else { return }
        let folder = TestAuthorities.lists
        authentication.replace("psk: test-only", with: "psk-file: \(folder)/secret.csv")
        if areListed { identity = "{ file: \(folder)/secret.csv }" }
    }

    /// Another authority takes over: at once or in steps, with the gateway and a share of its clients, and most often
    /// with the others later on.
    mutating func drawRollover() {
        var draws = Draws(seed, entity: 17)
        guard authentication.gatewaySigns || authentication.clientSigns, draws.isOne(in: 2) else { return }
        let kind = draws.one(of: ["ecdsa256", "ed25519", "ecdsa384"].filter { $0 != authentication.kind })
        let folder = TestAuthorities.folder(of: kind)
        let (start, wait, share) = (draws.pick(5...25), draws.pick(3...20), draws.pick(0...100))
        let (keepsOld, hasRest) = (draws.isOne(in: 2), draws.pick(0...3) > 0)
        let clients = authentication.clientSigns ? ", client-certificates: \(folder)/clients.pem" : ""
        let gateway = authentication.gatewaySigns ? ", certificates: \(folder)/gateway.pem" : ""
        let change = "gateway: gw, authorities: \(folder)/ca.pem, population: c\(clients)"
        faults.append(
            "half: { kind: certificate-rollover, at: \(start)s, \(change), share: \(share)%, keeps-old: \(keepsOld)\(gateway) }"
        )
        if hasRest { faults.append("rest: { kind: certificate-rollover, at: \(start + wait)s, \(change) }") }
        causes += Cause.rollover(from: start, until: hasRest ? start + wait : nil)
    }

    /// Somebody who knows another key or password, or whose certificate is nobody's or too old.
    mutating func drawStrangers() {
        var draws = Draws(seed, entity: 18)
        let (isWanted, count, isExpired) = (draws.isOne(in: 4), draws.pick(1...2), draws.isOne(in: 2))
        guard isWanted else { return }
        var theirs = authentication.client.replacing("secret", with: "guessed")
        if theirs.contains("clients.pem") {
            let kind = authentication.kind
            let folder = isExpired ? TestAuthorities.expired(kind) : TestAuthorities.foreign
            theirs = theirs.replacing("\(TestAuthorities.folder(of: kind))/clients", with: "\(folder)/clients")
        } else if !theirs.contains("eap") {
            theirs = theirs.replacing("test-only", with: "guessed")
        }
        strangers = Strangers(count: count, authentication: theirs)
        causes.append(.strangers(refusal(ofExpired: isExpired)))
    }

    /// What strangers hear of their proofs, and what their gateway says of them.
    private func refusal(ofExpired isExpired: Bool) -> (atClients: String, atGateway: String) {
        let client = authentication.client
        guard client.contains("eap") else {
            let reason = isExpired ? "expired-certificate" : "untrusted-certificate"
            return ("authentication-failed", authentication.clientSigns ? reason : "authentication-failed")
        }
        // RFC 8446 section 6: certificate_expired and unknown_ca.
        if client.contains("clients.pem") {
            return isExpired
                ? ("eap-tls:alert-45", "eap-tls:certificate-expired")
                : ("eap-tls:alert-48", "eap-tls:certificate-untrusted")
        }
        // RFC 2759 section 6: ERROR_AUTHENTICATION_FAILURE.
        let hears = client.contains("method: mschapv2") ? "eap-mschapv2:691" : "eap-rejected"
        return (hears, "eap-wrong-password")
    }

    private static var kinds: [String] { ["ecdsa256", "ed25519", "ecdsa384", "rsa2048"] }
}
