import CCryptoMB

/// What libcrypto_mb does for several at once.
enum LaneOperation: Hashable, BitwiseCopyable {
    case keyPair(KeyExchangeMethod)
    case agreement(KeyExchangeMethod)
    case sign(LaneKey)
    case verify(LaneKey)

    /// What comes before what: an operation can make a request one for a later stage.
    enum Stage: CaseIterable {
        case keyPairs
        case others
    }

    static let laneCount = 8

    var stage: Stage {
        switch self {
        case .keyPair: .keyPairs
        case .agreement, .sign, .verify: .others
        }
    }

    /// What the library has to be able to do; nil where it knows nothing of the method.
    var ability: ccmb_ability? {
        switch self {
        case .keyPair(let method), .agreement(let method): Self.ability(of: method)
        case .sign(let key), .verify(let key): Self.ability(of: key)
        }
    }

    private static func ability(of method: KeyExchangeMethod) -> ccmb_ability? {
        switch method {
        case .curve25519: ccmb_can_x25519
        case .ecp256: ccmb_can_p256
        case .ecp384: ccmb_can_p384
        case .modp2048, .modp3072, .modp4096: ccmb_can_exponentiate
        case .curve448, .ecp192, .ecp521, .modp2048s256, .mlKEM768, .mlKEM1024: nil
        }
    }

    private static func ability(of key: LaneKey) -> ccmb_ability? {
        switch key {
        case .p256: ccmb_can_p256
        case .p384: ccmb_can_p384
        case .rsa: ccmb_can_rsa
        case .ed25519: ccmb_can_ed25519
        }
    }

    /// How many operations have to come together before eight lanes take less time than libcrypto one at a time: what a
    /// call takes, with any number of lanes used, by what one of libcrypto's takes (measured on Sapphire Rapids).
    var fewest: Int {
        switch self {
        case .keyPair(.curve25519): 3
        case .agreement(.curve25519): 2
        case .keyPair(.ecp384), .agreement(.ecp384): 1
        case .sign(.p384), .verify(.p384): 1
        case .sign(.ed25519), .verify(.ed25519): 2
        case .keyPair, .agreement, .sign, .verify: 3
        }
    }
}
