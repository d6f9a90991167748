import Foundation
import IKEWire
import Primitives
import Testing

/// One message of a vector file, and what its Encrypted payload held.
struct MessageVector: CustomTestStringConvertible, Sendable {
    let name: String
    let datagram: [UInt8]
    var inside: (firstType: PayloadType, bytes: [UInt8])?

    var testDescription: String { name }

    /// What strongSwan sent; the file says how it was captured.
    static let strongSwan: [MessageVector] = load("strongswan.txt")

    private static func load(_ file: String) -> [MessageVector] {
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Vectors/\(file)").path
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            preconditionFailure("the vectors stand beside the tests: \(path)")
        }
        var vectors: [MessageVector] = []
        var name = ""
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            switch words[0] {
            case "#": name = line.dropFirst(2).description
            case "message": vectors.append(MessageVector(name: "\(vectors.count): \(name)", datagram: hex(words[1])))
            case "inside":
                let type = PayloadType(rawValue: UInt8(words[1]) ?? 0)
                vectors[vectors.count - 1].inside = (type, words.count > 2 ? hex(words[2]) : [])
            default: preconditionFailure("a line of \(file) is a comment, a message or what was inside one")
            }
        }
        return vectors
    }

    private static func hex(_ text: Substring) -> [UInt8] {
        guard let bytes = try? Hexadecimal.decode(text) else { preconditionFailure("vectors are hexadecimal: \(text)") }
        return bytes
    }
}

/// Octets that form a message of its own or the payloads inside one, decoded and encoded alike.
enum Subject {
    case message
    case payloads(first: PayloadType)

    func decoded(_ bytes: [UInt8]) throws(DecodeError) -> Decoded {
        switch self {
        case .message:
            let message = try Message(decoding: bytes.rawSpan)
            return Decoded(header: message.header, first: message.header.nextPayload, payloads: message.payloads)
        case .payloads(let first):
            let payloads = try Payload.decodeAll(PayloadSequence(first: first, bytes: bytes.rawSpan))
            return Decoded(header: nil, first: first, payloads: payloads)
        }
    }

    /// Decodes everything and encodes it again.
    func reencoded(_ bytes: [UInt8]) throws(DecodeError) -> [UInt8] { try decoded(bytes).encoded() }
}

struct Decoded: Equatable {
    var header: Header?
    var first: PayloadType
    var payloads: [Payload]

    var types: [PayloadType] { [first] + payloads.map(\.type) }

    func encoded() -> [UInt8] {
        var writer = ByteWriter()
        if let header {
            Message(header: header, payloads: payloads).encode(into: &writer)
        } else {
            var encoder = MessageEncoder(payloadsInto: &writer)
            for payload in payloads { payload.encode(into: &encoder) }
            encoder.finish(into: &writer)
        }
        return writer.bytes
    }
}
