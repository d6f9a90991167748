import Foundation
import IKEWire
import Primitives
import Testing

@Suite("Messages of strongSwan")
struct RealMessageTests {
    @Test("decode, and encode to the very same octets", arguments: MessageVector.strongSwan)
    func roundTrip(_ vector: MessageVector) throws {
        #expect(try Subject.message.reencoded(vector.datagram) == vector.datagram)
        if let inside = vector.inside {
            #expect(try Subject.payloads(first: inside.firstType).reencoded(inside.bytes) == inside.bytes)
        }
    }

    @Test("hold the payloads that strongSwan's log names")
    func contents() throws {
        var text = ""
        for vector in MessageVector.strongSwan {
            text += "\(try Message(decoding: vector.datagram.rawSpan))\n"
            guard let inside = vector.inside else { continue }
            let payloads = PayloadSequence(first: inside.firstType, bytes: inside.bytes.rawSpan)
            for payload in try Payload.decodeAll(payloads) { text += "    \(payload)\(payload.content.detail)\n" }
        }
        try expectGolden(text, "strongswan.txt")
    }

    @Test("cut anywhere, are refused", arguments: MessageVector.strongSwan)
    func prefixes(_ vector: MessageVector) throws {
        for count in vector.datagram.indices {
            let prefix = Array(vector.datagram.prefix(count))
            #expect(throws: DecodeError.self) { try Subject.message.reencoded(prefix) }
            // With a length that fits, the header cannot tell, and the payloads have to.
            guard count >= Header.byteCount else { continue }
            let relabelled = setLength(of: prefix)
            #expect(throws: DecodeError.self) { try Subject.message.reencoded(relabelled) }
        }
        guard let inside = vector.inside, inside.firstType != .none else { return }
        for count in inside.bytes.indices {
            let prefix = Array(inside.bytes.prefix(count))
            #expect(throws: DecodeError.self) { try Subject.payloads(first: inside.firstType).reencoded(prefix) }
        }
    }

    @Test(
        "with one bit flipped, are refused, or say what was flipped, or do not care",
        arguments: MessageVector.strongSwan
    )
    func bitFlips(_ vector: MessageVector) throws {
        // What is encrypted is opaque here: flips behind the vector's first octets show nothing new.
        let isEncrypted = vector.inside != nil || vector.datagram.count > 1000
        try expectHonest(.message, vector.datagram, bytesFlipped: isEncrypted ? 40 : vector.datagram.count)
        if let inside = vector.inside {
            try expectHonest(.payloads(first: inside.firstType), inside.bytes, bytesFlipped: inside.bytes.count)
        }
    }

    /// What decodes with a bit flipped encodes to itself, or to the original where the bit is reserved.
    ///
    /// A flip that makes a payload one of another type may meet reserved octets that were none before: then what is
    /// encoded must still say the same.
    private func expectHonest(_ subject: Subject, _ original: [UInt8], bytesFlipped: Int) throws {
        let types = try subject.decoded(original).types
        var flipped = original
        for bit in 0..<min(bytesFlipped, original.count) * 8 {
            flipped[bit / 8] ^= 0x80 >> UInt8(bit % 8)
            defer { flipped[bit / 8] = original[bit / 8] }
            guard let decoded = try? subject.decoded(flipped) else { continue }
            let again = decoded.encoded()
            if again == flipped || again == original { continue }
            let saysTheSame = try subject.decoded(again) == decoded
            let isSame = again.count == flipped.count && decoded.types != types && saysTheSame
            if !isSame {
                Issue.record("bit \(bit): \(Hexadecimal.encode(flipped)) becomes \(Hexadecimal.encode(again))")
            }
        }
    }

    private func setLength(of datagram: [UInt8]) -> [UInt8] {
        var writer = ByteWriter()
        writer.write(datagram)
        writer.patch(UInt32(datagram.count), at: 24)
        return writer.bytes
    }
}

/// Compares a text with a golden file, or writes the file where `UPDATE_GOLDEN=1` asks for it.
func expectGolden(_ text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden")
    let file = folder.appending(path: name)
    if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try text.write(to: file, atomically: true, encoding: .utf8)
    }
    let golden = try String(contentsOf: file, encoding: .utf8)
    let (lines, goldenLines) = (text.split(separator: "\n"), golden.split(separator: "\n"))
    for (line, goldenLine) in zip(lines, goldenLines) { #expect(line == goldenLine, sourceLocation: sourceLocation) }
    #expect(lines.count == goldenLines.count, sourceLocation: sourceLocation)
}

extension Payload.Content {
    /// Everything in the payload, short enough for a golden file.
    var detail: String {
        switch self {
        case .securityAssociation(let proposals):
            proposals.map { " #\($0.number) \($0.protocolID) spi \(Hexadecimal.encode($0.spi)) \($0.notation)" }
                .joined()
        case .keyExchange(let method, let data): " \(method) \(Hexadecimal.encode(data))"
        case .identification(let type, let data): " \(type) \(String(decoding: data, as: UTF8.self))"
        case .certificate(let encoding, let data): " \(encoding), \(data.count) octets"
        case .certificateRequest(let encoding, let data): " \(encoding) \(Hexadecimal.encode(data))"
        case .authentication(let method, let data): " \(method) \(Hexadecimal.encode(data))"
        case .nonce(let data), .vendorID(let data), .eap(let data), .unknown(let data): " \(Hexadecimal.encode(data))"
        case .notify(_, let protocolID, let spi, let data):
            " \(protocolID) spi \(Hexadecimal.encode(spi)) data \(Hexadecimal.encode(data))"
        case .delete(_, _, _, let spis): " \(Hexadecimal.encode(spis))"
        case .trafficSelectors(let selectors): selectors.map { " \($0.detail)" }.joined()
        case .configuration(_, let attributes):
            attributes.map { " \($0.type)=\(Hexadecimal.encode($0.value))" }.joined()
        case .encrypted(_, let data), .encryptedFragment(_, _, _, let data): " \(data.count) octets"
        }
    }
}

extension Payload.Selector {
    var detail: String {
        switch self {
        case .known(let selector):
            "\(selector.startAddress)-\(selector.endAddress) protocol \(selector.ipProtocol)"
                + " ports \(selector.startPort)-\(selector.endPort)"
        case .unknown(let type, _, let content): "\(type) \(Hexadecimal.encode(content))"
        }
    }
}
