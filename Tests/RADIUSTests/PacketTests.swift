import Foundation
import IKECrypto
import Primitives
import RADIUS
import Testing

@Suite("RADIUS packets")
struct PacketTests {
    /// RFC 2865 section 7.1: the user nemo, and the secret xyzzy5461.
    static let request = hex(
        """
        01 00 00 38 0f 40 3f 94 73 97 80 57 bd 83 d5 cb 98 f4 22 7a 01 06 6e 65 6d 6f 02 12 0d be 70 8d 93 d4 13 ce
        31 96 e4 3f 78 2a 0a ee 04 06 c0 a8 01 10 05 06 00 00 00 03
        """
    )
    static let accept = hex(
        """
        02 00 00 26 86 fe 22 0e 76 24 ba 2a 10 05 f6 bf 9b 55 e0 b2 06 06 00 00 00 01 0f 06 00 00 00 00 0e 06 c0 a8
        01 03
        """
    )

    @Test("are what RFC 2865 section 7.1 shows, and its answer is genuine")
    func published() throws {
        let crypto = try cryptography()
        let request = try RADIUSPacket(Self.request.rawSpan)
        #expect(request.code == .accessRequest)
        #expect(request.first(.userName)?.copied() == utf8("nemo"))
        #expect(request.first(.nasIPAddress)?.copied() == [192, 168, 1, 16])
        let answer = try RADIUSPacket(Self.accept.rawSpan)
        #expect(answer.code == .accessAccept)
        let authenticator = request.authenticator.copied()
        let isGenuine = answer.isAnswer(to: authenticator, secret: utf8("xyzzy5461"), crypto)
        #expect(isGenuine)
        let isAnybodys = answer.isAnswer(to: authenticator, secret: utf8("xyzzy5462"), crypto)
        #expect(!isAnybodys)
        // It carries no EAP, and so needs no Message-Authenticator.
        #expect(answer.messageAuthenticatorOffset == nil)
    }

    @Test("of FreeRADIUS verify, and say the peer's key", arguments: RecordedConversation.all)
    func recorded(_ conversation: RecordedConversation) throws {
        let crypto = try cryptography()
        var key: [UInt8] = []
        for place in stride(from: 0, to: conversation.datagrams.count, by: 2) {
            let (sent, received) = (conversation.datagrams[place], conversation.datagrams[place + 1])
            let request = try RADIUSPacket(sent.rawSpan)
            let answer = try RADIUSPacket(received.rawSpan)
            let authenticator = request.authenticator.copied()
            let secret = RecordedConversation.secret
            let isOurs = request.hasMessageAuthenticator(
                requestAuthenticator: authenticator,
                secret: secret,
                crypto
            )
            let isAnswer = answer.isAnswer(to: authenticator, secret: secret, crypto)
            let isAuthentic = answer.hasMessageAuthenticator(
                requestAuthenticator: authenticator,
                secret: secret,
                crypto
            )
            #expect(isOurs && isAnswer && isAuthentic)
            key = try answer.msk(requestAuthenticator: authenticator, secret: secret, crypto).bytes.copied()
        }
        #expect(key == conversation.key)
        #expect(conversation.key.isEmpty == ["md5", "gtc", "wrong"].contains(conversation.name))
    }

    @Test("are refused when they do not fit their own lengths", arguments: RecordedConversation.all)
    func prefixes(_ conversation: RecordedConversation) {
        for datagram in conversation.datagrams {
            for count in 0..<datagram.count {
                let prefix = Array(datagram[..<count])
                #expect(throws: DecodeError.self) { _ = try RADIUSPacket(prefix.rawSpan) }
            }
        }
    }

    static let zeros = String(repeating: "00", count: 16)

    static let refusals: [(claim: String, octets: String, error: DecodeError)] = [
        ("a length below the header's", "01000013", .malformed(.messageLengthMismatch)),
        ("a length above the longest", "01001001", .malformed(.messageLengthMismatch)),
        ("an attribute shorter than its header", "02000016\(zeros)0101", .malformed(.attributeLength)),
        ("an attribute past the end", "02000016\(zeros)0103", .truncated(needed: 1, available: 0)),
    ]

    @Test("are refused with", arguments: refusals)
    func refuses(claim: String, octets: String, error: DecodeError) {
        let octets = hex(octets)
        #expect(throws: error) { _ = try RADIUSPacket(octets.rawSpan) }
    }

    @Test("end where they say, whatever the datagram has behind that")
    func padding() throws {
        let padded = Self.accept + [1, 2, 3]
        #expect(try RADIUSPacket(padded.rawSpan).octets.copied() == Self.accept)
    }

    @Test("carry an EAP packet of any length in attributes of 253 octets", arguments: [0, 1, 253, 254, 600])
    func splits(count: Int) throws {
        let message = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        var writer = ByteWriter()
        writer.write([1, 0, 0, 0])
        writer.appendZeros(16)
        writer.eapMessage(message)
        writer.patch(UInt16(writer.count), at: 2)
        let packet = try RADIUSPacket(writer.span)
        #expect(packet.eapMessage == message)
        #expect(packet.attributeOctets.byteCount == count + 2 * ((count + 252) / 253))
    }

    @Test("changed in any bit are no answer")
    func flips() throws {
        let crypto = try cryptography()
        let authenticator = Array(Self.request[4..<20])
        for bit in 0..<8 * Self.accept.count {
            var changed = Self.accept
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            guard let packet = try? RADIUSPacket(changed.rawSpan) else { continue }
            let isGenuine = packet.isAnswer(to: authenticator, secret: utf8("xyzzy5461"), crypto)
            #expect(!isGenuine, "bit \(bit)")
        }
    }

    @Test("mutated at random are refused, or read without harm")
    func mutations() throws {
        let seed = ProcessInfo.processInfo.environment["SEED"].flatMap(UInt64.init) ?? 2865
        var chance = RandomStream(seed: seed, entity: 0, purpose: .test)
        let crypto = try cryptography()
        let subjects = RecordedConversation.all.flatMap(\.datagrams)
        var readCount = 0
        for _ in 0..<20_000 {
            var octets = subjects[Int(chance.below(UInt64(subjects.count)))]
            for _ in 0...chance.below(3) {
                let place = Int(chance.below(UInt64(octets.count)))
                switch chance.below(3) {
                case 0: octets[place] = UInt8(truncatingIfNeeded: chance.next())
                case 1: octets.insert(UInt8(truncatingIfNeeded: chance.next()), at: place)
                default: if octets.count > 4 { octets.remove(at: place) }
                }
            }
            guard let packet = try? RADIUSPacket(octets.rawSpan) else { continue }
            readCount += 1
            let authenticator = packet.authenticator.copied()
            _ = try? packet.msk(requestAuthenticator: authenticator, secret: [1], crypto)
            let isAuthentic = packet.hasMessageAuthenticator(
                requestAuthenticator: authenticator,
                secret: [1],
                crypto
            )
            #expect(!isAuthentic, "SEED=\(seed)")
            #expect(packet.eapMessage.count <= packet.octets.byteCount)
        }
        // Enough of them must get past the lengths, or nothing was tried.
        #expect(readCount > 1000)
    }
}
