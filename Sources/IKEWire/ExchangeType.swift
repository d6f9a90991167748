/// What kind of exchange a message belongs to (RFC 7296 section 3.1).
public struct ExchangeType: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
    public let rawValue: UInt8

    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    @inlinable public static var ikeSAInit: Self { Self(rawValue: 34) }
    @inlinable public static var ikeAuth: Self { Self(rawValue: 35) }
    @inlinable public static var createChildSA: Self { Self(rawValue: 36) }
    @inlinable public static var informational: Self { Self(rawValue: 37) }
    @inlinable public static var ikeSessionResume: Self { Self(rawValue: 38) }
    @inlinable public static var ikeIntermediate: Self { Self(rawValue: 43) }
    @inlinable public static var ikeFollowupKE: Self { Self(rawValue: 44) }
}

extension ExchangeType: CustomStringConvertible {
    /// What the RFCs call this value, or nil where they do not.
    public var name: String? {
        switch self {
        case .ikeSAInit: "IKE_SA_INIT"
        case .ikeAuth: "IKE_AUTH"
        case .createChildSA: "CREATE_CHILD_SA"
        case .informational: "INFORMATIONAL"
        case .ikeSessionResume: "IKE_SESSION_RESUME"
        case .ikeIntermediate: "IKE_INTERMEDIATE"
        case .ikeFollowupKE: "IKE_FOLLOWUP_KE"
        default: nil
        }
    }

    public var description: String { name ?? "ExchangeType(\(rawValue))" }
}
