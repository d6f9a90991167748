import IKECrypto
import Primitives

/// The octets of a hexadecimal text; white space does not count.
func hex(_ text: String) -> [UInt8] { try! Hexadecimal.decode(text) }

func cryptography(_ backend: CryptoBackend = .openSSL) throws -> Cryptography {
    let seed = [UInt8](0..<32)
    return try Cryptography(backend: backend, seed: seed.rawSpan)
}

extension [UInt8] {
    init(_ bytes: RawSpan) {
        self = bytes.copied()
    }

    init(copying secret: borrowing SecretBytes) { self.init(secret.bytes) }

    init(copying secret: borrowing SharedSecret) { self.init(secret.bytes) }

    var shared: SharedSecret { SharedSecret(copying: rawSpan) }

    var secret: SecretBytes { SecretBytes(copying: rawSpan) }

    var ephemeral: EphemeralSecret { EphemeralSecret(copying: rawSpan) }

    init(copying secret: borrowing EphemeralSecret) { self.init(secret.bytes) }
}

/// Both ends of one key exchange.
struct Agreement: Equatable {
    var initiatorValue: [UInt8]
    var responderValue: [UInt8]
    var initiatorSecret: [UInt8]
    var responderSecret: [UInt8]
}

enum Unexpected: Error { case result }

func generate(
    _ crypto: borrowing Cryptography,
    _ method: KeyExchangeMethod,
    _ randomness: [UInt8]
) throws -> KeyExchangeResult.KeyPair {
    switch crypto.perform(.generate(.init(method: method, randomness: randomness.ephemeral))) {
    case .generated(let pair): return pair
    case .refused(let error): throw error
    default: throw Unexpected.result
    }
}

func respond(
    _ crypto: borrowing Cryptography,
    _ method: KeyExchangeMethod,
    _ peer: [UInt8],
    _ randomness: [UInt8]
) throws -> KeyExchangeResult.Response {
    let request = KeyExchangeRequest.Respond(
        method: method,
        peerPublicValue: peer,
        randomness: randomness.ephemeral
    )
    switch crypto.perform(.respond(request)) {
    case .responded(let response): return response
    case .refused(let error): throw error
    default: throw Unexpected.result
    }
}

func finish(
    _ crypto: borrowing Cryptography,
    _ method: KeyExchangeMethod,
    privateKey: [UInt8],
    publicValue: [UInt8],
    peer: [UInt8]
) throws -> SharedSecret {
    let request = KeyExchangeRequest.Finish(
        method: method,
        privateKey: privateKey.ephemeral,
        publicValue: publicValue,
        peerPublicValue: peer
    )
    switch crypto.perform(.finish(request)) {
    case .finished(let secret): return secret
    case .refused(let error): throw error
    default: throw Unexpected.result
    }
}

func agree(
    _ crypto: borrowing Cryptography,
    _ method: KeyExchangeMethod,
    _ one: [UInt8],
    _ other: [UInt8]
) throws -> Agreement {
    let pair = try generate(crypto, method, one)
    let response = try respond(crypto, method, pair.publicValue, other)
    let secret = try finish(
        crypto,
        method,
        privateKey: [UInt8](copying: pair.privateKey),
        publicValue: pair.publicValue,
        peer: response.publicValue
    )
    return Agreement(
        initiatorValue: pair.publicValue,
        responderValue: response.publicValue,
        initiatorSecret: [UInt8](copying: secret),
        responderSecret: [UInt8](copying: response.sharedSecret)
    )
}
