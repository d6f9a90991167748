import IKEWire

/// Proposals in strongSwan's notation, and what this version can do of them.
enum Proposals {
    static func check(_ text: String, _ proposal: Scalar.Proposal) throws(UnitProblem) {
        guard text.utf8.count <= 256 else { throw UnitProblem("`\(text.abbreviated)` is too long for a proposal") }
        let read: Proposal
        do throws(ProposalNotationError) {
            read = try Proposal(notation: text, protocolID: proposal == .ike ? .ike : .esp)
        } catch {
            throw problem(error, in: text)
        }
        for transform in read.transforms where !supported.contains(transform) {
            let single = Proposal(protocolID: read.protocolID, transforms: [transform]).notation
            let others = supported.filter { $0.type == transform.type && isOf(read.protocolID, $0) }
            let words = others.map { Proposal(protocolID: read.protocolID, transforms: [$0]).notation }
            throw UnitProblem(
                "\"\(single)\" in `\(text)` is not supported by this version",
                "it has \(words.joined(separator: ", "))"
            )
        }
    }

    private static func isOf(_ protocolID: ProtocolID, _ transform: Transform) -> Bool {
        protocolID != .ike || transform.type != .encryption || !EncryptionID(rawValue: transform.id).hasImplicitIV
    }

    /// The key exchanges that a proposal names, in the keywords of cost tables.
    static func keyExchanges(of text: String) -> [String] {
        text.split(separator: "-").compactMap { word in
            guard let transform = try? Proposal.transform(named: String(word)) else { return nil }
            let isKeyExchange = transform.type == .keyExchange || transform.type.additionalKeyExchange != nil
            return keyExchanges.first { isKeyExchange && $0.id.rawValue == transform.id }?.word
        }
    }

    /// Whether two lists of proposals have one in common that both ends could choose.
    static func overlap(_ left: [String], _ right: [String], _ proposal: Scalar.Proposal) -> Bool {
        let left = left.compactMap { read($0, proposal) }
        let right = right.compactMap { read($0, proposal) }
        return left.contains { one in right.contains { isChoice(one, $0) } }
    }

    private static func read(_ text: String, _ proposal: Scalar.Proposal) -> Proposal? {
        try? Proposal(notation: text, protocolID: proposal == .ike ? .ike : .esp)
    }

    /// RFC 7296 section 2.7: one transform of each type, where either both or neither has the type.
    private static func isChoice(_ left: Proposal, _ right: Proposal) -> Bool {
        let types: [TransformType] = [.encryption, .prf, .integrity, .keyExchange]
        return (types + (6...12).map { TransformType(rawValue: $0) }).allSatisfy { type in
            var ours = left.transforms.filter { $0.type == type }
            var theirs = right.transforms.filter { $0.type == type }
            if let number = type.additionalKeyExchange {
                // Absent and NONE are the same (RFC 9370 section 2.2.1).
                if ours.isEmpty { ours = [.additionalKeyExchange(number, .none)] }
                if theirs.isEmpty { theirs = [.additionalKeyExchange(number, .none)] }
            }
            // The first Child SA has no key exchange of its own, so that one end may have one and the other none.
            if ours.isEmpty || theirs.isEmpty { return ours.isEmpty == theirs.isEmpty || type == .keyExchange }
            return ours.contains { theirs.contains($0) }
        }
    }

    private static func problem(_ error: ProposalNotationError, in text: String) -> UnitProblem {
        guard case .unknownWord(let word, let nearest) = error else {
            return UnitProblem("`\(text.abbreviated)` is not a proposal: \(error)")
        }
        let remedy = nearest.map { "did you mean \"\($0)\"?" }
        return UnitProblem("unknown algorithm \"\(word.abbreviated)\" in the proposal `\(text.abbreviated)`", remedy)
    }

    private static let keyExchanges: [(word: String, id: KeyExchangeID)] = [
        ("x25519", .curve25519), ("ecp256", .ecp256), ("ecp384", .ecp384), ("modp2048", .modp2048),
        ("modp3072", .modp3072), ("modp4096", .modp4096), ("ecp521", .ecp521), ("x448", .curve448),
        ("modp2048s256", .modp2048s256), ("ecp192", .ecp192), ("mlkem768", .mlKEM768), ("mlkem1024", .mlKEM1024),
    ]

    private static let supported: [Transform] =
        [
            .encryption(.chacha20Poly1305), .encryption(.chacha20Poly1305ImplicitIV),
            .prf(.hmacSHA256), .prf(.hmacSHA384), .prf(.hmacSHA512), .prf(.hmacSHA1),
            .integrity(.hmacSHA256), .integrity(.hmacSHA384), .integrity(.hmacSHA512), .integrity(.hmacSHA1),
            .extendedSequenceNumbers(.disabled), .extendedSequenceNumbers(.enabled),
        ]
        + [EncryptionID.aesGCM16, .aesCBC, .aesGCM12, .aesGCM8, .aesGCM16ImplicitIV].flatMap { cipher in
            [128, 192, 256].map { .encryption(cipher, keyLength: $0) }
        } + keyExchanges.map { .keyExchange($0.id) }
        + (1...7).flatMap { number in
            keyExchanges.map { .additionalKeyExchange(number, $0.id) } + [.additionalKeyExchange(number, .none)]
        }
}
