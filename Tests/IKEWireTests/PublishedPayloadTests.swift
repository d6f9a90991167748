import IKEWire
import Primitives
import Testing

/// A KE payload as an RFC prints it: RFC 5903 gives those of its examples whole.
struct PublishedPayload: CustomTestStringConvertible, Sendable {
    let name: String
    let method: KeyExchangeID
    let payload: String
    let data: String

    var testDescription: String { name }

    static let all: [PublishedPayload] = [
        PublishedPayload(
            name: "RFC 5903 section 8.1, KEi",
            method: .ecp256,
            payload: """
                00000048 00130000 dad0b653 94221cf9 b051e1fe ca5787d0 98dfe637 fc90b9ef 945d0c37 72581180
                5271a046 1cdb8252 d61f1c45 6fa3e59a b1f45b33 accf5f58 389e0577 b8990bb3
                """,
            data: """
                dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180
                5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3
                """
        ),
        PublishedPayload(
            name: "RFC 5903 section 8.1, KEr",
            method: .ecp256,
            payload: """
                00000048 00130000 d12dfb52 89c8d4f8 1208b702 70398c34 2296970a 0bccb74c 736fc755 4494bf63
                56fbf3ca 366cc23e 8157854c 13c58d6a ac23f046 ada30f83 53e74f33 039872ab
                """,
            data: """
                d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63
                56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab
                """
        ),
        PublishedPayload(
            name: "RFC 5903 section 8.2, KEi",
            method: .ecp384,
            payload: """
                00000068 00140000 667842d7 d180ac2c de6f74f3 7551f557 55c7645c 20ef73e3 1634fe72 b4c55ee6
                de3ac808 acb4bdb4 c88732ae e95f41aa 9482ed1f c0eeb9ca fc498462 5ccfc23f 65032149 e0e144ad
                a0241815 35a0f38e eb9fcff3 c2c947da e69b4c63 4573a81c
                """,
            data: """
                667842d7d180ac2cde6f74f37551f55755c7645c20ef73e31634fe72b4c55ee6de3ac808acb4bdb4c88732aee95f41aa
                9482ed1fc0eeb9cafc4984625ccfc23f65032149e0e144ada024181535a0f38eeb9fcff3c2c947dae69b4c634573a81c
                """
        ),
    ]
}

@Suite("KE payloads that RFCs print")
struct PublishedPayloadTests {
    @Test(
        "are decoded to the value that is printed beside them, and come back octet for octet",
        arguments: PublishedPayload.all
    )
    func roundTrips(_ vector: PublishedPayload) throws {
        let octets = try Hexadecimal.decode(vector.payload)
        let decoded = try Subject.payloads(first: .keyExchange).decoded(octets)
        #expect(decoded.payloads.map(\.content) == [.keyExchange(vector.method, try Hexadecimal.decode(vector.data))])
        #expect(decoded.encoded() == octets)
    }
}
