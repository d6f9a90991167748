import IKEWire
import Primitives
import Testing

/// RFC 7296 section 3.2 and RFC 7383 section 2.5: one payload of each type.
@Suite("Every payload type")
struct PayloadTableTests {
    struct Entry: Sendable, CustomTestStringConvertible {
        /// As the RFC numbers it.
        var number: UInt8
        var name: String
        var content: Payload.Content
        var testDescription: String { "\(number) \(name)" }
    }

    static let table = [
        Entry(
            number: 33,
            name: "SA",
            content: .securityAssociation([
                Proposal(
                    number: 1,
                    protocolID: .esp,
                    spi: [1, 2, 3, 4],
                    transforms: [Transform(type: .encryption, id: 20, keyLength: 256, unknownAttributes: [])]
                )
            ])
        ),
        Entry(number: 34, name: "KE", content: .keyExchange(KeyExchangeID(rawValue: 31), Array(0..<32))),
        Entry(number: 35, name: "IDi", content: .identification(.rfc822Address, Array("a@example.org".utf8))),
        Entry(number: 36, name: "IDr", content: .identification(.rfc822Address, Array("b@example.org".utf8))),
        Entry(number: 37, name: "CERT", content: .certificate(.x509Signature, [0x30, 0x00])),
        Entry(number: 38, name: "CERTREQ", content: .certificateRequest(.x509Signature, authorities: Array(0..<20))),
        Entry(number: 39, name: "AUTH", content: .authentication(.sharedKey, Array(0..<32))),
        Entry(number: 40, name: "Nonce", content: .nonce(Array(0..<32))),
        Entry(
            number: 41,
            name: "N",
            content: .notify(NotifyType(rawValue: 16_390), protocolID: .none, spi: [], data: Array(0..<16))
        ),
        Entry(
            number: 42,
            name: "D",
            content: .delete(.esp, spiByteCount: 4, count: 2, spis: [1, 2, 3, 4, 5, 6, 7, 8])
        ),
        Entry(number: 43, name: "V", content: .vendorID(Array("vendor".utf8))),
        Entry(
            number: 44,
            name: "TSi",
            content: .trafficSelectors([.known(TrafficSelector(IPPrefix("10.0.0.0/8")!))])
        ),
        Entry(
            number: 45,
            name: "TSr",
            content: .trafficSelectors([.known(TrafficSelector(IPPrefix("2001:db8::/32")!))])
        ),
        Entry(number: 46, name: "SK", content: .encrypted(firstType: .nonce, Array(0..<40))),
        Entry(
            number: 47,
            name: "CP",
            content: .configuration(.request, [ConfigurationAttribute(.init(rawValue: 1), [10, 0, 0, 1])])
        ),
        Entry(number: 48, name: "EAP", content: .eap([1, 7, 0, 5, 1])),
        Entry(number: 53, name: "SKF", content: .encryptedFragment(firstType: .nonce, number: 1, total: 3, [9, 9])),
    ]

    @Test("comes back as it was written, under its own number and name", arguments: table)
    func roundTrip(_ entry: Entry) throws {
        let type = PayloadType(rawValue: entry.number)
        #expect(type.isKnown && type.name == entry.name)
        let header = Header(
            initiatorSPI: IKESPI(rawValue: 1),
            responderSPI: IKESPI(rawValue: 2),
            exchange: .informational,
            flags: [.initiator],
            messageID: MessageID(rawValue: 3)
        )
        var writer = ByteWriter()
        Message(header: header, payloads: [Payload(type, entry.content)]).encode(into: &writer)
        // The first payload's type stands in the header's seventeenth octet.
        #expect(writer.span[16] == entry.number)
        let decoded = try Message(decoding: writer.span)
        #expect(decoded.payloads == [Payload(type, entry.content)])
        var again = ByteWriter()
        decoded.encode(into: &again)
        #expect(again.span.byteCount == writer.span.byteCount)
    }

    @Test("the table has all that are known, and no others")
    func isComplete() {
        let known = (0...UInt8.max).filter { PayloadType(rawValue: $0).isKnown }
        #expect(known == Self.table.map(\.number))
    }
}
