import IKEWire
import Primitives

/// What libFuzzer calls with each input.
///
/// The first octet chooses: 0 for a message, any other value for payloads whose first has that type. What decodes must
/// encode to octets that decode to the same.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzMessage(_ start: UnsafePointer<UInt8>?, _ byteCount: Int) -> CInt {
    let input = unsafe [UInt8](UnsafeBufferPointer(start: start, count: byteCount))
    guard let first = input.first else { return 0 }
    let bytes = Array(input.dropFirst())
    var writer = ByteWriter()
    if first == 0 {
        guard let message = try? Message(decoding: bytes.rawSpan) else { return 0 }
        message.encode(into: &writer)
        let again = try? Message(decoding: writer.span)
        precondition(again == message, "a message decodes to what was encoded")
    } else {
        let type = PayloadType(rawValue: first)
        guard let payloads = try? decode(bytes, first: type) else { return 0 }
        var encoder = MessageEncoder(payloadsInto: &writer)
        for payload in payloads { payload.encode(into: &encoder) }
        encoder.finish(into: &writer)
        let again = try? decode(writer.bytes, first: type)
        precondition(again == payloads, "payloads decode to what was encoded")
    }
    return 0
}

private func decode(_ bytes: [UInt8], first: PayloadType) throws(DecodeError) -> [Payload] {
    try Payload.decodeAll(PayloadSequence(first: first, bytes: bytes.rawSpan))
}
