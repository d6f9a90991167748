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
        var draft: Box<Draft>?
        /// The peer's CREATE_CHILD_SA request that waits for a key exchange, or for the one that follows it.
        var incoming: Box<IncomingExchange>?
        /// The IKE SA that the peer made by rekeying this one while this end's own rekey was under way.
        var rival: Box<Rival>?
        var tasks: [PendingTask] = []
        /// When a rekey of the IKE SA is due, or `.never`.
        var soft: Instant
        /// When the IKE SA must be gone, or `.never`.
        var hard: Instant
        /// What few IKE SAs have.
        var extras: Extras?
        /// The inner addresses that the Configuration payload gave, to this end or to the peer.
        var innerAddresses = InnerAddresses()
        /// Why this IKE SA waits for the peer's Delete: another one has the Child SAs.
        var superseded: CloseReason?
        /// Whether they were given to the peer.
        var arePeerAddresses = false

        init(_ channel: consuming Channel, _ origin: Origin, policy: PeerPolicy, _ turn: inout Turn) {
            var origin = origin
            let lifetime = policy.values.ikeLifetime
            soft = origin.softDeadline(lifetime, from: turn.now)
            hard = lifetime.hard.map { turn.now + $0 } ?? .never
            self.channel = channel
            self.origin = origin
            self.channel.forgetAuthentication()
            if policy.values.lifeCycle.windowSize > 1 {
                extras = Extras()
                extras?.windows = Windows(size: policy.values.lifeCycle.windowSize)
            }
        }

        /// Goes on after a rest.
        init(_ channel: consuming Channel, _ origin: Origin, soft: Instant, hard: Instant) {
            self.channel = channel
            self.origin = origin
            self.soft = soft
            self.hard = hard
        }

        var isSuperseded: Bool { superseded != nil }
    }

    /// Which answer an established IKE SA waits for.
    enum Outgoing: Hashable, Sendable, BitwiseCopyable {
        case idle
        case awaitingKeyPair
        case awaitingAnswer
        case awaitingAgreement
        case deletingChild(ChildSPI)
        case checkingLiveness
        case updatingAddresses
        case checkingPath
    }

    /// Something that waits for the window to be free.
    struct PendingTask: Hashable, Sendable, BitwiseCopyable {
        enum Kind: Hashable, Sendable, BitwiseCopyable {
            case createChild
            case rekeyChild(ChildSPI)
            case rekeyIKE
            case deleteChild(ChildSPI)
            case checkLiveness
            case updateAddresses
            case checkPath
            case announceWindow
            /// The peer sends to a Child SA that this end does not have.
            case refuseChild(ChildSPI)
            case close(ClosingCause)
        }
        enum ClosingCause: Hashable, Sendable, BitwiseCopyable {
            case deletedHere
            case expired
            case malformedAnswer
            /// TEMPORARY_FAILURE for too long: the ends are not in the same state.
            case outOfStep
            /// The peer takes no address that this end has (RFC 4555 section 4.1).
            case immovable(NotifyType)
        }

        let kind: Kind
        /// When it was asked for, or when its soft lifetime ended: latency counts from here.
        let due: Instant
        var notBefore: Instant
        /// Since when the peer has answered with TEMPORARY_FAILURE, or `.never`.
        var failingSince = Instant.never
    }
}

extension IKESA.PendingTask.ClosingCause {
    var reason: CloseReason {
        switch self {
        case .deletedHere: .deletedHere
        case .expired: .expired
        case .malformedAnswer: .malformedAnswer
        case .outOfStep: .refused(.temporaryFailure)
        case .immovable(let type): .refused(type)
        }
    }
}

extension IKESA.Established {
    /// Whether a result has to come before anything else is taken.
    var isAwaitingResult: Bool { isComputingAnswer || outgoing == .awaitingKeyPair || outgoing == .awaitingAgreement }

    /// Takes a datagram that came for this IKE SA.
    consuming func receive(
        _ datagram: RawSpan,
        over arrival: Path,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) -> IKESA {
        guard !isAwaitingResult else {
            turn.output.report(.dropped)
            return .established(self)
        }
        if channel.isSaidToBeUnknown(datagram) {
            return takeHint(.unknownToPeer(channel.spis), policy: policy, &turn)
        }
        if let report = childSaidToBeUnknown(datagram, over: arrival) { return takeHint(report, policy: policy, &turn) }
        if windows != nil { enterWindow(datagram) }
        switch channel.receive(datagram, over: arrival, &turn) {
        case .nothing:
            leaveWindow()
            return .established(self)
        case .request(let exchange, let contents):
            let next = takeRequest(exchange, contents, policy: policy, &turn)
            turn.giveBack(contents.takeBuffer())
            return next
        case .response(_, let contents):
            let next = takeResponse(contents, policy: policy, &turn)
            turn.giveBack(contents.takeBuffer())
            return next
        case .unreadableRequest(let exchange, let type, let data):
            guard type != .invalidSyntax else { return refuseSyntax(exchange, &turn) }
            respond(exchange, PacketNote(.refusal, isResponse: true), &turn) { $0.notify(type, data) }
            return startNext(policy: policy, &turn)
        case .unreadableResponse:
            reportUnfinished(.malformedAnswer, &turn)
            draft = nil
            outgoing = .idle
            return close(.malformedAnswer, policy: policy, &turn)
        }
    }

    private consuming func takeRequest(
        _ exchange: ExchangeType,
        _ contents: borrowing Contents,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) -> IKESA {
        switch exchange {
        case .informational:
            return takeInformational(contents, policy: policy, &turn)
        case .createChildSA where incoming != nil:
            // What the peer has begun before is not done.
            return goOn(refuse(.temporaryFailure, &turn), exchange, policy: policy, &turn)
        case .ikeFollowupKE:
            return goOn(takeFollowUpRequest(contents, &turn), exchange, policy: policy, &turn)
        case .createChildSA:
            var handling = IKESA.Handling.malformed
            if contents.has(.createChild) {
                handling = takeChildRequest(contents, policy: policy, &turn)
            } else if contents.has(.rekeyIKE) {
                handling = takeRekeyRequest(contents, policy: policy, &turn)
            }
            return goOn(handling, exchange, policy: policy, &turn)
        default:
            return refuseSyntax(exchange, &turn)
        }
    }

    private consuming func goOn(
        _ handling: IKESA.Handling,
        _ exchange: ExchangeType,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) -> IKESA {
        switch handling {
        case .taken: startNext(policy: policy, &turn)
        case .malformed: refuseSyntax(exchange, &turn)
        }
    }

    /// HDR, SK {N(INVALID_SYNTAX)}, which ends the IKE SA at both ends (RFC 7296 section 2.21.3).
    private consuming func refuseSyntax(_ exchange: ExchangeType, _ turn: inout Turn) -> IKESA {
        respond(exchange, PacketNote(.refusal, isResponse: true), &turn) { $0.notify(.invalidSyntax) }
        return closed(.malformedRequest, &turn)
    }

    private consuming func takeResponse(
        _ contents: borrowing Contents,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) -> IKESA {
        switch outgoing {
        case .awaitingAnswer:
            return takeDraftAnswer(contents, policy: policy, &turn)
        case .deletingChild(let spi):
            removeChild(inbound: spi, &turn)
        case .checkingLiveness:
            turn.output.report(.alive)
            noteMapping(contents, &turn)
        case .updatingAddresses, .checkingPath:
            if let cause = takeReturnedCookie(contents, &turn) {
                outgoing = .idle
                return close(cause, policy: policy, &turn)
            }
        case .idle, .awaitingKeyPair, .awaitingAgreement:
            preconditionFailure("a response is taken only while a request is outstanding")
        }
        outgoing = .idle
        // The peer has closed the IKE SA without a Delete (RFC 7296 section 2.21.3).
        if contents.hasNotify(.invalidSyntax) {
            return closed(.refused(.invalidSyntax), &turn)
        }
        return startNext(policy: policy, &turn)
    }

    /// Takes the result of a key exchange operation, the peer's exchange first since it was asked for last.
    consuming func complete(
        _ result: consuming KeyExchangeResult,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) -> IKESA {
        if isComputingAnswer, let incoming = incoming.take()?.take() {
            let exchange: ExchangeType = incoming.followUp == nil ? .createChildSA : .ikeFollowupKE
            let handling = finishIncoming(incoming, result, policy: policy, &turn)
            return goOn(handling, exchange, policy: policy, &turn)
        }
        switch outgoing {
        case .awaitingKeyPair: return sendDraft(result, policy: policy, &turn)
        case .awaitingAgreement: return finishDraft(result, policy: policy, &turn)
        case .idle, .awaitingAnswer, .deletingChild, .checkingLiveness, .updatingAddresses, .checkingPath:
            return .established(self)
        }
    }

    mutating func respond(
        _ exchange: ExchangeType,
        _ note: PacketNote,
        _ turn: inout Turn,
        _ payloads: (inout MessageEncoder) -> Void
    ) {
        channel.respond(exchange, note, origin: &origin, &turn, payloads)
        keepAnswer()
    }
}
