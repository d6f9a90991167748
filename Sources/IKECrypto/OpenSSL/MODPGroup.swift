import COpenSSL
import Primitives

/// A MODP group of RFC 3526, with generator 2 and short exponents.
@safe
struct MODPGroup: ~Copyable {
    private let method: KeyExchangeMethod
    private let prime: BigNumber
    private let generator: BigNumber
    private let montgomery: MontgomeryContext
    private let context: BigNumberContext

    init(_ method: KeyExchangeMethod) throws(CryptoError) {
        let prime = try Self.prime(of: method)
        let generator = try BigNumber()
        try require(unsafe BN_set_word(generator.pointer, 2))
        let context = try BigNumberContext()
        let montgomery = try MontgomeryContext(modulus: prime, context: context)

        self.method = method
        self.prime = prime
        self.generator = generator
        self.context = context
        self.montgomery = montgomery
    }

    static func prime(of method: KeyExchangeMethod) throws(CryptoError) -> BigNumber {
        try unsafe BigNumber(
            adopting: method == .modp2048 ? BN_get_rfc3526_prime_2048(nil) : BN_get_rfc3526_prime_3072(nil)
        )
    }

    borrowing func keyPair(randomness: borrowing SecretBytes) throws(CryptoError) -> KeyExchangeResult.KeyPair {
        let privateKey = randomness.copy()
        // The highest bit is set: the exponent has its full length, and the public value is in range.
        unsafe privateKey.mutableBuffer[0] |= 0x80
        let publicValue = try BigNumber()
        try raise(generator, to: privateKey, into: publicValue)
        let octets = try publicValue.octets(count: method.publicValueByteCount)
        return KeyExchangeResult.KeyPair(publicValue: octets, privateKey: privateKey)
    }

    borrowing func agreement(
        _ privateKey: borrowing SecretBytes,
        _ peerPublicValue: [UInt8]
    ) throws(CryptoError) -> SharedSecret {
        let peer = try BigNumber(bigEndian: peerPublicValue.rawSpan)
        let result = try BigNumber()
        try raise(peer, to: privateKey, into: result)
        let secret = SharedSecret(count: method.sharedSecretByteCount)
        try unsafe result.write(into: secret.mutableBuffer)
        return secret
    }

    private borrowing func raise(
        _ base: borrowing BigNumber,
        to exponent: borrowing SecretBytes,
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
