public import Primitives

/// An EAP message on its way through IKE (RFC 7296 section 3.16, RFC 3748 section 4).
public struct EAP: ~Escapable {
    public let code: Code
    public let identifier: UInt8
    /// The method, in a request or response only.
    public let type: UInt8?
    public let data: RawSpan

    /// The whole EAP message, for an EAP method or a RADIUS server.
    public let body: RawSpan

    @inlinable @_lifetime(copy body)
    public init(_ body: RawSpan) throws(DecodeError) {
        self.body = body
        var reader = ByteReader(body)
        code = Code(rawValue: try reader.readInteger())
        identifier = try reader.readInteger()
        let length = Int(try reader.readInteger(as: UInt16.self))
        guard length == body.byteCount else { throw .malformed(.eapLength) }
        type = code == .request || code == .response ? try reader.readInteger(as: UInt8.self) : nil
        data = reader.readRest()
    }

    /// What an EAP message does (RFC 3748 section 4).
    public struct Code: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
        public let rawValue: UInt8

        @inlinable
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        @inlinable public static var request: Self { Self(rawValue: 1) }
        @inlinable public static var response: Self { Self(rawValue: 2) }
        @inlinable public static var success: Self { Self(rawValue: 3) }
        @inlinable public static var failure: Self { Self(rawValue: 4) }
    }
}
