package import IKECrypto
package import Primitives

/// The methods that an authenticator proposes, in order, and what it calls itself.
package struct EAPAuthenticatorSettings: Sendable {
    package let methods: [EAPMethodOffer]
    /// Its name in MD5-Challenge and MSCHAPv2.
    package let name: [UInt8]
    /// How many octets of TLS go into one packet.
    package let fragmentByteCount: Int

    package init(methods: [EAPMethodOffer], name: [UInt8], fragmentByteCount: Int = 1024) {
        precondition(!methods.isEmpty, "an authenticator proposes a method")
        self.methods = methods
        self.name = name
        self.fragmentByteCount = fragmentByteCount
    }
}

/// A method that an authenticator can do.
package enum EAPMethodOffer: Sendable {
    case md5Challenge
    case gtc
    case mschapv2
    /// The server's certificate, and what it asks of the clients'.
    case tls(TLSConfiguration)

    package var type: EAPType {
        switch self {
        case .md5Challenge: .md5Challenge
        case .gtc: .gtc
        case .mschapv2: .mschapv2
        case .tls: .tls
        }
    }
}

/// The authenticator of RFC 3748: it asks, checks what is answered, and decides.
///
/// EAP packets go in and come out. It keeps no time: `repeatRequest` gives the last Request once more for who has to
/// send it again, and a Response that comes twice is dropped.
package struct EAPAuthenticator: ~Copyable {
    let settings: EAPAuthenticatorSettings
    let unixTime: Int64
    var stream: KeyMaterialStream
    var method = EAPAuthenticatorMethod.none
    /// What the peer has not refused yet.
    var candidates: [EAPMethodOffer]
    /// Who the peer says that it is; nil until it has said so.
    var identity: [UInt8]?
    var methodType: EAPType?
    /// Whether the peer has answered the method and can refuse it no more.
    var isAgreed = false
    var identifier: UInt8 = 0
    var lastRequest: [UInt8] = []
    var requestCount = 0
    var hasEnded = false

    /// - Parameters:
    ///   - identity: Who the peer is, when the carrier knows it; otherwise it is asked for.
    ///   - stream: The authenticator's own source of chance.
    ///   - unixTime: When certificates are checked, in seconds since 1970.
    package init(
        _ settings: EAPAuthenticatorSettings,
        identity: [UInt8]? = nil,
        stream: KeyMaterialStream,
        unixTime: Int64
    ) {
        self.settings = settings
        self.identity = identity
        self.stream = stream
        self.unixTime = unixTime
        candidates = settings.methods
    }

    /// Who the peer says that it is.
    package var peerIdentity: [UInt8]? { identity }

    /// The method that was proposed last.
    package var proposedMethod: EAPType? { methodType }

    /// The first Request: for the identity, or of the first method.
    package mutating func begin(
        cryptography: borrowing Cryptography,
        into request: inout ByteWriter
    ) -> EAPProgress {
        precondition(lastRequest.isEmpty, "a conversation begins once")
        request.removeAll()
        if identity == nil {
            identifier &+= 1
            requestCount += 1
            request.eap(.request, identifier: identifier, type: .identity)
            lastRequest = request.bytes
            return .replied
        }
        return propose(cryptography, &request)
    }

    /// The last Request, once more.
    package borrowing func repeatRequest(into request: inout ByteWriter) {
        request.removeAll()
        request.write(lastRequest)
    }

    /// Takes a packet of the peer; `request` is emptied, and holds the next packet unless the answer is `.dropped`.
    ///
    /// - Parameter password: The password of an identity, in UTF-8; nil when nobody has this name.
    package mutating func receive(
        _ octets: RawSpan,
        cryptography: borrowing Cryptography,
        password: (_ identity: [UInt8]) -> [UInt8]?,
        into request: inout ByteWriter
    ) -> EAPProgress {
        request.removeAll()
        let packet: EAPPacket
        do throws(DecodeError) {
            packet = try EAPPacket(octets)
        } catch {
            return .dropped(.malformed(error))
        }
        guard !hasEnded, packet.code == .response, packet.identifier == identifier, !lastRequest.isEmpty,
            let type = packet.type
        else { return .dropped(.unexpected) }
        switch type {
        case .identity where identity == nil:
            identity = packet.data.copied()
            return propose(cryptography, &request)
        case .nak, .expandedNak: return refused(type, packet.data, cryptography, &request)
        case methodType: return verify(packet, cryptography, password, &request)
        default: return .dropped(.unexpected)
        }
    }

    /// Proposes the first method that the peer has not refused.
    private mutating func propose(
        _ cryptography: borrowing Cryptography,
        _ request: inout ByteWriter
    ) -> EAPProgress {
        guard let offer = candidates.first else { return fail(.noCommonMethod, &request) }
        candidates.removeFirst()
        do throws(CryptoError) {
            method = try EAPAuthenticatorMethod(
                offer,
                settings,
                identifier: identifier &+ 1,
                unixTime: unixTime,
                cryptography,
                &stream
            )
        } catch {
            return fail(.tls(.libraryFailed), &request)
        }
        methodType = offer.type
        return ask(&request)
    }

    /// Writes the method's next Request.
    private mutating func ask(_ request: inout ByteWriter) -> EAPProgress {
        requestCount += 1
        guard requestCount <= EAPFailure.roundLimit, let type = methodType else {
            return fail(.tooManyRounds, &request)
        }
        identifier &+= 1
        request.beginEAP(.request, identifier: identifier, type: type)
        method.writeRequest(name: settings.name, into: &request)
        request.endEAP(from: 0)
        lastRequest = request.bytes
        return .replied
    }

    /// The peer refuses a method, and names others (section 5.3); once it has answered one it cannot.
    private mutating func refused(
        _ type: EAPType,
        _ data: RawSpan,
        _ cryptography: borrowing Cryptography,
        _ request: inout ByteWriter
    ) -> EAPProgress {
        guard methodType != nil, !isAgreed else { return .dropped(.unexpected) }
        do throws(DecodeError) {
            let wanted = try EAPNak(type, data).wanted
            candidates.removeAll { !wanted.contains($0.type) }
        } catch {
            return .dropped(.malformed(error))
        }
        return propose(cryptography, &request)
    }

    private mutating func verify(
        _ response: borrowing EAPPacket,
        _ cryptography: borrowing Cryptography,
        _ password: (_ identity: [UInt8]) -> [UInt8]?,
        _ request: inout ByteWriter
    ) -> EAPProgress {
        let step = method.verify(
            response.data,
            identifier: response.identifier,
            password: identity.flatMap(password),
            cryptography,
            &stream
        )
        switch step {
        case .drop(let reason): return .dropped(reason)
        case .fail(let failure): return fail(failure, &request)
        case .request:
            isAgreed = true
            return ask(&request)
        case .succeed:
            hasEnded = true
            request.eap(.success, identifier: identifier)
            lastRequest = request.bytes
            return .succeeded(EAPSuccess(method: response.type ?? .nak, msk: method.takeMSK()))
        }
    }

    private mutating func fail(_ failure: EAPFailure, _ request: inout ByteWriter) -> EAPProgress {
        hasEnded = true
        request.removeAll()
        request.eap(.failure, identifier: identifier)
        lastRequest = request.bytes
        return .failed(failure)
    }
}
