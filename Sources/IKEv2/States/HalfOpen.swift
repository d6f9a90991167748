import IKECrypto
import IKEWire
import Primitives

extension IKESA {
    /// A responder that answered IKE_SA_INIT and waits for IKE_AUTH.
    package struct HalfOpen: ~Copyable {
        var channel: Channel
        var origin: Origin
        let initiatorNonce: [UInt8]
        let responderNonce: [UInt8]
        /// The initiator's IKE_SA_INIT, which its AUTH payload covers, and by which a repetition is known.
        let requestMessage: [UInt8]
        let responseMessage: [UInt8]
        let deadline: Instant

        var spis: IKESPIPair { channel.spis }

        consuming func receive(
            _ datagram: RawSpan,
            over arrival: Path,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            if datagram.elementsEqual(requestMessage.rawSpan) {
                var note = PacketNote(.ikeSAInit, isResponse: true, keyExchange: channel.suite.keyExchange)
                note.isRetransmission = true
                turn.output.send(responseMessage.rawSpan, over: arrival, note)
                turn.output.report(.answeredAgain)
                return .halfOpen(self)
            }
            switch channel.receive(datagram, over: arrival, &turn) {
            case .nothing: return .halfOpen(self)
            case .response: return .halfOpen(self)
            case .unreadableResponse: return .halfOpen(self)
            case .unreadableRequest(let exchange, let type, let data):
                guard exchange == .ikeAuth else { return drop(&turn) }
                channel.path = arrival
                return refuse(type, data: data, reason: .malformedRequest, &turn)
            case .request(let exchange, let contents):
                guard exchange == .ikeAuth else { return drop(&turn) }
                // What came by the new port is answered there (RFC 7296 section 2.23).
                channel.path = arrival
                let next = read(contents, policy: policy, &turn)
                turn.giveBack(contents.takeBuffer())
                return next
            }
        }

        /// A peer that is not known yet has no other requests.
        private consuming func drop(_ turn: inout Turn) -> IKESA {
            turn.output.report(.dropped)
            return .halfOpen(self)
        }

        private consuming func refuse(
            _ type: NotifyType,
            data: [UInt8] = [],
            reason: CloseReason,
            _ turn: inout Turn
        ) -> IKESA {
            channel.respond(.ikeAuth, PacketNote(.refusal, isResponse: true), origin: &origin, &turn) { encoder in
                encoder.notify(type, data)
            }
            return .closed(spis: channel.spis, reason, &turn)
        }

        /// Takes HDR, SK {IDi, [IDr], AUTH, [CP(CFG_REQUEST)], SAi2, TSi, TSr}.
        private consuming func read(
            _ contents: borrowing Contents,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            guard contents.has(.ikeAuthRequest) else {
                // Without AUTH the peer asks for EAP (RFC 7296 section 2.16), which no policy allows.
                let wantsEAP = contents.has(.initiatorIdentification) && !contents.has(.authentication)
                return wantsEAP
                    ? refuse(.authenticationFailed, reason: .authenticationFailed, &turn)
                    : refuse(.invalidSyntax, reason: .malformedRequest, &turn)
            }
            if let wanted = policy.values.peerIdentity,
                !contents.initiatorIdentification.elementsEqual(wanted.body(number: origin.number).rawSpan)
            {
                return refuse(.authenticationFailed, reason: .wrongIdentity, &turn)
            }
            let psk = policy.values.preSharedKey
            let isGenuine = contents.isAuthenticated(
                turn.cryptography.pskAuthentication(
                    channel.suite.prf,
                    psk: psk.rawSpan,
                    messageOctets: requestMessage.rawSpan,
                    nonce: responderNonce.rawSpan,
                    sk_p: channel.keys.pi,
                    identificationBody: contents.initiatorIdentification
                )
            )
            guard isGenuine else { return refuse(.authenticationFailed, reason: .authenticationFailed, &turn) }
            return establish(contents, policy: policy, &turn)
        }

        /// HDR, SK {IDr, AUTH, [CP(CFG_REPLY)], SAr2, TSi, TSr}, or the reason why there is no Child SA
        private consuming func establish(
            _ contents: borrowing Contents,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            let identification = policy.identification(number: 0)
            let psk = policy.values.preSharedKey
            let auth = turn.cryptography.pskAuthentication(
                channel.suite.prf,
                psk: psk.rawSpan,
                messageOctets: responseMessage.rawSpan,
                nonce: initiatorNonce.rawSpan,
                sk_p: channel.keys.pr,
                identificationBody: identification.rawSpan
            )
            let spis = channel.spis
            let request = contents.configurationRequest
            let lease = turn.lease.of(request.addresses)
            var established = Established(channel, origin, policy: policy, &turn)
            let first = established.answerFirstChild(
                contents,
                lease: lease,
                requested: request.addresses,
                initiatorNonce: initiatorNonce,
                responderNonce: responderNonce,
                policy: policy,
                &turn
            )
            established.respond(.ikeAuth, PacketNote(.ikeAuth, isResponse: true), &turn) { encoder in
                encoder.payload(.identificationResponder, identification)
                encoder.authentication(.sharedKey, auth.bytes)
                switch first {
                case .refused(let type):
                    encoder.notify(type)
                case .installed(let answer):
                    encoder.configurationReply(lease, to: request, policy)
                    encoder.answer(answer.selection, spi: answer.inbound)
                    encoder.trafficSelectors(initiator: answer.initiatorSelectors)
                    encoder.trafficSelectors(responder: answer.responderSelectors)
                }
            }
            turn.output.report(.established(spis))
            switch first {
            case .refused(let type): turn.output.report(.childRefused(type))
            case .installed(let answer):
                lease.forEachAddress { turn.output.report(.addressAssigned($0)) }
                turn.output.report(.childInstalled(inbound: answer.inbound, outbound: answer.outbound))
            }
            return .established(established)
        }

        consuming func advance(_ turn: inout Turn) -> IKESA {
            guard deadline <= turn.now else { return .halfOpen(self) }
            return .closed(spis: channel.spis, .halfOpenExpired, &turn)
        }
    }
}
