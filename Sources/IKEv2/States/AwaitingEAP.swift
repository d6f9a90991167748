import EAP
import IKECrypto
import IKEWire
import Primitives

extension IKESA {
    /// An initiator in the midst of EAP, or with its AUTH sent at the end of it (RFC 7296 section 2.16).
    package struct AwaitingEAP: ~Copyable {
        var state: AwaitingAuth
        var conversation: Box<Conversation>

        var spis: IKESPIPair { state.channel.spis }

        /// What only EAP needs.
        struct Conversation: ~Copyable {
            var peer: EAPPeer
            /// The body of IDr, which the responder's last AUTH covers.
            let responderIdentification: [UInt8]
            /// Whether the responder has shown by its own AUTH who it is.
            let isResponderProven: Bool
            /// Whether EAP has succeeded, and AUTH is on its way.
            var hasSucceeded = false
            /// Empty as long as it has not, and where the method derives no key.
            var msk = SecretBytes()
        }

        /// Takes HDR, SK {IDr, [CERT, ...], [AUTH], EAP}.
        static func begin(
            _ state: consuming AwaitingAuth,
            _ contents: consuming Contents,
            isResponderProven: Bool,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            guard let eap = policy.values.authentication.eap else {
                preconditionFailure("an initiator converses where its policy has EAP")
            }
            let conversation = Conversation(
                peer: policy.eapPeer(eap, state.origin, turn),
                responderIdentification: contents.responderIdentification.copied(),
                isResponderProven: isResponderProven
            )
            return AwaitingEAP(state: state, conversation: Box(conversation)).converse(contents, policy: policy, &turn)
        }

        consuming func receive(
            _ datagram: RawSpan,
            over arrival: Path,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            switch state.channel.receive(datagram, over: arrival, &turn) {
            case .nothing: return .awaitingEAP(self)
            case .request: return drop(&turn)
            case .unreadableRequest: return drop(&turn)
            case .unreadableResponse:
                return Closing.begin(state.channel, state.origin, .malformedAnswer, policy: policy, &turn)
            case .response(_, let contents):
                return conversation.value.hasSucceeded
                    ? finish(contents, policy: policy, &turn)
                    : converse(contents, policy: policy, &turn)
            }
        }

        /// A peer that is not known yet has no requests; it will send them again.
        private consuming func drop(_ turn: inout Turn) -> IKESA {
            turn.output.report(.dropped)
            return .awaitingEAP(self)
        }

        /// Takes HDR, SK {EAP}.
        private consuming func converse(
            _ contents: consuming Contents,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            guard contents.has(.eap) else { return refused(contents, policy: policy, &turn) }
            let isFailure = (try? EAPPacket(contents.eap).code) == .failure
            var reply = ByteWriter()
            let progress = conversation.value.peer.receive(
                contents.eap,
                cryptography: turn.cryptography,
                into: &reply
            )
            turn.giveBack(contents.takeBuffer())
            switch consume progress {
            case .replied: return send(reply.bytes, policy: policy, &turn)
            // IKE_AUTH loses nothing, so that nothing better will come.
            case .dropped: return end(.malformedAnswer, policy: policy, &turn)
            case .succeeded(let success): return succeed(success, policy: policy, &turn)
            case .failed(let failure):
                // With EAP-Failure the responder has ended the IKE SA.
                if isFailure { return .closed(spis: state.channel.spis, .eapFailed(failure), &turn) }
                return end(.eapFailed(failure), policy: policy, &turn)
            }
        }

        /// HDR, SK {EAP}
        private consuming func send(_ packet: [UInt8], policy: PeerPolicy, _ turn: inout Turn) -> IKESA {
            state.channel.request(
                .ikeAuth,
                .eap(isResponse: false),
                origin: &state.origin,
                policy: policy,
                &turn
            ) { $0.payload(.eap, packet) }
            return .awaitingEAP(self)
        }

        /// HDR, SK {AUTH}
        private consuming func succeed(
            _ success: consuming EAPSuccess,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            // RFC 5998 section 4: not every method shows who the responder is.
            guard conversation.value.isResponderProven || EAPType.safeAlone.contains(success.method) else {
                return end(.authenticationFailed, policy: policy, &turn)
            }
            conversation.value.msk = success.takeMSK()
            conversation.value.hasSucceeded = true
            let identification = policy.identification(number: state.origin.number)
            let proof = Proof(
                sharedKey: state.initial.proof(
                    ofInitiator: true,
                    msk: conversation.value.msk,
                    identification.rawSpan,
                    state.channel,
                    turn
                )
            )
            let note = PacketNote(.ikeAuth, isResponse: false, wanting: policy.values.requestedAddresses)
            state.channel.request(.ikeAuth, note, origin: &state.origin, policy: policy, &turn) {
                $0.authentication(proof)
            }
            return .awaitingEAP(self)
        }

        /// Takes HDR, SK {AUTH, [CP(CFG_REPLY)], SAr2, TSi, TSr}.
        private consuming func finish(
            _ contents: consuming Contents,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            guard contents.has(.authentication) else { return refused(contents, policy: policy, &turn) }
            let isGenuine = state.initial.isGenuine(
                contents,
                ofInitiator: false,
                msk: conversation.value.msk,
                conversation.value.responderIdentification.rawSpan,
                state.channel,
                turn
            )
            guard isGenuine else { return state.reject(contents, .authenticationFailed, policy: policy, &turn) }
            return state.establish(contents, policy: policy, &turn)
        }

        /// The responder says no, or what it says is of no use.
        private consuming func refused(
            _ contents: consuming Contents,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            let error = contents.firstError
            turn.giveBack(contents.takeBuffer())
            guard let error else { return end(.malformedAnswer, policy: policy, &turn) }
            let reason: CloseReason = error == .authenticationFailed ? .authenticationFailed : .refused(error)
            return .closed(spis: state.channel.spis, reason, &turn)
        }

        private consuming func end(_ reason: CloseReason, policy: PeerPolicy, _ turn: inout Turn) -> IKESA {
            Closing.begin(state.channel, state.origin, reason, policy: policy, &turn)
        }

        consuming func advance(policy: PeerPolicy, _ turn: inout Turn) -> IKESA {
            guard state.channel.retransmitIfDue(policy: policy, &turn) else {
                return .closed(spis: state.channel.spis, .timeout, &turn)
            }
            return .awaitingEAP(self)
        }
    }
}
