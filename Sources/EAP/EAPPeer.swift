package import IKECrypto
package import Primitives

/// Who a peer is, and the methods that it can do, most wanted first.
package struct EAPPeerSettings: Sendable {
    /// What it answers a Request/Identity with, and its name in MSCHAPv2.
    package let identity: [UInt8]
    package let credentials: [EAPCredential]
    /// How many octets of TLS go into one packet.
    package let fragmentByteCount: Int

    package init(identity: [UInt8], credentials: [EAPCredential], fragmentByteCount: Int = 1024) {
        self.identity = identity
        self.credentials = credentials
        self.fragmentByteCount = fragmentByteCount
    }
}

/// What a peer authenticates itself with. Passwords are UTF-8.
package enum EAPCredential: Sendable {
    case md5Challenge(password: [UInt8])
    case gtc(password: [UInt8])
    case mschapv2(password: [UInt8])
    /// The client's certificate, and what it asks of the server's.
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

/// The peer of RFC 3748: it answers each Request, and learns how it ended.
///
/// EAP packets go in and come out. It keeps no time: whoever carries the packets repeats them (RFC 3748 section 4.3),
/// and a Request that comes again is answered from memory.
package struct EAPPeer: ~Copyable {
    let settings: EAPPeerSettings
    let unixTime: Int64
    var stream: KeyMaterialStream
    var method = EAPPeerMethod.none
    var methodType: EAPType?
    var lastIdentifier: UInt8?
    var lastResponse: [UInt8] = []
    var requestCount = 0

    /// - Parameters:
    ///   - stream: The peer's own source of chance.
    ///   - unixTime: When certificates are checked, in seconds since 1970.
    package init(_ settings: EAPPeerSettings, stream: KeyMaterialStream, unixTime: Int64) {
        self.settings = settings
        self.stream = stream
        self.unixTime = unixTime
    }

    /// The method that both ends have come to; nil before that.
    package var agreedMethod: EAPType? { methodType }

    /// Takes a packet of the authenticator; `reply` is emptied, and holds the answer after `.replied`.
    package mutating func receive(
        _ octets: RawSpan,
        cryptography: borrowing Cryptography,
        into reply: inout ByteWriter
    ) -> EAPProgress {
        reply.removeAll()
        let packet: EAPPacket
        do throws(DecodeError) {
            packet = try EAPPacket(octets)
        } catch {
            return .dropped(.malformed(error))
        }
        switch packet.code {
        case .request: return take(packet, cryptography, &reply)
        case .success: return takeSuccess(packet)
        case .failure: return takeFailure(packet)
        default: return .dropped(.unexpected)
        }
    }

    private mutating func take(
        _ request: borrowing EAPPacket,
        _ cryptography: borrowing Cryptography,
        _ reply: inout ByteWriter
    ) -> EAPProgress {
        guard let type = request.type else { return .dropped(.unexpected) }
        // The same Identifier is the same Request (section 4.1).
        if request.identifier == lastIdentifier {
            reply.write(lastResponse)
            return .replied
        }
        requestCount += 1
        guard requestCount <= EAPFailure.roundLimit else { return .failed(.tooManyRounds) }
        let step: EAPPeerStep
        switch type {
        case .identity where methodType == nil:
            reply.eap(.response, identifier: request.identifier, type: type) { $0.write(settings.identity) }
            step = .respond
        case .notification:
            reply.eap(.response, identifier: request.identifier, type: type)
            step = .respond
        default:
            step = takeMethod(type, request, cryptography, &reply)
        }
        switch step {
        case .respond:
            lastIdentifier = request.identifier
            lastResponse = reply.bytes
            return .replied
        case .drop(let reason):
            reply.removeAll()
            return .dropped(reason)
        case .fail(let failure):
            reply.removeAll()
            return .failed(failure)
        }
    }

    private mutating func takeMethod(
        _ type: EAPType,
        _ request: borrowing EAPPacket,
        _ cryptography: borrowing Cryptography,
        _ reply: inout ByteWriter
    ) -> EAPPeerStep {
        // One conversation has one method (section 2.1).
        guard methodType == nil || methodType == type else { return .drop(.unexpected) }
        let isFirst = methodType == nil
        if isFirst {
            guard let credential = settings.credentials.first(where: { $0.type == type }) else {
                return refuse(type, request, &reply)
            }
            do throws(CryptoError) {
                method = try EAPPeerMethod(credential, settings, unixTime: unixTime)
            } catch {
                return .fail(.tls(.libraryFailed))
            }
        }
        reply.beginEAP(.response, identifier: request.identifier, type: type)
        let step = method.respond(
            to: request.data,
            identifier: request.identifier,
            cryptography,
            &stream,
            into: &reply
        )
        reply.endEAP(from: 0)
        if case .respond = step { methodType = type } else if isFirst { method = .none }
        return step
    }

    /// Says which methods it can do instead (section 5.3).
    private func refuse(
        _ type: EAPType,
        _ request: borrowing EAPPacket,
        _ reply: inout ByteWriter
    ) -> EAPPeerStep {
        // Below 4 are the types that are no methods.
        guard type.rawValue >= 4 else { return .drop(.unexpected) }
        let nak: EAPType = type.isExpanded ? .expandedNak : .nak
        reply.eap(.response, identifier: request.identifier, type: nak) { writer in
            EAPNak.write(settings.credentials.map(\.type), answering: type, into: &writer)
        }
        return .respond
    }

    /// A Success counts when the method has come to its end (section 4.2).
    private mutating func takeSuccess(_ packet: borrowing EAPPacket) -> EAPProgress {
        guard let type = methodType, packet.identifier == lastIdentifier, method.canSucceed else {
            return .dropped(.unexpected)
        }
        return .succeeded(EAPSuccess(method: type, msk: method.takeMSK()))
    }

    private func takeFailure(_ packet: borrowing EAPPacket) -> EAPProgress {
        guard lastIdentifier == nil || packet.identifier == lastIdentifier else { return .dropped(.unexpected) }
        if let cause = method.cause { return .failed(cause) }
        return .failed(methodType == nil && lastResponse.isNak ? .noCommonMethod : .rejected)
    }
}

extension [UInt8] {
    /// Whether an EAP packet is a Response that refuses a method.
    fileprivate var isNak: Bool { count > 4 && (self[4] == EAPType.nak.rawValue || self[4] == EAPType.expandedNumber) }
}
