import IKEWire
import Primitives
import Results
package import Workload

/// Asks a gateway for everything that this version speaks: algorithms first, then the rest with a combination that
/// works.
package struct MatrixRun {
    private let template: Workload
    private let target: LiveTarget
    private let options: LiveOptions
    package var pace = MatrixPace(perSecond: 2)
    /// More than one is for a gateway that lets an identity have several IKE SAs.
    package var featuresAtOnce = 1
    package var ciphers = MatrixCipher.all
    package var keyExchanges = MatrixCipher.keyExchanges
    package var features = MatrixFeature.allCases
    /// The most handshakes that key exchanges and ciphers may take.
    package var mostCombinations = 200
    /// The gateway's log on this machine: what does not work gets the lines that say why.
    package var gatewayLog: String?
    /// Told of each stage, a line at a time.
    package var report: (String) -> Void = { _ in }

    /// - Parameter template: whose gateway, credentials, sources and safety are taken; its load is not.
    package init(_ template: Workload, target: LiveTarget, options: LiveOptions) {
        var reduced = template
        let gateway = template.populations[0].gateway
        reduced.populations = template.populations.filter { $0.gateway == gateway }
        reduced.gateways = [template.gateways[gateway]]
        self.template = reduced
        self.target = target
        self.options = options
    }

    package func run() throws(LiveError) -> MatrixReport {
        let everything = MatrixCipher.everything(ciphers, keyExchanges)
        let cells = combinations
        var report = MatrixReport(target: target, ciphers: ciphers, keyExchanges: keyExchanges)
        report.leftOut = leftOut(combinationCount: cells.count)
        let first = try run(cells, canary: everything, "\(cells.count) combinations of key exchange and cipher")
        report.add(first)
        report.explainAlgorithms()
        guard report.interruption == .none else { return report }
        guard let base = base(of: report.results) else {
            report.leftOut.append("authentication and features: no combination works")
            return report
        }
        report.base = base
        let more = further(base)
        do throws(LiveError) {
            report.add(
                try run(more, canary: base.proposals, "\(more.count) of transforms, authentication and features")
            )
            report.explainTheRest()
        } catch {
            // What was found out before is worth as much as ever.
            report.addNotTried(more, "\(error)")
        }
        return report
    }

    private func run(
        _ cells: [MatrixCell],
        canary: Workload.Proposals,
        _ what: String
    ) throws(LiveError) -> MatrixStage.Outcome {
        var stage = MatrixStage(template: template, cells: cells, canary: canary, pace: pace)
        stage.featuresAtOnce = featuresAtOnce
        stage.gatewayLog = gatewayLog
        if let ceiling = template.safety.setUpsAtMost {
            stage.pace.perSecond = max(1, min(pace.perSecond, Int(clamping: ceiling.perSecondThousandths / 1_000)))
        }
        report("\(what), \(stage.pace.perSecond) a second: \(stage.duration.nanoseconds / 1_000_000_000) s")
        return try stage.run(target, options)
    }

    /// All pairs; if those are too many, each key exchange with the first cipher and each cipher with the first key
    /// exchange.
    private var combinations: [MatrixCell] {
        let isFull = ciphers.count * keyExchanges.count <= mostCombinations
        return ciphers.flatMap { cipher in
            keyExchanges.filter { isFull || cipher == ciphers[0] || $0 == keyExchanges[0] }.map { keyExchange in
                MatrixCell(
                    kind: .algorithms,
                    name: "\(cipher.ike)-\(keyExchange)",
                    proposals: cipher.proposals(keyExchange),
                    cipher: cipher,
                    keyExchange: keyExchange
                )
            }
        }
    }

    /// The combination that everything else is asked for with: the workload's own if it works, or else the first that
    /// does.
    private func base(of results: [MatrixResult]) -> MatrixCell? {
        let working = results.filter { $0.verdict == .works }.map(\.cell)
        let own = template.profiles[template.populations[0].profile].proposals.ike
        return working.first { own.contains($0.proposals.ike[0]) } ?? working.first
    }

    private func further(_ base: MatrixCell) -> [MatrixCell] {
        transforms(base) + authentications(base)
            + features.filter { $0 != .natted || target.address.isIPv4 }.map { feature in
                var cell = base
                cell.kind = .feature(feature)
                cell.name = feature.rawValue
                cell.cipher = nil
                return cell
            }
    }

    /// One at a time, in the place of the base's.
    private func transforms(_ base: MatrixCell) -> [MatrixCell] {
        guard let cipher = base.cipher, let keyExchange = base.keyExchange else { return [] }
        let words = cipher.ike.split(separator: "-").map(String.init)
        var cells: [MatrixCell] = []
        for prf in MatrixCipher.prfs where !words.contains(prf) {
            let kept = words.filter { !$0.hasPrefix("prf") } + [prf, keyExchange]
            let proposals = Workload.Proposals(ike: [kept.joined(separator: "-")], child: base.proposals.child)
            cells.append(MatrixCell(kind: .transform, name: prf, proposals: proposals))
        }
        // An additional key exchange, and one in the place of the base's.
        for method in MatrixCipher.postQuantum {
            for (name, methods) in [("ke1_" + method, [keyExchange, "ke1_" + method]), (method, [method])] {
                let ike = ([cipher.ike] + methods).joined(separator: "-")
                let proposals = Workload.Proposals(ike: [ike], child: base.proposals.child)
                cells.append(MatrixCell(kind: .transform, name: name, proposals: proposals))
            }
        }
        let extended = Workload.Proposals(ike: base.proposals.ike, child: [cipher.child + "-esn"])
        cells.append(MatrixCell(kind: .transform, name: "esn", proposals: extended))
        return cells
    }

    /// Every population's credentials; where they sign, each signature by itself that their key can make.
    private func authentications(_ base: MatrixCell) -> [MatrixCell] {
        template.populations.indices.flatMap { index -> [MatrixCell] in
            let population = template.populations[index]
            let profile = template.profiles[population.profile]
            // A connection of its own may have proposals of its own.
            var proposals = profile.proposals
            proposals.ike += base.proposals.ike.filter { !proposals.ike.contains($0) }
            proposals.child = proposals.child.map { $0.withKeyExchange(nil) } + base.proposals.child
            var cell = MatrixCell(
                kind: .authentication(index),
                name: "\(population.name) (\(profile.authentication.words))",
                proposals: proposals
            )
            if let eap = profile.authentication.eap {
                return eap.methods.map { method in
                    cell.method = method
                    cell.name = "\(population.name) (EAP \(method.rawValue))"
                    return cell
                }
            }
            guard let key = profile.authentication.credentials?.credentials.first?.privateKey else { return [cell] }
            return [cell]
                + profile.authentication.signatures.filter { $0.suits(key) }.map { signature in
                    cell.signature = signature
                    cell.name = "\(population.name) with \(signature.rawValue)"
                    return cell
                }
        }
    }
}

extension Workload.Authentication {
    /// What the client shows, and what it believes.
    fileprivate var words: String {
        let own = credentials != nil ? "certificate" : "PSK"
        let other = authorities != nil ? "certificate" : "PSK"
        return own == other ? own : "\(own), the gateway \(other)"
    }
}

extension Workload.SignatureName {
    /// Whether a private key (PKCS #8) is of the signature's algorithm, by its object identifier.
    fileprivate func suits(_ privateKey: [UInt8]) -> Bool {
        let head = Array(privateKey.prefix(48))
        func has(_ identifier: [UInt8]) -> Bool {
            head.indices.contains { head[$0...].starts(with: identifier) }
        }
        let p256: [UInt8] = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07]
        return switch self {
        case .ed25519: has([0x06, 0x03, 0x2B, 0x65, 0x70])
        case .ecdsaSHA256, .ecdsaSHA384, .ecdsaSHA512: has([0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01])
        case .ecdsaP256: has(p256)
        case .ecdsaP384: has([0x2B, 0x81, 0x04, 0x00, 0x22])
        case .ecdsaP521: has([0x2B, 0x81, 0x04, 0x00, 0x23])
        case .rsaPSSSHA256, .rsaPSSSHA384, .rsaPSSSHA512, .rsaPKCS1SHA256, .rsaPKCS1SHA384, .rsaPKCS1SHA512, .rsaSHA1:
            has([0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01])
        }
    }
}

extension MatrixRun {
    /// What is not tried, and why.
    private func leftOut(combinationCount: Int) -> [String] {
        var reasons: [String] = []
        let all = ciphers.count * keyExchanges.count
        if combinationCount < all {
            reasons.append(
                "\(all - combinationCount) pairs of key exchange and cipher: --at-most \(mostCombinations) handshakes; each "
                    + "key exchange is tried with \(ciphers[0].ike), and each cipher with \(keyExchanges[0])"
            )
        }
        reasons += [
            "PRFs, ESN, authentication and features with every pair: each is tried with one pair that works, since RFC 7296 "
                + "negotiates them apart",
            "other pairs of AES-CBC and an integrity algorithm: RFC 7296 section 3.3 negotiates the two apart",
            "DES, 3DES, MD5, MODP groups below 2,048 bits: RFC 8247 has done away with them, and this version does not "
                + "compute them",
            "other additional key exchanges than ML-KEM, and more than one (RFC 9370): they are negotiated in the same way",
            "transport mode: it needs a connection that assigns no addresses",
            "INITIAL_CONTACT: it would end other IKE SAs of the same identity",
            "cookies, AUTH_LIFETIME, the gateway's own rekeys: the gateway decides when to ask for them",
        ]
        if !target.address.isIPv4, features.contains(.natted) { reasons.append("NAT: the target is IPv6") }
        return reasons
    }
}
