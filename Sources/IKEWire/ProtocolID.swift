/// What a proposal, a notify or a Delete is about (RFC 7296 section 3.3.1).
public struct ProtocolID: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
    public let rawValue: UInt8

    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// How long this protocol's SPIs are; those of IKE are in the header, except where an IKE SA is rekeyed.
    @inlinable
    public var childSPIByteCount: Int { self == .ah || self == .esp ? 4 : 0 }

    @inlinable public static var none: Self { Self(rawValue: 0) }
    @inlinable public static var ike: Self { Self(rawValue: 1) }
    @inlinable public static var ah: Self { Self(rawValue: 2) }
    @inlinable public static var esp: Self { Self(rawValue: 3) }
}

extension ProtocolID: CustomStringConvertible {
    /// What the RFCs call this value, or nil where they do not.
    public var name: String? {
        switch self {
        case .none: "none"
        case .ike: "IKE"
        case .ah: "AH"
        case .esp: "ESP"
        default: nil
        }
    }

    public var description: String { name ?? "ProtocolID(\(rawValue))" }
}
