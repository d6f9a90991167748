import CCryptoMB

/// The key exchange methods as libcrypto_mb computes them, for up to eight at once.
enum LaneExchange {
    /// The public values of private keys; `prime` is a MODP group's.
    static func publicValues(
        _ method: KeyExchangeMethod,
        _ count: Int,
        _ privateKeys: LaneRow,
        _ publicValues: LaneRow,
        _ prime: [UInt8]
    ) -> DoneLanes {
        let lanes = UInt32(count)
        switch method {
        case .curve25519:
            return DoneLanes(bits: unsafe ccmb_x25519_public(lanes, publicValues.start, privateKeys.start))
        case .ecp256, .ecp384:
            return DoneLanes(
                bits: unsafe ccmb_ec_public(curve(method), lanes, publicValues.start, privateKeys.start)
            )
        case .modp2048, .modp3072, .modp4096:
            // The generator of RFC 3526, where the powers will be.
            for lane in 0..<count { publicValues.writeTwo(lane) }
            return power(method, lanes, publicValues, privateKeys, publicValues, prime)
        case .curve448, .ecp192, .ecp521, .modp2048s256, .mlKEM768, .mlKEM1024: return DoneLanes(bits: 0)
        }
    }

    /// What private keys and peers' public values agree on; the values are in their ranges and on their curves.
    static func secrets(
        _ method: KeyExchangeMethod,
        _ count: Int,
        _ privateKeys: LaneRow,
        _ peerValues: LaneRow,
        _ secrets: LaneRow,
        _ prime: [UInt8]
    ) -> DoneLanes {
        let lanes = UInt32(count)
        switch method {
        case .curve25519:
            return DoneLanes(bits: unsafe ccmb_x25519(lanes, secrets.start, privateKeys.start, peerValues.start))
        case .ecp256, .ecp384:
            return DoneLanes(
                bits: unsafe ccmb_ecdh(curve(method), lanes, secrets.start, privateKeys.start, peerValues.start)
            )
        case .modp2048, .modp3072, .modp4096: return power(method, lanes, peerValues, privateKeys, secrets, prime)
        case .curve448, .ecp192, .ecp521, .modp2048s256, .mlKEM768, .mlKEM1024: return DoneLanes(bits: 0)
        }
    }

    private static func curve(_ method: KeyExchangeMethod) -> ccmb_curve {
        method == .ecp256 ? ccmb_p256 : ccmb_p384
    }

    private static func power(
        _ method: KeyExchangeMethod,
        _ lanes: UInt32,
        _ bases: LaneRow,
        _ exponents: LaneRow,
        _ powers: LaneRow,
        _ prime: [UInt8]
    ) -> DoneLanes {
        DoneLanes(
            bits: unsafe ccmb_power(
                UInt32(8 * prime.count),
                lanes,
                powers.start,
                bases.start,
                exponents.start,
                method.privateKeyByteCount,
                prime
            )
        )
    }
}
