import Crypto
import Foundation
import IKECrypto
import Primitives
import Testing

/// What FIPS 203 makes of given chance.
struct KEMVector: Sendable, CustomTestStringConvertible {
    var method: KeyExchangeMethod
    var seed: [UInt8]
    var m: [UInt8]
    var keyDigest: [UInt8]
    var ciphertextDigest: [UInt8]
    var secret: [UInt8]
    var strangeCiphertext: [UInt8]
    var strangeSecret: [UInt8]

    var testDescription: String { "\(method), m \(Hexadecimal.encode(Array(m.prefix(4))))" }

    /// The head of the file says where they come from.
    static let all: [KEMVector] = {
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Vectors/mlkem.txt").path
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            preconditionFailure("the vectors stand beside the tests: \(path)")
        }
        return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
            let cells = line.components(separatedBy: " | ")
            return KEMVector(
                method: cells[0] == "mlKEM768" ? .mlKEM768 : .mlKEM1024,
                seed: hex(cells[1]) + hex(cells[2]),
                m: hex(cells[3]),
                keyDigest: hex(cells[4]),
                ciphertextDigest: hex(cells[5]),
                secret: hex(cells[6]),
                strangeCiphertext: hex(cells[7]),
                strangeSecret: hex(cells[8])
            )
        }
    }()
}

/// FIPS 203, and how draft-ietf-ipsecme-ikev2-mlkem makes a key exchange of it.
@Suite("ML-KEM")
struct MLKEMTests {
    static let methods = [KeyExchangeMethod.mlKEM768, .mlKEM1024]

    @Test(
        "published vectors come out: key, ciphertext, secret, and the secret of a ciphertext that nobody made",
        arguments: KEMVector.all
    )
    func vectors(_ vector: KEMVector) throws {
        let crypto = try cryptography()
        let pair = try generate(crypto, vector.method, vector.seed)
        #expect(digest(pair.publicValue) == vector.keyDigest)
        let padded = vector.m + [UInt8](repeating: 0, count: 32)
        let response = try respond(crypto, vector.method, pair.publicValue, padded)
        #expect(digest(response.publicValue) == vector.ciphertextDigest)
        #expect([UInt8](copying: response.sharedSecret) == vector.secret)
        let finished = { (ciphertext: [UInt8]) throws in
            let secret = try finish(
                crypto,
                vector.method,
                privateKey: vector.seed,
                publicValue: pair.publicValue,
                peer: ciphertext
            )
            return [UInt8](copying: secret)
        }
        #expect(try finished(response.publicValue) == vector.secret)
        #expect(try finished(vector.strangeCiphertext) == vector.strangeSecret)
    }

    @Test(
        "swift-crypto's own interface makes the same keys, and takes the ciphertexts",
        arguments: [UInt8(1), 77, 255]
    )
    func agreesWithSwiftCrypto(_ octet: UInt8) throws {
        let crypto = try cryptography()
        let seed = [UInt8](repeating: octet, count: 64)
        let small = try MLKEM768.PrivateKey(seedRepresentation: Data(seed), publicKey: nil)
        let large = try MLKEM1024.PrivateKey(seedRepresentation: Data(seed), publicKey: nil)
        let keys = [Array(small.publicKey.rawRepresentation), Array(large.publicKey.rawRepresentation)]
        for (method, key) in zip(Self.methods, keys) {
            let pair = try generate(crypto, method, seed)
            #expect(pair.publicValue == key)
            let response = try respond(crypto, method, key, seed)
            let ciphertext = Data(response.publicValue)
            let secret = method == .mlKEM768 ? try small.decapsulate(ciphertext) : try large.decapsulate(ciphertext)
            let opened = unsafe secret.withUnsafeBytes { unsafe Array($0) }
            #expect(opened == [UInt8](copying: response.sharedSecret))
        }
        let theirs = try small.publicKey.encapsulate()
        let ours = try finish(
            crypto,
            .mlKEM768,
            privateKey: seed,
            publicValue: keys[0],
            peer: Array(theirs.encapsulated)
        )
        let opened = unsafe theirs.sharedSecret.withUnsafeBytes { unsafe Array($0) }
        #expect(opened == [UInt8](copying: ours))
    }

    @Test(
        "the values have the lengths that FIPS 203 gives, with either backend",
        arguments: [CryptoBackend.openSSL, .modelled]
    )
    func lengths(_ backend: CryptoBackend) throws {
        let crypto = try cryptography(backend)
        for (method, lengths) in zip(Self.methods, [(1184, 1088), (1568, 1568)]) {
            let randomness = [UInt8](repeating: 5, count: method.randomByteCount)
            let agreement = try agree(crypto, method, randomness, randomness)
            #expect(agreement.initiatorValue.count == lengths.0)
            #expect(agreement.responderValue.count == lengths.1)
            #expect(agreement.responderSecret.count == 32)
        }
    }

    @Test("an encapsulation key with a coefficient of q is refused, one below it is not", arguments: methods)
    func checksModulus(_ method: KeyExchangeMethod) throws {
        let randomness = [UInt8](repeating: 9, count: method.randomByteCount)
        for backend in [CryptoBackend.openSSL, .modelled] {
            let crypto = try cryptography(backend)
            for place in [0, 1, method.publicValueByteCount / 96 * 64 - 1] {
                for (coefficient, isValid) in [(3328, true), (3329, false), (4095, false)] {
                    var key = [UInt8](repeating: 0, count: method.publicValueByteCount)
                    let offset = place / 2 * 3
                    if place % 2 == 0 {
                        key[offset] = UInt8(coefficient & 0xFF)
                        key[offset + 1] = UInt8(coefficient >> 8)
                    } else {
                        key[offset + 1] = UInt8(coefficient & 0xF) << 4
                        key[offset + 2] = UInt8(coefficient >> 4)
                    }
                    let response = Result { try respond(crypto, method, key, randomness).publicValue }
                    #expect(((try? response.get()) != nil) == isValid, "\(coefficient) at \(place)")
                }
            }
        }
    }

    @Test("a changed encapsulation key gives each end another secret, or a refusal", arguments: methods)
    func changesKey(_ method: KeyExchangeMethod) throws {
        let randomness = [UInt8](repeating: 0x61, count: method.randomByteCount)
        for backend in [CryptoBackend.openSSL, .modelled] {
            let crypto = try cryptography(backend)
            let pair = try generate(crypto, method, randomness)
            for bit in stride(from: 0, to: 8 * method.publicValueByteCount, by: 211) {
                var key = pair.publicValue
                key[bit / 8] ^= 1 << UInt8(bit % 8)
                guard let response = try? respond(crypto, method, key, randomness) else { continue }
                let secret = try finish(
                    crypto,
                    method,
                    privateKey: randomness,
                    publicValue: pair.publicValue,
                    peer: response.publicValue
                )
                #expect([UInt8](copying: secret) != [UInt8](copying: response.sharedSecret), "bit \(bit)")
            }
        }
    }

    private func digest(_ octets: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: octets)) }
}
