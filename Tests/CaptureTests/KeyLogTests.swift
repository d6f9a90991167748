import Capture
import Foundation
import IKEWire
import Primitives
import Testing

@Suite("Wireshark's key tables")
struct KeyLogTests {
    @Test("have a line for each SA in the form that Wireshark reads")
    func lines() {
        var file = ByteWriter()
        KeyLog.writeIKESA(
            initiatorSPI: IKESPI(rawValue: 0x0102),
            responderSPI: IKESPI(rawValue: .max),
            encryption: .aesCBC,
            keyLength: 256,
            integrity: .hmacSHA384,
            encryptionKeys: ([0x01], [0x02]),
            integrityKeys: ([0x03], [0x04]),
            into: &file
        )
        KeyLog.writeIKESA(
            initiatorSPI: IKESPI(rawValue: 1),
            responderSPI: IKESPI(rawValue: 2),
            encryption: .aesGCM16,
            keyLength: 128,
            integrity: .none,
            encryptionKeys: ([0x01], [0x02]),
            integrityKeys: ([], []),
            into: &file
        )
        KeyLog.writeESPSA(
            source: IPAddress("192.0.2.1"),
            destination: nil,
            spi: ChildSPI(rawValue: 0x100),
            encryption: .aesCBC,
            integrity: .hmacSHA256,
            encryptionKey: [0x01],
            integrityKey: [0x02],
            into: &file
        )
        #expect(
            String(decoding: file.bytes, as: UTF8.self) == """
                0000000000000102,ffffffffffffffff,01,02,"AES-CBC-256 [RFC3602]",03,04,"HMAC_SHA2_384_192 [RFC4868]"
                0000000000000001,0000000000000002,01,02,"AES-GCM-128 with 16 octet ICV [RFC5282]",,,"NONE [RFC4306]"
                "IPv4","192.0.2.1","*","0x00000100","AES-CBC [RFC3602]","0x01","HMAC-SHA-256-128 [RFC4868]","0x02"

                """
        )
    }

    @Test("leave out an SA whose algorithm Wireshark cannot name")
    func unknown() {
        var file = ByteWriter()
        let isWritten = KeyLog.writeIKESA(
            initiatorSPI: .zero,
            responderSPI: .zero,
            encryption: .chacha20Poly1305,
            keyLength: nil,
            integrity: .none,
            encryptionKeys: ([], []),
            integrityKeys: ([], []),
            into: &file
        )
        #expect(!isWritten && file.count == 0)
    }

    @Test("are read by tshark with every algorithm that they name")
    func accepted() throws {
        let tshark = try Tshark()
        defer { tshark.remove() }
        var ike = ByteWriter()
        var esp = ByteWriter()
        let ciphers: [(EncryptionID, UInt16, Int, salt: Int)] = [
            (.aesCBC, 128, 16, 0), (.aesCBC, 192, 24, 0), (.aesCBC, 256, 32, 0), (.aesCTR, 128, 16, 4),
            (.aesGCM8, 128, 16, 4), (.aesGCM12, 192, 24, 4), (.aesGCM16, 128, 16, 4), (.aesGCM16, 192, 24, 4),
            (.aesGCM16, 256, 32, 4), (.aesCCM8, 128, 16, 3), (.aesCCM12, 192, 24, 3), (.aesCCM16, 256, 32, 3),
            (.tripleDES, 0, 24, 0), (.null, 0, 0, 0),
        ]
        let integrities: [(IntegrityID, Int)] = [
            (.hmacMD5, 16), (.hmacSHA1, 20), (.hmacSHA256, 32), (.hmacSHA384, 48), (.hmacSHA512, 64),
        ]
        var lineCount = 0
        for (index, cipher) in ciphers.enumerated() {
            let (integrity, byteCount) = integrities[index % integrities.count]
            let key = [UInt8](repeating: 7, count: cipher.2 + cipher.salt)
            let integrityKey = [UInt8](repeating: 8, count: cipher.0.isAEAD ? 0 : byteCount)
            #expect(
                KeyLog.writeIKESA(
                    initiatorSPI: IKESPI(rawValue: UInt64(index)),
                    responderSPI: .zero,
                    encryption: cipher.0,
                    keyLength: cipher.1,
                    integrity: integrity,
                    encryptionKeys: (key, key),
                    integrityKeys: (integrityKey, integrityKey),
                    into: &ike
                )
            )
            let isWritten = KeyLog.writeESPSA(
                source: nil,
                destination: nil,
                spi: ChildSPI(rawValue: UInt32(index)),
                encryption: cipher.0,
                integrity: integrity,
                encryptionKey: key,
                integrityKey: integrityKey,
                into: &esp
            )
            lineCount += isWritten ? 1 : 0
        }
        #expect(lineCount == ciphers.count - 3)
        try tshark.save(ike.bytes, as: KeyLog.ikeFileName)
        try tshark.save(esp.bytes, as: KeyLog.espFileName)
        try tshark.save(try capture([]), as: "empty.pcapng")
        // tshark complains about a line that it cannot read, and goes on.
        try tshark.run(["-r", "empty.pcapng"])
        let complaint = String(decoding: try tshark.load("stderr"), as: UTF8.self)
        #expect(!complaint.contains("Error"), "\(complaint)")
    }

    @Test("let tshark decrypt every IKE message of a capture")
    func decryptsIKE() throws {
        let tshark = try Tshark()
        defer { tshark.remove() }
        let vectors = try vectors()
        try tshark.save(vectors.keys, as: KeyLog.ikeFileName)
        try tshark.save(try capture(vectors.messages), as: "ike.pcapng")
        let names = ["isakmp.exchangetype", "isakmp.typepayload", "isakmp.notify.msgtype", "_ws.malformed"]
        let lines = try tshark.fields(names, in: "ike.pcapng")
        #expect(
            lines == [
                ["34", "33,2,3,3,3,34,40,41,41,41,41,41", "16388,16389,16430,16431,16406", ""],
                ["34", "33,2,3,3,3,34,40,41,41,38,41,41,41,41", "16388,16389,16430,16431,16418,16404", ""],
                [
                    "35", "46,35,41,38,36,39,47,33,2,3,3,44,45,41,41,41,41,41", "16384,16396,16399,16404,16417,16420",
                    "",
                ],
                ["35", "46,36,39,47,33,2,3,3,44,45,41,41", "16396,16399", ""],
                ["36", "46,41,33,2,3,3,3,40,34,44,45", "16393", ""],
                ["36", "46,33,2,3,3,3,40,34,44,45", "", ""],
                ["37", "46,42", "", ""],
                ["37", "46,42", "", ""],
                ["36", "46,33,2,3,3,3,40,34", "", ""],
                ["36", "46,33,2,3,3,3,40,34", "", ""],
                ["37", "46,42", "", ""],
                ["37", "46", "", ""],
                ["37", "46,42", "", ""],
                ["37", "46", "", ""],
            ]
        )
    }

    @Test("let tshark decrypt ESP", arguments: [ESPVector.aead, .cbc])
    func decryptsESP(_ vector: ESPVector) throws {
        let tshark = try Tshark()
        defer { tshark.remove() }
        var keys = ByteWriter()
        KeyLog.writeESPSA(
            source: IPAddress("192.0.2.1"),
            destination: IPAddress("192.0.2.2"),
            spi: vector.spi,
            encryption: vector.encryption,
            integrity: vector.integrity,
            encryptionKey: try Hexadecimal.decode(vector.key),
            integrityKey: try Hexadecimal.decode(vector.integrityKey),
            into: &keys
        )
        try tshark.save(keys.bytes, as: KeyLog.espFileName)
        try tshark.save(try capture([try Hexadecimal.decode(vector.packet)]), as: "esp.pcapng")
        let options = ["esp.enable_encryption_decode:TRUE", "esp.enable_authentication_check:TRUE"]
        let lines = try tshark.fields(
            ["ip.dst", "icmp.checksum.status", "esp.icv_good"],
            in: "esp.pcapng",
            options: options
        )
        #expect(lines == [["192.0.2.2,10.200.0.1", "1", "1"]])
    }

    /// A ping through ESP, made with an implementation that is not ours (Python's cryptography 48).
    struct ESPVector: Sendable {
        let encryption: EncryptionID
        let integrity: IntegrityID
        let spi: ChildSPI
        let key: String
        let integrityKey: String
        let packet: String

        static let aead = ESPVector(
            encryption: .aesGCM16,
            integrity: .none,
            spi: ChildSPI(rawValue: 0x4321_ABCD),
            key: "101112131415161718191a1b1c1d1e1fcafebabe",
            integrityKey: "",
            packet: """
                4321abcd0000000100000000000000012e8e62cfac23e97fd18e4d6b26fc7a61c369a4f3ce3a3c93742a211a2eead674
                5b05ac10e60656f44479a2434dfe0f873d320fb0dbae268a
                """
        )

        static let cbc = ESPVector(
            encryption: .aesCBC,
            integrity: .hmacSHA256,
            spi: ChildSPI(rawValue: 0x4321_ABCE),
            key: "101112131415161718191a1b1c1d1e1f",
            integrityKey: "404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f",
            packet: """
                4321abce00000001000102030405060708090a0b0c0d0e0f2ceea97c3eedeafaf5185c6b9676440b86da63802f77a9d2
                a2c6598ccb49138b1a6e1e5eed4008b3efb34b10fd9c1bf1d5cc1e6904631bfc5b0a3878d556b759
                """
        )
    }

    /// The datagrams between two addresses, IKE and ESP on port 4500.
    private func capture(_ datagrams: [[UInt8]]) throws -> [UInt8] {
        let left = UDPEndpoint(address: IPAddress(v4: 0xC000_0201), port: 4500)
        let right = UDPEndpoint(address: IPAddress(v4: 0xC000_0202), port: 4500)
        var file = ByteWriter()
        let writer = PCAPNGWriter(epochNanoseconds: 0, application: "ikestorm test", into: &file)
        for (index, datagram) in datagrams.enumerated() {
            let isFromLeft = index % 2 == 0
            writer.write(
                datagram.rawSpan,
                from: isFromLeft ? left : right,
                to: isFromLeft ? right : left,
                at: Instant(nanoseconds: UInt64(index) * 1_000_000),
                into: &file
            )
        }
        return file.bytes
    }

    /// Messages of strongSwan, with the non-ESP marker, and the table of their keys.
    private func vectors() throws -> (messages: [[UInt8]], keys: [UInt8]) {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Vectors/strongswan-psk.txt")
        var messages: [[UInt8]] = []
        var keys = ByteWriter()
        for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
            let words = line.split(separator: " ")
            if words[0] == "message" { messages.append([0, 0, 0, 0] + (try Hexadecimal.decode(words[1]))) }
            guard words[0] == "keys" else { continue }
            KeyLog.writeIKESA(
                initiatorSPI: IKESPI(rawValue: try #require(UInt64(words[1], radix: 16))),
                responderSPI: IKESPI(rawValue: try #require(UInt64(words[2], radix: 16))),
                encryption: .aesGCM16,
                keyLength: 128,
                integrity: .none,
                encryptionKeys: (try Hexadecimal.decode(words[3]), try Hexadecimal.decode(words[4])),
                integrityKeys: ([], []),
                into: &keys
            )
        }
        return (messages, keys.bytes)
    }
}
