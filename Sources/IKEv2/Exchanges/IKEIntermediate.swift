import IKECrypto
import IKEWire
import Primitives

/// IntAuth of RFC 9242 section 3.3.2, as it grows with each IKE_INTERMEDIATE message.
struct IntermediateAuthentication: Sendable {
    private var initiator: [UInt8] = []
    private var responder: [UInt8] = []

    /// Takes a message into account under the keys that protect it:
    /// IntAuth_iN = prf(SK_pi, IntAuth_iN-1 | IntAuth_iNA | IntAuth_iNP).
    ///
    /// Lengths are those of a message without IV, padding and ICV, and in one piece, however it travelled.
    mutating func absorb(
        _ header: Header,
        first: PayloadType,
        _ payloads: [UInt8],
        _ channel: borrowing Channel,
        _ turn: borrowing Turn
    ) {
        var header = header
        header.nextPayload = .encrypted
        var associated = ByteWriter(capacity: Header.byteCount + 4)
        header.encode(into: &associated)
        associated.patch(UInt32(Header.byteCount + 4 + payloads.count), at: 24)
        associated.writeInteger(UInt16(first.rawValue) << 8)
        associated.writeInteger(UInt16(4 + payloads.count))
        let (prf, isFromInitiator) = (channel.suite.prf, header.isFromInitiator)
        let previous = isFromInitiator ? initiator : responder
        if isFromInitiator {
            let key = channel.keys.pi.bytes
            initiator = turn.cryptography.prf(prf, key: key, previous.rawSpan, associated.span, payloads.rawSpan)
                .bytes.copied()
        } else {
            let key = channel.keys.pr.bytes
            responder = turn.cryptography.prf(prf, key: key, previous.rawSpan, associated.span, payloads.rawSpan)
                .bytes.copied()
        }
    }

    /// IntAuth = IntAuth_iN | IntAuth_rN | IKE_AUTH_MID.
    func octets(ikeAuth id: MessageID) -> [UInt8] {
        var octets = initiator + responder
        for shift in [24, 16, 8, 0] as [UInt32] { octets.append(UInt8(truncatingIfNeeded: id.rawValue >> shift)) }
        return octets
    }
}

extension Channel {
    /// HDR, SK {KE} as a request or an answer, and what it adds to IntAuth.
    mutating func sendIntermediate(
        _ method: KeyExchangeMethod,
        _ publicValue: [UInt8],
        isResponse: Bool,
        _ authentication: inout IntermediateAuthentication,
        origin: inout Origin,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) {
        let id = KeyExchangeID(rawValue: method.rawValue)
        var payloads = ByteWriter(capacity: publicValue.count + 8)
        var encoder = MessageEncoder(payloadsInto: &payloads)
        encoder.keyExchange(id, publicValue)
        let first = encoder.firstType
        encoder.finish(into: &payloads)
        let header = intermediateHeader(isResponse: isResponse, isFromHere: true)
        authentication.absorb(header, first: first, payloads.span.copied(), self, turn)
        let note = PacketNote(.ikeIntermediate, isResponse: isResponse, keyExchange: method)
        if isResponse {
            respond(.ikeIntermediate, note, origin: &origin, &turn) { $0.keyExchange(id, publicValue) }
        } else {
            request(.ikeIntermediate, note, origin: &origin, policy: policy, &turn) { $0.keyExchange(id, publicValue) }
        }
    }

    /// Adds a message of the peer's to IntAuth.
    func absorbIntermediate(
        _ contents: borrowing Contents,
        isResponse: Bool,
        _ authentication: inout IntermediateAuthentication,
        _ turn: borrowing Turn
    ) {
        let (first, payloads) = contents.plaintext
        let header = intermediateHeader(isResponse: isResponse, isFromHere: false)
        authentication.absorb(header, first: first, payloads, self, turn)
    }

    /// The header of the message that is sent or taken now.
    private func intermediateHeader(isResponse: Bool, isFromHere: Bool) -> Header {
        var flags: Header.Flags = isInitiator == isFromHere ? .initiator : []
        if isResponse { flags.insert(.response) }
        let id: MessageID =
            if isResponse == isFromHere {
                expectedRequest
            } else {
                isFromHere ? nextRequest : MessageID(rawValue: nextRequest.rawValue - 1)
            }
        return Header(
            initiatorSPI: spis.initiator,
            responderSPI: spis.responder,
            exchange: .ikeIntermediate,
            flags: flags,
            messageID: id
        )
    }

    /// The keys after an additional key exchange (RFC 9370 section 2.2.2):
    /// SKEYSEED(n) = prf(SK_d(n-1), SK(n) | Ni | Nr).
    func intermediateKeys(
        _ secret: borrowing SharedSecret,
        ni: [UInt8],
        nr: [UInt8],
        _ turn: borrowing Turn
    ) -> IKEKeys {
        turn.cryptography.rederiveIKEKeys(
            suite,
            oldPRF: suite.prf,
            oldSK_d: keys.d,
            sharedSecret: secret,
            ni: ni.rawSpan,
            nr: nr.rawSpan,
            spii: spis.initiator.rawValue,
            spir: spis.responder.rawValue
        )
    }
}

extension Contents {
    /// The value of the KE payload, if that is of a method.
    func publicValue(of method: KeyExchangeMethod) -> [UInt8]? {
        guard has(.keyExchange), let payload = try? KeyExchange(keyExchange), payload.method.rawValue == method.rawValue
        else { return nil }
        return payload.data.copied()
    }
}
