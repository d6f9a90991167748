/// What an EAP Request asks for, and the Response answers (RFC 3748 section 5).
///
/// A peer may send any value; an Expanded Type (section 5.7) keeps its vendor's numbers.
package struct EAPType: Hashable, Sendable, BitwiseCopyable {
    /// The octet of the Type field.
    package let rawValue: UInt8

    /// The vendor of an Expanded Type, in 24 bits; 0 is the IETF.
    package let vendorID: UInt32

    /// The vendor's own number of an Expanded Type.
    package let vendorType: UInt32

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
        vendorID = 0
        vendorType = 0
    }

    /// An Expanded Type.
    package init(vendorID: UInt32, vendorType: UInt32) {
        precondition(vendorID < 1 << 24, "a vendor's number has 24 bits")
        rawValue = Self.expandedNumber
        self.vendorID = vendorID
        self.vendorType = vendorType
    }

    package static let identity = Self(rawValue: 1)
    package static let notification = Self(rawValue: 2)
    package static let nak = Self(rawValue: 3)
    package static let md5Challenge = Self(rawValue: 4)
    package static let gtc = Self(rawValue: 6)
    package static let tls = Self(rawValue: 13)
    package static let mschapv2 = Self(rawValue: 26)
    /// The Nak that answers a Request with an Expanded Type (section 5.3.2).
    package static let expandedNak = Self(vendorID: 0, vendorType: 3)

    static let expandedNumber: UInt8 = 254

    package var isExpanded: Bool { rawValue == Self.expandedNumber }

    /// The methods here that IKEv2 may use without an AUTH payload of the responder's own: both ends authenticate, a
    /// key comes of it, and no dictionary finds the password (RFC 5998 section 4).
    ///
    /// MSCHAPv2 derives a key, but who has seen one exchange can try passwords on it.
    package static let safeAlone: [Self] = [.tls]

    /// Whether a key comes of the method.
    package var derivesKey: Bool { self == .tls || self == .mschapv2 }
}

extension EAPType: CustomStringConvertible {
    /// What users call it.
    package var description: String {
        switch self {
        case .identity: "identity"
        case .notification: "notification"
        case .nak, .expandedNak: "nak"
        case .md5Challenge: "md5"
        case .gtc: "gtc"
        case .tls: "tls"
        case .mschapv2: "mschapv2"
        default: isExpanded ? "\(rawValue)-\(vendorID)-\(vendorType)" : "\(rawValue)"
        }
    }
}
