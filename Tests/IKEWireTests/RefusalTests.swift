import IKEWire
import Primitives
import Testing

/// Octets that must not decode, and the error that says why.
struct Refusal: CustomTestStringConvertible, Sendable {
    let claim: String
    let first: PayloadType
    let bytes: String
    let error: DecodeError

    init(_ claim: String, _ first: PayloadType, _ bytes: String, _ error: DecodeError) {
        self.claim = claim
        self.first = first
        self.bytes = bytes
        self.error = error
    }

    var testDescription: String { claim }
}

@Suite("What is malformed is refused by name")
struct RefusalTests {
    @Test(
        "in a chain of payloads",
        arguments: [
            Refusal("no room for a header", .nonce, "00 00 00", .truncated(needed: 2, available: 1)),
            Refusal("a length below the header's own", .nonce, "00 00 0003", .malformed(.payloadLengthTooSmall)),
            Refusal("a body past the end", .nonce, "00 00 0006 aa", .truncated(needed: 2, available: 1)),
            Refusal("octets behind the last payload", .vendorID, "00 00 0004 aa", .malformed(.trailingBytes)),
            Refusal("a next payload that is not there", .vendorID, "28 00 0004", .truncated(needed: 1, available: 0)),
            Refusal("octets behind an Encrypted payload", .encrypted, "28 00 0004 aa", .malformed(.trailingBytes)),
        ]
    )
    func chains(_ refusal: Refusal) throws { try check(refusal) }

    @Test(
        "in a Security Association",
        arguments: [
            Refusal("no proposal", .securityAssociation, "00 00 0004", .malformed(.emptySecurityAssociation)),
            sa("a marker that is neither last nor more", "01 00 0008 01 01 00 00", .malformed(.badSubstructureMarker)),
            sa("a proposal shorter than its header", "00 00 0007 01 01 00 00", .malformed(.proposalLengthTooSmall)),
            sa("a proposal past the end", "00 00 0009 01 01 00 00", .truncated(needed: 1, available: 0)),
            sa("an SPI past the proposal", "00 00 0008 01 03 04 00", .truncated(needed: 4, available: 0)),
            sa("more proposals promised", "02 00 0008 01 01 00 00", .truncated(needed: 1, available: 0)),
            sa("octets behind the last proposal", "00 00 0008 01 01 00 00 00", .malformed(.trailingBytes)),
            sa(
                "a transform marked as a proposal",
                "00 00 0010 01 01 00 02 02 00 0008 01 00 0014",
                .malformed(.badSubstructureMarker)
            ),
            sa(
                "a transform shorter than its header",
                "00 00 0010 01 01 00 01 00 00 0007 01 00 0014",
                .malformed(.transformLengthTooSmall)
            ),
            sa(
                "a transform past its proposal",
                "00 00 0010 01 01 00 01 00 00 0009 01 00 0014",
                .truncated(needed: 1, available: 0)
            ),
            sa(
                "fewer transforms than counted",
                "00 00 0010 01 01 00 02 00 00 0008 01 00 0014",
                .malformed(.transformCountMismatch)
            ),
            sa(
                "more transforms than counted",
                "00 00 0018 01 01 00 01 03 00 0008 01 00 0014 00 00 0008 02 00 0005",
                .malformed(.transformCountMismatch)
            ),
            sa(
                "octets behind the last transform",
                "00 00 0011 01 01 00 01 00 00 0008 01 00 0014 00",
                .malformed(.trailingBytes)
            ),
            sa("octets where no transform is", "00 00 0009 01 01 00 00 00", .malformed(.trailingBytes)),
            sa(
                "half an attribute",
                "00 00 0012 01 01 00 01 00 00 000a 01 00 0014 800e",
                .truncated(needed: 2, available: 0)
            ),
            sa(
                "an attribute past its transform",
                "00 00 0014 01 01 00 01 00 00 000c 01 00 0014 0001 0001",
                .truncated(needed: 1, available: 0)
            ),
            sa(
                "two key lengths",
                "00 00 0018 01 01 00 01 00 00 0010 01 00 0014 800e0080 800e0100",
                .malformed(.duplicateKeyLength)
            ),
        ]
    )
    func securityAssociations(_ refusal: Refusal) throws { try check(refusal) }

    @Test(
        "in other payloads",
        arguments: [
            Refusal("half a key exchange method", .keyExchange, "00 00 0005 00", .truncated(needed: 2, available: 1)),
            Refusal(
                "an identity without a type",
                .identificationInitiator,
                "00 00 0004",
                .truncated(needed: 1, available: 0)
            ),
            Refusal(
                "half an identity's header",
                .identificationResponder,
                "00 00 0006 02 00",
                .truncated(needed: 3, available: 1)
            ),
            Refusal(
                "a certificate without an encoding",
                .certificate,
                "00 00 0004",
                .truncated(needed: 1, available: 0)
            ),
            Refusal(
                "a request without an encoding",
                .certificateRequest,
                "00 00 0004",
                .truncated(needed: 1, available: 0)
            ),
            Refusal("half an AUTH's header", .authentication, "00 00 0006 02 00", .truncated(needed: 3, available: 1)),
            Refusal("a nonce of 15 octets", .nonce, payload(count: 15), .malformed(.nonceLength)),
            Refusal("a nonce of 257 octets", .nonce, payload(count: 257), .malformed(.nonceLength)),
            Refusal(
                "an SPI past the Notify",
                .notify,
                "00 00 000a 03 04 4009 0000",
                .truncated(needed: 4, available: 2)
            ),
            Refusal(
                "a Delete of the IKE SA with an SPI",
                .delete,
                "00 00 0010 01 08 0001 0000000000000000",
                .malformed(.spiLength)
            ),
            Refusal("a Delete of ESP with short SPIs", .delete, "00 00 000a 03 02 0001 0000", .malformed(.spiLength)),
            Refusal(
                "fewer SPIs than counted",
                .delete,
                "00 00 000c 03 04 0002 00000000",
                .malformed(.spiCountMismatch)
            ),
            Refusal("more SPIs than counted", .delete, "00 00 000c 03 04 0000 00000000", .malformed(.spiCountMismatch)),
            Refusal(
                "fewer selectors than counted",
                .trafficSelectorsInitiator,
                "00 00 0008 01 000000",
                .malformed(.trafficSelectorCountMismatch)
            ),
            Refusal(
                "more selectors than counted",
                .trafficSelectorsInitiator,
                "00 00 0018 00 000000 07 00 0010 0000 ffff 0a000000 0affffff",
                .malformed(.trafficSelectorCountMismatch)
            ),
            Refusal(
                "an IPv4 selector with the length of another",
                .trafficSelectorsResponder,
                "00 00 0019 01 000000 07 00 0011 0000 ffff 0a000000 0affffff 00",
                .malformed(.trafficSelectorLength)
            ),
            Refusal(
                "a selector shorter than its header",
                .trafficSelectorsResponder,
                "00 00 000c 01 000000 09 00 0003",
                .malformed(.trafficSelectorLength)
            ),
            Refusal(
                "half a configuration attribute",
                .configuration,
                "00 00 000a 01 000000 0001",
                .truncated(needed: 2, available: 0)
            ),
            Refusal(
                "a configuration value past the end",
                .configuration,
                "00 00 000d 01 000000 0001 0004 0a",
                .truncated(needed: 4, available: 1)
            ),
            Refusal("an EAP length that is not the payload's", .eap, "00 00 0008 03 00 0005", .malformed(.eapLength)),
            Refusal(
                "an EAP request without a type",
                .eap,
                "00 00 0008 01 00 0004",
                .truncated(needed: 1, available: 0)
            ),
            Refusal("fragment 0", .encryptedFragment, "00 00 0008 0000 0001", .malformed(.fragmentNumber)),
            Refusal(
                "a fragment above the total",
                .encryptedFragment,
                "00 00 0008 0003 0002",
                .malformed(.fragmentNumber)
            ),
        ]
    )
    func payloads(_ refusal: Refusal) throws { try check(refusal) }

    @Test("in a header")
    func headers() throws {
        let start = "0102030405060708 0000000000000000"
        let table: [(String, DecodeError)] = [
            (start + "00 20 22 08 00000000 000000", .truncated(needed: 28, available: 27)),
            (start + "00 20 22 08 00000000 0000001b", .malformed(.messageLengthMismatch)),
            (start + "00 20 22 08 00000000 0000001d", .malformed(.messageLengthMismatch)),
            (start + "00 20 22 08 00000000 8000001c", .malformed(.messageLengthMismatch)),
            (start + "00 10 22 08 00000000 0000001c", .malformed(.unsupportedMajorVersion)),
            (start + "00 30 22 08 00000000 0000001c", .malformed(.unsupportedMajorVersion)),
            (start + "00 20 22 08 00000000 0000001d 00", .malformed(.trailingBytes)),
        ]
        for (text, error) in table {
            let bytes = try Hexadecimal.decode(text)
            #expect(throws: error) { try Subject.message.reencoded(bytes) }
        }
    }

    private func check(_ refusal: Refusal) throws {
        let bytes = try Hexadecimal.decode(refusal.bytes)
        #expect(throws: refusal.error) { try Subject.payloads(first: refusal.first).reencoded(bytes) }
    }
}

/// A Security Association payload around its proposals, with a length that fits.
private func sa(_ claim: String, _ proposals: String, _ error: DecodeError) -> Refusal {
    let count = proposals.filter { $0 != " " }.count / 2 + 4
    let length = String(count, radix: 16)
    let padded = String(repeating: "0", count: 4 - length.count) + length
    return Refusal(claim, .securityAssociation, "0000" + padded + proposals, error)
}

/// A payload of zeros.
private func payload(count: Int) -> String {
    let length = String(count + 4, radix: 16)
    return "0000" + String(repeating: "0", count: 4 - length.count) + length + String(repeating: "00", count: count)
}
