import IKECrypto
import Primitives
import Testing

@Suite("The peer's public value")
struct PeerValueTests {
    @Test("what RFC 6989 forbids is refused by both ends and every backend", arguments: InvalidValue.all)
    func refuses(_ value: InvalidValue) throws {
        for backend in [CryptoBackend.openSSL, .modelled] {
            let crypto = try cryptography(backend)
            let randomness = [UInt8](repeating: 0x33, count: value.method.randomByteCount)
            #expect(throws: CryptoError.invalidPeerPublicValue) {
                _ = try respond(crypto, value.method, value.octets, randomness)
            }
            let pair = try generate(crypto, value.method, randomness)
            #expect(throws: CryptoError.invalidPeerPublicValue) {
                _ = try finish(
                    crypto,
                    value.method,
                    privateKey: [UInt8](copying: pair.privateKey),
                    publicValue: pair.publicValue,
                    peer: value.octets
                )
            }
        }
    }

    @Test("the smallest and the largest MODP value in range, and a point that nobody chose, are accepted")
    func accepts() throws {
        let crypto = try cryptography()
        for method in [KeyExchangeMethod.modp2048, .modp3072, .modp4096] {
            let randomness = [UInt8](repeating: 0x33, count: method.randomByteCount)
            var two = [UInt8](repeating: 0, count: method.publicValueByteCount)
            two[two.count - 1] = 2
            _ = try respond(crypto, method, two, randomness)
            _ = try respond(crypto, method, InvalidValue.prime(of: method, less: 2), randomness)
        }
        let five = hex(String(repeating: "0", count: 63) + "5" + InvalidValue.p256YOfFive)
        _ = try respond(crypto, .ecp256, five, [UInt8](repeating: 0x33, count: 40))
    }

    @Test("one changed bit does the same to the real and the modelled agreement", arguments: KeyExchangeMethod.allCases)
    func changes(_ method: KeyExchangeMethod) throws {
        let real = try Corruption(cryptography(.openSSL), method)
        let modelled = try Corruption(cryptography(.modelled), method)
        // An agreement of these takes a millisecond: some bits of each octet's place stand for the rest.
        let step =
            switch method {
            case .modp2048, .modp3072, .modp4096, .modp2048s256, .mlKEM768, .mlKEM1024: 101
            case .ecp521: 7
            default: 1
            }
        for bit in stride(from: 0, to: 8 * method.responseByteCount, by: step) {
            let outcome = try real.outcome(ofChanging: bit)
            #expect(try modelled.outcome(ofChanging: bit) == outcome, "bit \(bit)")
            // RFC 7748 section 5: X25519 ignores the most significant bit.
            let isIgnored = method == .curve25519 && bit == 255
            #expect((outcome == .sameSecret) == isIgnored, "bit \(bit)")
        }
    }
}

/// One exchange whose responder's value is changed on its way to the initiator.
private struct Corruption: ~Copyable {
    enum Outcome: Equatable {
        case sameSecret, otherSecret, refused
    }

    let crypto: Cryptography
    let method: KeyExchangeMethod
    let privateKey: [UInt8]
    let publicValue: [UInt8]
    let agreement: Agreement

    init(_ crypto: consuming Cryptography, _ method: KeyExchangeMethod) throws {
        let randomness = [UInt8](repeating: 0x61, count: method.randomByteCount)
        let other = [UInt8](repeating: 0x62, count: method.randomByteCount)
        let agreement = try agree(crypto, method, randomness, other)
        let pair = try generate(crypto, method, randomness)
        self.privateKey = [UInt8](copying: pair.privateKey)
        self.publicValue = pair.publicValue
        self.agreement = agreement
        self.method = method
        self.crypto = crypto
    }

    /// Bit 0 is the lowest of the first octet.
    func outcome(ofChanging bit: Int) throws -> Outcome {
        var peer = agreement.responderValue
        peer[bit / 8] ^= 1 << UInt8(bit % 8)
        do {
            let secret = try finish(crypto, method, privateKey: privateKey, publicValue: publicValue, peer: peer)
            return [UInt8](copying: secret) == agreement.initiatorSecret ? .sameSecret : .otherSecret
        } catch CryptoError.invalidPeerPublicValue {
            return .refused
        }
    }
}

/// A public value that no end may accept (RFC 6989).
struct InvalidValue: Sendable, CustomTestStringConvertible {
    var name: String
    var method: KeyExchangeMethod
    var octets: [UInt8]

    init(_ name: String, _ method: KeyExchangeMethod, _ octets: [UInt8]) {
        self.name = name
        self.method = method
        self.octets = octets
    }

    var testDescription: String { "\(name), \(method)" }

    static let all: [InvalidValue] =
        KeyExchangeMethod.allCases.flatMap(ofAnyMethod) + ofMODP(.modp2048) + ofMODP(.modp3072) + ofMODP(.modp4096)
        + ofMODP(.modp2048s256) + outsideSubgroup
        + ofCurve(.ecp192) + ofCurve(.ecp256) + ofCurve(.ecp384) + ofCurve(.ecp521) + sizedAsField + ofSmallOrder
        + ofSmallOrder448

    static func ofAnyMethod(_ method: KeyExchangeMethod) -> [InvalidValue] {
        let count = method.publicValueByteCount
        return [
            InvalidValue("no octets", method, []),
            InvalidValue("one octet too few", method, [UInt8](repeating: 7, count: count - 1)),
            InvalidValue("one octet too many", method, [UInt8](repeating: 7, count: count + 1)),
        ] + (method.isKEM ? [] : [InvalidValue("zero", method, [UInt8](repeating: 0, count: count))])
    }

    static func ofMODP(_ method: KeyExchangeMethod) -> [InvalidValue] {
        let count = method.publicValueByteCount
        return [
            InvalidValue("one", method, [UInt8](repeating: 0, count: count - 1) + [1]),
            InvalidValue("p - 1", method, prime(of: method, less: 1)),
            InvalidValue("p", method, prime(of: method, less: 0)),
            InvalidValue("the largest number", method, [UInt8](repeating: 0xFF, count: count)),
        ]
    }

    static func ofCurve(_ method: KeyExchangeMethod) -> [InvalidValue] {
        let count = method.publicValueByteCount
        return [
            InvalidValue("an x without its y", method, [UInt8](repeating: 1, count: count)),
            InvalidValue("the largest coordinates", method, [UInt8](repeating: 0xFF, count: count)),
        ]
    }

    /// In range, and no power of the generator (RFC 6989 section 2.2): 2, and p - g, which would leak the exponent's
    /// parity.
    static let outsideSubgroup: [InvalidValue] = {
        let method = KeyExchangeMethod.modp2048s256
        let two = [UInt8](repeating: 0, count: 255) + [2]
        return [
            InvalidValue("two", method, two), InvalidValue("p - 2", method, prime(of: method, less: 2)),
            InvalidValue("p - g", method, hex(modp2048s256MinusGenerator)),
        ]
    }()

    /// Points on the curve, x written with the prime added: what a reduction would accept.
    static let sizedAsField = [
        InvalidValue(
            "x of the field's size",
            .ecp256,
            hex("ffffffff00000001000000000000000000000001000000000000000000000004" + p256YOfFive)
        ),
        InvalidValue(
            "x of the field's size",
            .ecp384,
            hex(
                """
                fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff000000000000000100000001
                8cdeadbbd04911a3c1931e26df3fa6439dca9c7eb286fbd46fc319f0e2bb780232baf57825fc0c1912ada2fefe84024c
                """
            )
        ),
        InvalidValue(
            "x of the field's size",
            .ecp192,
            hex("ffffffffffffffffffffffffffffffff0000000000000001" + "2df5fa08ab474e8f8f2ad5caca8264347d1fb30043214687")
        ),
        InvalidValue(
            "x of the field's size",
            .ecp521,
            [2] + [UInt8](repeating: 0, count: 65)
                + hex(
                    """
                    0010e59be93c4f269c0269c79e2afd65d6aeaa9b701eacc194fb3ee03df47849bf550ec636ebee0ddd4a16f1cd940660
                    5af38f584567770e3f272d688c832e843564
                    """
                )
        ),
    ]

    /// What X448 turns into zeros: 0, 1, p - 1, p and p + 1, least significant octet first.
    static let ofSmallOrder448 = [
        [UInt8](repeating: 0, count: 56),
        [1] + [UInt8](repeating: 0, count: 55),
        [0xFE] + [UInt8](repeating: 0xFF, count: 27) + [0xFE] + [UInt8](repeating: 0xFF, count: 27),
        [UInt8](repeating: 0xFF, count: 28) + [0xFE] + [UInt8](repeating: 0xFF, count: 27),
        [UInt8](repeating: 0, count: 28) + [UInt8](repeating: 0xFF, count: 28),
    ].map { InvalidValue("a point of small order", .curve448, $0) }

    /// What X25519 turns into zeros, the ignored bit set in the last two.
    static let ofSmallOrder = [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880",
    ].map { InvalidValue("a point of small order", .curve25519, hex($0)) }

    static func prime(of method: KeyExchangeMethod, less difference: UInt8) -> [UInt8] {
        let text =
            switch method {
            case .modp2048: modp2048Prime
            case .modp3072: modp3072Prime
            case .modp4096: modp4096Prime
            default: modp2048s256Prime
            }
        var octets = hex(text)
        octets[octets.count - 1] -= difference
        return octets
    }

    /// The y of P-256's point with x = 5.
    static let p256YOfFive = "459243b9aa581806fe913bce99817ade11ca503c64d9a3c533415c083248fbcc"
}
