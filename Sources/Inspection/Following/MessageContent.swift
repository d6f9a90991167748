import IKEWire
import Primitives

/// The payloads of a message in the clear, and where its encrypted ones begin.
struct MessageContent {
    /// Those in front of an Encrypted payload or fragment.
    var payloads: [Payload] = []
    var fragment: Timeline.Fragment?
    /// Where the initialization vector stands, counted from the header.
    var contentOffset: Int?
    var firstType: PayloadType = .none

    /// Nil for octets that are no correct message.
    init?(_ message: RawSpan) {
        do throws(DecodeError) {
            let decoder = try MessageDecoder(message)
            var sequence = decoder.payloads
            while let payload = try sequence.next() { try take(payload) }
        } catch {
            return nil
        }
    }

    private mutating func take(_ payload: borrowing RawPayload) throws(DecodeError) {
        switch payload.type {
        case .encrypted:
            let encrypted = EncryptedPayload(payload)
            contentOffset = encrypted.contentOffset
            firstType = encrypted.firstType
        case .encryptedFragment:
            let encrypted = try EncryptedFragment(payload)
            contentOffset = encrypted.contentOffset
            firstType = encrypted.firstType
            fragment = Timeline.Fragment(number: Int(encrypted.number), total: Int(encrypted.total))
        default: payloads.append(try Payload(decoding: payload))
        }
    }
}
