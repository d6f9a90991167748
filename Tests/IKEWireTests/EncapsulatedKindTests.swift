import IKEWire
import Primitives
import Testing

@Suite("A datagram on port 4500")
struct EncapsulatedKindTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var octets: [UInt8]
        var kind: EncapsulatedKind

        init(_ name: String, _ octets: [UInt8], _ kind: EncapsulatedKind) {
            testDescription = name
            self.octets = octets
            self.kind = kind
        }
    }

    @Test(
        "is what RFC 3948 section 2 says",
        arguments: [
            Case("a keepalive", [0xFF], .keepalive),
            Case("one other octet", [0xFE], .neither),
            Case("nothing", [], .neither),
            Case("two octets 0xFF", [0xFF, 0xFF], .neither),
            Case("IKE behind its marker", [0, 0, 0, 0, 1, 2, 3, 4], .ike),
            Case("a marker alone", [0, 0, 0, 0], .ike),
            Case("less than a marker", [0, 0, 0], .neither),
            Case("ESP", [0, 0, 1, 0, 0, 0, 0, 1], .esp(ChildSPI(rawValue: 256))),
            Case("ESP of the highest SPI", [255, 255, 255, 255, 0, 0, 0, 1], .esp(ChildSPI(rawValue: .max))),
            Case("ESP without a whole sequence number", [0, 0, 1, 0, 0, 0, 0], .neither),
        ]
    )
    func kinds(_ datagram: Case) {
        #expect(EncapsulatedKind(datagram.octets.rawSpan) == datagram.kind)
    }
}
