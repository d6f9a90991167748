/// What a Notify payload says (RFC 7296 section 3.10.1 and the RFCs that added to it).
public struct NotifyType: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
    public let rawValue: UInt16

    @inlinable
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Whether the exchange failed: an unrecognized error refuses the request, an unrecognized status is ignored
    /// (RFC 7296 section 3.10.1).
    @inlinable
    public var isError: Bool { rawValue < 16384 }

    @inlinable public static var unsupportedCriticalPayload: Self { Self(rawValue: 1) }
    @inlinable public static var invalidIKESPI: Self { Self(rawValue: 4) }
    @inlinable public static var invalidMajorVersion: Self { Self(rawValue: 5) }
    @inlinable public static var invalidSyntax: Self { Self(rawValue: 7) }
    @inlinable public static var invalidMessageID: Self { Self(rawValue: 9) }
    @inlinable public static var invalidSPI: Self { Self(rawValue: 11) }
    @inlinable public static var noProposalChosen: Self { Self(rawValue: 14) }
    @inlinable public static var invalidKEPayload: Self { Self(rawValue: 17) }
    @inlinable public static var authenticationFailed: Self { Self(rawValue: 24) }
    @inlinable public static var singlePairRequired: Self { Self(rawValue: 34) }
    @inlinable public static var noAdditionalSAs: Self { Self(rawValue: 35) }
    @inlinable public static var internalAddressFailure: Self { Self(rawValue: 36) }
    @inlinable public static var failedCPRequired: Self { Self(rawValue: 37) }
    @inlinable public static var tsUnacceptable: Self { Self(rawValue: 38) }
    @inlinable public static var invalidSelectors: Self { Self(rawValue: 39) }
    @inlinable public static var unacceptableAddresses: Self { Self(rawValue: 40) }
    @inlinable public static var unexpectedNATDetected: Self { Self(rawValue: 41) }
    @inlinable public static var useAssignedHoA: Self { Self(rawValue: 42) }
    @inlinable public static var temporaryFailure: Self { Self(rawValue: 43) }
    @inlinable public static var childSANotFound: Self { Self(rawValue: 44) }
    @inlinable public static var invalidGroupID: Self { Self(rawValue: 45) }
    @inlinable public static var authorizationFailed: Self { Self(rawValue: 46) }
    @inlinable public static var stateNotFound: Self { Self(rawValue: 47) }
    @inlinable public static var initialContact: Self { Self(rawValue: 16384) }
    @inlinable public static var setWindowSize: Self { Self(rawValue: 16385) }
    @inlinable public static var additionalTSPossible: Self { Self(rawValue: 16386) }
    @inlinable public static var ipCompSupported: Self { Self(rawValue: 16387) }
    @inlinable public static var natDetectionSourceIP: Self { Self(rawValue: 16388) }
    @inlinable public static var natDetectionDestinationIP: Self { Self(rawValue: 16389) }
    @inlinable public static var cookie: Self { Self(rawValue: 16390) }
    @inlinable public static var useTransportMode: Self { Self(rawValue: 16391) }
    @inlinable public static var httpCertLookupSupported: Self { Self(rawValue: 16392) }
    @inlinable public static var rekeySA: Self { Self(rawValue: 16393) }
    @inlinable public static var espTFCPaddingNotSupported: Self { Self(rawValue: 16394) }
    @inlinable public static var nonFirstFragmentsAlso: Self { Self(rawValue: 16395) }
    @inlinable public static var mobikeSupported: Self { Self(rawValue: 16396) }
    @inlinable public static var additionalIPv4Address: Self { Self(rawValue: 16397) }
    @inlinable public static var additionalIPv6Address: Self { Self(rawValue: 16398) }
    @inlinable public static var noAdditionalAddresses: Self { Self(rawValue: 16399) }
    @inlinable public static var updateSAAddresses: Self { Self(rawValue: 16400) }
    @inlinable public static var cookie2: Self { Self(rawValue: 16401) }
    @inlinable public static var noNATsAllowed: Self { Self(rawValue: 16402) }
    @inlinable public static var authLifetime: Self { Self(rawValue: 16403) }
    @inlinable public static var multipleAuthSupported: Self { Self(rawValue: 16404) }
    @inlinable public static var anotherAuthFollows: Self { Self(rawValue: 16405) }
    @inlinable public static var redirectSupported: Self { Self(rawValue: 16406) }
    @inlinable public static var redirect: Self { Self(rawValue: 16407) }
    @inlinable public static var redirectedFrom: Self { Self(rawValue: 16408) }
    @inlinable public static var ticketLifetimeOpaque: Self { Self(rawValue: 16409) }
    @inlinable public static var ticketRequest: Self { Self(rawValue: 16410) }
    @inlinable public static var ticketACK: Self { Self(rawValue: 16411) }
    @inlinable public static var ticketNACK: Self { Self(rawValue: 16412) }
    @inlinable public static var ticketOpaque: Self { Self(rawValue: 16413) }
    @inlinable public static var eapOnlyAuthentication: Self { Self(rawValue: 16417) }
    @inlinable public static var childlessIKEv2Supported: Self { Self(rawValue: 16418) }
    @inlinable public static var quickCrashDetection: Self { Self(rawValue: 16419) }
    @inlinable public static var ikev2MessageIDSyncSupported: Self { Self(rawValue: 16420) }
    @inlinable public static var ipsecReplayCounterSyncSupported: Self { Self(rawValue: 16421) }
    @inlinable public static var ikev2MessageIDSync: Self { Self(rawValue: 16422) }
    @inlinable public static var ipsecReplayCounterSync: Self { Self(rawValue: 16423) }
    @inlinable public static var ikev2FragmentationSupported: Self { Self(rawValue: 16430) }
    @inlinable public static var signatureHashAlgorithms: Self { Self(rawValue: 16431) }
    @inlinable public static var cloneIKESASupported: Self { Self(rawValue: 16432) }
    @inlinable public static var cloneIKESA: Self { Self(rawValue: 16433) }
    @inlinable public static var puzzle: Self { Self(rawValue: 16434) }
    @inlinable public static var usePPK: Self { Self(rawValue: 16435) }
    @inlinable public static var ppkIdentity: Self { Self(rawValue: 16436) }
    @inlinable public static var noPPKAuth: Self { Self(rawValue: 16437) }
    @inlinable public static var intermediateExchangeSupported: Self { Self(rawValue: 16438) }
    @inlinable public static var ipv4Allowed: Self { Self(rawValue: 16439) }
    @inlinable public static var ipv6Allowed: Self { Self(rawValue: 16440) }
    @inlinable public static var additionalKeyExchange: Self { Self(rawValue: 16441) }
    @inlinable public static var useAGGFRAG: Self { Self(rawValue: 16442) }
    @inlinable public static var supportedAuthMethods: Self { Self(rawValue: 16443) }
    @inlinable public static var saResourceInfo: Self { Self(rawValue: 16444) }
}

extension NotifyType: CustomStringConvertible {
    /// What the RFCs call this value, or nil where they do not.
    public var name: String? {
        switch self {
        case .unsupportedCriticalPayload: "UNSUPPORTED_CRITICAL_PAYLOAD"
        case .invalidIKESPI: "INVALID_IKE_SPI"
        case .invalidMajorVersion: "INVALID_MAJOR_VERSION"
        case .invalidSyntax: "INVALID_SYNTAX"
        case .invalidMessageID: "INVALID_MESSAGE_ID"
        case .invalidSPI: "INVALID_SPI"
        case .noProposalChosen: "NO_PROPOSAL_CHOSEN"
        case .invalidKEPayload: "INVALID_KE_PAYLOAD"
        case .authenticationFailed: "AUTHENTICATION_FAILED"
        case .singlePairRequired: "SINGLE_PAIR_REQUIRED"
        case .noAdditionalSAs: "NO_ADDITIONAL_SAS"
        case .internalAddressFailure: "INTERNAL_ADDRESS_FAILURE"
        case .failedCPRequired: "FAILED_CP_REQUIRED"
        case .tsUnacceptable: "TS_UNACCEPTABLE"
        case .invalidSelectors: "INVALID_SELECTORS"
        case .unacceptableAddresses: "UNACCEPTABLE_ADDRESSES"
        case .unexpectedNATDetected: "UNEXPECTED_NAT_DETECTED"
        case .useAssignedHoA: "USE_ASSIGNED_HoA"
        case .temporaryFailure: "TEMPORARY_FAILURE"
        case .childSANotFound: "CHILD_SA_NOT_FOUND"
        case .invalidGroupID: "INVALID_GROUP_ID"
        case .authorizationFailed: "AUTHORIZATION_FAILED"
        case .stateNotFound: "STATE_NOT_FOUND"
        case .initialContact: "INITIAL_CONTACT"
        case .setWindowSize: "SET_WINDOW_SIZE"
        case .additionalTSPossible: "ADDITIONAL_TS_POSSIBLE"
        case .ipCompSupported: "IPCOMP_SUPPORTED"
        case .natDetectionSourceIP: "NAT_DETECTION_SOURCE_IP"
        case .natDetectionDestinationIP: "NAT_DETECTION_DESTINATION_IP"
        case .cookie: "COOKIE"
        case .useTransportMode: "USE_TRANSPORT_MODE"
        case .httpCertLookupSupported: "HTTP_CERT_LOOKUP_SUPPORTED"
        case .rekeySA: "REKEY_SA"
        case .espTFCPaddingNotSupported: "ESP_TFC_PADDING_NOT_SUPPORTED"
        case .nonFirstFragmentsAlso: "NON_FIRST_FRAGMENTS_ALSO"
        case .mobikeSupported: "MOBIKE_SUPPORTED"
        case .additionalIPv4Address: "ADDITIONAL_IP4_ADDRESS"
        case .additionalIPv6Address: "ADDITIONAL_IP6_ADDRESS"
        case .noAdditionalAddresses: "NO_ADDITIONAL_ADDRESSES"
        case .updateSAAddresses: "UPDATE_SA_ADDRESSES"
        case .cookie2: "COOKIE2"
        case .noNATsAllowed: "NO_NATS_ALLOWED"
        case .authLifetime: "AUTH_LIFETIME"
        case .multipleAuthSupported: "MULTIPLE_AUTH_SUPPORTED"
        case .anotherAuthFollows: "ANOTHER_AUTH_FOLLOWS"
        case .redirectSupported: "REDIRECT_SUPPORTED"
        case .redirect: "REDIRECT"
        case .redirectedFrom: "REDIRECTED_FROM"
        case .ticketLifetimeOpaque: "TICKET_LT_OPAQUE"
        case .ticketRequest: "TICKET_REQUEST"
        case .ticketACK: "TICKET_ACK"
        case .ticketNACK: "TICKET_NACK"
        case .ticketOpaque: "TICKET_OPAQUE"
        case .eapOnlyAuthentication: "EAP_ONLY_AUTHENTICATION"
        case .childlessIKEv2Supported: "CHILDLESS_IKEV2_SUPPORTED"
        case .quickCrashDetection: "QUICK_CRASH_DETECTION"
        case .ikev2MessageIDSyncSupported: "IKEV2_MESSAGE_ID_SYNC_SUPPORTED"
        case .ipsecReplayCounterSyncSupported: "IPSEC_REPLAY_COUNTER_SYNC_SUPPORTED"
        case .ikev2MessageIDSync: "IKEV2_MESSAGE_ID_SYNC"
        case .ipsecReplayCounterSync: "IPSEC_REPLAY_COUNTER_SYNC"
        case .ikev2FragmentationSupported: "IKEV2_FRAGMENTATION_SUPPORTED"
        case .signatureHashAlgorithms: "SIGNATURE_HASH_ALGORITHMS"
        case .cloneIKESASupported: "CLONE_IKE_SA_SUPPORTED"
        case .cloneIKESA: "CLONE_IKE_SA"
        case .puzzle: "PUZZLE"
        case .usePPK: "USE_PPK"
        case .ppkIdentity: "PPK_IDENTITY"
        case .noPPKAuth: "NO_PPK_AUTH"
        case .intermediateExchangeSupported: "INTERMEDIATE_EXCHANGE_SUPPORTED"
        case .ipv4Allowed: "IP4_ALLOWED"
        case .ipv6Allowed: "IP6_ALLOWED"
        case .additionalKeyExchange: "ADDITIONAL_KEY_EXCHANGE"
        case .useAGGFRAG: "USE_AGGFRAG"
        case .supportedAuthMethods: "SUPPORTED_AUTH_METHODS"
        case .saResourceInfo: "SA_RESOURCE_INFO"
        default: nil
        }
    }

    public var description: String { name ?? "N(\(rawValue))" }
}
