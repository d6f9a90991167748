package import BasicContainers
import IKECrypto
import IKEWire
import Primitives

extension IKESA {
    /// An IKE SA that both ends have vouched for, with its Child SAs and what is going on between the ends.
    package struct Established: ~Copyable {
        package internal(set) var channel: Channel
        var origin: Origin
        package internal(set) var children = UniqueArray<ChildSA>()
        /// The request of this end that is under way.
        var outgoing = Outgoing.idle
        /// This end's CREATE_CHILD_SA exchange, if that is what is under way.
        var draft: Draft?
        /// The peer's CREATE_CHILD_SA request that waits for a key exchange.
        var incoming: IncomingExchange?
        /// The IKE SA that the peer made by rekeying this one while this end's own rekey was under way.
        var rival: Rival?
        var tasks: [PendingTask] = []
        /// When a rekey of the IKE SA is due, or `.never`.
        var soft: Instant
        /// When the IKE SA must be gone, or `.never`.
        var hard: Instant
        /// Another IKE SA has inherited the Child SAs; this one waits for the peer's Delete.
        var isSuperseded = false

        init(_ channel: consuming Channel, _ origin: Origin, policy: PeerPolicy, _ turn: inout Turn) {
            var origin = origin
            let lifetime = policy.values.ikeLifetime
            soft = origin.softDeadline(lifetime, from: turn.now)
            hard = lifetime.hard.map { turn.now + $0 } ?? .never
            self.channel = channel
            self.origin = origin
        }
    }

    /// Which answer an established IKE SA waits for.
    enum Outgoing: Hashable, Sendable, BitwiseCopyable {
        case idle
        case awaitingKeyPair
        case awaitingAnswer
        case awaitingAgreement
        case deletingChild(ChildSPI)
        case checkingLiveness
    }

    /// Something that waits for the window to be free.
    struct PendingTask: Hashable, Sendable, BitwiseCopyable {
        enum Kind: Hashable, Sendable, BitwiseCopyable {
            case createChild
            case rekeyChild(ChildSPI)
            case rekeyIKE
            case deleteChild(ChildSPI)
            case checkLiveness
            case close(ClosingCause)
        }
        enum ClosingCause: Hashable, Sendable, BitwiseCopyable {
            case deletedHere
            case expired
            case malformedAnswer
        }

        let kind: Kind
        /// When it was asked for, or when its soft lifetime ended: latency counts from here.
        let due: Instant
        var notBefore: Instant
    }
}

extension IKESA.PendingTask.ClosingCause {
    var reason: CloseReason {
        switch self {
        case .deletedHere: .deletedHere
        case .expired: .expired
        case .malformedAnswer: .malformedAnswer
        }
    }
}

extension IKESA.Established {
    /// Takes a datagram that came for this IKE SA.
    consuming func receive(
        _ datagram: RawSpan, over arrival: Path, policy: PeerPolicy, _ turn: inout Turn
    ) -> IKESA {
        precondition(incoming == nil, "a machine takes no input while it waits for an operation")
        switch channel.receive(datagram, over: arrival, &turn) {
        case .nothing: return .established(self)
        case .request(let exchange, let contents):
            return takeRequest(exchange, contents, policy: policy, &turn)
        case .response(_, let contents):
            return takeResponse(contents, policy: policy, &turn)
        case .unreadableRequest(let exchange, let type, let data):
            respond(exchange, PacketNote(.refusal, isResponse: true), &turn) { $0.notify(type, data) }
            // Syntax that is wrong inside of genuine octets ends the IKE SA (RFC 7296 section 2.21.3).
            guard type == .invalidSyntax else { return .established(self) }
            return .closed(spis: channel.spis, .malformedAnswer, &turn)
        case .unreadableResponse:
            return close(.malformedAnswer, policy: policy, &turn)
        }
    }

    private consuming func takeRequest(
        _ exchange: ExchangeType, _ contents: borrowing Contents, policy: PeerPolicy, _ turn: inout Turn
    ) -> IKESA {
        switch exchange {
        case .informational:
            return takeInformational(contents, policy: policy, &turn)
        case .createChildSA:
            if contents.has(.createChild) {
                takeChildRequest(contents, policy: policy, &turn)
            } else if contents.has(.rekeyIKE) {
                takeRekeyRequest(contents, policy: policy, &turn)
            } else {
                refuse(.invalidSyntax, &turn)
            }
            guard incoming == nil else { return .established(self) }
            return startNext(policy: policy, &turn)
        default:
            respond(exchange, PacketNote(.refusal, isResponse: true), &turn) { $0.notify(.invalidSyntax) }
            return .established(self)
        }
    }

    private consuming func takeResponse(
        _ contents: borrowing Contents, policy: PeerPolicy, _ turn: inout Turn
    ) -> IKESA {
        switch outgoing {
        case .idle, .awaitingKeyPair, .awaitingAgreement:
            preconditionFailure("a response is taken only while a request is outstanding")
        case .awaitingAnswer:
            return takeDraftAnswer(contents, policy: policy, &turn)
        case .deletingChild(let spi):
            outgoing = .idle
            removeChild(inbound: spi, &turn)
        case .checkingLiveness:
            outgoing = .idle
            turn.output.report(.alive)
        }
        return startNext(policy: policy, &turn)
    }

    /// Takes the result of a key exchange operation, the peer's exchange first since it was asked for last.
    consuming func complete(
        _ result: consuming KeyExchangeResult, policy: PeerPolicy, _ turn: inout Turn
    ) -> IKESA {
        if let incoming = incoming.take() {
            finishIncoming(incoming, result, policy: policy, &turn)
            return startNext(policy: policy, &turn)
        }
        switch outgoing {
        case .awaitingKeyPair:
            sendDraft(result, policy: policy, &turn)
            return .established(self)
        case .awaitingAgreement:
            return finishDraft(result, policy: policy, &turn)
        case .idle, .awaitingAnswer, .deletingChild, .checkingLiveness:
            return .established(self)
        }
    }

    mutating func respond(
        _ exchange: ExchangeType, _ note: PacketNote, _ turn: inout Turn, _ payloads: (inout MessageEncoder) -> Void
    ) {
        channel.respond(exchange, note, origin: &origin, &turn, payloads)
    }

    /// HDR, SK {N(error)}: the request of a CREATE_CHILD_SA exchange is refused.
    mutating func refuse(_ type: NotifyType, _ turn: inout Turn) {
        respond(.createChildSA, PacketNote(.refusal, isResponse: true), &turn) { $0.notify(type) }
    }
}
