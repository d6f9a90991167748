import IKECrypto
import Primitives
import Testing

@Suite("Sealed messages")
struct MessageProtectionTests {
    @Test(
        "published sealed messages come out octet for octet, and open again",
        arguments: SealedVector.all + SealedVector.ofCAVP
    )
    func vectors(_ vector: SealedVector) throws {
        let crypto = try cryptography()
        let key = hex(vector.key) + hex(vector.salt)
        let associated = hex(vector.associated)
        let plaintext = hex(vector.plaintext)
        let seal = Seal(cipher: vector.cipher, encryptionKey: key, bodyOffset: associated.count)

        var message = associated + hex(vector.iv) + plaintext + [UInt8](repeating: 0, count: vector.cipher.icvByteCount)
        seal.seal(&message, crypto)
        #expect(message == associated + hex(vector.iv) + hex(vector.sealed))
        #expect(try seal.open(message, crypto) == plaintext)
    }

    @Test("AES-CBC encrypts as RFC 3602 says, and the ICV covers the whole message (RFC 4868)")
    func encryptsThenAuthenticates() throws {
        let crypto = try cryptography()
        let header = [UInt8](0..<32)
        let iv = hex("8ce82eefbea0da3c44699ed7db51b7d9")
        let plaintext = [UInt8](0xA0...0xDF)
        let ciphertext = hex(
            """
            c30e32ffedc0774e6aff6af0869f71aa0f3af07a9a31a9c684db207eb0ef8e4e
            35907aa632c3ffdf868bb7b29d3d46ad83ce9f9a102ee99d49a53e87f4c3da55
            """
        )
        for integrity in IntegrityAlgorithm.allCases {
            let seal = Seal(
                cipher: .aesCBC128,
                integrity: integrity,
                encryptionKey: hex("56e47a38c5598974bc46903dba290349"),
                integrityKey: [UInt8](repeating: 0x0B, count: integrity.keyByteCount),
                bodyOffset: header.count
            )
            var message = header + iv + plaintext + [UInt8](repeating: 0, count: integrity.icvByteCount)
            seal.seal(&message, crypto)
            let function = PRF.allCases.first { $0.outputByteCount == integrity.keyByteCount }!
            let code = crypto.prf(function, key: seal.integrityKey.rawSpan, (header + iv + ciphertext).rawSpan)
            let icv = [UInt8](copying: code).prefix(integrity.icvByteCount)
            #expect(message == header + iv + ciphertext + icv)
            #expect(try seal.open(message, crypto) == plaintext)
        }
    }

    @Test("AES-CBC encrypts as NIST says, with keys of every length", arguments: CBCVector.all)
    func encryptsInBlocks(_ vector: CBCVector) throws {
        let crypto = try cryptography()
        let seal = Seal(
            cipher: vector.cipher,
            integrity: .hmacSHA1,
            encryptionKey: hex(vector.key),
            integrityKey: [UInt8](repeating: 0x0B, count: 20),
            bodyOffset: 0
        )
        var message = hex(CBCVector.iv) + hex(CBCVector.plaintext) + [UInt8](repeating: 0, count: 12)
        seal.seal(&message, crypto)
        #expect([UInt8](message[16..<80]) == hex(vector.ciphertext))
        #expect(try seal.open(message, crypto) == hex(CBCVector.plaintext))
    }

    @Test("a message of every length opens to what was sealed", arguments: Seal.all)
    func roundTrips(_ seal: Seal) throws {
        for backend in [CryptoBackend.openSSL, .modelled] {
            let crypto = try cryptography(backend)
            for blocks in [1, 2, 3, 17, 80] {
                let plaintext = (0..<(blocks * seal.cipher.blockByteCount)).map { UInt8(truncatingIfNeeded: $0) }
                let message = seal.sealed(plaintext, crypto)
                #expect(message.count == seal.bodyOffset + seal.overhead + plaintext.count)
                #expect(try seal.open(message, crypto) == plaintext)
                #expect(seal.sealed(plaintext, crypto) == message)
            }
        }
    }

    @Test("a sealed message with one changed bit is refused, whichever it is", arguments: Seal.all)
    func refusesChanges(_ seal: Seal) throws {
        for backend in [CryptoBackend.openSSL, .modelled] {
            let crypto = try cryptography(backend)
            let message = seal.sealed([UInt8](repeating: 0x5A, count: 48), crypto)
            for bit in 0..<(8 * message.count) {
                var changed = message
                changed[bit / 8] ^= 1 << UInt8(bit % 8)
                #expect(throws: CryptoError.notAuthentic, "bit \(bit)") { try seal.open(changed, crypto) }
            }
        }
    }

    @Test("a message under another key, direction or salt is refused", arguments: Seal.all)
    func refusesOtherKeys(_ seal: Seal) throws {
        for backend in [CryptoBackend.openSSL, .modelled] {
            let crypto = try cryptography(backend)
            let message = seal.sealed([UInt8](repeating: 0x5A, count: 48), crypto)
            var others: [Seal] = []
            // Without AEAD the integrity key alone decides; a wrong encryption key then gives other octets.
            if seal.cipher.isAEAD || backend == .modelled {
                others += seal.encryptionKey.indices.map { seal.changingEncryptionKey(at: $0) }
            }
            others += seal.integrityKey.indices.map { seal.changingIntegrityKey(at: $0) }
            for other in others { #expect(throws: CryptoError.notAuthentic) { try other.open(message, crypto) } }
        }
    }

    @Test("a message that is cut short is refused, whatever its length", arguments: Seal.all)
    func refusesPrefixes(_ seal: Seal) throws {
        for backend in [CryptoBackend.openSSL, .modelled] {
            let crypto = try cryptography(backend)
            let message = seal.sealed([UInt8](repeating: 0x5A, count: 48), crypto)
            for count in seal.bodyOffset..<message.count {
                let plaintextByteCount = count - seal.bodyOffset - seal.overhead
                let isMalformed =
                    plaintextByteCount <= 0 || !plaintextByteCount.isMultiple(of: seal.cipher.blockByteCount)
                #expect(throws: isMalformed ? CryptoError.malformedMessage : .notAuthentic, "\(count) octets") {
                    try seal.open([UInt8](message[..<count]), crypto)
                }
            }
        }
    }

    @Test("what an AEAD cipher refuses leaves no plaintext behind", arguments: Seal.all.filter(\.cipher.isAEAD))
    func leavesNoPlaintext(_ seal: Seal) throws {
        let crypto = try cryptography()
        let plaintext = [UInt8](repeating: 0x5A, count: 48)
        var message = seal.sealed(plaintext, crypto)
        message[message.count - 1] ^= 1
        #expect(throws: CryptoError.notAuthentic) { try seal.openInPlace(&message, crypto) }
        let start = seal.bodyOffset + seal.cipher.ivByteCount
        #expect([UInt8](message[start..<start + 48]) == [UInt8](repeating: 0, count: 48))
    }

    @Test(
        "the modelled backend seals to the real one's lengths, and leaves the plaintext in clear",
        arguments: Seal.all
    )
    func hasRealLengths(_ seal: Seal) throws {
        let plaintext = [UInt8](repeating: 0x5A, count: 48)
        let real = seal.sealed(plaintext, try cryptography(.openSSL))
        let modelled = seal.sealed(plaintext, try cryptography(.modelled))
        #expect(real.count == modelled.count)
        let start = seal.bodyOffset + seal.cipher.ivByteCount
        #expect([UInt8](modelled[start..<start + 48]) == plaintext)
        #expect([UInt8](real[start..<start + 48]) != plaintext)
    }
}

/// Algorithms and keys of one direction.
struct Seal: Sendable, CustomTestStringConvertible {
    var cipher: Cipher
    var integrity: IntegrityAlgorithm?
    var encryptionKey: [UInt8]
    var integrityKey: [UInt8] = []
    var bodyOffset = 32

    static let all: [Seal] = Cipher.allCases.flatMap { cipher in
        let integrities: [IntegrityAlgorithm?] = cipher.isAEAD ? [nil] : IntegrityAlgorithm.allCases
        return integrities.map { integrity in
            Seal(
                cipher: cipher,
                integrity: integrity,
                encryptionKey: (0..<cipher.keyByteCount).map { UInt8($0) },
                integrityKey: (0..<(integrity?.keyByteCount ?? 0)).map { UInt8(100 + $0) }
            )
        }
    }

    var overhead: Int { cipher.ivByteCount + (integrity?.icvByteCount ?? cipher.icvByteCount) }

    /// A header, an IV and the plaintext, sealed.
    func sealed(_ plaintext: [UInt8], _ crypto: borrowing Cryptography) -> [UInt8] {
        let header = (0..<bodyOffset).map { UInt8(200 + $0) }
        let iv = (0..<cipher.ivByteCount).map { UInt8(50 + $0) }
        let room = [UInt8](repeating: 0, count: overhead - iv.count)
        var message = header + iv + plaintext + room
        seal(&message, crypto)
        return message
    }

    func seal(_ message: inout [UInt8], _ crypto: borrowing Cryptography) {
        var span = message.mutableSpan
        var bytes = unsafe span.mutableBytes
        crypto.seal(
            &bytes,
            bodyOffset: bodyOffset,
            cipher: cipher,
            integrity: integrity,
            encryptionKey: encryptionKey.secret,
            integrityKey: integrityKey.secret
        )
    }

    func open(_ message: [UInt8], _ crypto: borrowing Cryptography) throws(CryptoError) -> [UInt8] {
        var message = message
        let range = try openInPlace(&message, crypto)
        return [UInt8](message[range])
    }

    @discardableResult
    func openInPlace(_ message: inout [UInt8], _ crypto: borrowing Cryptography) throws(CryptoError) -> Range<Int> {
        var span = message.mutableSpan
        var bytes = unsafe span.mutableBytes
        return try crypto.open(
            &bytes,
            bodyOffset: bodyOffset,
            cipher: cipher,
            integrity: integrity,
            encryptionKey: encryptionKey.secret,
            integrityKey: integrityKey.secret
        )
    }

    func changingEncryptionKey(at index: Int) -> Seal {
        var other = self
        other.encryptionKey[index] ^= 0x80
        return other
    }

    func changingIntegrityKey(at index: Int) -> Seal {
        var other = self
        other.integrityKey[index] ^= 0x80
        return other
    }

    var testDescription: String { "\(cipher) \(integrity.map { "\($0)" } ?? "")" }
}

/// A message of an AEAD cipher, its nonce cut into salt and IV.
struct SealedVector: Sendable, CustomTestStringConvertible {
    var name: String
    var cipher: Cipher
    var key: String
    var salt: String
    var iv: String
    var associated: String
    var plaintext: String

    /// Ciphertext and ICV.
    var sealed: String

    var testDescription: String { name }

    static let all =
        zip(
            [Cipher.aesGCM128, .aesGCM192, .aesGCM256],
            [
                """
                42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa05
                1ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47
                """,
                """
                3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c7d773d00c144c525ac619d18c84a3f47
                18e2448b2fe324d9ccda27102519498e80f1478f37ba55bd6d27618c
                """,
                """
                522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838
                c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b
                """,
            ]
        ).map(specificationOfGCM) + [ofRFC7634, ofRFC8439]

    /// Test cases 4, 10 and 16 of the GCM specification that NIST published.
    static func specificationOfGCM(_ cipher: Cipher, _ sealed: String) -> SealedVector {
        let key = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
        return SealedVector(
            name: "GCM specification, \(cipher)",
            cipher: cipher,
            key: String(key.prefix(Int(cipher.keyBitCount) / 4)),
            salt: "cafebabe",
            iv: "facedbaddecaf888",
            associated: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
            plaintext: """
                d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525
                b16aedf5aa0de657ba637b39
                """,
            sealed: sealed
        )
    }

    static let ofRFC7634 = SealedVector(
        name: "RFC 7634 appendix B, an IKE message",
        cipher: .chaCha20Poly1305,
        key: "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
        salt: "a0a1a2a3",
        iv: "1011121314151617",
        associated: "c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d72e202500000000090000004529000029",
        plaintext: "0000000c000040010000000a00",
        sealed: "610394701f8d017f7c129248896b71bfe25236efd7cdc67066906315b2"
    )

    static let ofRFC8439 = SealedVector(
        name: "RFC 8439 section 2.8.2",
        cipher: .chaCha20Poly1305,
        key: "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
        salt: "07000000",
        iv: "4041424344454647",
        associated: "50515253c0c1c2c3c4c5c6c7",
        plaintext: """
            4c616469657320616e642047656e746c656d656e206f662074686520636c617373206f66202739393a20496620492063
            6f756c64206f6666657220796f75206f6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73
            637265656e20776f756c642062652069742e
            """,
        sealed: """
            d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b
            1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc
            3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691
            """
    )
}
