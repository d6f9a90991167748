import EAP
package import IKECrypto
import IKEWire
import Primitives

/// How clients show who they are by EAP (RFC 7296 section 2.16), for both ends.
package struct EAPPolicy: Sendable {
    /// A method, and what this end has for it beside passwords.
    package enum Method: Sendable {
        case md5Challenge
        case gtc
        case mschapv2
        /// By the client's number from 1; a gateway has one.
        case tls([TLSConfiguration])
    }

    /// Most wanted first.
    package var methods: [Method]
    /// What a client calls itself in EAP; nil: what its Identification payload says.
    package var identity: IdentityTemplate?
    /// The password of all clients, where `passwords` has none of their own.
    package var password: [UInt8] = []
    package var passwords: SharedKeys?
    /// The responder shows who it is by EAP alone, without AUTH in its first answer (RFC 5998).
    package var isOnly = false
    /// The responder asks for the identity; otherwise it takes that of IDi, as RFC 7296 section 3.16 wants.
    package var asksIdentity = false
    /// A server behind the responder is the authenticator, not the responder itself.
    package var usesBackend = false

    package init(methods: [Method]) { self.methods = methods }
}

/// What a responder wants the server behind it to be asked.
package struct BackendRequest: Hashable, Sendable {
    /// Who the peer says that it is.
    package let userName: [UInt8]
    /// A packet of the peer's.
    package let eapMessage: [UInt8]
    /// Whether a conversation begins with it.
    package let isFirst: Bool
}

/// What came of a ``BackendRequest``.
package enum BackendAnswer: ~Copyable {
    /// A packet for the peer, which answers it.
    case challenge([UInt8])
    /// The peer is who it says; the key is empty where the method derives none.
    case accept([UInt8], msk: SecretBytes)
    case reject([UInt8])
    /// No server has answered.
    case silence
}

extension PeerPolicy {
    /// Whether an IKE_AUTH response without AUTH is what this end has asked for (RFC 5998 section 3).
    func takesEAPAlone(_ contents: borrowing Contents) -> Bool {
        guard let eap = values.authentication.eap else { return false }
        return eap.isOnly && contents.has([.responderIdentification, .eap])
    }

    /// The peer that a client is.
    func eapPeer(_ eap: EAPPolicy, _ origin: Origin, _ turn: borrowing Turn) -> EAPPeer {
        let number = origin.number
        let identity = eap.identity ?? values.identity
        let body = identity.body(number: number)
        let password = eap.passwords.key(of: body.rawSpan, orElse: eap.password, turn) ?? []
        let credentials = eap.methods.map { method -> EAPCredential in
            switch method {
            case .md5Challenge: .md5Challenge(password: password)
            case .gtc: .gtc(password: password)
            case .mschapv2: .mschapv2(password: password)
            case .tls(let configurations): .tls(configurations[Int(number &- 1) % configurations.count])
            }
        }
        return EAPPeer(
            EAPPeerSettings(identity: identity.octets(number: number), credentials: credentials),
            stream: origin.eapStream,
            unixTime: wallTime(turn.now)
        )
    }

    /// The authenticator that a gateway is.
    func eapAuthenticator(_ eap: EAPPolicy, of identity: [UInt8], _ origin: Origin, at now: Instant) -> EAPAuthenticator
    {
        let offers = eap.methods.map { method -> EAPMethodOffer in
            switch method {
            case .md5Challenge: .md5Challenge
            case .gtc: .gtc
            case .mschapv2: .mschapv2
            case .tls(let configurations): .tls(configurations[0])
            }
        }
        return EAPAuthenticator(
            EAPAuthenticatorSettings(methods: offers, name: values.identity.octets(number: 0)),
            identity: eap.asksIdentity ? nil : identity,
            stream: origin.eapStream,
            unixTime: wallTime(now)
        )
    }
}

extension EAPPolicy {
    /// The password of who calls itself so; nil when nobody does.
    func password(of identity: [UInt8], _ turn: borrowing Turn) -> [UInt8]? {
        let body = IdentityTemplate(String(decoding: identity, as: UTF8.self)).body(number: 0)
        return passwords.key(of: body.rawSpan, orElse: password, turn)
    }
}

extension Origin {
    /// A source of chance for EAP alone, so that its steps shift no other draw.
    fileprivate var eapStream: KeyMaterialStream {
        KeyMaterialStream(entity: StableName.hash(of: "eap", material.entity))
    }
}

extension PacketNote {
    /// IKE_AUTH that carries EAP.
    static func eap(isResponse: Bool) -> PacketNote { PacketNote(.eap, isResponse: isResponse) }
}

extension MessageEncoder {
    /// [N(EAP_ONLY_AUTHENTICATION)]
    mutating func eapOnly(_ policy: PeerPolicy) {
        if policy.values.authentication.eap?.isOnly == true { notify(.eapOnlyAuthentication) }
    }
}

extension InitialExchange {
    /// The AUTH data of one end after EAP: by the MSK, or by that end's SK_p where the method derives no key (RFC 7296
    /// section 2.16).
    func proof(
        ofInitiator isInitiator: Bool,
        msk: borrowing SecretBytes,
        _ identification: RawSpan,
        _ channel: borrowing Channel,
        _ turn: borrowing Turn
    ) -> SecretBytes {
        if msk.count > 0 {
            sharedKeyProof(ofInitiator: isInitiator, msk.bytes, identification, channel, turn)
        } else if isInitiator {
            sharedKeyProof(ofInitiator: true, channel.keys.pi.bytes, identification, channel, turn)
        } else {
            sharedKeyProof(ofInitiator: false, channel.keys.pr.bytes, identification, channel, turn)
        }
    }

    /// Whether the peer's last AUTH payload is what the keys of EAP make of it.
    func isGenuine(
        _ contents: borrowing Contents,
        ofInitiator isInitiator: Bool,
        msk: borrowing SecretBytes,
        _ identification: RawSpan,
        _ channel: borrowing Channel,
        _ turn: borrowing Turn
    ) -> Bool {
        guard let payload = try? Authentication(contents.authentication), payload.method == .sharedKey else {
            return false
        }
        return proof(ofInitiator: isInitiator, msk: msk, identification, channel, turn).isEqual(to: payload.data)
    }
}
