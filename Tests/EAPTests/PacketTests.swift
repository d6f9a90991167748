import EAP
import Primitives
import Testing

@Suite("EAP packets")
struct PacketTests {
    /// What a packet says, as a value that can be compared.
    struct Contents: Equatable {
        let code: EAPPacket.Code
        let identifier: UInt8
        let type: EAPType?
        let data: [UInt8]

        init(_ octets: [UInt8]) throws {
            let packet = try EAPPacket(octets.rawSpan)
            code = packet.code
            identifier = packet.identifier
            type = packet.type
            data = packet.data.copied()
        }
    }

    static let types: [EAPType] = [
        .identity, .notification, .nak, .md5Challenge, .gtc, .tls, .mschapv2, EAPType(rawValue: 43),
        EAPType(vendorID: 0x00372A, vendorType: 1), EAPType(vendorID: 0xFFFFFF, vendorType: .max), .expandedNak,
    ]

    @Test("keep their type, an Expanded Type's vendor too", arguments: types)
    func keepType(_ type: EAPType) throws {
        for code in [EAPPacket.Code.request, .response] {
            var writer = ByteWriter()
            writer.eap(code, identifier: 9, type: type) { $0.write([1, 2, 3]) }
            let contents = try Contents(writer.bytes)
            #expect(contents.code == code)
            #expect(contents.identifier == 9)
            #expect(contents.type == type)
            #expect(contents.data == [1, 2, 3])
        }
    }

    @Test("end where they say: what is behind is the carrier's padding")
    func padding() throws {
        #expect(try Contents([2, 1, 0, 6, 1, 0x61, 0, 0]) == Contents([2, 1, 0, 6, 1, 0x61]))
    }

    static let refusals: [(claim: String, octets: String, error: DecodeError)] = [
        ("nothing", "", .truncated(needed: 1, available: 0)),
        ("half a header", "0101", .truncated(needed: 2, available: 0)),
        ("a length below the header's", "01010003", .malformed(.eapLength)),
        ("a length above the longest", "01012001", .malformed(.eapLength)),
        ("a length past the end", "0101000601", .truncated(needed: 2, available: 1)),
        ("a Request without a type", "01010004", .truncated(needed: 1, available: 0)),
        ("a Success with a type", "0301000501", .malformed(.eapLength)),
        ("a code that does not exist", "05010004", .malformed(.eapCode)),
        ("half an Expanded Type", "01010008fe000000", .truncated(needed: 4, available: 0)),
    ]

    @Test("are refused with", arguments: refusals)
    func refuses(claim: String, octets: String, error: DecodeError) {
        let octets = hex(octets)
        #expect(throws: error) { _ = try EAPPacket(octets.rawSpan) }
    }
}
