/// What a RADIUS packet does (RFC 2865 section 3).
package struct RADIUSCode: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let accessRequest = Self(rawValue: 1)
    package static let accessAccept = Self(rawValue: 2)
    package static let accessReject = Self(rawValue: 3)
    package static let accessChallenge = Self(rawValue: 11)
}

/// What an attribute says (RFC 2865 section 5, RFC 2869, RFC 3162, RFC 3579).
package struct RADIUSAttributeType: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let userName = Self(rawValue: 1)
    package static let nasIPAddress = Self(rawValue: 4)
    package static let serviceType = Self(rawValue: 6)
    package static let framedMTU = Self(rawValue: 12)
    package static let replyMessage = Self(rawValue: 18)
    package static let state = Self(rawValue: 24)
    package static let vendorSpecific = Self(rawValue: 26)
    package static let sessionTimeout = Self(rawValue: 27)
    package static let calledStationID = Self(rawValue: 30)
    package static let callingStationID = Self(rawValue: 31)
    package static let nasIdentifier = Self(rawValue: 32)
    package static let nasPortType = Self(rawValue: 61)
    package static let eapMessage = Self(rawValue: 79)
    package static let messageAuthenticator = Self(rawValue: 80)
    package static let nasIPv6Address = Self(rawValue: 95)
}
