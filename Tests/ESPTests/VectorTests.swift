import ESP
import IKECrypto
import IKEWire
import Primitives
import Testing

@Suite("Published ESP packets")
struct VectorTests {
    @Test(
        "open to their payloads, and bit for bit are what we seal",
        arguments: PacketVector.aead,
        PacketLibrary.here
    )
    func combined(_ vector: PacketVector, _ library: PacketLibrary) throws {
        let packet = hex(vector.header) + hex(vector.iv) + hex(vector.ciphertext) + hex(vector.icv)
        let plaintext = hex(vector.plaintext)
        let crypto = try cryptography(packets: library)
        let key = SecretBytes(copying: hex(vector.key).rawSpan)
        let algorithms = PacketAlgorithms(cipher: vector.cipher, integrity: nil, usesESN: vector.usesESN)
        let sent = Array(packet[..<16]) + plaintext + [UInt8](repeating: 0, count: 16)
        var protection = PacketProtection(algorithms, .outbound, encryptionKey: key, integrityKey: SecretBytes())
        var sealed = sent
        sealed.withMutableBytes { protection.seal(&$0, number: vector.number, crypto) }
        #expect(sealed == packet)
        try expectOpens(packet, vector, algorithms, [], plaintext, crypto)
    }

    @Test("with implicit IVs are those with explicit ones, without them (RFC 8750)")
    func implicitIVs() throws {
        for cipher in [Cipher.aesGCM128, .aesGCM192, .aesGCM256, .chaCha20Poly1305] {
            for usesESN in [false, true] {
                let number: UInt64 = usesESN ? 7 << 32 | 11 : 11
                let explicit = PacketAlgorithms(cipher: cipher, integrity: nil, usesESN: usesESN)
                let implicit = PacketAlgorithms(
                    cipher: cipher,
                    integrity: nil,
                    usesESN: usesESN,
                    hasImplicitIV: true
                )
                for library in PacketLibrary.here {
                    var one = try Direction(explicit, number: number, packets: library)
                    var other = try Direction(implicit, number: number, packets: library)
                    let packet = try one.seal(payload(60, .ipv4), .ipv4)
                    #expect(try other.seal(payload(60, .ipv4), .ipv4) == Array(packet[..<8] + packet[16...]))
                }
            }
        }
    }

    @Test("name their algorithms by IANA's numbers, those of RFC 8750 too")
    func numbers() {
        for algorithms in PacketAlgorithms.all {
            let cipher = algorithms.cipher
            let id: UInt16 = algorithms.hasImplicitIV ? (cipher == .chaCha20Poly1305 ? 31 : 30) : cipher.id
            let read = PacketAlgorithms(
                encryptionID: id,
                keyBitCount: cipher.keyLengthAttribute,
                integrityID: algorithms.integrity?.rawValue,
                usesESN: algorithms.usesESN
            )
            #expect(read == algorithms)
            let suite = ChildSuite(
                cipher: cipher,
                integrity: algorithms.integrity,
                keyExchange: nil,
                usesESN: algorithms.usesESN,
                hasImplicitIV: algorithms.hasImplicitIV
            )
            #expect(suite.encryptionID == id && PacketAlgorithms(suite) == algorithms)
        }
        #expect(PacketAlgorithms(encryptionID: 29, keyBitCount: 128, integrityID: nil, usesESN: false) == nil)
        #expect(PacketAlgorithms(encryptionID: 12, keyBitCount: 128, integrityID: nil, usesESN: false) == nil)
        #expect(PacketAlgorithms(encryptionID: 20, keyBitCount: 128, integrityID: 12, usesESN: false) == nil)
        #expect(PacketAlgorithms(encryptionID: 12, keyBitCount: 128, integrityID: 1, usesESN: false) == nil)
    }

    @Test(
        "of AES-CBC open to their payloads, and are what their IVs make of those",
        arguments: PacketVector.cbc,
        PacketLibrary.here
    )
    func blocks(_ vector: PacketVector, _ library: PacketLibrary) throws {
        let crypto = try cryptography(packets: library)
        let plaintext = hex(vector.plaintext)
        let key = SecretBytes(copying: hex(vector.key).rawSpan)
        for integrity in IntegrityAlgorithm.allCases {
            // RFC 3602 has no ICVs; HMAC has vectors of its own, and here covers header, IV and ciphertext.
            let octets = [UInt8](repeating: 0x0B, count: integrity.keyByteCount)
            let integrityKey = SecretBytes(copying: octets.rawSpan)
            let covered = hex(vector.header) + hex(vector.iv) + hex(vector.ciphertext)
            let function = PRF.allCases.first { $0.outputByteCount == integrity.keyByteCount }!
            for usesESN in [false, true] {
                let trailer: [UInt8] = usesESN ? [0, 0, 0, 0] : []
                let code = crypto.prf(function, key: octets.rawSpan, (covered + trailer).rawSpan)
                let packet = covered + code.bytes.copied().prefix(integrity.icvByteCount)
                let algorithms = PacketAlgorithms(cipher: .aesCBC128, integrity: integrity, usesESN: usesESN)
                try expectOpens(packet, vector, algorithms, octets, plaintext, crypto)
            }
            var message = hex(vector.header) + hex(vector.iv) + plaintext
            message += [UInt8](repeating: 0, count: integrity.icvByteCount)
            message.withMutableBytes {
                crypto.seal(
                    &$0,
                    bodyOffset: 8,
                    cipher: .aesCBC128,
                    integrity: integrity,
                    encryptionKey: key,
                    integrityKey: integrityKey
                )
            }
            #expect(message.starts(with: covered))
        }
    }

    @Test(
        "is each of ours of AES-CBC what the published way makes of its IV and plaintext",
        arguments: PacketLibrary.here
    )
    func derivedIVs(_ library: PacketLibrary) throws {
        for cipher in [Cipher.aesCBC128, .aesCBC192, .aesCBC256] {
            let algorithms = PacketAlgorithms(cipher: cipher, integrity: .hmacSHA256, usesESN: false)
            var direction = try Direction(algorithms, packets: library)
            let inner = payload(30, .ipv4)
            let packet = try direction.seal(inner, .ipv4)
            let encryptionKey = (0..<cipher.keyByteCount).map { UInt8(0x40 + $0) }
            let integrityKey = (0..<32).map { UInt8(0x80 + $0) }
            // 30 octets, 2 of the trailer: two whole blocks, so that the least padding is none.
            var message = Array(packet[..<24]) + inner + [0, 4] + [UInt8](repeating: 0, count: 16)
            message.withMutableBytes {
                direction.cryptography.seal(
                    &$0,
                    bodyOffset: 8,
                    cipher: cipher,
                    integrity: .hmacSHA256,
                    encryptionKey: SecretBytes(copying: encryptionKey.rawSpan),
                    integrityKey: SecretBytes(copying: integrityKey.rawSpan)
                )
            }
            #expect(message == packet)
        }
    }

    private func expectOpens(
        _ packet: [UInt8],
        _ vector: PacketVector,
        _ algorithms: PacketAlgorithms,
        _ integrityKey: [UInt8],
        _ plaintext: [UInt8],
        _ crypto: borrowing Cryptography
    ) throws {
        var receiver = InboundSA(
            spi: ChildSPI(rawValue: hex(vector.header)[..<4].reduce(0) { $0 << 8 | UInt32($1) }),
            mode: plaintext.last == 4 ? .tunnel : .transport,
            algorithms: algorithms,
            encryptionKey: SecretBytes(copying: hex(vector.key).rawSpan),
            integrityKey: SecretBytes(copying: integrityKey.rawSpan),
            windowSize: 32,
            highest: SequenceNumber(rawValue: vector.number - 1)
        )
        var opened = packet
        let received = try opened.withMutableBytes { bytes throws(PacketDrop) in try receiver.open(&bytes, crypto) }
        let padLength = Int(plaintext[plaintext.count - 2])
        #expect(opened[received.payload] == plaintext[..<(plaintext.count - 2 - padLength)])
        #expect(received.next.rawValue == plaintext.last && received.number.rawValue == vector.number)
    }
}

/// An ESP packet that somebody else has published.
struct PacketVector: Sendable, CustomTestStringConvertible {
    var name: String
    var cipher: Cipher
    /// The salt at its end.
    var key: String
    /// SPI and the lower half of the sequence number.
    var header: String
    var number: UInt64
    var usesESN = false
    var iv: String
    /// With padding, pad length and next header.
    var plaintext: String
    var ciphertext: String
    var icv = ""

    var testDescription: String { name }

    static let aead = mcgrew + [ofRFC7634]
}
