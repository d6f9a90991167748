import IKEWire
import Primitives

// IKE_AUTH without SA, TSi and TSr, after which CREATE_CHILD_SA makes the first Child SA (RFC 6023).
extension PeerPolicy {
    /// Whether an initiator leaves the Child SA out of IKE_AUTH with this responder.
    func isChildless(_ answer: borrowing AcceptedAnswer) -> Bool {
        switch values.lifeCycle.childless {
        case .never, .accepted: false
        case .preferred, .required: answer.takesChildless
        }
    }

    /// Whether an initiator wants nothing to do with a responder that does not take it.
    func refusesChild(_ answer: borrowing AcceptedAnswer) -> Bool {
        values.lifeCycle.childless == .required && !answer.takesChildless
    }
}

extension Contents {
    /// Whether the IKE_AUTH request that says who the initiator is, with AUTH or before EAP, asks for no Child SA,
    /// where the responder takes that: a part of what asks for one is no request (RFC 6023 section 4).
    func isChildless(_ policy: PeerPolicy) -> Bool {
        policy.values.lifeCycle.childless == .accepted && has(.initiatorIdentification)
            && present.isDisjoint(with: .childOfIKEAuth)
    }
}

extension IKESA.Established {
    /// The initiator's side: asks for the first Child SA, unless there is no address to have one with.
    mutating func beginChildless(_ contents: borrowing Contents, _ turn: inout Turn) {
        if let error = contents.firstError {
            turn.output.report(.childRefused(error))
        } else {
            enqueue(.createChild, notBefore: turn.now)
        }
    }

    /// The responder's side: the inner addresses are assigned all the same.
    mutating func answerChildless(_ lease: InnerAddresses, requested: AddressFamilies, policy: PeerPolicy) -> FirstChild
    {
        guard !lease.isEmpty || requested.isEmpty else { return .refused(.internalAddressFailure) }
        guard !lease.isEmpty || !policy.values.requiresAddressRequest else { return .refused(.failedCPRequired) }
        innerAddresses = lease
        arePeerAddresses = !lease.isEmpty
        return .notWanted
    }
}
