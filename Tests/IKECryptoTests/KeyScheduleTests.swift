import IKECrypto
import Primitives
import Testing

@Suite("PRF and key schedule")
struct KeyScheduleTests {
    @Test(
        "every PRF is the HMAC of RFC 2202 and RFC 4231, however its input is cut",
        arguments: hmacVectors,
        PRF.allCases
    )
    func hmac(_ vector: HMACVector, _ function: PRF) throws {
        let crypto = try cryptography()
        let key = hex(vector.key)
        let message = hex(vector.message)
        let expected = vector.output(of: function)
        let half = message.count / 2
        let (head, tail) = ([UInt8](message[..<half]), [UInt8](message[half...]))

        let whole = crypto.prf(function, key: key.rawSpan, message.rawSpan)
        #expect(octets(whole) == expected)
        let cut = crypto.prf(function, key: key.rawSpan, head.rawSpan, RawSpan(), tail.rawSpan)
        #expect(octets(cut) == expected)
    }

    @Test("HMAC with a key of the hash's length is RFC 4868's (section 2.7.1)")
    func integrityKey() throws {
        let crypto = try cryptography()
        let code = crypto.hmacSHA256(
            key: [UInt8](repeating: 0x0B, count: 32).rawSpan,
            [UInt8]("Hi".utf8).rawSpan,
            [UInt8](" There".utf8).rawSpan
        )
        #expect(octets(code) == hex("198a607eb44bfbc69903a0f1cf2bbdc5ba0aa3f3d9ae3c1c7a3b1696a0b68cf7"))
    }

    /// AUTH256-1, AUTH384-1 and AUTH512-1, and the PRF of which each is the beginning.
    @Test(
        "the integrity values of RFC 4868 are its own, from keys of the hash's length (section 2.7.2)",
        arguments: [
            (.hmacSHA256, .hmacSHA256, "198a607eb44bfbc69903a0f1cf2bbdc5"),
            (.hmacSHA384, .hmacSHA384, "b6a8d5636f5c6a7224f9977dcf7ee6c7fb6d0c48cbdee973"),
            (.hmacSHA512, .hmacSHA512, "637edc6e01dce7e6742a99451aae82df23da3e92439e590e43e761b33e910fb8"),
        ] as [(IntegrityAlgorithm, PRF, String)]
    )
    func integrityValues(_ integrity: IntegrityAlgorithm, _ function: PRF, _ published: String) throws {
        let crypto = try cryptography()
        let key = [UInt8](repeating: 0x0B, count: integrity.keyByteCount)
        let code = crypto.prf(function, key: key.rawSpan, [UInt8]("Hi There".utf8).rawSpan)
        #expect(octets(code).count == integrity.keyByteCount)
        #expect(Array(octets(code).prefix(integrity.icvByteCount)) == hex(published))
    }

    @Test("the keys of an IKE SA and its rekeying are the vectors'", arguments: keyScheduleVectors)
    func ikeKeys(_ vector: KeyScheduleVector) throws {
        let crypto = try cryptography()
        let (ni, nr) = (hex(vector.inputs.ni), hex(vector.inputs.nr))
        let (secret, newSecret) = (hex(vector.inputs.sharedSecret), hex(vector.inputs.newSharedSecret))
        let material = hex(vector.ikeMaterial)
        let suite = IKESuite(
            cipher: .aesCBC256,
            integrity: IntegrityAlgorithm.allCases.first { $0.keyByteCount == vector.prf.outputByteCount },
            prf: vector.prf,
            keyExchange: .curve25519
        )

        let seed = crypto.prf(vector.prf, key: (ni + nr).rawSpan, secret.rawSpan)
        #expect(octets(seed) == hex(vector.skeyseed))

        let keys = crypto.deriveIKEKeys(
            suite,
            sharedSecret: secret.shared,
            ni: ni.rawSpan,
            nr: nr.rawSpan,
            spii: vector.inputs.spii,
            spir: vector.inputs.spir
        )
        let all = joined(keys)
        #expect(all == [UInt8](material[..<all.count]))

        let rekeyed = crypto.rederiveIKEKeys(
            suite,
            oldPRF: vector.prf,
            oldSK_d: keys.d,
            sharedSecret: newSecret.shared,
            ni: ni.rawSpan,
            nr: nr.rawSpan,
            spii: vector.inputs.spir,
            spir: vector.inputs.spii
        )
        let spis = [UInt8](hex(vector.inputs.spirText + vector.inputs.spiiText))
        let expected = crypto.prfPlus(
            vector.prf,
            key: hex(vector.rekeyedSKEYSEED).rawSpan,
            ni.rawSpan,
            nr.rawSpan,
            spis.rawSpan,
            count: all.count
        )
        #expect(joined(rekeyed) == expected)
    }

    @Test("the keys of a Child SA are the vectors', with and without a key exchange", arguments: keyScheduleVectors)
    func childKeys(_ vector: KeyScheduleVector) throws {
        let crypto = try cryptography()
        let (ni, nr) = (hex(vector.inputs.ni), hex(vector.inputs.nr))
        let parentKey = [UInt8](hex(vector.ikeMaterial)[..<vector.prf.outputByteCount])
        let suite = ChildSuite(cipher: .aesCBC128, integrity: .hmacSHA256, keyExchange: nil, usesESN: false)

        let keys = crypto.deriveChildKeys(
            suite,
            prf: vector.prf,
            sk_d: parentKey.secret,
            ni: ni.rawSpan,
            nr: nr.rawSpan
        )
        #expect(joined(keys) == [UInt8](hex(vector.childMaterial)[..<96]))

        let keysOfTheirOwn = crypto.deriveChildKeys(
            suite,
            prf: vector.prf,
            sk_d: parentKey.secret,
            sharedSecret: hex(vector.inputs.newSharedSecret).shared,
            ni: ni.rawSpan,
            nr: nr.rawSpan
        )
        #expect(joined(keysOfTheirOwn) == [UInt8](hex(vector.childMaterialWithKeyExchange)[..<96]))
    }

    @Test("prf+ is the vectors' to the last octet, and a shorter one is its beginning", arguments: keyScheduleVectors)
    func expands(_ vector: KeyScheduleVector) throws {
        let crypto = try cryptography()
        let (ni, nr) = (hex(vector.inputs.ni), hex(vector.inputs.nr))
        let spis = hex(vector.inputs.spiiText + vector.inputs.spirText)
        let material = hex(vector.ikeMaterial)
        let seed = hex(vector.skeyseed)
        for count in [0, 1, vector.prf.outputByteCount, vector.prf.outputByteCount + 1, material.count] {
            let octets = crypto.prfPlus(
                vector.prf,
                key: seed.rawSpan,
                ni.rawSpan,
                nr.rawSpan,
                spis.rawSpan,
                count: count
            )
            #expect(octets == [UInt8](material[..<count]))
        }
    }

    @Test(
        "AUTH of a shared key is what Python's hmac computes (RFC 7296 section 2.15)",
        arguments: [
            (PRF.hmacSHA1, "d86459bd4d680fdf6b13823b12333734cf2c3fc5"),
            (.hmacSHA256, "cb44cb6532b945a717827c19e5739e561856068aab861f94e1e90fab96b5dec7"),
            (
                .hmacSHA384,
                """
                9f9278d096432b5bfa77112a22b6a342e14a3c16f7a43681fd9f45a0afe62797
                7b5e329b6a5a9749c4dca476653ec312
                """
            ),
            (
                .hmacSHA512,
                """
                83efdf949bf9eb6422a6cc8da4d9a7c3e2a5da8cca9136b2075c49c63d4212c6
                187dc79192e657e05f248ae7718d121496cd30fa9be59f9a86326d76578141ad
                """
            ),
        ]
    )
    func authenticates(_ function: PRF, _ expected: String) throws {
        let crypto = try cryptography()
        let authentication = crypto.pskAuthentication(
            function,
            psk: [UInt8]("test-only".utf8).rawSpan,
            messageOctets: ([UInt8](0...255) + [UInt8](repeating: 0, count: 44)).rawSpan,
            nonce: [UInt8](32..<64).rawSpan,
            sk_p: (0..<function.outputByteCount).map { UInt8($0) }.secret,
            identificationBody: ([3, 0, 0, 0] + [UInt8]("user00001@example.org".utf8)).rawSpan
        )
        #expect(octets(authentication) == hex(expected))
    }

    @Test("the hashes are FIPS 180-4's, real with every backend, however their input is cut")
    func hashes() throws {
        for backend in [CryptoBackend.openSSL, .modelled] {
            let crypto = try cryptography(backend)
            let sha1 = crypto.sha1([0x61].rawSpan, RawSpan(), [0x62, 0x63].rawSpan)
            #expect(sha1.octets == hex("a9993e364706816aba3e25717850c26c9cd0d89d"))
            #expect(matches(sha1, hex("a9993e364706816aba3e25717850c26c9cd0d89d")))
            #expect(!matches(sha1, hex("a9993e364706816aba3e25717850c26c9cd0d89c")))
            #expect(!matches(sha1, hex("a9993e364706816aba3e25717850c26c9cd0d8")))
            let sha256 = crypto.sha256([0x61].rawSpan, [0x62].rawSpan, RawSpan(), [0x63].rawSpan)
            #expect(sha256.octets == hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"))
        }
    }
}

extension KeyScheduleTests {
    @Test("modelled keys have the real lengths, are alike at both ends, and differ by every input")
    func modelledKeys() throws {
        let modelled = try cryptography(.modelled)
        let real = try cryptography(.openSSL)
        let suite = IKESuite(cipher: .aesCBC256, integrity: .hmacSHA384, prf: .hmacSHA384, keyExchange: .ecp384)
        let inputs: [(secret: UInt8, ni: UInt8, nr: UInt8, spii: UInt64, spir: UInt64)] = [
            (1, 2, 3, 4, 5), (9, 2, 3, 4, 5), (1, 9, 3, 4, 5), (1, 2, 9, 4, 5), (1, 2, 3, 9, 5), (1, 2, 3, 4, 9),
            (1, 3, 2, 4, 5), (1, 2, 3, 5, 4),
        ]
        var seen: Set<[UInt8]> = []
        for input in inputs {
            func keys(_ crypto: borrowing Cryptography) -> IKEKeys {
                crypto.deriveIKEKeys(
                    suite,
                    sharedSecret: [UInt8](repeating: input.secret, count: 48).shared,
                    ni: [UInt8](repeating: input.ni, count: 32).rawSpan,
                    nr: [UInt8](repeating: input.nr, count: 32).rawSpan,
                    spii: input.spii,
                    spir: input.spir
                )
            }
            let derived = keys(modelled)
            #expect(joined(derived) == joined(keys(modelled)))
            #expect(lengths(derived) == lengths(keys(real)))
            for key in parts(derived) { #expect(seen.insert(key).inserted, "\(input)") }
        }
    }

    @Test("a modelled PRF changes with every bit of key and input, and has the real length", arguments: PRF.allCases)
    func modelledPRF(_ function: PRF) throws {
        let crypto = try cryptography(.modelled)
        let input = [UInt8](0..<67)
        var seen: Set<[UInt8]> = []
        for bit in 0..<(8 * input.count) {
            var changed = input
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            let ofInput = octets(crypto.prf(function, key: input.rawSpan, changed.rawSpan))
            let ofKey = octets(crypto.prf(function, key: changed.rawSpan, input.rawSpan))
            #expect(ofInput.count == function.outputByteCount)
            #expect(seen.insert(ofInput).inserted && seen.insert(ofKey).inserted, "bit \(bit)")
        }
        for count in 0..<input.count {
            let shorter = [UInt8](input[..<count])
            #expect(seen.insert(octets(crypto.prf(function, key: input.rawSpan, shorter.rawSpan))).inserted)
        }
    }

    @Test("algorithms have their IANA numbers and the lengths of their RFCs")
    func algorithms() {
        for cipher in Cipher.allCases {
            #expect(Cipher(id: cipher.id, keyBitCount: cipher.keyLengthAttribute) == cipher)
        }
        #expect(Cipher(id: 20, keyBitCount: 256) == .aesGCM256)
        #expect(Cipher(id: 28, keyBitCount: nil) == .chaCha20Poly1305)
        #expect(Cipher(id: 28, keyBitCount: 256) == nil)
        #expect(Cipher(id: 12, keyBitCount: nil) == nil)
        #expect(Cipher(id: 18, keyBitCount: 192)?.icvByteCount == 8)
        #expect(Cipher(id: 19, keyBitCount: 128)?.icvByteCount == 12)
        #expect(Cipher(id: 20, keyBitCount: 192)?.icvByteCount == 16)
        #expect(Cipher(id: 20, keyBitCount: 129) == nil)
        #expect(Cipher.aesGCM256.keyByteCount == 36)
        #expect(Cipher.aesCBC128.keyByteCount == 16)
        #expect(IntegrityAlgorithm(rawValue: 2)?.icvByteCount == 12)
        #expect(IntegrityAlgorithm(rawValue: 2)?.keyByteCount == 20)
        #expect(IntegrityAlgorithm(rawValue: 12)?.icvByteCount == 16)
        #expect(IntegrityAlgorithm(rawValue: 13)?.icvByteCount == 24)
        #expect(IntegrityAlgorithm(rawValue: 14)?.keyByteCount == 64)
    }
}

private func matches(_ digest: SHA1Digest, _ octets: [UInt8]) -> Bool { digest.isEqual(to: octets.rawSpan) }

private func octets(_ secret: borrowing SecretBytes) -> [UInt8] { [UInt8](copying: secret) }

private func parts(_ keys: borrowing IKEKeys) -> [[UInt8]] {
    [octets(keys.d), octets(keys.ai), octets(keys.ar)]
        + [octets(keys.ei), octets(keys.er), octets(keys.pi), octets(keys.pr)]
}

private func joined(_ keys: borrowing IKEKeys) -> [UInt8] { parts(keys).flatMap { $0 } }

private func lengths(_ keys: borrowing IKEKeys) -> [Int] { parts(keys).map(\.count) }

private func joined(_ keys: borrowing ChildKeys) -> [UInt8] {
    octets(keys.initiatorEncryption) + octets(keys.initiatorIntegrity) + octets(keys.responderEncryption)
        + octets(keys.responderIntegrity)
}

extension KeyScheduleInputs {
    fileprivate var spiiText: String { text(spii) }
    fileprivate var spirText: String { text(spir) }

    private func text(_ spi: UInt64) -> String {
        Hexadecimal.encode((0..<8).map { UInt8(truncatingIfNeeded: spi >> (56 - 8 * UInt64($0))) })
    }
}
