import EAP
import IKECrypto
import IKEWire
import Primitives

extension IKESA {
    /// A responder in the midst of EAP: as the authenticator, or between the peer and the server that is (RFC 7296
    /// section 2.16).
    package struct Conversing: ~Copyable {
        var state: HalfOpen
        var conversation: Box<Conversation>

        var spis: IKESPIPair { state.channel.spis }

        /// What only EAP needs.
        struct Conversation: ~Copyable {
            /// The first IKE_AUTH request: who the peer is, and the Child SA that it wants.
            let request: Contents
            var phase: Phase
            /// Nil where a server behind this end is the authenticator.
            var authenticator: EAPAuthenticator?
            /// What the first answer shows beside IDr and EAP.
            let proof: Proof?
            /// Whether the first answer is still to be sent.
            var isFirst = true
            /// The Identifier of the peer's last packet.
            var identifier: UInt8 = 0
            /// What EAP has led to; empty where the method derives no key.
            var msk = SecretBytes()

            /// The body of IDi.
            var identification: [UInt8] { request.initiatorIdentification.copied() }

            consuming func takeRequest() -> Contents { request }
        }

        enum Phase {
            case conversing
            /// The server has been asked; until it answers the peer is not listened to.
            case awaitingBackend
            /// EAP has succeeded, and the peer's AUTH is to come.
            case succeeded
        }

        /// Begins EAP, by asking the server behind this end where there is one.
        static func begin(
            _ state: consuming HalfOpen,
            _ proof: Proof?,
            _ contents: consuming Contents,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            guard let eap = policy.values.authentication.eap else {
                preconditionFailure("a responder converses where its policy has EAP")
            }
            let name = contents.initiatorIdentification.copied().dropFirst(4)
            var packet = ByteWriter()
            if eap.usesBackend {
                // The server hears what the peer would have answered, had it been asked (RFC 3579 section 2.1).
                packet.eap(.response, identifier: 0, type: .identity) { $0.write(Array(name)) }
                let conversation = Conversation(request: contents, phase: .conversing, authenticator: nil, proof: proof)
                return Conversing(state: state, conversation: Box(conversation)).pass(packet.bytes, &turn)
            }
            var authenticator = policy.eapAuthenticator(eap, of: Array(name), state.origin, at: turn.now)
            let progress = authenticator.begin(cryptography: turn.cryptography, into: &packet)
            let conversation = Conversation(
                request: contents,
                phase: .conversing,
                authenticator: authenticator,
                proof: proof
            )
            let conversing = Conversing(state: state, conversation: Box(conversation))
            return conversing.go(on: progress, packet.bytes, policy: policy, &turn)
        }

        consuming func receive(
            _ datagram: RawSpan,
            over arrival: Path,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            guard conversation.value.phase != .awaitingBackend else { return drop(&turn) }
            switch state.channel.receive(datagram, over: arrival, &turn) {
            case .nothing: return .conversing(self)
            case .response: return .conversing(self)
            case .unreadableResponse: return .conversing(self)
            case .unreadableRequest(let exchange, let type, let data):
                guard exchange == .ikeAuth else { return drop(&turn) }
                return state.refuse(type, data: data, reason: .malformedRequest, &turn)
            case .request(let exchange, let contents):
                if exchange == .ikeAuth { return read(contents, policy: policy, &turn) }
                let reason = contents.reasonToEnd
                turn.giveBack(contents.takeBuffer())
                guard exchange == .informational, let reason else { return drop(&turn) }
                return end(reason, &turn)
            }
        }

        /// HDR, SK {} to a peer that does not believe this end, or has had enough (RFC 7296 section 2.21.2)
        private consuming func end(_ reason: CloseReason, _ turn: inout Turn) -> IKESA {
            let note = PacketNote(.informational, isResponse: true)
            state.channel.respond(.informational, note, origin: &state.origin, &turn) { _ in }
            return .closed(spis: state.channel.spis, reason, &turn)
        }

        /// A peer that is not known yet has no other requests, and none while one of its own is at work.
        private consuming func drop(_ turn: inout Turn) -> IKESA {
            turn.output.report(.dropped)
            return .conversing(self)
        }

        /// Takes HDR, SK {EAP}, or, behind EAP-Success, HDR, SK {AUTH}.
        private consuming func read(
            _ contents: consuming Contents,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            if conversation.value.phase == .succeeded { return finish(contents, policy: policy, &turn) }
            guard contents.has(.eap), let eap = policy.values.authentication.eap else {
                return state.reject(contents, .malformedRequest, &turn)
            }
            let octets = contents.eap.copied()
            turn.giveBack(contents.takeBuffer())
            if octets.count > 1 { conversation.value.identifier = octets[1] }
            guard turn.hasBackend else { return failWithoutBackend(policy: policy, &turn) }
            if eap.usesBackend { return pass(octets, &turn) }
            var reply = ByteWriter()
            let progress = conversation.value.authenticator?.receive(
                octets.rawSpan,
                cryptography: turn.cryptography,
                password: { eap.password(of: $0, turn) },
                into: &reply
            )
            guard let progress else { preconditionFailure("without a server this end is the authenticator") }
            return go(on: progress, reply.bytes, policy: policy, &turn)
        }

        /// Sends what the authenticator says.
        private consuming func go(
            on progress: consuming EAPProgress,
            _ packet: [UInt8],
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            switch consume progress {
            case .replied: break
            // IKE_AUTH loses nothing, so that nothing better will come.
            case .dropped: return state.refuse(.invalidSyntax, reason: .malformedRequest, &turn)
            case .failed(let failure): return fail(packet, .eapFailed(failure), policy: policy, &turn)
            case .succeeded(let success):
                conversation.value.msk = success.takeMSK()
                conversation.value.phase = .succeeded
            }
            return answer(packet, policy: policy, &turn)
        }

        /// Takes HDR, SK {AUTH}, and makes the IKE SA.
        private consuming func finish(
            _ contents: consuming Contents,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            let isGenuine = state.initial.isGenuine(
                contents,
                ofInitiator: true,
                msk: conversation.value.msk,
                conversation.value.identification.rawSpan,
                state.channel,
                turn
            )
            turn.giveBack(contents.takeBuffer())
            let proof = Proof(
                sharedKey: state.initial.proof(
                    ofInitiator: false,
                    msk: conversation.value.msk,
                    policy.identification(number: 0).rawSpan,
                    state.channel,
                    turn
                )
            )
            let request = conversation.take().takeRequest()
            guard isGenuine else { return state.reject(request, .authenticationFailed, &turn) }
            return state.establish(proof, request, lease: turn.lease, policy: policy, &turn)
        }

        consuming func advance(_ turn: inout Turn) -> IKESA {
            guard state.deadline <= turn.now else { return .conversing(self) }
            return .closed(spis: state.channel.spis, .halfOpenExpired, &turn)
        }
    }
}

// The server behind this end.
extension IKESA.Conversing {
    /// Hands a packet of the peer's on.
    private consuming func pass(_ packet: [UInt8], _ turn: inout Turn) -> IKESA {
        turn.output.ask(
            BackendRequest(
                userName: Array(conversation.value.identification.dropFirst(4)),
                eapMessage: packet,
                isFirst: conversation.value.isFirst
            )
        )
        conversation.value.phase = .awaitingBackend
        return .conversing(self)
    }

    /// Takes what the server says.
    consuming func take(
        _ answer: consuming BackendAnswer,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) -> IKESA {
        guard conversation.value.phase == .awaitingBackend else { return .conversing(self) }
        var verdict = ByteWriter()
        switch consume answer {
        case .challenge(let packet):
            conversation.value.phase = .conversing
            return self.answer(packet, policy: policy, &turn)
        case .accept(let packet, let msk):
            conversation.value.msk = msk
            conversation.value.phase = .succeeded
            verdict.eap(.success, identifier: conversation.value.identifier)
            return self.answer(packet.isEmpty ? verdict.bytes : packet, policy: policy, &turn)
        case .reject(let packet):
            verdict.eap(.failure, identifier: conversation.value.identifier)
            return fail(packet.isEmpty ? verdict.bytes : packet, .eapFailed(.rejected), policy: policy, &turn)
        case .silence: return failWithoutBackend(policy: policy, &turn)
        }
    }

    private consuming func failWithoutBackend(policy: PeerPolicy, _ turn: inout Turn) -> IKESA {
        var packet = ByteWriter()
        packet.eap(.failure, identifier: conversation.value.identifier)
        return fail(packet.bytes, .noBackend, policy: policy, &turn)
    }

    /// HDR, SK {[IDr, [CERT, ...], [AUTH]], EAP}
    private consuming func answer(_ packet: [UInt8], policy: PeerPolicy, _ turn: inout Turn) -> IKESA {
        send(packet, PacketNote(.eap, isResponse: true), policy: policy, &turn)
        return .conversing(self)
    }

    /// HDR, SK {EAP}, with which the IKE SA ends
    private consuming func fail(
        _ packet: [UInt8],
        _ reason: CloseReason,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) -> IKESA {
        send(packet, PacketNote(.refusal, isResponse: true), policy: policy, &turn)
        return .closed(spis: state.channel.spis, reason, &turn)
    }

    private mutating func send(_ packet: [UInt8], _ note: PacketNote, policy: PeerPolicy, _ turn: inout Turn) {
        let isFirst = conversation.value.isFirst
        let proof = isFirst ? conversation.value.proof : nil
        conversation.value.isFirst = false
        var note = note
        note.isSigned = proof.map { $0.method != .sharedKey } ?? false
        state.channel.respond(.ikeAuth, note, origin: &state.origin, &turn) { encoder in
            if isFirst { encoder.payload(.identificationResponder, policy.identification(number: 0)) }
            if let proof {
                encoder.certificates(of: proof)
                encoder.authentication(proof)
            }
            encoder.payload(.eap, packet)
        }
    }
}

extension Contents {
    /// Why the peer of a request wants the IKE SA to end; nil where it does not.
    fileprivate var reasonToEnd: CloseReason? {
        hasNotify(.authenticationFailed) ? .authenticationFailed : deletesIKESA ? .deletedByPeer : nil
    }
}
