package import EAP
package import IKEWire

/// Why an IKE SA ended, or never came to be.
///
/// The name of each case is what results count failures by.
package enum CloseReason: Hashable, Sendable {
    /// The peer's AUTH payload did not verify (RFC 7296 section 2.15).
    case authenticationFailed
    /// The peer is not who the policy names.
    case wrongIdentity
    /// The peer's certificate leads to no authority that is believed, or is not for signatures.
    case untrustedCertificate
    /// The peer's certificate, or one of its chain, is not valid at this time.
    case expiredCertificate
    /// The peer's certificate has not the identity that the peer claims (RFC 4945 section 3.1).
    case certificateOfAnother
    /// EAP came to no good end (RFC 7296 section 2.16).
    case eapFailed(EAPFailure)
    /// The server that decides about EAP did not answer in time.
    case noBackend
    /// This end's key can make no signature that the peer takes (RFC 7427 section 4).
    case noCommonSignature
    /// A request was not answered, however often it was sent (RFC 7296 section 2.4).
    case timeout
    /// The responder does not take IKE_AUTH without a Child SA, and the policy wants nothing else (RFC 6023).
    case childlessUnsupported
    /// The peer offered or chose nothing that the policy allows.
    case noProposalChosen
    /// The peer's key exchange value is not one, or its retry demand cannot be met (RFC 7296 section 1.2).
    case invalidKeyExchange
    /// The peer's answer lacks a payload that the exchange requires, or does not decode.
    case malformedAnswer
    /// A request of the peer does not decode, which ends an IKE SA (RFC 7296 section 2.21.3).
    case malformedRequest
    /// The peer refused with an error notify (RFC 7296 section 3.10.1).
    case refused(NotifyType)
    /// The peer deleted the IKE SA.
    case deletedByPeer
    /// The IKE SA was deleted from here.
    case deletedHere
    /// A newer IKE SA has taken its place (RFC 7296 section 2.8).
    case rekeyed
    /// It lost against the one that the peer made at the same time (RFC 7296 section 2.8.2).
    case redundant
    /// The hard lifetime ended before a rekey was done.
    case expired
    /// IKE_AUTH did not come in time.
    case halfOpenExpired
    /// The peer said that it restarted, or the driver dropped the state.
    case abandoned

    /// What results call it.
    package var name: String {
        switch self {
        case .authenticationFailed: "authentication-failed"
        case .wrongIdentity: "wrong-identity"
        case .untrustedCertificate: "untrusted-certificate"
        case .expiredCertificate: "expired-certificate"
        case .certificateOfAnother: "certificate-of-another"
        case .eapFailed(let failure): failure.name
        case .noBackend: "eap-no-backend"
        case .noCommonSignature: "no-common-signature"
        case .timeout: "timeout"
        case .childlessUnsupported: "childless-unsupported"
        case .noProposalChosen: "no-proposal-chosen"
        case .invalidKeyExchange: "invalid-key-exchange"
        case .malformedAnswer: "malformed-answer"
        case .malformedRequest: "malformed-request"
        case .refused(let type): "refused:\(type)"
        case .deletedByPeer: "deleted-by-peer"
        case .deletedHere: "deleted-here"
        case .rekeyed: "rekeyed"
        case .redundant: "redundant"
        case .expired: "expired"
        case .halfOpenExpired: "half-open-expired"
        case .abandoned: "abandoned"
        }
    }

    /// Whether one end could not show the other who it is.
    package var isOfAuthentication: Bool {
        switch self {
        case .authenticationFailed, .wrongIdentity, .untrustedCertificate, .expiredCertificate, .certificateOfAnother,
            .noCommonSignature, .eapFailed, .noBackend:
            true
        default: false
        }
    }
}
