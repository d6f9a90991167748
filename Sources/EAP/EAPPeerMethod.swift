import IKECrypto
import Primitives

/// What a method's peer says of a Request.
enum EAPPeerStep {
    /// The Response is written.
    case respond
    case drop(EAPDropReason)
    /// The conversation cannot go on, and nothing is sent.
    case fail(EAPFailure)

    static func malformed(_ error: DecodeError) -> Self { .drop(.malformed(error)) }
}

/// The peer's half of the method that both ends have come to.
enum EAPPeerMethod: ~Copyable {
    case none
    case password(PasswordPeer)
    case mschapv2(MSCHAPv2Peer)
    case tls(TLSPeer)

    init(_ credential: EAPCredential, _ settings: EAPPeerSettings, unixTime: Int64) throws(CryptoError) {
        switch credential {
        case .md5Challenge(let password): self = .password(PasswordPeer(isChallenged: true, password: password))
        case .gtc(let password): self = .password(PasswordPeer(isChallenged: false, password: password))
        case .mschapv2(let password): self = .mschapv2(MSCHAPv2Peer(name: settings.identity, password: password))
        case .tls(let configuration):
            self = .tls(
                TLSPeer(
                    connection: try TLSConnection(configuration, unixTime: unixTime),
                    fragmentByteCount: settings.fragmentByteCount
                )
            )
        }
    }

    mutating func respond(
        to data: RawSpan,
        identifier: UInt8,
        _ cryptography: borrowing Cryptography,
        _ stream: inout KeyMaterialStream,
        into reply: inout ByteWriter
    ) -> EAPPeerStep {
        switch consume self {
        case .none:
            self = .none
            return .drop(.unexpected)
        case .password(var half):
            let step = half.respond(to: data, identifier: identifier, cryptography, into: &reply)
            self = .password(half)
            return step
        case .mschapv2(var half):
            let step = half.respond(to: data, cryptography, &stream, into: &reply)
            self = .mschapv2(half)
            return step
        case .tls(var half):
            let step = half.respond(to: data, cryptography, &stream, into: &reply)
            self = .tls(half)
            return step
        }
    }

    /// Whether an EAP-Success is believed now.
    var canSucceed: Bool {
        switch self {
        case .none: false
        case .password(let half): half.hasAnswered
        case .mschapv2(let half): half.isDone
        case .tls(let half): half.canSucceed
        }
    }

    /// Why an EAP-Failure is expected, where the peer knows it.
    var cause: EAPFailure? {
        switch self {
        case .none: nil
        case .password: nil
        case .mschapv2(let half): half.cause
        case .tls(let half): half.cause
        }
    }

    /// The key, which the method then does not have any more.
    mutating func takeMSK() -> SecretBytes {
        switch consume self {
        case .none:
            self = .none
            return SecretBytes()
        case .password(let half):
            self = .password(half)
            return SecretBytes()
        case .mschapv2(let half):
            self = .none
            return half.takeMSK()
        case .tls(let half):
            self = .none
            return half.takeMSK()
        }
    }
}
