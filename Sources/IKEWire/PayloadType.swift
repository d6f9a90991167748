/// What a payload holds (RFC 7296 section 3.2).
public struct PayloadType: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
    public let rawValue: UInt8

    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Whether this implementation decodes the payload; an unknown one that is marked critical refuses the whole
    /// message, any other is passed over (RFC 7296 section 2.5).
    @inlinable
    public var isKnown: Bool { (33...48).contains(rawValue) || rawValue == 53 }

    @inlinable public static var none: Self { Self(rawValue: 0) }
    @inlinable public static var securityAssociation: Self { Self(rawValue: 33) }
    @inlinable public static var keyExchange: Self { Self(rawValue: 34) }
    @inlinable public static var identificationInitiator: Self { Self(rawValue: 35) }
    @inlinable public static var identificationResponder: Self { Self(rawValue: 36) }
    @inlinable public static var certificate: Self { Self(rawValue: 37) }
    @inlinable public static var certificateRequest: Self { Self(rawValue: 38) }
    @inlinable public static var authentication: Self { Self(rawValue: 39) }
    @inlinable public static var nonce: Self { Self(rawValue: 40) }
    @inlinable public static var notify: Self { Self(rawValue: 41) }
    @inlinable public static var delete: Self { Self(rawValue: 42) }
    @inlinable public static var vendorID: Self { Self(rawValue: 43) }
    @inlinable public static var trafficSelectorsInitiator: Self { Self(rawValue: 44) }
    @inlinable public static var trafficSelectorsResponder: Self { Self(rawValue: 45) }
    @inlinable public static var encrypted: Self { Self(rawValue: 46) }
    @inlinable public static var configuration: Self { Self(rawValue: 47) }
    @inlinable public static var eap: Self { Self(rawValue: 48) }
    @inlinable public static var encryptedFragment: Self { Self(rawValue: 53) }
}

extension PayloadType: CustomStringConvertible {
    /// What the RFCs call this value, or nil where they do not.
    public var name: String? {
        switch self {
        case .none: "no payload"
        case .securityAssociation: "SA"
        case .keyExchange: "KE"
        case .identificationInitiator: "IDi"
        case .identificationResponder: "IDr"
        case .certificate: "CERT"
        case .certificateRequest: "CERTREQ"
        case .authentication: "AUTH"
        case .nonce: "Nonce"
        case .notify: "N"
        case .delete: "D"
        case .vendorID: "V"
        case .trafficSelectorsInitiator: "TSi"
        case .trafficSelectorsResponder: "TSr"
        case .encrypted: "SK"
        case .configuration: "CP"
        case .eap: "EAP"
        case .encryptedFragment: "SKF"
        default: nil
        }
    }

    public var description: String { name ?? "PayloadType(\(rawValue))" }
}
