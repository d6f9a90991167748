import IKECrypto
import IKEWire
import Primitives

extension IKESA {
    /// A responder that took an IKE_SA_INIT request and has asked for its own KE payload and the shared secret.
    package struct Responding: ~Copyable {
        var origin: Origin
        let spis: IKESPIPair
        let path: Path
        let selection: Selection<IKESuite>
        let nat: NATStatus
        /// Whether both ends take fragments.
        let takesFragments: Bool
        let initiatorNonce: [UInt8]
        let responderNonce: [UInt8]
        let requestMessage: [UInt8]
        let peerHashes: SignatureHashes

        /// HDR, SAr1, KEr, Nr, N(NAT_DETECTION_*), [CERTREQ], [N(IKEV2_FRAGMENTATION_SUPPORTED)],
        /// [N(CHILDLESS_IKEV2_SUPPORTED)], [N(SIGNATURE_HASH_ALGORITHMS)], [N(INTERMEDIATE_EXCHANGE_SUPPORTED)]
        consuming func complete(
            _ result: consuming KeyExchangeResult,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            switch consume result {
            case .responded(let response):
                let keys = turn.cryptography.deriveIKEKeys(
                    selection.suite,
                    sharedSecret: response.sharedSecret,
                    ni: initiatorNonce.rawSpan,
                    nr: responderNonce.rawSpan,
                    spii: spis.initiator.rawValue,
                    spir: spis.responder.rawValue
                )
                turn.output.report(.keysDerived(spis))
                let responseMessage = send(publicValue: response.publicValue, policy: policy, &turn)
                let channel = Channel(
                    spis: spis,
                    isInitiator: false,
                    fragmentPacketByteCount: policy.fragmentPacketByteCount(over: path, takesFragments),
                    suite: selection.suite,
                    keys: keys,
                    path: path,
                    nat: nat,
                    firstRequest: .zero,
                    firstExpected: MessageID(rawValue: 1),
                    at: turn.now
                )
                return .halfOpen(
                    HalfOpen(
                        channel: channel,
                        origin: origin,
                        initial: InitialExchange(
                            requestMessage: requestMessage,
                            responseMessage: responseMessage,
                            initiatorNonce: initiatorNonce,
                            responderNonce: responderNonce,
                            peerHashes: peerHashes
                        ),
                        deadline: turn.now + policy.values.halfOpenTimeout,
                        intermediate: selection.additional.isEmpty
                            ? nil : Box(AnsweredIntermediate(selection.additional.methods))
                    )
                )
            case .refused:
                // RFC 6989 section 5: the peer's value is not in its group.
                IKESA.refuse(spis.initiator, .invalidSyntax, over: path, &turn) { $0.notify(.invalidSyntax) }
                return .closed(spis: spis, .invalidKeyExchange, &turn)
            default: preconditionFailure("a request to respond is answered with a response")
            }
        }

        private func send(publicValue: [UInt8], policy: PeerPolicy, _ turn: inout Turn) -> [UInt8] {
            let method = selection.suite.keyExchange
            let header = Header(
                initiatorSPI: spis.initiator,
                responderSPI: spis.responder,
                exchange: .ikeSAInit,
                flags: .response,
                messageID: .zero
            )
            turn.writer.removeAll()
            var encoder = MessageEncoder(header, into: &turn.writer)
            encoder.answer(selection)
            encoder.keyExchange(KeyExchangeID(rawValue: method.rawValue), publicValue)
            encoder.nonce(responderNonce)
            let isForced = policy.values.forcesEncapsulation
            encoder.natDetection(NATDetection(spis, path, isForced: isForced, turn.cryptography))
            if takesFragments { encoder.notify(.ikev2FragmentationSupported) }
            if policy.values.lifeCycle.childless == .accepted { encoder.notify(.childlessIKEv2Supported) }
            encoder.certificateRequest(policy)
            if !peerHashes.isEmpty { encoder.signatureHashes(policy) }
            if !selection.additional.isEmpty { encoder.notify(.intermediateExchangeSupported) }
            encoder.finish(into: &turn.writer)
            let note = PacketNote(.ikeSAInit, isResponse: true, keyExchange: method)
            turn.sendMessage(over: path, note)
            return turn.writer.span.copied()
        }
    }

    /// Takes an IKE_SA_INIT request as the responder, and asks for what its answer needs.
    ///
    /// A request that is refused is answered at once and leaves no state (RFC 7296 sections 1.2, 2.5, 2.7 and 2.21.1).
    ///
    /// - Returns: nil when the datagram was refused, or is no such request.
    package static func respond(
        to datagram: RawSpan,
        over path: Path,
        _ origin: Origin,
        under policy: PeerPolicy,
        _ turn: inout Turn
    ) -> IKESA? {
        var reader = ByteReader(datagram)
        guard let header = try? Header.decode(from: &reader), !header.isResponse, header.initiatorSPI != .zero else {
            turn.output.report(.dropped)
            return nil
        }
        guard header.majorVersion == 2 else {
            refuseVersion(header, over: path, &turn)
            return nil
        }
        guard header.exchange == .ikeSAInit, header.isFromInitiator, header.messageID == .zero,
            header.responderSPI == .zero
        else {
            turn.output.report(.dropped)
            return nil
        }
        switch InitialOffer.read(datagram, header, policy: policy) {
        case .refused(let type, let data):
            refuse(header.initiatorSPI, type, over: path, &turn) { $0.notify(type, data) }
            return nil
        case .acceptable(let offer):
            return .responding(offer.accept(header.initiatorSPI, over: path, origin, policy: policy, &turn))
        }
    }

    /// HDR, N(INVALID_MAJOR_VERSION), but not to anything older, which answers the same way (RFC 7296 section 2.5).
    private static func refuseVersion(_ header: Header, over path: Path, _ turn: inout Turn) {
        guard header.majorVersion > 2 else {
            turn.output.report(.dropped)
            return
        }
        var answer = header
        answer.version = Header.version2
        answer.flags = header.isFromInitiator ? .response : [.initiator, .response]
        refuse(answer, .invalidMajorVersion, over: path, &turn) { $0.notify(.invalidMajorVersion) }
    }

    fileprivate static func refuse(
        _ spi: IKESPI,
        _ type: NotifyType,
        over path: Path,
        _ turn: inout Turn,
        _ notify: (inout MessageEncoder) -> Void
    ) {
        let header = Header(
            initiatorSPI: spi,
            responderSPI: .zero,
            exchange: .ikeSAInit,
            flags: .response,
            messageID: .zero
        )
        refuse(header, type, over: path, &turn, notify)
    }

    private static func refuse(
        _ header: Header,
        _ type: NotifyType,
        over path: Path,
        _ turn: inout Turn,
        _ notify: (inout MessageEncoder) -> Void
    ) {
        turn.writer.removeAll()
        var encoder = MessageEncoder(header, into: &turn.writer)
        notify(&encoder)
        encoder.finish(into: &turn.writer)
        turn.sendMessage(over: path, PacketNote(.refusal, isResponse: true))
        turn.output.report(.refused(type))
    }
}

/// An IKE_SA_INIT request that the policy can take.
private struct InitialOffer: ~Copyable {
    let contents: Contents
    let selection: Selection<IKESuite>
    let nonce: [UInt8]
    let publicValue: [UInt8]

    enum Reading: ~Copyable {
        case acceptable(InitialOffer)
        case refused(NotifyType, data: [UInt8])
    }

    static func read(_ datagram: RawSpan, _ header: Header, policy: PeerPolicy) -> Reading {
        let contents: Contents
        do throws(ContentsError) {
            contents = try Contents(
                datagram.copied(),
                first: header.nextPayload,
                from: Header.byteCount,
                to: datagram.byteCount
            )
        } catch {
            switch error {
            case .malformed: return .refused(.invalidSyntax, data: [])
            case .unsupportedCritical(let type): return .refused(.unsupportedCriticalPayload, data: [type.rawValue])
            }
        }
        guard contents.has(.ikeSAInit) else { return .refused(.invalidSyntax, data: []) }
        do throws(DecodeError) {
            let nonce = try Nonce(contents.nonce).data.copied()
            let keyExchange = try KeyExchange(contents.keyExchange)
            let brought = KeyExchangeMethod(rawValue: keyExchange.method.rawValue)
            let publicValue = keyExchange.data.copied()
            let isIntermediateTaken = contents.hasNotify(.intermediateExchangeSupported)
            let source = SelectionSource.offer(bringing: brought, takesAdditional: isIntermediateTaken)
            guard let selection = try policy.ikeOffer.select(contents.securityAssociation, source)
            else { return .refused(.noProposalChosen, data: []) }
            let method = selection.suite.keyExchange
            guard brought == method else {
                return .refused(
                    .invalidKEPayload,
                    data: [UInt8(method.rawValue >> 8), UInt8(truncatingIfNeeded: method.rawValue)]
                )
            }
            return .acceptable(
                InitialOffer(contents: contents, selection: selection, nonce: nonce, publicValue: publicValue)
            )
        } catch {
            return .refused(.invalidSyntax, data: [])
        }
    }

    consuming func accept(
        _ spi: IKESPI,
        over path: Path,
        _ origin: Origin,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) -> IKESA.Responding {
        var origin = origin
        let spis = IKESPIPair(initiator: spi, responder: origin.spis.next())
        let responderNonce = turn.cryptography.octets(count: Initiation.nonceByteCount, from: &origin.material)
        // The responder's SPI is still zero in what the initiator hashed (RFC 7296 section 2.23).
        let hashed = IKESPIPair(initiator: spi, responder: .zero)
        let nat = contents.natStatus(hashed, path, turn.cryptography) ?? NATStatus()
        let method = selection.suite.keyExchange
        let randomness = turn.cryptography.randomness(for: method, from: &origin.material)
        turn.output.ask(.respond(.init(method: method, peerPublicValue: publicValue, randomness: randomness)))
        let peerHashes = contents.signatureHashes
        return IKESA.Responding(
            origin: origin,
            spis: spis,
            path: path,
            selection: selection,
            nat: nat,
            takesFragments: policy.values.fragmentation != nil && contents.hasNotify(.ikev2FragmentationSupported),
            initiatorNonce: nonce,
            responderNonce: responderNonce,
            requestMessage: contents.takeBuffer(),
            peerHashes: peerHashes
        )
    }
}
