import IKECrypto
import IKEWire
import Primitives

extension IKESA {
    /// A responder that answered IKE_SA_INIT and waits for IKE_AUTH.
    package struct HalfOpen: ~Copyable {
        var channel: Channel
        var origin: Origin
        /// What AUTH payloads cover; a repetition is known by the request in it.
        var initial: InitialExchange
        let deadline: Instant
        /// The additional key exchanges that come before IKE_AUTH.
        var intermediate: Box<AnsweredIntermediate>?

        var spis: IKESPIPair { channel.spis }

        consuming func receive(
            _ datagram: RawSpan,
            over arrival: Path,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            if datagram.elementsEqual(initial.requestMessage.rawSpan) {
                var note = PacketNote(.ikeSAInit, isResponse: true, keyExchange: channel.suite.keyExchange)
                note.isRetransmission = true
                turn.output.send(initial.responseMessage.rawSpan, over: arrival, note)
                turn.output.report(.answeredAgain)
                return .halfOpen(self)
            }
            chooseKeys(for: datagram)
            switch channel.receive(datagram, over: arrival, &turn) {
            case .nothing: return .halfOpen(self)
            case .response: return .halfOpen(self)
            case .unreadableResponse: return .halfOpen(self)
            case .unreadableRequest(let exchange, let type, let data):
                guard exchange == .ikeAuth else { return drop(&turn) }
                channel.path = arrival
                return refuse(type, data: data, reason: .malformedRequest, &turn)
            case .request(let exchange, let contents):
                if exchange == .ikeIntermediate {
                    channel.path = arrival
                    return takeIntermediate(contents, policy: policy, &turn)
                }
                guard exchange == .ikeAuth else { return drop(&turn) }
                // What came by the new port is answered there (RFC 7296 section 2.23).
                channel.path = arrival
                guard finishIntermediate() else { return reject(contents, .malformedRequest, &turn) }
                return read(contents, policy: policy, &turn)
            }
        }

        /// A peer that is not known yet has no other requests.
        consuming func drop(_ turn: inout Turn) -> IKESA {
            turn.output.report(.dropped)
            return .halfOpen(self)
        }

        consuming func refuse(
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

        /// HDR, SK {N(AUTHENTICATION_FAILED)}, or what else the request deserves
        consuming func reject(
            _ contents: consuming Contents,
            _ reason: CloseReason,
            _ turn: inout Turn
        ) -> IKESA {
            turn.giveBack(contents.takeBuffer())
            return refuse(
                reason == .malformedRequest ? .invalidSyntax : .authenticationFailed,
                reason: reason,
                &turn
            )
        }

        /// Takes HDR, SK {IDi, [CERT, ...], [CERTREQ], [IDr], AUTH, [CP(CFG_REQUEST)], SAi2, TSi, TSr}.
        private consuming func read(
            _ contents: consuming Contents,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            let isChildless = contents.isChildless(policy)
            guard contents.has(.ikeAuthRequest) || (isChildless && contents.has(.authentication)) else {
                // Without AUTH the peer asks for EAP (RFC 7296 section 2.16).
                let wantsEAP = (contents.has(.eapAuthRequest) || isChildless) && !contents.has(.authentication)
                guard wantsEAP, let eap = policy.values.authentication.eap else {
                    return reject(contents, wantsEAP ? .authenticationFailed : .malformedRequest, &turn)
                }
                guard turn.hasBackend else { return reject(contents, .noBackend, &turn) }
                if eap.isOnly, contents.hasNotify(.eapOnlyAuthentication) {
                    return Conversing.begin(self, nil, contents, policy: policy, &turn)
                }
                return prove(contents, lease: turn.lease, policy: policy, &turn)
            }
            if let wanted = policy.values.peerIdentity,
                !contents.initiatorIdentification.elementsEqual(wanted.body(number: origin.number).rawSpan)
            {
                return reject(contents, .wrongIdentity, &turn)
            }
            switch initial.read(contents, ofInitiator: true, client: 0, channel, policy: policy, turn) {
            case .genuine: return prove(contents, lease: turn.lease, policy: policy, &turn)
            case .refused(let reason): return reject(contents, reason, &turn)
            case .signed(let request):
                turn.output.ask(.verify(request))
                return .verifying(Verifying(state: self, contents: Box(contents), lease: turn.lease))
            }
        }

        /// The peer is who it says: shows that this end knows the shared key too, or asks for a signature.
        consuming func prove(
            _ contents: consuming Contents,
            lease: InnerAddresses,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            if let credential = policy.credential(number: 0) {
                return Signing.begin(self, contents, lease: lease, credential, policy: policy, &turn)
            }
            guard let key = policy.sharedKey(of: contents.initiatorIdentification, turn) else {
                return reject(contents, .authenticationFailed, &turn)
            }
            let identification = policy.identification(number: 0)
            let code = initial.sharedKeyProof(ofInitiator: false, key.rawSpan, identification.rawSpan, channel, turn)
            return answer(Proof(sharedKey: code), contents, lease: lease, policy: policy, &turn)
        }

        /// Makes the IKE SA, or begins EAP.
        consuming func answer(
            _ proof: Proof,
            _ contents: consuming Contents,
            lease: InnerAddresses,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            contents.has(.authentication)
                ? establish(proof, contents, lease: lease, policy: policy, &turn)
                : Conversing.begin(self, proof, contents, policy: policy, &turn)
        }

        /// HDR, SK {[IDr], [CERT, ...], AUTH, [N(AUTH_LIFETIME)], [CP(CFG_REPLY)], [SAr2, TSi, TSr],
        /// [N(MOBIKE_SUPPORTED), ...]}, or the reason why there is no Child SA
        ///
        /// - Parameter contents: of the request that asks for the Child SA; behind EAP it is not the last one.
        consuming func establish(
            _ proof: Proof,
            _ contents: consuming Contents,
            lease: InnerAddresses,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            let identification = policy.identification(number: 0)
            let isAfterEAP = !contents.has(.authentication)
            let spis = channel.spis
            let request = contents.configurationRequest
            let lease = lease.of(request.addresses)
            var established = Established(channel, origin, policy: policy, &turn)
            established.beginMobility(.originalResponder, contents, policy: policy, &turn)
            let isMobile = established.channel.mobilityRole != .none
            let own = established.channel.path.local
            let first =
                contents.isChildless(policy)
                ? established.answerChildless(lease, requested: request.addresses, policy: policy)
                : established.answerFirstChild(
                    contents,
                    lease: lease,
                    requested: request.addresses,
                    initiatorNonce: initial.initiatorNonce,
                    responderNonce: initial.responderNonce,
                    policy: policy,
                    &turn
                )
            let peer = contents.initiator(policy)
            established.takeWindowSize(contents)
            turn.giveBack(contents.takeBuffer())
            var note = PacketNote(.ikeAuth, isResponse: true)
            note.isSigned = proof.method != .sharedKey
            established.respond(.ikeAuth, note, &turn) { encoder in
                if !isAfterEAP { encoder.payload(.identificationResponder, identification) }
                encoder.certificates(of: proof)
                encoder.authentication(proof)
                encoder.authenticationLifetime(policy)
                encoder.windowSize(policy)
                switch first {
                case .refused(let type):
                    encoder.notify(type)
                case .notWanted:
                    encoder.configurationReply(lease, to: request, policy)
                case .installed(let answer):
                    encoder.configurationReply(lease, to: request, policy)
                    if answer.isTransport { encoder.notify(.useTransportMode) }
                    encoder.answer(answer.selection, spi: answer.inbound)
                    encoder.trafficSelectors(initiator: answer.initiatorSelectors)
                    encoder.trafficSelectors(responder: answer.responderSelectors)
                }
                if isMobile { encoder.mobility(policy, at: own) }
            }
            established.limitAuthentication(policy: policy, turn)
            turn.output.report(.established(spis))
            if let peer { turn.output.report(peer) }
            switch first {
            case .refused(let type): turn.output.report(.childRefused(type))
            case .notWanted: lease.forEachAddress { turn.output.report(.addressAssigned($0)) }
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
