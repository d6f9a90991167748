/// Why a proposal's text cannot be read; a user wrote it.
public enum ProposalNotationError: Error, Hashable, Sendable, CustomStringConvertible {
    case empty
    case unknownWord(String, nearest: String?)
    case repeatedWord(String)
    /// An algorithm that means nothing for the proposal's protocol.
    case notForProtocol(String, ProtocolID)
    /// AEADs and other ciphers in one proposal, which RFC 7296 section 3.3 forbids.
    case mixedEncryption(String)
    /// An integrity algorithm beside an AEAD that needs none.
    case needlessIntegrity(String)
    case missing(TransformType)

    public var description: String {
        switch self {
        case .empty: "a proposal needs at least one algorithm"
        case .unknownWord(let word, nil): "unknown algorithm \"\(word)\""
        case .unknownWord(let word, let nearest?): "unknown algorithm \"\(word)\"; did you mean \"\(nearest)\"?"
        case .repeatedWord(let word): "\"\(word)\" stands there twice"
        case .notForProtocol(let word, let protocolID): "\"\(word)\" does not belong in a proposal for \(protocolID)"
        case .mixedEncryption(let word):
            "\"\(word)\" is of another kind than the cipher before it: "
                + "AEADs and other ciphers need proposals of their own"
        case .needlessIntegrity(let word): "\"\(word)\" is needless: the AEAD protects integrity itself"
        case .missing(.encryption): "an encryption algorithm is missing, such as \"aes256gcm16\""
        case .missing(.prf): "a PRF is missing, such as \"prfsha256\""
        case .missing(.integrity): "an integrity algorithm is missing, such as \"sha256\""
        case .missing(.keyExchange): "a key exchange method is missing, such as \"x25519\""
        case .missing(let type): "\(type) is missing"
        }
    }
}

extension Proposal {
    /// Reads a proposal in strongSwan's notation, such as `aes256gcm16-prfsha384-x25519`.
    ///
    /// For IKE an integrity algorithm names the PRF too where none is given; for ESP a key exchange asks for perfect
    /// forward secrecy, and sequence numbers have 32 bits unless `esn` is there.
    public init(
        notation: String,
        protocolID: ProtocolID,
        number: UInt8 = 1
    ) throws(ProposalNotationError) {
        guard !notation.isEmpty else { throw .empty }
        var seen: [String] = []
        var transforms: [Transform] = []
        for word in notation.split(separator: "-", omittingEmptySubsequences: false).map(String.init) {
            let transform = try Self.transform(named: word)
            guard !seen.contains(word), !transforms.contains(transform) else { throw .repeatedWord(word) }
            try Self.check(transform, named: word, behind: transforms, protocolID: protocolID)
            seen.append(word)
            transforms.append(transform)
        }
        try Self.complete(&transforms, protocolID: protocolID)
        self.init(number: number, protocolID: protocolID, transforms: transforms)
    }

    /// What one word of a proposal stands for; for IKE an integrity algorithm may stand for a PRF as well.
    public static func transform(named word: String) throws(ProposalNotationError) -> Transform {
        if let entry = words.first(where: { $0.word == word }) { return entry.transform }
        if let additional = additional(named: word) { return additional }
        throw .unknownWord(word, nearest: nearest(to: word))
    }

    /// `ke1_mlkem768` and the like: an additional key exchange (RFC 9370 section 2.2.1), numbered from 1 to 7.
    private static func additional(named word: String) -> Transform? {
        guard word.hasPrefix("ke"), let number = word.dropFirst(2).first?.wholeNumberValue, (1...7).contains(number),
            word.dropFirst(3).first == "_"
        else { return nil }
        let method = words.first { $0.word == word.dropFirst(4) && $0.transform.type == .keyExchange }
        return method.map { .additionalKeyExchange(number, KeyExchangeID(rawValue: $0.transform.id)) }
    }

    /// The proposal in strongSwan's notation; what the notation has no word for is shown by its number.
    public var notation: String {
        var shown = transforms
        let prfs = transforms.filter { $0.type == .prf }
        let derived = transforms.filter { $0.type == .integrity }.compactMap(Self.prf(matching:))
        if prfs == derived, !prfs.isEmpty { shown.removeAll { $0.type == .prf } }
        if protocolID != .ike {
            let numbers = transforms.filter { $0.type == .extendedSequenceNumbers }
            if numbers == [.extendedSequenceNumbers(.disabled)] {
                shown.removeAll { $0.type == .extendedSequenceNumbers }
            }
        }
        return shown.map(Self.word).joined(separator: "-")
    }
}

extension Proposal {
    private static func check(
        _ transform: Transform,
        named word: String,
        behind others: [Transform],
        protocolID: ProtocolID
    ) throws(ProposalNotationError) {
        switch transform.type {
        case .prf where protocolID != .ike: throw .notForProtocol(word, protocolID)
        case .extendedSequenceNumbers where protocolID == .ike: throw .notForProtocol(word, protocolID)
        case .encryption where protocolID == .ike && isOfPackets(transform): throw .notForProtocol(word, protocolID)
        case .encryption:
            let isMixed = others.contains { $0.type == .encryption && isAEAD($0) != isAEAD(transform) }
            if isMixed { throw .mixedEncryption(word) }
        default: break
        }
        // For IKE it still names the PRF.
        let isNeedless = transform.type == .integrity && protocolID != .ike && others.contains(where: isAEAD)
        if isNeedless { throw .needlessIntegrity(word) }
    }

    private static func complete(
        _ transforms: inout [Transform],
        protocolID: ProtocolID
    ) throws(ProposalNotationError) {
        func has(_ type: TransformType) -> Bool { transforms.contains { $0.type == type } }
        guard has(.encryption) else { throw .missing(.encryption) }
        let integrity = transforms.filter { $0.type == .integrity }
        if transforms.contains(where: isAEAD) {
            if has(.prf), let needless = integrity.first { throw .needlessIntegrity(word(needless)) }
            if protocolID != .ike, let needless = integrity.first { throw .needlessIntegrity(word(needless)) }
            transforms.removeAll { $0.type == .integrity }
        } else if integrity.isEmpty {
            throw .missing(.integrity)
        }
        if protocolID == .ike {
            if !has(.prf) { transforms += integrity.compactMap(prf(matching:)) }
            guard has(.prf) else { throw .missing(.prf) }
            guard has(.keyExchange) else { throw .missing(.keyExchange) }
        } else {
            let isAdditional = transforms.contains { $0.type.additionalKeyExchange != nil }
            guard has(.keyExchange) || !isAdditional else { throw .missing(.keyExchange) }
            if !has(.extendedSequenceNumbers) { transforms.append(.extendedSequenceNumbers(.disabled)) }
        }
        // In the order of the types; within a type, the order of preference stays as written.
        transforms = (1...12).flatMap { type in transforms.filter { $0.type.rawValue == type } }
    }

    private static func isAEAD(_ transform: Transform) -> Bool {
        transform.type == .encryption && EncryptionID(rawValue: transform.id).isAEAD
    }

    /// Whether an encryption algorithm is none of IKE's.
    private static func isOfPackets(_ transform: Transform) -> Bool {
        transform == .encryption(.null) || EncryptionID(rawValue: transform.id).hasImplicitIV
    }

    private static func prf(matching integrity: Transform) -> Transform? {
        switch IntegrityID(rawValue: integrity.id) {
        case .hmacMD5: .prf(.hmacMD5)
        case .hmacSHA1: .prf(.hmacSHA1)
        case .aesXCBC: .prf(.aes128XCBC)
        case .aesCMAC: .prf(.aes128CMAC)
        case .hmacSHA256: .prf(.hmacSHA256)
        case .hmacSHA384: .prf(.hmacSHA384)
        case .hmacSHA512: .prf(.hmacSHA512)
        default: nil
        }
    }

    private static func word(_ transform: Transform) -> String {
        if let entry = words.first(where: { $0.transform == transform }) { return entry.word }
        if let number = transform.type.additionalKeyExchange {
            return "ke\(number)_\(word(.keyExchange(KeyExchangeID(rawValue: transform.id))))"
        }
        let length = transform.keyLength.map { "/\($0)" } ?? ""
        return "\(transform.type)(\(transform.id)\(length))"
    }

    /// The known word with the fewest changed letters, if those are few.
    private static func nearest(to word: String) -> String? {
        let lowercased = word.lowercased()
        let closest = words.map { (word: $0.word, distance: distance(lowercased, $0.word)) }.min {
            ($0.distance, $0.word) < ($1.distance, $1.word)
        }
        guard let closest, closest.distance <= max(1, word.utf8.count / 3) else { return nil }
        return closest.word
    }

    private static func distance(_ left: String, _ right: String) -> Int {
        var row = Array(0...right.utf8.count)
        for (line, octet) in left.utf8.enumerated() {
            var diagonal = row[0]
            row[0] = line + 1
            for (column, other) in right.utf8.enumerated() {
                let above = row[column + 1]
                row[column + 1] = min(above + 1, row[column] + 1, diagonal + (octet == other ? 0 : 1))
                diagonal = above
            }
        }
        return row[right.utf8.count]
    }

    /// What can be written; of several words for one transform the first is the one that is shown.
    private static let words: [(word: String, transform: Transform)] = {
        var words: [(word: String, transform: Transform)] = []
        for bits: UInt16 in [128, 192, 256] {
            words.append(("aes\(bits)", .encryption(.aesCBC, keyLength: bits)))
            words.append(("aes\(bits)ctr", .encryption(.aesCTR, keyLength: bits)))
            let combined: [(String, EncryptionID)] = [
                ("gcm16", .aesGCM16), ("gcm12", .aesGCM12), ("gcm8", .aesGCM8),
                ("gcm128", .aesGCM16), ("gcm96", .aesGCM12), ("gcm64", .aesGCM8), ("gcm", .aesGCM16),
                ("ccm16", .aesCCM16), ("ccm12", .aesCCM12), ("ccm8", .aesCCM8),
                ("gmac", .nullAESGMAC), ("gcm16iiv", .aesGCM16ImplicitIV), ("ccm8iiv", .aesCCM8ImplicitIV),
            ]
            for (mode, id) in combined { words.append(("aes\(bits)\(mode)", .encryption(id, keyLength: bits))) }
        }
        words.append(("aes", .encryption(.aesCBC, keyLength: 128)))
        words.append(("chacha20poly1305", .encryption(.chacha20Poly1305)))
        words.append(("chacha20poly1305iiv", .encryption(.chacha20Poly1305ImplicitIV)))
        words.append(("3des", .encryption(.tripleDES)))
        words.append(("null", .encryption(.null)))
        let integrities: [(String, IntegrityID)] = [
            ("sha256", .hmacSHA256), ("sha384", .hmacSHA384), ("sha512", .hmacSHA512), ("sha1", .hmacSHA1),
            ("sha", .hmacSHA1), ("md5", .hmacMD5), ("aesxcbc", .aesXCBC), ("aescmac", .aesCMAC),
            ("sha2_256", .hmacSHA256), ("sha2_384", .hmacSHA384), ("sha2_512", .hmacSHA512),
        ]
        for (word, id) in integrities { words.append((word, .integrity(id))) }
        let prfs: [(String, PRFID)] = [
            ("prfsha256", .hmacSHA256), ("prfsha384", .hmacSHA384), ("prfsha512", .hmacSHA512),
            ("prfsha1", .hmacSHA1), ("prfmd5", .hmacMD5), ("prfaesxcbc", .aes128XCBC), ("prfaescmac", .aes128CMAC),
        ]
        for (word, id) in prfs { words.append((word, .prf(id))) }
        let methods: [(String, KeyExchangeID)] = [
            ("x25519", .curve25519), ("curve25519", .curve25519), ("x448", .curve448), ("curve448", .curve448),
            ("ecp256", .ecp256), ("ecp384", .ecp384), ("ecp521", .ecp521), ("modp768", .modp768),
            ("modp1024", .modp1024), ("modp1536", .modp1536), ("modp2048", .modp2048), ("modp3072", .modp3072),
            ("modp4096", .modp4096), ("modp6144", .modp6144), ("modp8192", .modp8192), ("modpnone", .none),
            ("modp1024s160", .modp1024s160), ("modp2048s224", .modp2048s224), ("modp2048s256", .modp2048s256),
            ("ecp192", .ecp192), ("ecp224", .ecp224), ("none", .none),
            ("mlkem512", .mlKEM512), ("mlkem768", .mlKEM768), ("mlkem1024", .mlKEM1024),
        ]
        for (word, id) in methods { words.append((word, .keyExchange(id))) }
        words.append(("esn", .extendedSequenceNumbers(.enabled)))
        words.append(("noesn", .extendedSequenceNumbers(.disabled)))
        return words
    }()
}
