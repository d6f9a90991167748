package import IKECrypto
import IKEWire
package import Primitives

/// One IKE SA, at either of its ends: the machine of RFC 7296.
///
/// Octets and the moment go in; datagrams, reports and the next deadline come out. It does no input or output, reads
/// no clock and holds no callback. Where it needs an expensive operation it asks for it in the turn's output, and
/// takes no other input until `complete` gives the result.
package enum IKESA: ~Copyable {
    // The initiator, before its IKE SA is established.
    case awaitingKeyPair(AwaitingKeyPair)
    case awaitingSAInit(AwaitingSAInit)
    case awaitingAgreement(AwaitingAgreement)
    case awaitingIntermediate(AwaitingIntermediate)
    case awaitingSignature(AwaitingSignature)
    case awaitingAuth(AwaitingAuth)
    case awaitingVerdict(AwaitingVerdict)
    case awaitingEAP(AwaitingEAP)
    // The responder, before its IKE SA is established.
    case responding(Responding)
    case halfOpen(HalfOpen)
    case answeringIntermediate(AnsweringIntermediate)
    case verifying(Verifying)
    case signing(Signing)
    case conversing(Conversing)
    // Either end.
    case established(Established)
    case closing(Closing)
    case closed(CloseReason)

    /// What the driver asks of an IKE SA.
    package enum Command: Hashable, Sendable, CaseIterable {
        case createChild
        case rekeyChildren
        case rekeyIKE
        case checkLiveness
        case delete
    }

    /// Starts as the initiator, by asking for a key pair.
    package static func initiate(
        _ origin: Origin,
        over route: Route,
        under policy: PeerPolicy,
        _ turn: inout Turn
    ) -> IKESA {
        var initiation = Initiation(origin: origin, route: route, policy: policy, &turn)
        initiation.askForKeyPair(&turn)
        return .awaitingKeyPair(AwaitingKeyPair(initiation: initiation))
    }

    /// Takes a datagram that came for this IKE SA, its non-ESP marker removed; while a result is awaited it is dropped.
    package mutating func receive(
        _ datagram: RawSpan,
        over path: Path,
        under policy: PeerPolicy,
        _ turn: inout Turn
    ) {
        self =
            switch consume self {
            case .awaitingKeyPair(let state): .drop(.awaitingKeyPair(state), &turn)
            case .awaitingSAInit(let state): state.receive(datagram, policy: policy, &turn)
            case .awaitingAgreement(let state): .drop(.awaitingAgreement(state), &turn)
            case .awaitingIntermediate(let state): state.receive(datagram, over: path, policy: policy, &turn)
            case .awaitingSignature(let state): .drop(.awaitingSignature(state), &turn)
            case .awaitingAuth(let state): state.receive(datagram, over: path, policy: policy, &turn)
            case .awaitingVerdict(let state): .drop(.awaitingVerdict(state), &turn)
            case .awaitingEAP(let state): state.receive(datagram, over: path, policy: policy, &turn)
            case .responding(let state): .drop(.responding(state), &turn)
            case .halfOpen(let state): state.receive(datagram, over: path, policy: policy, &turn)
            case .answeringIntermediate(let state): .drop(.answeringIntermediate(state), &turn)
            case .verifying(let state): .drop(.verifying(state), &turn)
            case .signing(let state): .drop(.signing(state), &turn)
            case .conversing(let state): state.receive(datagram, over: path, policy: policy, &turn)
            case .established(let state): state.receive(datagram, over: path, policy: policy, &turn)
            case .closing(let state): state.receive(datagram, over: path, policy: policy, &turn)
            case .closed(let reason): .drop(.closed(reason), &turn)
            }
    }

    /// Takes the result of the operation that was asked for; a result that nobody waits for changes nothing.
    package mutating func complete(
        _ result: consuming KeyExchangeResult,
        under policy: PeerPolicy,
        _ turn: inout Turn
    ) {
        self =
            switch consume self {
            case .awaitingKeyPair(let state): state.complete(result, policy: policy, &turn)
            case .awaitingSAInit(let state): .awaitingSAInit(state)
            case .awaitingAgreement(let state): state.complete(result, policy: policy, &turn)
            case .awaitingIntermediate(let state): state.complete(result, policy: policy, &turn)
            case .awaitingSignature(let state): state.complete(result, policy: policy, &turn)
            case .awaitingAuth(let state): .awaitingAuth(state)
            case .awaitingVerdict(let state): state.complete(result, policy: policy, &turn)
            case .awaitingEAP(let state): .awaitingEAP(state)
            case .responding(let state): state.complete(result, policy: policy, &turn)
            case .halfOpen(let state): .halfOpen(state)
            case .answeringIntermediate(let state): state.complete(result, policy: policy, &turn)
            case .verifying(let state): state.complete(result, policy: policy, &turn)
            case .signing(let state): state.complete(result, policy: policy, &turn)
            case .conversing(let state): .conversing(state)
            case .established(let state): state.complete(result, policy: policy, &turn)
            case .closing(let state): .closing(state)
            case .closed(let reason): .closed(reason)
            }
    }

    /// Takes what the server behind this end says; an answer that nobody waits for changes nothing.
    package mutating func take(_ answer: consuming BackendAnswer, under policy: PeerPolicy, _ turn: inout Turn) {
        switch consume self {
        case .conversing(let state): self = state.take(answer, policy: policy, &turn)
        case let other: self = other
        }
    }

    /// Does what is due at `turn.now`; before the deadline that is nothing.
    package mutating func advance(under policy: PeerPolicy, _ turn: inout Turn) {
        self =
            switch consume self {
            case .awaitingKeyPair(let state): .awaitingKeyPair(state)
            case .awaitingSAInit(let state): state.advance(policy: policy, &turn)
            case .awaitingAgreement(let state): .awaitingAgreement(state)
            case .awaitingIntermediate(let state): state.advance(policy: policy, &turn)
            case .awaitingSignature(let state): .awaitingSignature(state)
            case .awaitingAuth(let state): state.advance(policy: policy, &turn)
            case .awaitingVerdict(let state): .awaitingVerdict(state)
            case .awaitingEAP(let state): state.advance(policy: policy, &turn)
            case .responding(let state): .responding(state)
            case .halfOpen(let state): state.advance(&turn)
            case .answeringIntermediate(let state): .answeringIntermediate(state)
            case .verifying(let state): .verifying(state)
            case .signing(let state): .signing(state)
            case .conversing(let state): state.advance(&turn)
            case .established(let state): state.advance(policy: policy, &turn)
            case .closing(let state): state.advance(policy: policy, &turn)
            case .closed(let reason): .closed(reason)
            }
    }

    /// Takes a command of the driver; before the IKE SA is established, `delete` ends it and others change nothing.
    package mutating func command(_ command: Command, under policy: PeerPolicy, _ turn: inout Turn) {
        self =
            switch consume self {
            case .awaitingKeyPair(let state):
                command == .delete ? .closed(spis: state.spis, .deletedHere, &turn) : .awaitingKeyPair(state)
            case .awaitingSAInit(let state):
                command == .delete ? .closed(spis: state.spis, .deletedHere, &turn) : .awaitingSAInit(state)
            case .awaitingAgreement(let state):
                command == .delete ? .closed(spis: state.spis, .deletedHere, &turn) : .awaitingAgreement(state)
            case .awaitingIntermediate(let state):
                command == .delete ? .closed(spis: state.spis, .deletedHere, &turn) : .awaitingIntermediate(state)
            case .awaitingSignature(let state):
                command == .delete ? .closed(spis: state.spis, .deletedHere, &turn) : .awaitingSignature(state)
            case .awaitingAuth(let state):
                command == .delete ? state.abandon() : .awaitingAuth(state)
            case .awaitingVerdict(let state):
                command == .delete ? state.abandon(policy: policy, &turn) : .awaitingVerdict(state)
            case .awaitingEAP(let state):
                command == .delete ? state.state.abandon() : .awaitingEAP(state)
            case .responding(let state):
                command == .delete ? .closed(spis: state.spis, .deletedHere, &turn) : .responding(state)
            case .halfOpen(let state):
                command == .delete ? .closed(spis: state.spis, .deletedHere, &turn) : .halfOpen(state)
            case .answeringIntermediate(let state):
                command == .delete ? .closed(spis: state.spis, .deletedHere, &turn) : .answeringIntermediate(state)
            case .verifying(let state):
                command == .delete ? .closed(spis: state.spis, .deletedHere, &turn) : .verifying(state)
            case .signing(let state):
                command == .delete ? .closed(spis: state.spis, .deletedHere, &turn) : .signing(state)
            case .conversing(let state):
                command == .delete ? .closed(spis: state.spis, .deletedHere, &turn) : .conversing(state)
            case .established(let state): state.command(command, policy: policy, &turn)
            case .closing(let state): .closing(state)
            case .closed(let reason): .closed(reason)
            }
    }

    /// When `advance` has something to do next, or `.never`.
    package func deadline(under policy: PeerPolicy) -> Instant {
        switch self {
        case .awaitingKeyPair: .never
        case .awaitingAgreement: .never
        case .answeringIntermediate: .never
        case .awaitingSignature: .never
        case .awaitingVerdict: .never
        case .responding: .never
        case .verifying: .never
        case .signing: .never
        case .closed: .never
        case .awaitingSAInit(let state): state.deadline
        case .awaitingIntermediate(let state): state.deadline
        case .awaitingAuth(let state): state.deadline
        case .awaitingEAP(let state): state.state.deadline
        case .halfOpen(let state): state.deadline
        case .conversing(let state): state.state.deadline
        case .established(let state): state.deadline(policy)
        case .closing(let state): state.deadline
        }
    }

    /// Takes no notice of a datagram.
    private static func drop(_ state: consuming IKESA, _ turn: inout Turn) -> IKESA {
        turn.output.report(.dropped)
        return state
    }

    /// Ends the machine, and says so.
    static func closed(spis: IKESPIPair, _ reason: CloseReason, _ turn: inout Turn) -> IKESA {
        turn.output.report(.closed(spis, reason))
        return .closed(reason)
    }
}
