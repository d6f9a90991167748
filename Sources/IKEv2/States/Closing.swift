import IKECrypto
import IKEWire
import Primitives

extension IKESA {
    /// An IKE SA whose Delete is on its way, or waits for the answer to an earlier request (RFC 7296 section 1.4.1).
    package struct Closing: ~Copyable {
        var channel: Channel
        var origin: Origin
        let reason: CloseReason
        var isDeleteSent = false

        var deadline: Instant { channel.outstanding?.deadline ?? .never }

        init(channel: consuming Channel, origin: Origin, reason: CloseReason) {
            self.channel = channel
            self.origin = origin
            self.reason = reason
        }

        static func begin(
            _ channel: consuming Channel,
            _ origin: Origin,
            _ reason: CloseReason,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            var closing = Closing(channel: channel, origin: origin, reason: reason)
            closing.sendDelete(policy: policy, &turn)
            return .closing(closing)
        }

        /// What the Delete costs the peer: an IKE SA that a rekey has replaced has no Child SAs to be torn down.
        private var operation: Operation { reason == .rekeyed || reason == .redundant ? .informational : .delete }

        /// HDR, SK {D}, at once or when the window is free again; HDR, SK {N(AUTHENTICATION_FAILED)} to a peer that is
        /// not who it should be (RFC 7296 section 2.21.2).
        private mutating func sendDelete(policy: PeerPolicy, _ turn: inout Turn) {
            guard !isDeleteSent, channel.outstanding == nil else { return }
            isDeleteSent = true
            let isGenuine = !reason.isOfAuthentication
            let note = PacketNote(operation, isResponse: false)
            channel.request(.informational, note, origin: &origin, policy: policy, &turn) { encoder in
                if isGenuine { encoder.deleteIKESA() } else { encoder.notify(.authenticationFailed) }
            }
        }

        consuming func receive(
            _ datagram: RawSpan,
            over arrival: Path,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            switch channel.receive(datagram, over: arrival, &turn) {
            case .nothing: return .closing(self)
            case .unreadableResponse: return takeResponse(policy: policy, &turn)
            case .response(let exchange, let contents):
                let isRefused = exchange == .ikeAuth && (!contents.has(.authentication) || contents.has(.eap))
                turn.giveBack(contents.takeBuffer())
                // The peer has no IKE SA that would have to be deleted, or none yet.
                if isRefused { return .closed(spis: channel.spis, reason, &turn) }
                return takeResponse(policy: policy, &turn)
            case .unreadableRequest(let exchange, let type, let data):
                respond(exchange, .refusal, &turn) { $0.notify(type, data) }
                // INVALID_SYNTAX ends the IKE SA without a Delete (RFC 7296 section 2.21.3).
                return type == .invalidSyntax ? .closed(spis: channel.spis, reason, &turn) : .closing(self)
            case .request(let exchange, let contents):
                let (deletesIKESA, cookie) = (contents.deletesIKESA, contents.cookieToReturn)
                turn.giveBack(contents.takeBuffer())
                return answer(exchange, deletesIKESA: deletesIKESA, returning: cookie, &turn)
            }
        }

        private consuming func answer(
            _ exchange: ExchangeType,
            deletesIKESA: Bool,
            returning cookie: [UInt8]?,
            _ turn: inout Turn
        ) -> IKESA {
            switch exchange {
            case .informational:
                respond(exchange, deletesIKESA ? .delete : .informational, &turn) { encoder in
                    if let cookie { encoder.notify(.cookie2, cookie) }
                }
                // Both ends delete at once: as good as an answer (RFC 7296 section 2.25.2).
                return deletesIKESA ? .closed(spis: channel.spis, reason, &turn) : .closing(self)
            default:
                // RFC 7296 section 2.25.2: it is being closed.
                respond(exchange, .refusal, &turn) { $0.notify(.temporaryFailure) }
                return .closing(self)
            }
        }

        private consuming func takeResponse(policy: PeerPolicy, _ turn: inout Turn) -> IKESA {
            if isDeleteSent { return .closed(spis: channel.spis, reason, &turn) }
            sendDelete(policy: policy, &turn)
            return .closing(self)
        }

        private mutating func respond(
            _ exchange: ExchangeType,
            _ operation: Operation,
            _ turn: inout Turn,
            _ payloads: (inout MessageEncoder) -> Void
        ) {
            channel.respond(exchange, PacketNote(operation, isResponse: true), origin: &origin, &turn, payloads)
        }

        consuming func advance(policy: PeerPolicy, _ turn: inout Turn) -> IKESA {
            guard channel.retransmitIfDue(policy: policy, &turn) else {
                // The peer does not answer: for this end the IKE SA is gone all the same.
                return .closed(spis: channel.spis, reason, &turn)
            }
            return .closing(self)
        }
    }
}

extension Contents {
    /// Whether a Delete payload names the IKE SA itself.
    var deletesIKESA: Bool {
        var payloads = sequence
        while let payload = try? payloads.next() {
            guard payload.type == .delete, let delete = try? Delete(payload.body) else { continue }
            if delete.protocolID == .ike { return true }
        }
        return false
    }

    /// The Child SAs that Delete payloads name, by the SPIs that the peer receives on.
    var deletedChildren: [ChildSPI] {
        var spis: [ChildSPI] = []
        var payloads = sequence
        while let payload = try? payloads.next() {
            guard payload.type == .delete, let delete = try? Delete(payload.body), delete.protocolID == .esp else {
                continue
            }
            for index in 0..<delete.count { spis.append(delete.childSPI(at: index)) }
        }
        return spis
    }
}
