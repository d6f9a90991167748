/// What form an identity has (RFC 7296 section 3.5).
public struct IdentificationType: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
    public let rawValue: UInt8

    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    @inlinable public static var ipv4Address: Self { Self(rawValue: 1) }
    @inlinable public static var fqdn: Self { Self(rawValue: 2) }
    @inlinable public static var rfc822Address: Self { Self(rawValue: 3) }
    @inlinable public static var ipv6Address: Self { Self(rawValue: 5) }
    @inlinable public static var derASN1DN: Self { Self(rawValue: 9) }
    @inlinable public static var derASN1GN: Self { Self(rawValue: 10) }
    @inlinable public static var keyID: Self { Self(rawValue: 11) }
    @inlinable public static var null: Self { Self(rawValue: 13) }
}

extension IdentificationType: CustomStringConvertible {
    /// What the RFCs call this value, or nil where they do not.
    public var name: String? {
        switch self {
        case .ipv4Address: "ID_IPV4_ADDR"
        case .fqdn: "ID_FQDN"
        case .rfc822Address: "ID_RFC822_ADDR"
        case .ipv6Address: "ID_IPV6_ADDR"
        case .derASN1DN: "ID_DER_ASN1_DN"
        case .derASN1GN: "ID_DER_ASN1_GN"
        case .keyID: "ID_KEY_ID"
        case .null: "ID_NULL"
        default: nil
        }
    }

    public var description: String { name ?? "IdentificationType(\(rawValue))" }
}

/// How a peer proves who it is (RFC 7296 section 3.8).
public struct AuthenticationMethod: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
    public let rawValue: UInt8

    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    @inlinable public static var rsaSignature: Self { Self(rawValue: 1) }
    @inlinable public static var sharedKey: Self { Self(rawValue: 2) }
    @inlinable public static var dssSignature: Self { Self(rawValue: 3) }
    @inlinable public static var ecdsaP256: Self { Self(rawValue: 9) }
    @inlinable public static var ecdsaP384: Self { Self(rawValue: 10) }
    @inlinable public static var ecdsaP521: Self { Self(rawValue: 11) }
    @inlinable public static var null: Self { Self(rawValue: 13) }
    @inlinable public static var digitalSignature: Self { Self(rawValue: 14) }
}

extension AuthenticationMethod: CustomStringConvertible {
    /// What the RFCs call this value, or nil where they do not.
    public var name: String? {
        switch self {
        case .rsaSignature: "RSA Digital Signature"
        case .sharedKey: "Shared Key Message Integrity Code"
        case .dssSignature: "DSS Digital Signature"
        case .ecdsaP256: "ECDSA with SHA-256 on the P-256 curve"
        case .ecdsaP384: "ECDSA with SHA-384 on the P-384 curve"
        case .ecdsaP521: "ECDSA with SHA-512 on the P-521 curve"
        case .null: "NULL Authentication"
        case .digitalSignature: "Digital Signature"
        default: nil
        }
    }

    public var description: String { name ?? "AuthenticationMethod(\(rawValue))" }
}

/// What form a traffic selector has (RFC 7296 section 3.13.1).
public struct TrafficSelectorType: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
    public let rawValue: UInt8

    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    @inlinable public static var ipv4AddressRange: Self { Self(rawValue: 7) }
    @inlinable public static var ipv6AddressRange: Self { Self(rawValue: 8) }
    @inlinable public static var fibreChannelAddressRange: Self { Self(rawValue: 9) }
    @inlinable public static var securityLabel: Self { Self(rawValue: 10) }
}

extension TrafficSelectorType: CustomStringConvertible {
    /// What the RFCs call this value, or nil where they do not.
    public var name: String? {
        switch self {
        case .ipv4AddressRange: "TS_IPV4_ADDR_RANGE"
        case .ipv6AddressRange: "TS_IPV6_ADDR_RANGE"
        case .fibreChannelAddressRange: "TS_FC_ADDR_RANGE"
        case .securityLabel: "TS_SECLABEL"
        default: nil
        }
    }

    public var description: String { name ?? "TrafficSelectorType(\(rawValue))" }
}

/// Who asks whom for what in a Configuration payload (RFC 7296 section 3.15).
public struct ConfigurationType: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
    public let rawValue: UInt8

    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    @inlinable public static var request: Self { Self(rawValue: 1) }
    @inlinable public static var reply: Self { Self(rawValue: 2) }
    @inlinable public static var set: Self { Self(rawValue: 3) }
    @inlinable public static var acknowledgement: Self { Self(rawValue: 4) }
}

extension ConfigurationType: CustomStringConvertible {
    /// What the RFCs call this value, or nil where they do not.
    public var name: String? {
        switch self {
        case .request: "CFG_REQUEST"
        case .reply: "CFG_REPLY"
        case .set: "CFG_SET"
        case .acknowledgement: "CFG_ACK"
        default: nil
        }
    }

    public var description: String { name ?? "ConfigurationType(\(rawValue))" }
}

/// What a configuration attribute holds, 15 bits (RFC 7296 section 3.15.1).
public struct ConfigurationAttributeType: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
    public let rawValue: UInt16

    @inlinable
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    @inlinable public static var internalIPv4Address: Self { Self(rawValue: 1) }
    @inlinable public static var internalIPv4Netmask: Self { Self(rawValue: 2) }
    @inlinable public static var internalIPv4DNS: Self { Self(rawValue: 3) }
    @inlinable public static var internalIPv4NBNS: Self { Self(rawValue: 4) }
    @inlinable public static var internalIPv4DHCP: Self { Self(rawValue: 6) }
    @inlinable public static var applicationVersion: Self { Self(rawValue: 7) }
    @inlinable public static var internalIPv6Address: Self { Self(rawValue: 8) }
    @inlinable public static var internalIPv6DNS: Self { Self(rawValue: 10) }
    @inlinable public static var internalIPv6DHCP: Self { Self(rawValue: 12) }
    @inlinable public static var internalIPv4Subnet: Self { Self(rawValue: 13) }
    @inlinable public static var supportedAttributes: Self { Self(rawValue: 14) }
    @inlinable public static var internalIPv6Subnet: Self { Self(rawValue: 15) }
    @inlinable public static var internalDNSDomain: Self { Self(rawValue: 25) }
    @inlinable public static var internalDNSSECTA: Self { Self(rawValue: 26) }
}

extension ConfigurationAttributeType: CustomStringConvertible {
    /// What the RFCs call this value, or nil where they do not.
    public var name: String? {
        switch self {
        case .internalIPv4Address: "INTERNAL_IP4_ADDRESS"
        case .internalIPv4Netmask: "INTERNAL_IP4_NETMASK"
        case .internalIPv4DNS: "INTERNAL_IP4_DNS"
        case .internalIPv4NBNS: "INTERNAL_IP4_NBNS"
        case .internalIPv4DHCP: "INTERNAL_IP4_DHCP"
        case .applicationVersion: "APPLICATION_VERSION"
        case .internalIPv6Address: "INTERNAL_IP6_ADDRESS"
        case .internalIPv6DNS: "INTERNAL_IP6_DNS"
        case .internalIPv6DHCP: "INTERNAL_IP6_DHCP"
        case .internalIPv4Subnet: "INTERNAL_IP4_SUBNET"
        case .supportedAttributes: "SUPPORTED_ATTRIBUTES"
        case .internalIPv6Subnet: "INTERNAL_IP6_SUBNET"
        case .internalDNSDomain: "INTERNAL_DNS_DOMAIN"
        case .internalDNSSECTA: "INTERNAL_DNSSEC_TA"
        default: nil
        }
    }

    public var description: String { name ?? "ConfigurationAttributeType(\(rawValue))" }
}

/// How a certificate is encoded (RFC 7296 section 3.6).
public struct CertificateEncoding: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
    public let rawValue: UInt8

    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    @inlinable public static var pkcs7X509: Self { Self(rawValue: 1) }
    @inlinable public static var pgp: Self { Self(rawValue: 2) }
    @inlinable public static var dnsSignedKey: Self { Self(rawValue: 3) }
    @inlinable public static var x509Signature: Self { Self(rawValue: 4) }
    @inlinable public static var kerberosTokens: Self { Self(rawValue: 6) }
    @inlinable public static var crl: Self { Self(rawValue: 7) }
    @inlinable public static var arl: Self { Self(rawValue: 8) }
    @inlinable public static var spki: Self { Self(rawValue: 9) }
    @inlinable public static var x509Attribute: Self { Self(rawValue: 10) }
    @inlinable public static var rawRSAKey: Self { Self(rawValue: 11) }
    @inlinable public static var hashAndURL: Self { Self(rawValue: 12) }
    @inlinable public static var hashAndURLBundle: Self { Self(rawValue: 13) }
    @inlinable public static var ocsp: Self { Self(rawValue: 14) }
    @inlinable public static var rawPublicKey: Self { Self(rawValue: 15) }
}

extension CertificateEncoding: CustomStringConvertible {
    /// What the RFCs call this value, or nil where they do not.
    public var name: String? {
        switch self {
        case .pkcs7X509: "PKCS #7 wrapped X.509 certificate"
        case .pgp: "PGP certificate"
        case .dnsSignedKey: "DNS signed key"
        case .x509Signature: "X.509 certificate - signature"
        case .kerberosTokens: "Kerberos tokens"
        case .crl: "certificate revocation list"
        case .arl: "authority revocation list"
        case .spki: "SPKI certificate"
        case .x509Attribute: "X.509 certificate - attribute"
        case .rawRSAKey: "raw RSA key"
        case .hashAndURL: "hash and URL of X.509 certificate"
        case .hashAndURLBundle: "hash and URL of X.509 bundle"
        case .ocsp: "OCSP content"
        case .rawPublicKey: "raw public key"
        default: nil
        }
    }

    public var description: String { name ?? "CertificateEncoding(\(rawValue))" }
}
