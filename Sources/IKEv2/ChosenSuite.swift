import IKECrypto
import IKEWire

// What a chosen proposal's transforms are to this build; nothing where they do not go together.

extension Cipher {
    fileprivate init?(_ transform: ChosenTransform?) {
        guard let transform else { return nil }
        self.init(id: transform.id, keyBitCount: transform.keyLength)
    }

    /// The integrity algorithm that goes with the cipher, or failure: a combined one takes none (RFC 5282 section 8).
    fileprivate func integrity(of choice: Choice) -> IntegrityAlgorithm?? {
        if isAEAD {
            guard !choice.offersIntegrity || choice.integrity?.id == 0 else { return .none }
            return .some(nil)
        }
        guard let transform = choice.integrity, let algorithm = IntegrityAlgorithm(rawValue: transform.id) else {
            return .none
        }
        return .some(algorithm)
    }
}

extension IKESuite {
    init?(_ choice: Choice) {
        guard let cipher = Cipher(choice.encryption), let integrity = cipher.integrity(of: choice),
            let prf = choice.prf.flatMap({ PRF(rawValue: $0.id) }),
            let method = choice.keyExchange.flatMap({ KeyExchangeMethod(rawValue: $0.id) })
        else { return nil }
        self.init(cipher: cipher, integrity: integrity, prf: prf, keyExchange: method)
    }
}

extension ChildSuite {
    init?(_ choice: Choice) {
        guard let encryption = choice.encryption,
            let (cipher, hasImplicitIV) = Cipher.ofPackets(id: encryption.id, keyBitCount: encryption.keyLength),
            let integrity = cipher.integrity(of: choice)
        else { return nil }
        // A mandatory type (RFC 7296 section 3.3.3).
        guard let sequenceNumbers = choice.sequenceNumbers else { return nil }
        var method: KeyExchangeMethod?
        if let transform = choice.keyExchange, transform.id != 0 {
            guard let known = KeyExchangeMethod(rawValue: transform.id) else { return nil }
            method = known
        }
        let usesESN = sequenceNumbers.id == ESNID.enabled.rawValue
        self.init(
            cipher: cipher,
            integrity: integrity,
            keyExchange: method,
            usesESN: usesESN,
            hasImplicitIV: hasImplicitIV
        )
    }
}
