import COpenSSL
import Primitives

/// A MODP group: one of RFC 3526, with generator 2 and short exponents, or one of RFC 5114, with a subgroup.
@safe
struct MODPGroup: ~Copyable {
    private let method: KeyExchangeMethod
    private let prime: BigNumber
    private let generator: BigNumber
    private let subgroup: Subgroup?
    private let montgomery: MontgomeryContext
    private let context: BigNumberContext

    /// The generator's subgroup, where it is much smaller than the group.
    struct Subgroup: ~Copyable {
        let order: BigNumber

        /// The order less one: exponents are 1 more than a remainder by it.
        let largestExponent: BigNumber
    }

    init(_ method: KeyExchangeMethod) throws(CryptoError) {
        let prime = try Self.prime(of: method)
        let generator = try Self.generator(of: method)
        let subgroup = try Self.subgroup(of: method)
        let context = try BigNumberContext()
        let montgomery = try MontgomeryContext(modulus: prime, context: context)

        self.method = method
        self.prime = prime
        self.generator = generator
        self.subgroup = subgroup
        self.context = context
        self.montgomery = montgomery
    }

    static func prime(of method: KeyExchangeMethod) throws(CryptoError) -> BigNumber {
        switch method {
        case .modp2048: try unsafe BigNumber(adopting: BN_get_rfc3526_prime_2048(nil))
        case .modp3072: try unsafe BigNumber(adopting: BN_get_rfc3526_prime_3072(nil))
        case .modp4096: try unsafe BigNumber(adopting: BN_get_rfc3526_prime_4096(nil))
        case .modp2048s256: try rfc5114("p")
        case .ecp192, .ecp256, .ecp384, .ecp521, .curve25519, .curve448, .mlKEM768, .mlKEM1024:
            preconditionFailure("a MODP group has a prime")
        }
    }

    private static func generator(of method: KeyExchangeMethod) throws(CryptoError) -> BigNumber {
        if method == .modp2048s256 { return try rfc5114("g") }
        let two = try BigNumber()
        try require(unsafe BN_set_word(two.pointer, 2))
        return two
    }

    private static func subgroup(of method: KeyExchangeMethod) throws(CryptoError) -> Subgroup? {
        guard method == .modp2048s256 else { return nil }
        let largestExponent = try rfc5114("q")
        try require(unsafe BN_sub_word(largestExponent.pointer, 1))
        return Subgroup(order: try rfc5114("q"), largestExponent: largestExponent)
    }

    private static func rfc5114(_ letter: Unicode.Scalar) throws(CryptoError) -> BigNumber {
        try unsafe BigNumber(adopting: cossl_modp2048s256(CChar(letter.value)))
    }

    borrowing func keyPair(randomness: borrowing EphemeralSecret) throws(CryptoError) -> KeyExchangeResult.KeyPair {
        let privateKey = try self.privateKey(randomness: randomness)
        let publicValue = try BigNumber()
        try raise(generator, to: privateKey, into: publicValue)
        let octets = try publicValue.octets(count: method.publicValueByteCount)
        return KeyExchangeResult.KeyPair(publicValue: octets, privateKey: privateKey)
    }

    /// The exponent that follows from random octets.
    borrowing func privateKey(randomness: borrowing EphemeralSecret) throws(CryptoError) -> EphemeralSecret {
        let privateKey = EphemeralSecret(count: method.privateKeyByteCount)
        switch subgroup {
        case .some(let subgroup):
            let exponent = try BigNumber.wrapped(randomness, to: subgroup.largestExponent, context)
            try unsafe exponent.write(into: privateKey.mutableBuffer)
        case .none:
            unsafe privateKey.mutableBuffer.copyMemory(from: UnsafeRawBufferPointer(randomness.mutableBuffer))
            // The highest bit is set: the exponent has its full length, and the public value is in range.
            unsafe privateKey.mutableBuffer[0] |= 0x80
        }
        return privateKey
    }

    /// The shared secret; a peer's value outside the generator's subgroup is refused (RFC 6989 section 2.2).
    borrowing func agreement(
        _ privateKey: borrowing EphemeralSecret,
        _ peerPublicValue: [UInt8]
    ) throws(CryptoError) -> SharedSecret {
        let peer = try BigNumber(bigEndian: peerPublicValue.rawSpan)
        guard try isInSubgroup(peer) else { throw .invalidPeerPublicValue }
        let result = try BigNumber()
        try raise(peer, to: privateKey, into: result)
        let secret = SharedSecret(count: method.sharedSecretByteCount)
        try unsafe result.write(into: secret.mutableBuffer)
        return secret
    }

    private borrowing func isInSubgroup(_ value: borrowing BigNumber) throws(CryptoError) -> Bool {
        switch subgroup {
        case .none: return true
        case .some(let subgroup):
            let power = try BigNumber()
            try require(
                unsafe BN_mod_exp_mont(
                    power.pointer,
                    value.pointer,
                    subgroup.order.pointer,
                    prime.pointer,
                    context.pointer,
                    montgomery.pointer
                )
            )
            return unsafe BN_is_one(power.pointer) == 1
        }
    }

    private borrowing func raise(
        _ base: borrowing BigNumber,
        to exponent: borrowing EphemeralSecret,
        into result: borrowing BigNumber
    ) throws(CryptoError) {
        let exponent = try BigNumber(secret: exponent)
        try require(
            unsafe BN_mod_exp_mont_consttime(
                result.pointer,
                base.pointer,
                exponent.pointer,
                prime.pointer,
                context.pointer,
                montgomery.pointer
            )
        )
    }
}

/// Owns one `BN_MONT_CTX`.
@safe
struct MontgomeryContext: ~Copyable {
    let pointer: OpaquePointer

    init(modulus: borrowing BigNumber, context: borrowing BigNumberContext) throws(CryptoError) {
        guard let pointer = unsafe BN_MONT_CTX_new() else { throw .libraryFailed }
        guard unsafe BN_MONT_CTX_set(pointer, modulus.pointer, context.pointer) == 1 else {
            unsafe BN_MONT_CTX_free(pointer)
            throw .libraryFailed
        }
        unsafe self.pointer = pointer
    }

    deinit { unsafe BN_MONT_CTX_free(pointer) }
}
