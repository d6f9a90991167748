package import IKECrypto
package import Primitives

/// What came of a packet that an EAP machine was given.
package enum EAPProgress: ~Copyable {
    /// The writer holds a packet for the other end.
    case replied
    /// The packet changed nothing, and nothing is sent (RFC 3748 section 4: it is silently discarded).
    case dropped(EAPDropReason)
    /// The end. An authenticator's writer holds EAP-Success.
    case succeeded(EAPSuccess)
    /// The end. An authenticator's writer holds EAP-Failure.
    case failed(EAPFailure)
}

/// What both ends have when a method has succeeded.
package struct EAPSuccess: ~Copyable {
    package let method: EAPType

    /// The Master Session Key, 64 octets (RFC 3748 section 7.10); empty when the method derives none.
    package let msk: SecretBytes

    /// The key itself, for who keeps it.
    package consuming func takeMSK() -> SecretBytes { msk }
}

/// Why a packet was discarded.
package enum EAPDropReason: Hashable, Sendable {
    case malformed(DecodeError)
    /// It is not what the machine waits for.
    case unexpected
}

/// Why an EAP conversation failed.
package enum EAPFailure: Hashable, Sendable {
    /// The authenticator said Failure, and not why.
    case rejected
    /// The authenticator proposes nothing that the peer can do.
    case noCommonMethod
    /// What the peer knows is not what it should know.
    case wrongPassword
    /// The authenticator refused by a number of MSCHAPv2, such as 691 (RFC 2759 section 6).
    case mschapv2(error: UInt32)
    /// The authenticator could not prove that it knows the password (RFC 2759 section 5).
    case authenticatorNotGenuine
    case tls(TLSFailure)
    /// The conversation goes on for longer than any method needs.
    case tooManyRounds

    /// What results call it.
    package var name: String {
        switch self {
        case .rejected: "eap-rejected"
        case .noCommonMethod: "eap-no-common-method"
        case .wrongPassword: "eap-wrong-password"
        case .mschapv2(let error): "eap-mschapv2:\(error)"
        case .authenticatorNotGenuine: "eap-authenticator-not-genuine"
        case .tls(let failure): "eap-tls:\(failure.name)"
        case .tooManyRounds: "eap-too-many-rounds"
        }
    }

    /// More packets than a long chain of certificates in small fragments takes.
    static let roundLimit = 96
}

extension TLSFailure {
    fileprivate var name: String {
        switch self {
        case .certificateExpired: "certificate-expired"
        case .certificateName: "certificate-name"
        case .certificateUntrusted: "certificate-untrusted"
        case .alert(let number): "alert-\(number)"
        case .handshakeFailed: "handshake-failed"
        case .libraryFailed: "library-failed"
        }
    }
}
