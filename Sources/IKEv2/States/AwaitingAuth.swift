import IKECrypto
import IKEWire
import Primitives

extension IKESA {
    /// An initiator whose IKE_AUTH request is on its way, under keys that nobody has vouched for yet.
    package struct AwaitingAuth: ~Copyable {
        var channel: Channel
        var origin: Origin
        let initiatorNonce: [UInt8]
        let responderNonce: [UInt8]
        /// The responder's IKE_SA_INIT, which its AUTH payload covers (RFC 7296 section 2.15).
        let responseMessage: [UInt8]
        /// The SPI of the first Child SA at this end.
        let childSPI: ChildSPI

        var spis: IKESPIPair { channel.spis }
        var deadline: Instant { channel.outstanding?.deadline ?? .never }

        /// HDR, SK {IDi, [IDr], AUTH, [CP(CFG_REQUEST)], SAi2, TSi, TSr}
        static func begin(
            _ agreed: consuming AwaitingAgreement,
            _ channel: consuming Channel,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            var origin = agreed.initiation.origin
            let childSPI = origin.childSPI()
            let identification = policy.identification(number: origin.number)
            let psk = policy.values.preSharedKey
            let auth = turn.cryptography.pskAuthentication(
                channel.suite.prf,
                psk: psk.rawSpan,
                messageOctets: agreed.requestMessage.rawSpan,
                nonce: agreed.answer.nonce.rawSpan,
                sk_p: channel.keys.pi,
                identificationBody: identification.rawSpan
            )
            channel.request(
                .ikeAuth,
                PacketNote(.ikeAuth, isResponse: false, wanting: policy.values.requestedAddresses),
                origin: &origin,
                policy: policy,
                &turn
            ) { encoder in
                encoder.payload(.identificationInitiator, identification)
                if let peer = policy.peerIdentification { encoder.payload(.identificationResponder, peer) }
                encoder.authentication(.sharedKey, auth.bytes)
                encoder.configurationRequest(policy)
                encoder.offer(policy.firstChildOffer, spi: childSPI)
                encoder.trafficSelectors(initiator: policy.localOffer)
                encoder.trafficSelectors(responder: policy.values.remoteSelectors)
            }
            return .awaitingAuth(
                AwaitingAuth(
                    channel: channel,
                    origin: origin,
                    initiatorNonce: agreed.initiation.nonce,
                    responderNonce: agreed.answer.nonce,
                    responseMessage: agreed.answer.message,
                    childSPI: childSPI
                )
            )
        }

        /// Takes HDR, SK {IDr, AUTH, [CP(CFG_REPLY)], SAr2, TSi, TSr}, or a refusal.
        consuming func receive(
            _ datagram: RawSpan,
            over arrival: Path,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            switch channel.receive(datagram, over: arrival, &turn) {
            case .nothing: return .awaitingAuth(self)
            // A peer that is not known yet has no requests; it will send them again.
            case .request: return drop(&turn)
            case .unreadableRequest: return drop(&turn)
            case .unreadableResponse: return Closing.begin(channel, origin, .malformedAnswer, policy: policy, &turn)
            case .response(_, let contents):
                let next = read(contents, policy: policy, &turn)
                turn.giveBack(contents.takeBuffer())
                return next
            }
        }

        private consuming func drop(_ turn: inout Turn) -> IKESA {
            turn.output.report(.dropped)
            return .awaitingAuth(self)
        }

        /// The responder may have made the IKE SA by now, so that it is told once its answer is here.
        consuming func abandon() -> IKESA {
            .closing(Closing(channel: channel, origin: origin, reason: .deletedHere))
        }

        private consuming func read(
            _ contents: borrowing Contents,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            guard contents.has(.ikeAuthResponse) else {
                guard let error = contents.firstError else {
                    return Closing.begin(channel, origin, .malformedAnswer, policy: policy, &turn)
                }
                let reason: CloseReason = error == .authenticationFailed ? .authenticationFailed : .refused(error)
                return .closed(spis: channel.spis, reason, &turn)
            }
            if let reason = rejection(contents, policy: policy, &turn) {
                return Closing.begin(channel, origin, reason, policy: policy, &turn)
            }
            let spis = channel.spis
            var established = Established(channel, origin, policy: policy, &turn)
            turn.output.report(.established(spis))
            established.take(contents.configurationReply, &turn)
            established.takeFirstChild(
                contents,
                inbound: childSPI,
                initiatorNonce: initiatorNonce,
                responderNonce: responderNonce,
                policy: policy,
                &turn
            )
            for _ in 0..<policy.values.additionalChildren { established.enqueue(.createChild, notBefore: turn.now) }
            return established.startNext(policy: policy, &turn)
        }

        /// Why the peer is not the one that the policy wants, or nil when it is.
        private func rejection(
            _ contents: borrowing Contents,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> CloseReason? {
            let identification = contents.responderIdentification
            if let wanted = policy.peerIdentification, !identification.elementsEqual(wanted.rawSpan) {
                return .wrongIdentity
            }
            let psk = policy.values.preSharedKey
            let isGenuine = contents.isAuthenticated(
                turn.cryptography.pskAuthentication(
                    channel.suite.prf,
                    psk: psk.rawSpan,
                    messageOctets: responseMessage.rawSpan,
                    nonce: initiatorNonce.rawSpan,
                    sk_p: channel.keys.pr,
                    identificationBody: identification
                )
            )
            return isGenuine ? nil : .authenticationFailed
        }

        consuming func advance(policy: PeerPolicy, _ turn: inout Turn) -> IKESA {
            guard channel.retransmitIfDue(policy: policy, &turn) else {
                return .closed(spis: channel.spis, .timeout, &turn)
            }
            return .awaitingAuth(self)
        }
    }
}
