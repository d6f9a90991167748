import IKEWire
import Primitives

/// Takes any octets as a message or as payloads.
///
/// The first octet chooses: 0 for a message, any other value for payloads whose first has that type. What decodes must
/// encode to octets that decode to the same.
package func fuzzMessage(_ input: [UInt8]) {
    guard let first = input.first else { return }
    let bytes = Array(input.dropFirst())
    var writer = ByteWriter()
    if first == 0 {
        guard let message = try? Message(decoding: bytes.rawSpan) else { return }
        message.encode(into: &writer)
        let again = try? Message(decoding: writer.span)
        precondition(again == message, "a message decodes to what was encoded")
    } else {
        let type = PayloadType(rawValue: first)
        guard let payloads = try? decode(bytes, first: type) else { return }
        var encoder = MessageEncoder(payloadsInto: &writer)
        for payload in payloads { payload.encode(into: &encoder) }
        encoder.finish(into: &writer)
        let again = try? decode(writer.bytes, first: type)
        precondition(again == payloads, "payloads decode to what was encoded")
    }
}

private func decode(_ bytes: [UInt8], first: PayloadType) throws(DecodeError) -> [Payload] {
    try Payload.decodeAll(PayloadSequence(first: first, bytes: bytes.rawSpan))
}
