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
        let initiatorNonce: [UInt8]
        let responderNonce: [UInt8]
        let requestMessage: [UInt8]

        /// HDR, SAr1, KEr, Nr, N(NAT_DETECTION_*)
        consuming func complete(
            _ result: consuming KeyExchangeResult, policy: PeerPolicy, _ turn: inout Turn
        ) -> IKESA {
            switch consume result {
            case .responded(let response):
                let keys = turn.cryptography.deriveIKEKeys(
                    selection.suite, sharedSecret: response.sharedSecret, ni: initiatorNonce.rawSpan,
                    nr: responderNonce.rawSpan, spii: spis.initiator.rawValue, spir: spis.responder.rawValue
                )
                turn.output.report(.keysDerived(spis))
                let responseMessage = send(publicValue: response.publicValue, &turn)
                let channel = Channel(
                    spis: spis, isInitiator: false, suite: selection.suite, keys: keys, path: path, nat: nat,
                    firstRequest: .zero, firstExpected: MessageID(rawValue: 1), at: turn.now
                )
                return .halfOpen(
                    HalfOpen(
                        channel: channel,
                        origin: origin,
                        initiatorNonce: initiatorNonce,
                        responderNonce: responderNonce,
                        requestMessage: requestMessage,
                        responseMessage: responseMessage,
                        deadline: turn.now + policy.values.halfOpenTimeout
                    )
                )
            case .generated: preconditionFailure("a request to respond is answered with a response")
            case .finished: preconditionFailure("a request to respond is answered with a response")
            case .refused:
                return .closed(spis: spis, .invalidKeyExchange, &turn)
            }
        }

        private func send(publicValue: [UInt8], _ turn: inout Turn) -> [UInt8] {
            let method = selection.suite.keyExchange
            let header = Header(
                initiatorSPI: spis.initiator, responderSPI: spis.responder, exchange: .ikeSAInit, flags: .response,
                messageID: .zero
            )
            turn.writer.removeAll()
            var encoder = MessageEncoder(header, into: &turn.writer)
            encoder.securityAssociation([selection.proposal])
            encoder.keyExchange(KeyExchangeID(rawValue: method.rawValue), publicValue)
            encoder.nonce(responderNonce)
            encoder.natDetection(spis, path, turn.cryptography)
            encoder.finish(into: &turn.writer)
            let note = PacketNote(.ikeSAInit, isResponse: true, keyExchange: method)
            turn.sendMessage(over: path, note)
            return turn.writer.span.copied()
        }
    }

    /// Takes an IKE_SA_INIT request as the responder, and asks for what its answer needs.
    ///
    /// A request that is refused is answered at once and leaves no state (RFC 7296 sections 1.2 and 2.7).
    ///
    /// - Returns: nil when the datagram was refused, or is no such request.
    package static func respond(
        to datagram: RawSpan, over path: Path, _ origin: Origin, under policy: PeerPolicy, _ turn: inout Turn
    ) -> IKESA? {
        guard let header = try? MessageDecoder(datagram).header, header.exchange == .ikeSAInit, !header.isResponse,
            header.isFromInitiator, header.messageID == .zero, header.initiatorSPI != .zero,
            header.responderSPI == .zero,
            let contents = try? Contents(
                datagram.copied(), first: header.nextPayload, from: Header.byteCount, to: datagram.byteCount
            ), contents.has(.ikeSAInit), let nonce = try? Nonce(contents.nonce),
            let keyExchange = try? KeyExchange(contents.keyExchange)
        else {
            turn.output.report(.dropped)
            return nil
        }
        let spi = header.initiatorSPI
        let brought = KeyExchangeMethod(rawValue: keyExchange.method.rawValue)
        let allowed = policy.values.ikeProposals
        guard let selection = try? selectIKE(contents.securityAssociation, allowed: allowed, preferring: brought) else {
            refuse(spi, .noProposalChosen, over: path, &turn) { $0.notify(.noProposalChosen) }
            return nil
        }
        let method = selection.suite.keyExchange
        guard brought == method else {
            refuse(spi, .invalidKEPayload, over: path, &turn) { encoder in
                encoder.notify(.invalidKEPayload, integer: method.rawValue)
            }
            return nil
        }
        var origin = origin
        let spis = IKESPIPair(initiator: spi, responder: origin.spis.next())
        let responderNonce = turn.cryptography.octets(count: Initiation.nonceByteCount, from: &origin.material)
        // The responder's SPI is still zero in what the initiator hashed (RFC 7296 section 2.23).
        let hashed = IKESPIPair(initiator: spi, responder: .zero)
        let nat = contents.natStatus(hashed, path, turn.cryptography) ?? NATStatus()
        let randomness = turn.cryptography.secret(count: method.randomByteCount, from: &origin.material)
        turn.output.ask(
            .respond(.init(method: method, peerPublicValue: keyExchange.data.copied(), randomness: randomness))
        )
        return .responding(
            Responding(
                origin: origin,
                spis: spis,
                path: path,
                selection: selection,
                nat: nat,
                initiatorNonce: nonce.data.copied(),
                responderNonce: responderNonce,
                requestMessage: datagram.copied()
            )
        )
    }

    private static func refuse(
        _ spi: IKESPI, _ type: NotifyType, over path: Path, _ turn: inout Turn, _ notify: (inout MessageEncoder) -> Void
    ) {
        let header = Header(
            initiatorSPI: spi, responderSPI: .zero, exchange: .ikeSAInit, flags: .response, messageID: .zero
        )
        turn.writer.removeAll()
        var encoder = MessageEncoder(header, into: &turn.writer)
        notify(&encoder)
        encoder.finish(into: &turn.writer)
        turn.sendMessage(over: path, PacketNote(.refusal, isResponse: true))
        turn.output.report(.refused(type))
    }
}
