import IKECrypto
import Primitives

/// What a method's authenticator says of a Response.
enum EAPAuthenticatorStep {
    /// The method has another Request.
    case request
    case drop(EAPDropReason)
    case succeed
    case fail(EAPFailure)

    static func malformed(_ error: DecodeError) -> Self { .drop(.malformed(error)) }
}

/// The authenticator's half of the method that it proposes.
enum EAPAuthenticatorMethod: ~Copyable {
    case none
    case password(PasswordAuthenticator)
    case mschapv2(MSCHAPv2Authenticator)
    case tls(TLSAuthenticator)

    init(
        _ offer: EAPMethodOffer,
        _ settings: EAPAuthenticatorSettings,
        identifier: UInt8,
        unixTime: Int64,
        _ cryptography: borrowing Cryptography,
        _ stream: inout KeyMaterialStream
    ) throws(CryptoError) {
        switch offer {
        case .md5Challenge: self = .password(PasswordAuthenticator(isChallenged: true, cryptography, &stream))
        case .gtc: self = .password(PasswordAuthenticator(isChallenged: false, cryptography, &stream))
        case .mschapv2:
            self = .mschapv2(MSCHAPv2Authenticator(identifier: identifier, cryptography, &stream))
        case .tls(let configuration):
            self = .tls(
                TLSAuthenticator(
                    connection: try TLSConnection(configuration, unixTime: unixTime),
                    fragmentByteCount: settings.fragmentByteCount
                )
            )
        }
    }

    mutating func writeRequest(name: [UInt8], into request: inout ByteWriter) {
        switch consume self {
        case .none: self = .none
        case .password(let half):
            half.writeRequest(name: name, into: &request)
            self = .password(half)
        case .mschapv2(let half):
            half.writeRequest(name: name, into: &request)
            self = .mschapv2(half)
        case .tls(var half):
            half.writeRequest(into: &request)
            self = .tls(half)
        }
    }

    mutating func verify(
        _ data: RawSpan,
        identifier: UInt8,
        password: [UInt8]?,
        _ cryptography: borrowing Cryptography,
        _ stream: inout KeyMaterialStream
    ) -> EAPAuthenticatorStep {
        switch consume self {
        case .none:
            self = .none
            return .drop(.unexpected)
        case .password(let half):
            let step = half.verify(data, identifier: identifier, password: password, cryptography)
            self = .password(half)
            return step
        case .mschapv2(var half):
            let step = half.verify(data, password: password, cryptography)
            self = .mschapv2(half)
            return step
        case .tls(var half):
            let step = half.verify(data, cryptography, &stream)
            self = .tls(half)
            return step
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
