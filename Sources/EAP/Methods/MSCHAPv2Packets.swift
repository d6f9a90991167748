import Primitives

// The data of EAP-MSCHAPv2 packets (draft-kamath-pppext-eap-mschapv2-02 section 2).

/// What an EAP-MSCHAPv2 packet does.
enum MSCHAPv2OpCode {
    static let challenge: UInt8 = 1
    static let response: UInt8 = 2
    static let success: UInt8 = 3
    static let failure: UInt8 = 4
}

/// OpCode, MS-CHAPv2-ID, MS-Length, and what follows them.
struct MSCHAPv2Packet: ~Escapable {
    let opCode: UInt8
    let identifier: UInt8
    let body: RawSpan

    @_lifetime(copy data)
    init(_ data: RawSpan) throws(DecodeError) {
        var reader = ByteReader(data)
        opCode = try reader.readInteger()
        // The peer's Success and Failure are the OpCode alone.
        if reader.isAtEnd, opCode == MSCHAPv2OpCode.success || opCode == MSCHAPv2OpCode.failure {
            identifier = 0
            body = reader.readRest()
            return
        }
        identifier = try reader.readInteger()
        guard Int(try reader.readInteger(as: UInt16.self)) == data.byteCount else {
            throw .malformed(.eapMethodData)
        }
        body = reader.readRest()
    }

    static func write(
        _ opCode: UInt8,
        identifier: UInt8,
        into writer: inout ByteWriter,
        _ writeBody: (inout ByteWriter) -> Void
    ) {
        let start = writer.count
        writer.writeInteger(opCode)
        writer.writeInteger(identifier)
        writer.writeInteger(UInt16(0))
        writeBody(&writer)
        writer.patch(UInt16(writer.count - start), at: start + 2)
    }
}

/// A Challenge: Value-Size 16, the challenge, the authenticator's name.
struct MSCHAPv2Challenge: ~Escapable {
    let challenge: RawSpan

    @_lifetime(copy body)
    init(_ body: RawSpan) throws(DecodeError) {
        var reader = ByteReader(body)
        guard try reader.readInteger(as: UInt8.self) == 16 else { throw .malformed(.eapMethodData) }
        challenge = try reader.read(16)
    }
}

/// A Response: Value-Size 49, the peer's challenge, 8 octets of zeros, the NT-Response, flags, the peer's name.
struct MSCHAPv2Response: ~Escapable {
    let peerChallenge: RawSpan
    let ntResponse: RawSpan
    let name: RawSpan

    @_lifetime(copy body)
    init(_ body: RawSpan) throws(DecodeError) {
        var reader = ByteReader(body)
        guard try reader.readInteger(as: UInt8.self) == 49 else { throw .malformed(.eapMethodData) }
        peerChallenge = try reader.read(16)
        try reader.skip(8)
        ntResponse = try reader.read(24)
        try reader.skip(1)
        name = reader.readRest()
    }

    static func write(peerChallenge: [UInt8], ntResponse: [UInt8], name: [UInt8], into writer: inout ByteWriter) {
        writer.writeInteger(UInt8(49))
        writer.write(peerChallenge)
        writer.appendZeros(8)
        writer.write(ntResponse)
        writer.writeInteger(UInt8(0))
        writer.write(name)
    }
}

extension RawSpan {
    /// The number behind `E=` in a Failure's text, as in `E=691 R=1 C=... V=3 M=...` (RFC 2759 section 6).
    var mschapv2Error: UInt32 {
        let text = copied()
        guard text.starts(with: "E=".utf8) else { return 0 }
        let digits = text.dropFirst(2).prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        return UInt32(String(decoding: digits, as: UTF8.self)) ?? 0
    }
}
