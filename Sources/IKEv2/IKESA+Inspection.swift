import BasicContainers
import IKEWire

extension IKESA {
    /// The states by name, as the transition table and results write them.
    package enum StateName: String, Sendable, CaseIterable {
        case awaitingKeyPair, awaitingSAInit, awaitingAgreement, awaitingIntermediate
        case awaitingSignature, awaitingAuth, awaitingVerdict, awaitingEAP
        case responding, halfOpen, answeringIntermediate, verifying, signing, conversing
        case established, closing, closed
    }

    package var stateName: StateName {
        switch self {
        case .awaitingKeyPair: .awaitingKeyPair
        case .awaitingSAInit: .awaitingSAInit
        case .awaitingAgreement: .awaitingAgreement
        case .awaitingIntermediate: .awaitingIntermediate
        case .awaitingSignature: .awaitingSignature
        case .awaitingAuth: .awaitingAuth
        case .awaitingVerdict: .awaitingVerdict
        case .awaitingEAP: .awaitingEAP
        case .responding: .responding
        case .halfOpen: .halfOpen
        case .answeringIntermediate: .answeringIntermediate
        case .verifying: .verifying
        case .signing: .signing
        case .conversing: .conversing
        case .established: .established
        case .closing: .closing
        case .closed: .closed
        }
    }

    package var closeReason: CloseReason? {
        switch self {
        case .closed(let reason): reason
        default: nil
        }
    }

    /// The SPIs; the responder's is zero as long as it is not known.
    package var spis: IKESPIPair? {
        switch self {
        case .awaitingKeyPair(let state): state.spis
        case .awaitingSAInit(let state): state.spis
        case .awaitingAgreement(let state): state.spis
        case .awaitingIntermediate(let state): state.spis
        case .awaitingSignature(let state): state.spis
        case .awaitingAuth(let state): state.spis
        case .awaitingVerdict(let state): state.spis
        case .awaitingEAP(let state): state.spis
        case .responding(let state): state.spis
        case .halfOpen(let state): state.spis
        case .answeringIntermediate(let state): state.spis
        case .verifying(let state): state.spis
        case .signing(let state): state.spis
        case .conversing(let state): state.spis
        case .established(let state): state.channel.spis
        case .closing(let state): state.channel.spis
        case .closed: nil
        }
    }

    /// How many octets of messages that are not whole an established IKE SA keeps (RFC 7383 section 2.6).
    package var fragmentByteCount: Int {
        switch self {
        case .established(let state): state.fragmentByteCount
        default: 0
        }
    }

    /// Visits the Child SAs of an established IKE SA.
    package func forEachChild(_ body: (borrowing ChildSA) -> Void) {
        switch self {
        case .established(let state): for index in 0..<state.children.count { body(state.children[index]) }
        default: break
        }
    }

    /// Lends the keys, message IDs and way of an IKE SA that has them; nil for one that does not.
    package func withChannel<Result>(_ body: (borrowing Channel) -> Result) -> Result? {
        switch self {
        case .awaitingIntermediate(let state): body(state.channel)
        case .awaitingSignature(let state): body(state.channel)
        case .awaitingAuth(let state): body(state.channel)
        case .awaitingVerdict(let state): body(state.state.channel)
        case .awaitingEAP(let state): body(state.state.channel)
        case .halfOpen(let state): body(state.channel)
        case .answeringIntermediate(let state): body(state.state.channel)
        case .verifying(let state): body(state.state.channel)
        case .signing(let state): body(state.state.channel)
        case .conversing(let state): body(state.state.channel)
        case .established(let state): body(state.channel)
        case .closing(let state): body(state.channel)
        case .awaitingKeyPair: nil
        case .awaitingSAInit: nil
        case .awaitingAgreement: nil
        case .responding: nil
        case .closed: nil
        }
    }

    /// Lends the keys, message IDs and way of the IKE SA that the peer made by rekeying this one, while it is open
    /// which of two rekeys counts (RFC 7296 section 2.8.2); nil where there is none.
    func withRivalChannel<Result>(_ body: (borrowing Channel) -> Result) -> Result? {
        switch self {
        case .established(let state): state.withRivalChannel(body)
        default: nil
        }
    }

    /// Says of the rekeys that wait for their answers that they have failed.
    func reportUnfinished(_ reason: CloseReason, _ turn: inout Turn) {
        switch self {
        case .established(let state): state.reportUnfinished(reason, &turn)
        default: break
        }
    }

    mutating func skipMessageIDs(to id: MessageID) {
        switch consume self {
        case .established(var state):
            state.channel.nextRequest = id
            state.channel.expectedRequest = id
            self = .established(state)
        case let other: self = other
        }
    }

    /// The state, and what goes on in it, in the words of the transition table.
    package var situation: String {
        switch self {
        case .established(let state): state.situation
        case .closing(let state): state.isDeleteSent ? "closing" : "closing, Delete waits"
        case .closed(let reason): "closed (\(reason.name))"
        default: stateName.rawValue
        }
    }
}

extension IKESA.Established {
    fileprivate var situation: String {
        var words = ["established"]
        let subject = draftPurpose.map(\.name) ?? "nothing"
        switch outgoing {
        case .idle: break
        case .awaitingKeyPair: words.append("key pair for \(subject)")
        case .awaitingAnswer: words.append("answer to \(subject)")
        case .awaitingAgreement: words.append("agreement for \(subject)")
        case .deletingChild: words.append("deleting a Child SA")
        case .checkingLiveness: words.append("checking liveness")
        case .updatingAddresses: words.append("updating addresses")
        case .checkingPath: words.append("checking return routability")
        }
        switch incoming {
        case .none: break
        case .some(let incoming): words.append("value for the peer's \(incoming.value.agreement.name)")
        }
        if rival != nil { words.append("rival") }
        if isSuperseded { words.append("superseded") }
        if isToBeClosed { words.append("to be closed") }
        return words.joined(separator: ", ")
    }
}

extension IKESA.Purpose {
    fileprivate var name: String {
        switch self {
        case .child: "create Child SA"
        case .rekeyChild: "rekey Child SA"
        case .rekeyIKE: "rekey IKE SA"
        }
    }
}

extension IKESA.IncomingExchange.Agreement {
    fileprivate var name: String {
        switch self {
        case .child(_, let replaced): replaced == nil ? "create Child SA" : "rekey Child SA"
        case .ike: "rekey IKE SA"
        }
    }
}
