import IKECrypto
import IKEWire
import Primitives

/// What IKE_SA_INIT left that AUTH payloads cover (RFC 7296 section 2.15).
struct InitialExchange: Sendable {
    let requestMessage: [UInt8]
    let responseMessage: [UInt8]
    let initiatorNonce: [UInt8]
    let responderNonce: [UInt8]
    /// What the peer's SIGNATURE_HASH_ALGORITHMS names.
    let peerHashes: SignatureHashes
    /// IntAuth: what IKE_INTERMEDIATE exchanges add (RFC 9242 section 3.3.2).
    var intermediate: [UInt8] = []
    /// Whether this end, the initiator, asks for no Child SA in IKE_AUTH (RFC 6023).
    var isChildless = false

    /// The AUTH data of one end that knows a shared key.
    func sharedKeyProof(
        ofInitiator isInitiator: Bool,
        _ key: RawSpan,
        _ identification: RawSpan,
        _ channel: borrowing Channel,
        _ turn: borrowing Turn
    ) -> SecretBytes {
        if isInitiator {
            turn.cryptography.pskAuthentication(
                channel.suite.prf,
                psk: key,
                messageOctets: requestMessage.rawSpan,
                nonce: responderNonce.rawSpan,
                sk_p: channel.keys.pi,
                identificationBody: identification,
                intermediate: intermediate.rawSpan
            )
        } else {
            turn.cryptography.pskAuthentication(
                channel.suite.prf,
                psk: key,
                messageOctets: responseMessage.rawSpan,
                nonce: initiatorNonce.rawSpan,
                sk_p: channel.keys.pr,
                identificationBody: identification,
                intermediate: intermediate.rawSpan
            )
        }
    }

    /// What one end signs: its own message, the other's nonce, and its identity under its SK_p.
    func signedOctets(
        ofInitiator isInitiator: Bool,
        _ identification: RawSpan,
        _ channel: borrowing Channel,
        _ turn: borrowing Turn
    ) -> [UInt8] {
        let prf = channel.suite.prf
        if isInitiator {
            let code = turn.cryptography.prf(prf, key: channel.keys.pi.bytes, identification)
            return requestMessage + responderNonce + code.bytes.copied() + intermediate
        }
        let code = turn.cryptography.prf(prf, key: channel.keys.pr.bytes, identification)
        return responseMessage + initiatorNonce + code.bytes.copied() + intermediate
    }
}

/// An AUTH payload of this end's, and the certificates that go with it.
struct Proof {
    let method: AuthenticationMethod
    let data: [UInt8]
    var certificates: [[UInt8]] = []
    /// By how much the data is shorter than it could be.
    var missingByteCount = 0

    init(sharedKey code: borrowing SecretBytes) {
        method = .sharedKey
        data = code.bytes.copied()
    }

    init(_ signature: Signature, of credential: Credential) {
        method = AuthenticationMethod(rawValue: signature.scheme.method)
        data = SignatureData(signature.scheme, signature: signature.octets).octets
        certificates = credential.certificates
        missingByteCount = signature.missingByteCount
    }
}

extension MessageEncoder {
    /// [CERT, ...]
    mutating func certificates(of proof: Proof) {
        for certificate in proof.certificates { self.certificate(.x509Signature, certificate) }
    }

    /// [CERTREQ]: the authorities whose certificates this end believes.
    mutating func certificateRequest(_ policy: PeerPolicy) {
        guard let anchors = policy.values.authentication.anchors else { return }
        certificateRequest(.x509Signature, authorities: anchors.keyDigests)
    }

    /// AUTH. A message is as long as with the longest signature, so that its length depends on no chance.
    mutating func authentication(_ proof: Proof) {
        authentication(proof.method, proof.data)
        extraPadding += proof.missingByteCount
    }

    /// [N(SIGNATURE_HASH_ALGORITHMS)]
    mutating func signatureHashes(_ policy: PeerPolicy) {
        if let hashes = policy.signatureHashes { notify(.signatureHashAlgorithms, hashes) }
    }
}

extension Contents {
    /// The hashes that the peer makes signatures over (RFC 7427 section 4).
    var signatureHashes: SignatureHashes {
        var hashes = SignatureHashes(rawValue: 0)
        forEachNotify { notify in
            guard notify.type == .signatureHashAlgorithms else { return }
            var reader = ByteReader(notify.data)
            while let number: UInt16 = try? reader.readInteger() {
                if let hash = SignatureHash(rawValue: number) { hashes.insert(SignatureHashes(hash)) }
            }
        }
        return hashes
    }

    /// The peer's X.509 certificates, its own first (RFC 7296 section 3.6).
    var certificates: [[UInt8]] {
        var certificates: [[UInt8]] = []
        var payloads = sequence
        while certificates.count < Self.mostCertificates, let payload = try? payloads.next() {
            guard payload.type == .certificate, let certificate = try? Certificate(payload.body),
                certificate.encoding == .x509Signature
            else { continue }
            certificates.append(certificate.data.copied())
        }
        return certificates
    }

    /// More than any chain has.
    private static var mostCertificates: Int { 10 }
}

/// What to do about a peer's AUTH payload.
enum ProofReading {
    case genuine
    case refused(CloseReason)
    /// Its certificates and its signature are to be checked.
    case signed(VerificationRequest)
}

extension InitialExchange {
    /// Takes the peer's IDx, [CERT, ...], AUTH.
    func read(
        _ contents: borrowing Contents,
        ofInitiator isInitiator: Bool,
        client number: UInt32,
        _ channel: borrowing Channel,
        policy: PeerPolicy,
        _ turn: borrowing Turn
    ) -> ProofReading {
        let values = policy.values.authentication
        guard let payload = try? Authentication(contents.authentication) else { return .refused(.authenticationFailed) }
        let peer = isInitiator ? contents.initiatorIdentification : contents.responderIdentification
        guard payload.method != .sharedKey else {
            // A key is the client's, whichever end shows that it knows it.
            let own = policy.identification(number: number)
            let key = policy.sharedKey(of: isInitiator ? peer : own.rawSpan, turn)
            guard values.acceptsSharedKey, let key else { return .refused(.authenticationFailed) }
            let expected = sharedKeyProof(ofInitiator: isInitiator, key.rawSpan, peer, channel, turn)
            return expected.isEqual(to: payload.data) ? .genuine : .refused(.authenticationFailed)
        }
        guard let anchors = values.anchors, let data = SignatureData(method: payload.method.rawValue, payload.data),
            values.schemes.contains(data.scheme)
        else { return .refused(.authenticationFailed) }
        return .signed(
            VerificationRequest(
                certificates: contents.certificates,
                anchors: anchors,
                time: policy.wallTime(turn.now),
                identification: peer.copied(),
                data: data,
                octets: signedOctets(ofInitiator: isInitiator, peer, channel, turn)
            )
        )
    }
}

extension PeerProof {
    /// Why an IKE SA ends for it; nil for a peer that is believed.
    var closeReason: CloseReason? {
        switch self {
        case .genuine: nil
        case .notAuthentic: .authenticationFailed
        case .untrusted: .untrustedCertificate
        case .expired: .expiredCertificate
        case .wrongName: .certificateOfAnother
        }
    }
}
