import IKECrypto
import Primitives

/// What each operation costs with each backend, one at a time on one thread.
func benchmarkCrypto() {
    let seed = [UInt8](0..<32)
    do throws(CryptoError) {
        let real = try Cryptography(backend: .openSSL, seed: seed.rawSpan)
        let modelled = try Cryptography(backend: .modelled, seed: seed.rawSpan)
        for method in KeyExchangeMethod.allCases { priceKeyExchange(method, real, "") }
        priceKeyExchange(.curve25519, modelled, "modelled ")
        for cipher in [Cipher.aesGCM128, .aesGCM192, .aesGCM256, .chaCha20Poly1305, .aesCBC128, .aesCBC256] {
            priceSeal(cipher, real, "")
        }
        priceSeal(.aesGCM128, modelled, "modelled ")
        priceKeys(real, "")
        priceKeys(modelled, "modelled ")
        priceRandomOctets(real)
    } catch {
        preconditionFailure("libcrypto has every algorithm")
    }
}

/// All that two ends compute for a first handshake.
func benchmarkHandshakeCrypto() {
    let seed = [UInt8](0..<32)
    do throws(CryptoError) {
        priceHandshake(try Cryptography(backend: .openSSL, seed: seed.rawSpan), "")
        priceHandshake(try Cryptography(backend: .modelled, seed: seed.rawSpan), "modelled ")
    } catch {
        preconditionFailure("libcrypto has every algorithm")
    }
    benchmarkHandshakeBatches()
}

/// The least of five runs, each as long as two hundredths of a second or so, of `count` operations at once.
func price(_ name: String, per count: Int = 1, _ operation: () -> Void) {
    let share = Double(count)
    operation()
    let probe = Stopwatch()
    operation()
    let times = max(4, Int(20_000_000 / max(probe.nanoseconds, 20)))
    var least = Double.infinity
    for _ in 0..<5 {
        let watch = Stopwatch()
        for _ in 0..<times { operation() }
        least = min(least, Double(watch.nanoseconds) / Double(times) / share)
    }
    printFigure(name, least, "ns")
}

private func priceKeyExchange(_ method: KeyExchangeMethod, _ crypto: borrowing Cryptography, _ prefix: String) {
    var stream = KeyMaterialStream(entity: 3)
    let randomness = crypto.randomness(for: method, from: &stream)
    let pair = keyPair(method, randomness.copy(), crypto)
    price("\(prefix)key pair, \(method)") { _ = keyPair(method, randomness.copy(), crypto) }
    let answer =
        method.isKEM ? respond(method, pair.publicValue, randomness.copy(), crypto).publicValue : pair.publicValue
    price("\(prefix)agreement, \(method)") {
        _ = finish(method, pair.privateKey.copy(), pair.publicValue, answer, crypto)
    }
}

private func priceSeal(_ cipher: Cipher, _ crypto: borrowing Cryptography, _ prefix: String) {
    let integrity: IntegrityAlgorithm? = cipher.isAEAD ? nil : .hmacSHA256
    let icvByteCount = integrity?.icvByteCount ?? cipher.icvByteCount
    let encryptionKey = SecretBytes(count: cipher.keyByteCount)
    let integrityKey = SecretBytes(count: integrity?.keyByteCount ?? 0)
    for byteCount in [64, 512, 1408] {
        var message = [UInt8](repeating: 0, count: 32 + cipher.ivByteCount + byteCount + icvByteCount)
        price("\(prefix)seal and open, \(cipher), \(byteCount) B") {
            seal(&message, cipher, integrity, encryptionKey, integrityKey, crypto)
            let isOpened = open(&message, cipher, integrity, encryptionKey, integrityKey, crypto)
            precondition(isOpened, "what was sealed opens")
        }
    }
}

private func priceKeys(_ crypto: borrowing Cryptography, _ prefix: String) {
    let nonce = [UInt8](repeating: 7, count: 32)
    let message = [UInt8](repeating: 7, count: 240)
    let secret = SharedSecret(count: 32)
    for (prf, cipher) in [(PRF.hmacSHA1, Cipher.aesGCM128), (.hmacSHA256, .aesGCM128), (.hmacSHA384, .aesGCM256)] {
        let suite = IKESuite(cipher: cipher, integrity: nil, prf: prf, keyExchange: .curve25519)
        let child = ChildSuite(cipher: cipher, integrity: nil, keyExchange: nil, usesESN: false)
        price("\(prefix)keys of an IKE SA, \(prf)") { _ = ikeKeys(suite, secret, nonce, nonce, crypto) }
        let key = SecretBytes(count: prf.outputByteCount)
        price("\(prefix)keys of a Child SA, \(prf)") { _ = childKeys(child, prf, key, nonce, nonce, crypto) }
        price("\(prefix)AUTH of a shared key, \(prf)") {
            _ = authentication(prf, message, nonce, key, crypto)
        }
    }
}

private func priceRandomOctets(_ crypto: borrowing Cryptography) {
    var stream = KeyMaterialStream(entity: 1)
    price("32 random octets") { _ = crypto.secret(count: 32, from: &stream) }
    let address = [UInt8](repeating: 7, count: 22)
    price("SHA-1 of NAT detection") { _ = crypto.sha1(address.rawSpan) }
}

/// All that both ends compute from the first nonce to the first Child SA: PSK, X25519, AES-GCM, NAT detection.
private func priceHandshake(_ crypto: borrowing Cryptography, _ prefix: String) {
    var stream = KeyMaterialStream(entity: 2)
    var rest = HandshakeRest()
    price("\(prefix)handshake, both ends") {
        let pair = keyPair(.curve25519, crypto.randomness(for: .curve25519, from: &stream), crypto)
        let response = respond(
            .curve25519,
            pair.publicValue,
            crypto.randomness(for: .curve25519, from: &stream),
            crypto
        )
        let secret = finish(.curve25519, pair.privateKey.copy(), pair.publicValue, response.publicValue, crypto)
        rest.compute(secret, response.sharedSecret, &stream, crypto)
    }
}

/// What both ends compute beside the key exchange.
struct HandshakeRest {
    private var message = [UInt8](repeating: 0, count: 32 + 8 + 220 + 16)
    private let suite = IKESuite(cipher: .aesGCM256, integrity: nil, prf: .hmacSHA384, keyExchange: .curve25519)
    private let child = ChildSuite(cipher: .aesGCM256, integrity: nil, keyExchange: nil, usesESN: false)
    private let first = [UInt8](repeating: 7, count: 240)
    private let address = [UInt8](repeating: 7, count: 22)

    mutating func compute(
        _ secret: borrowing SharedSecret,
        _ other: borrowing SharedSecret,
        _ stream: inout KeyMaterialStream,
        _ crypto: borrowing Cryptography
    ) {
        let ni = crypto.octets(count: 32, from: &stream)
        let nr = crypto.octets(count: 32, from: &stream)
        let keys = ikeKeys(suite, secret, ni, nr, crypto)
        let others = ikeKeys(suite, other, ni, nr, crypto)
        precondition(keys.isEqual(to: others), "both ends have the same keys")
        for _ in 0..<8 { _ = crypto.sha1(address.rawSpan) }
        for _ in 0..<2 {
            _ = authentication(.hmacSHA384, first, nr, keys.pi, crypto)
            _ = authentication(.hmacSHA384, first, ni, keys.pr, crypto)
            _ = childKeys(child, .hmacSHA384, keys.d, ni, nr, crypto)
            seal(&message, .aesGCM256, nil, keys.ei, keys.ai, crypto)
            let isOpened = open(&message, .aesGCM256, nil, others.ei, others.ai, crypto)
            precondition(isOpened, "what was sealed opens")
        }
    }
}

private func keyPair(
    _ method: KeyExchangeMethod,
    _ randomness: consuming EphemeralSecret,
    _ crypto: borrowing Cryptography
) -> KeyExchangeResult.KeyPair {
    switch crypto.perform(.generate(.init(method: method, randomness: randomness))) {
    case .generated(let pair): return pair
    default: preconditionFailure("a key pair is generated")
    }
}

private func respond(
    _ method: KeyExchangeMethod,
    _ peerPublicValue: [UInt8],
    _ randomness: consuming EphemeralSecret,
    _ crypto: borrowing Cryptography
) -> KeyExchangeResult.Response {
    let request = KeyExchangeRequest.Respond(
        method: method,
        peerPublicValue: peerPublicValue,
        randomness: randomness
    )
    switch crypto.perform(.respond(request)) {
    case .responded(let response): return response
    default: preconditionFailure("a valid value is answered")
    }
}

private func finish(
    _ method: KeyExchangeMethod,
    _ privateKey: consuming EphemeralSecret,
    _ publicValue: [UInt8],
    _ peerPublicValue: [UInt8],
    _ crypto: borrowing Cryptography
) -> SharedSecret {
    let request = KeyExchangeRequest.Finish(
        method: method,
        privateKey: privateKey,
        publicValue: publicValue,
        peerPublicValue: peerPublicValue
    )
    switch crypto.perform(.finish(request)) {
    case .finished(let secret): return secret
    default: preconditionFailure("both ends agree")
    }
}

private func ikeKeys(
    _ suite: IKESuite,
    _ secret: borrowing SharedSecret,
    _ ni: [UInt8],
    _ nr: [UInt8],
    _ crypto: borrowing Cryptography
) -> IKEKeys {
    crypto.deriveIKEKeys(suite, sharedSecret: secret, ni: ni.rawSpan, nr: nr.rawSpan, spii: 1, spir: 2)
}

private func childKeys(
    _ suite: ChildSuite,
    _ prf: PRF,
    _ key: borrowing SecretBytes,
    _ ni: [UInt8],
    _ nr: [UInt8],
    _ crypto: borrowing Cryptography
) -> ChildKeys {
    crypto.deriveChildKeys(suite, prf: prf, sk_d: key, ni: ni.rawSpan, nr: nr.rawSpan)
}

private func authentication(
    _ prf: PRF,
    _ message: [UInt8],
    _ nonce: [UInt8],
    _ key: borrowing SecretBytes,
    _ crypto: borrowing Cryptography
) -> SecretBytes {
    crypto.pskAuthentication(
        prf,
        psk: nonce.rawSpan,
        messageOctets: message.rawSpan,
        nonce: nonce.rawSpan,
        sk_p: key,
        identificationBody: nonce.rawSpan
    )
}

private func seal(
    _ message: inout [UInt8],
    _ cipher: Cipher,
    _ integrity: IntegrityAlgorithm?,
    _ encryptionKey: borrowing SecretBytes,
    _ integrityKey: borrowing SecretBytes,
    _ crypto: borrowing Cryptography
) {
    var span = message.mutableSpan
    var bytes = unsafe span.mutableBytes
    crypto.seal(
        &bytes,
        bodyOffset: 32,
        cipher: cipher,
        integrity: integrity,
        encryptionKey: encryptionKey,
        integrityKey: integrityKey
    )
}

private func open(
    _ message: inout [UInt8],
    _ cipher: Cipher,
    _ integrity: IntegrityAlgorithm?,
    _ encryptionKey: borrowing SecretBytes,
    _ integrityKey: borrowing SecretBytes,
    _ crypto: borrowing Cryptography
) -> Bool {
    var span = message.mutableSpan
    var bytes = unsafe span.mutableBytes
    let plaintext = try? crypto.open(
        &bytes,
        bodyOffset: 32,
        cipher: cipher,
        integrity: integrity,
        encryptionKey: encryptionKey,
        integrityKey: integrityKey
    )
    return plaintext != nil
}
