import BasicContainers
import IKECrypto
import IKEWire
import Primitives

// The exchanges of this end: what is refused (RFC 7296 sections 1.3 and 2.25).
extension IKESA.Established {
    consuming func takeRefusal(
        _ error: NotifyType,
        _ demanded: UInt16?,
        _ draft: consuming IKESA.Draft,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) -> IKESA {
        // The peer has closed the IKE SA without a Delete (RFC 7296 section 2.21.3).
        if error == .invalidSyntax {
            report(failed: draft.purpose, .refused(error), &turn)
            return closed(.refused(error), &turn)
        }
        // Refused, because the peer's own rekey of the IKE SA was first: that one counts.
        if rival != nil {
            adoptRival(policy: policy, &turn)
            return startNext(policy: policy, &turn)
        }
        if error == .invalidKEPayload, let demanded {
            return retry(draft, demanded: demanded, policy: policy, &turn)
        }
        // RFC 9370 section 2.2.4: the peer has forgotten what would follow.
        if error == .temporaryFailure || error == .stateNotFound { return postpone(draft, policy: policy, &turn) }
        giveUp(draft.purpose, .refused(error), &turn)
        return startNext(policy: policy, &turn)
    }

    /// The same exchange again with the method that the peer wants, if it was offered (RFC 7296 section 1.3).
    private consuming func retry(
        _ draft: consuming IKESA.Draft,
        demanded: UInt16,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) -> IKESA {
        var draft = draft
        guard let method = KeyExchangeMethod(rawValue: demanded), method != draft.method,
            draft.followUp == nil, draft.restarts < Initiation.mostRestarts, draft.isOffered(method, policy: policy),
            !isToBeClosed,
            isStillWanted(draft.purpose)
        else {
            giveUp(draft.purpose, .refused(.invalidKEPayload), &turn)
            return startNext(policy: policy, &turn)
        }
        draft.restarts += 1
        draft.method = method
        self.draft = Box(draft)
        ask(forKeyPair: method, &turn)
        return .established(self)
    }

    /// The same exchange again after a while, unless the peer has refused it for too long (RFC 7296 section 2.25).
    private consuming func postpone(
        _ draft: consuming IKESA.Draft,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) -> IKESA {
        guard isStillWanted(draft.purpose) else { return startNext(policy: policy, &turn) }
        let since = min(draft.failingSince, turn.now)
        guard turn.now - since < policy.values.retryLimit else {
            return close(.outOfStep, failing: draft.purpose, policy: policy, &turn)
        }
        let wait = policy.values.retryWait + origin.chance.duration(upTo: policy.values.retryWait)
        tasks.append(
            IKESA.PendingTask(
                kind: IKESA.PendingTask.Kind(draft.purpose),
                due: draft.due,
                notBefore: turn.now + wait,
                failingSince: since
            )
        )
        return startNext(policy: policy, &turn)
    }

    /// Whether an exchange still has its object: the peer may have rekeyed or deleted it meanwhile.
    private func isStillWanted(_ purpose: IKESA.Purpose) -> Bool {
        switch purpose {
        case .child, .rekeyIKE: return true
        case .rekeyChild(let old):
            guard let index = childIndex(inbound: old) else { return false }
            return children[index].status == .active
        }
    }

    mutating func giveUp(_ purpose: IKESA.Purpose, _ reason: CloseReason, _ turn: inout Turn) {
        report(failed: purpose, reason, &turn)
        switch purpose {
        case .child: if case .refused(let error) = reason { turn.output.report(.childRefused(error)) }
        case .rekeyChild(let old): giveUpRekey(of: old, reason, &turn)
        case .rekeyIKE: break
        }
    }
}

extension IKESA.Draft {
    fileprivate borrowing func isOffered(_ method: KeyExchangeMethod, policy: PeerPolicy) -> Bool {
        switch purpose {
        case .child, .rekeyChild: policy.childOffer.offers(method)
        case .rekeyIKE: policy.ikeOffer.offers(method)
        }
    }
}

extension IKESA.PendingTask.Kind {
    fileprivate init(_ purpose: IKESA.Purpose) {
        self =
            switch purpose {
            case .child: .createChild
            case .rekeyChild(let old): .rekeyChild(old)
            case .rekeyIKE: .rekeyIKE
            }
    }
}
