import IKECrypto
import Primitives
import Testing

@Suite("Key exchange")
struct KeyExchangeTests {
    @Test("published exchanges come out octet for octet", arguments: exchangeVectors + furtherExchangeVectors)
    func vectors(_ vector: ExchangeVector) throws {
        let crypto = try cryptography()
        let agreement = try agree(
            crypto,
            vector.method,
            hex(vector.initiatorRandomness),
            hex(vector.responderRandomness)
        )
        #expect(
            agreement
                == Agreement(
                    initiatorValue: hex(vector.initiatorValue),
                    responderValue: hex(vector.responderValue),
                    initiatorSecret: hex(vector.sharedSecret),
                    responderSecret: hex(vector.sharedSecret)
                )
        )
    }

    @Test("X25519 gives RFC 7748's result after 1000 rounds")
    func iterates() throws {
        let crypto = try cryptography()
        var scalar = hex("0900000000000000000000000000000000000000000000000000000000000000")
        var coordinate = scalar
        for round in 1...1000 {
            let secret = try finish(
                crypto,
                .curve25519,
                privateKey: scalar,
                publicValue: coordinate,
                peer: coordinate
            )
            coordinate = scalar
            scalar = [UInt8](copying: secret)
            if round == 1 {
                #expect(scalar == hex("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"))
            }
        }
        #expect(scalar == hex("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"))
    }

    @Test("X448 gives RFC 7748's result after 1000 rounds")
    func iterates448() throws {
        let crypto = try cryptography()
        var scalar = [5] + [UInt8](repeating: 0, count: 55)
        var coordinate = scalar
        for _ in 1...1000 {
            let secret = try finish(crypto, .curve448, privateKey: scalar, publicValue: coordinate, peer: coordinate)
            coordinate = scalar
            scalar = [UInt8](copying: secret)
        }
        let expected = """
            aa3b4749d55b9daf1e5b00288826c467274ce3ebbdd5c17b975e09d4af6c67cf10d087202db88286e2b79fceea3ec353
            ef54faa26e219f38
            """
        #expect(scalar == hex(expected))
    }

    @Test("every method has vectors")
    func isComplete() {
        let methods = (exchangeVectors + furtherExchangeVectors).map(\.method) + KEMVector.all.map(\.method)
        #expect(KeyExchangeMethod.allCases.filter { !methods.contains($0) } == [])
    }

    @Test(
        "both ends agree and a run repeats itself, with every method and backend",
        arguments: KeyExchangeMethod.allCases
    )
    func agrees(_ method: KeyExchangeMethod) throws {
        for backend in [CryptoBackend.openSSL, .modelled] {
            let crypto = try cryptography(backend)
            let one = [UInt8](repeating: 0x11, count: method.randomByteCount)
            let other = [UInt8](repeating: 0xEE, count: method.randomByteCount)
            let agreement = try agree(crypto, method, one, other)
            #expect(agreement.initiatorSecret == agreement.responderSecret)
            #expect(agreement.initiatorValue != agreement.responderValue)
            #expect(agreement.initiatorValue.count == method.publicValueByteCount)
            #expect(agreement.initiatorSecret.count == method.sharedSecretByteCount)
            #expect(try agree(try cryptography(backend), method, one, other) == agreement)
            #expect(try agree(crypto, method, one, one) != agreement)
        }
    }

    @Test("every randomness makes a private key in range, the largest too", arguments: KeyExchangeMethod.allCases)
    func extremes(_ method: KeyExchangeMethod) throws {
        for backend in [CryptoBackend.openSSL, .modelled] {
            let crypto = try cryptography(backend)
            for octet in [UInt8.min, .max] {
                let randomness = [UInt8](repeating: octet, count: method.randomByteCount)
                let other = [UInt8](repeating: 0x42, count: method.randomByteCount)
                let agreement = try agree(crypto, method, randomness, other)
                #expect(agreement.initiatorSecret == agreement.responderSecret)
            }
        }
    }
}
