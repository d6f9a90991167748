import IKECrypto
import Primitives
import Testing

/// Callers keep a part of a result and let the rest go; optimized builds must free the rest once.
///
/// The results are not frozen, so that the compiler refuses to move one field out of them in another module: where it
/// allowed that, optimized builds freed the public value twice.
@Suite("A result that is used up")
struct ConsumptionTests {
    @Test("shows its secret and frees its public value once", arguments: [CryptoBackend.openSSL, .modelled])
    func freesResponse(_ backend: CryptoBackend) throws {
        let crypto = try cryptography(backend)
        let peer = try generate(crypto, .curve25519, [UInt8](repeating: 1, count: 32))
        var secrets: [[UInt8]] = []
        var values: [[UInt8]] = []
        for _ in 0..<200 {
            let response = try respond(crypto, .curve25519, peer.publicValue, [UInt8](repeating: 2, count: 32))
            // The second reference shows a release too many: the octets would be gone, or somebody else's.
            values.append(response.publicValue)
            secrets.append(Self.secret(of: response))
        }
        #expect(secrets.allSatisfy { $0 == secrets[0] && $0.contains { $0 != 0 } })
        #expect(values.allSatisfy { $0 == values[0] && $0.count == 32 })
    }

    @Test("shows its private key and frees its public value once", arguments: [CryptoBackend.openSSL, .modelled])
    func freesKeyPair(_ backend: CryptoBackend) throws {
        let crypto = try cryptography(backend)
        var keys: [[UInt8]] = []
        var values: [[UInt8]] = []
        for _ in 0..<200 {
            let pair = try generate(crypto, .curve25519, [UInt8](repeating: 1, count: 32))
            values.append(pair.publicValue)
            keys.append(Self.privateKey(of: pair))
        }
        #expect(keys.allSatisfy { $0 == keys[0] && $0.contains { $0 != 0 } })
        #expect(values.allSatisfy { $0 == values[0] && $0.count == 32 })
    }

    @Test("keeps a secret's octets while it moves from place to place")
    func moves() {
        let octets = [UInt8](0..<64)
        var holder = Holder(secret: octets.secret)
        for _ in 0..<100 { holder = Holder(secret: Self.passOn(holder.take())) }
        #expect([UInt8](copying: holder.secret) == octets)
    }

    private struct Holder: ~Copyable {
        var secret: SecretBytes

        consuming func take() -> SecretBytes { secret }
    }

    @inline(never)
    private static func secret(of response: consuming KeyExchangeResult.Response) -> [UInt8] {
        [UInt8](copying: response.sharedSecret)
    }

    @inline(never)
    private static func privateKey(of pair: consuming KeyExchangeResult.KeyPair) -> [UInt8] {
        [UInt8](copying: pair.privateKey)
    }

    @inline(never)
    private static func passOn(_ secret: consuming SecretBytes) -> SecretBytes { secret }
}
