import IKECrypto
import IKEWire
import Primitives

extension IKESA {
    /// An initiator whose IKE_AUTH request is on its way, under keys that nobody has vouched for yet.
    package struct AwaitingAuth: ~Copyable {
        var channel: Channel
        var origin: Origin
        let initial: InitialExchange
        /// The SPI of the first Child SA at this end.
        let childSPI: ChildSPI

        var spis: IKESPIPair { channel.spis }
        var deadline: Instant { channel.outstanding?.deadline ?? .never }

        /// Shows that it knows the shared key, or asks for a signature first.
        static func begin(
            _ agreed: consuming AwaitingAgreement,
            _ channel: consuming Channel,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            let origin = agreed.initiation.origin
            let initial = InitialExchange(
                requestMessage: agreed.requestMessage,
                responseMessage: agreed.answer.message,
                initiatorNonce: agreed.initiation.nonce,
                responderNonce: agreed.answer.nonce,
                peerHashes: agreed.answer.peerHashes,
                intermediate: agreed.intermediate,
                isChildless: policy.isChildless(agreed.answer)
            )
            // Without AUTH this end asks for EAP (RFC 7296 section 2.16).
            if policy.values.authentication.eap != nil {
                return send(nil, channel, origin, initial, policy: policy, &turn)
            }
            if let credential = policy.credential(number: origin.number) {
                return AwaitingSignature.begin(channel, origin, initial, credential, policy: policy, &turn)
            }
            let identification = policy.identification(number: origin.number)
            guard let key = policy.sharedKey(of: identification.rawSpan, turn) else {
                return .closed(spis: channel.spis, .authenticationFailed, &turn)
            }
            let code = initial.sharedKeyProof(ofInitiator: true, key.rawSpan, identification.rawSpan, channel, turn)
            return send(Proof(sharedKey: code), channel, origin, initial, policy: policy, &turn)
        }

        /// HDR, SK {IDi, [CERT, ...], [CERTREQ], [N(INITIAL_CONTACT)], [IDr], [AUTH], [N(SET_WINDOW_SIZE)],
        /// [CP(CFG_REQUEST)], [[N(USE_TRANSPORT_MODE)], SAi2, TSi, TSr], [N(MOBIKE_SUPPORTED),
        /// [N(ADDITIONAL_*_ADDRESS), ...]]}
        static func send(
            _ proof: Proof?,
            _ channel: consuming Channel,
            _ origin: Origin,
            _ initial: InitialExchange,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            var channel = channel
            var origin = origin
            let childSPI = origin.childSPI()
            let identification = policy.identification(number: origin.number)
            let isFirstContact = policy.isFirstContact(origin)
            var note = PacketNote(.ikeAuth, isResponse: false, wanting: policy.values.requestedAddresses)
            if let proof { note.isSigned = proof.method != .sharedKey } else { note = .eap(isResponse: false) }
            let path = channel.path
            channel.request(
                .ikeAuth,
                note,
                origin: &origin,
                policy: policy,
                &turn
            ) { encoder in
                encoder.payload(.identificationInitiator, identification)
                if let proof { encoder.certificates(of: proof) }
                encoder.certificateRequest(policy)
                if isFirstContact { encoder.notify(.initialContact) }
                if let peer = policy.peerIdentification { encoder.payload(.identificationResponder, peer) }
                if let proof { encoder.authentication(proof) } else { encoder.eapOnly(policy) }
                encoder.windowSize(policy)
                encoder.configurationRequest(policy)
                if !initial.isChildless {
                    let offered = policy.firstOffer(over: path)
                    if policy.values.childMode == .transport { encoder.notify(.useTransportMode) }
                    encoder.offer(policy.firstChildOffer, spi: childSPI)
                    encoder.trafficSelectors(initiator: offered.own)
                    encoder.trafficSelectors(responder: offered.peer)
                }
                encoder.mobility(policy, at: path.local)
            }
            return .awaitingAuth(
                AwaitingAuth(channel: channel, origin: origin, initial: initial, childSPI: childSPI)
            )
        }

        /// Takes HDR, SK {IDr, [CERT, ...], AUTH, [CP(CFG_REPLY)], SAr2, TSi, TSr}, or a refusal.
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
            case .response(_, let contents): return read(contents, policy: policy, &turn)
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
            _ contents: consuming Contents,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            guard contents.has(.ikeAuthResponse) || policy.takesEAPAlone(contents) else {
                let error = contents.firstError
                turn.giveBack(contents.takeBuffer())
                guard let error else {
                    return Closing.begin(channel, origin, .malformedAnswer, policy: policy, &turn)
                }
                let reason: CloseReason = error == .authenticationFailed ? .authenticationFailed : .refused(error)
                return .closed(spis: channel.spis, reason, &turn)
            }
            let isWanted =
                policy.peerIdentification.map { contents.responderIdentification.elementsEqual($0.rawSpan) } ?? true
            guard isWanted else { return reject(contents, .wrongIdentity, policy: policy, &turn) }
            guard contents.has(.authentication) else {
                return AwaitingEAP.begin(self, contents, isResponderProven: false, policy: policy, &turn)
            }
            let number = origin.number
            switch initial.read(contents, ofInitiator: false, client: number, channel, policy: policy, turn) {
            case .genuine: return goOn(contents, policy: policy, &turn)
            case .refused(let reason): return reject(contents, reason, policy: policy, &turn)
            case .signed(let request):
                turn.output.ask(.verify(request))
                return .awaitingVerdict(AwaitingVerdict(state: self, contents: Box(contents)))
            }
        }

        /// The peer is not the one that the policy wants.
        consuming func reject(
            _ contents: consuming Contents,
            _ reason: CloseReason,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            turn.giveBack(contents.takeBuffer())
            return Closing.begin(channel, origin, reason, policy: policy, &turn)
        }

        /// The peer is who it should be; with EAP this end has to show the same.
        consuming func goOn(
            _ contents: consuming Contents,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            policy.values.authentication.eap == nil
                ? establish(contents, policy: policy, &turn)
                : AwaitingEAP.begin(self, contents, isResponderProven: true, policy: policy, &turn)
        }

        /// Both ends are who they should be.
        consuming func establish(
            _ contents: consuming Contents,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            let spis = channel.spis
            var established = Established(channel, origin, policy: policy, &turn)
            turn.output.report(.established(spis))
            if let lifetime = contents.authenticationLifetime { turn.output.report(.authenticationLimited(lifetime)) }
            established.beginMobility(.originalInitiator, contents, policy: policy, &turn)
            established.takeWindowSize(contents)
            established.take(contents.configurationReply, &turn)
            if initial.isChildless {
                established.beginChildless(contents, &turn)
            } else {
                established.takeFirstChild(
                    contents,
                    inbound: childSPI,
                    initiatorNonce: initial.initiatorNonce,
                    responderNonce: initial.responderNonce,
                    policy: policy,
                    &turn
                )
            }
            turn.giveBack(contents.takeBuffer())
            for _ in 0..<policy.values.additionalChildren { established.enqueue(.createChild, notBefore: turn.now) }
            return established.startNext(policy: policy, &turn)
        }

        consuming func advance(policy: PeerPolicy, _ turn: inout Turn) -> IKESA {
            guard channel.retransmitIfDue(policy: policy, &turn) else {
                return .closed(spis: channel.spis, .timeout, &turn)
            }
            return .awaitingAuth(self)
        }
    }
}
