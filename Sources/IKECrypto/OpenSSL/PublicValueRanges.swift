/// Which public values are refused before anything is computed with them, whatever computes: those of a wrong length,
/// MODP values that are not above 1 and below p - 1 (RFC 6989 section 2.1), encapsulation keys that are not reduced.
struct PublicValueRanges: Sendable {
    private let largestOf2048: [UInt8]
    private let largestOf3072: [UInt8]
    private let largestOf4096: [UInt8]
    private let largestOf2048s256: [UInt8]

    init() throws(CryptoError) {
        largestOf2048 = try Self.largest(.modp2048)
        largestOf3072 = try Self.largest(.modp3072)
        largestOf4096 = try Self.largest(.modp4096)
        largestOf2048s256 = try Self.largest(.modp2048s256)
    }

    /// The prime less one, most significant octet first.
    private static func largest(_ method: KeyExchangeMethod) throws(CryptoError) -> [UInt8] {
        var octets = try MODPGroup.prime(of: method).octets(count: method.publicValueByteCount)
        octets[octets.count - 1] -= 1
        return octets
    }

    /// - Parameter isResponse: whether it is the responder's, which is of another kind with a KEM.
    func validate(
        _ publicValue: [UInt8],
        for method: KeyExchangeMethod,
        isResponse: Bool
    ) throws(CryptoError) {
        let byteCount = isResponse ? method.responseByteCount : method.publicValueByteCount
        guard publicValue.count == byteCount else { throw .invalidPeerPublicValue }
        switch method {
        case .modp2048: try validate(publicValue, below: largestOf2048)
        case .modp3072: try validate(publicValue, below: largestOf3072)
        case .modp4096: try validate(publicValue, below: largestOf4096)
        case .modp2048s256: try validate(publicValue, below: largestOf2048s256)
        case .ecp192, .ecp256, .ecp384, .ecp521, .curve25519, .curve448: break
        case .mlKEM768, .mlKEM1024:
            guard isResponse || MLKEM.isReduced(publicValue) else { throw .invalidPeerPublicValue }
        }
    }

    /// The prime of a group of RFC 3526 that libcrypto_mb computes in; empty for any other method.
    func prime(of method: KeyExchangeMethod) -> [UInt8] {
        var octets: [UInt8]
        switch method {
        case .modp2048: octets = largestOf2048
        case .modp3072: octets = largestOf3072
        case .modp4096: octets = largestOf4096
        default: return []
        }
        octets[octets.count - 1] += 1
        return octets
    }

    private func validate(_ publicValue: [UInt8], below largest: [UInt8]) throws(CryptoError) {
        let isAboveOne = publicValue.last! > 1 || publicValue.dropLast().contains { $0 != 0 }
        guard isAboveOne, publicValue.lexicographicallyPrecedes(largest) else { throw .invalidPeerPublicValue }
    }
}
