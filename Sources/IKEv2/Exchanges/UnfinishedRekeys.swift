import BasicContainers
import IKEWire
import Primitives

// Rekeys of this end that never come to an end, since their IKE SA does.
extension IKESA.Established {
    /// Says of every rekey whose request has left that it has failed.
    ///
    /// Not where the peer's own rekey has taken the IKE SA's place: then there is nothing that a rekey would be for.
    func reportUnfinished(_ reason: CloseReason, _ turn: inout Turn) {
        guard !isSuperseded, rival == nil else { return }
        if outgoing == .awaitingAnswer || outgoing == .awaitingAgreement, let purpose = draftPurpose {
            report(failed: purpose, reason, &turn)
        }
        guard let windows else { return }
        for index in 0..<windows.flights.count where windows.flights[index].outgoing == .awaitingAnswer {
            if let purpose = windows.flights[index].purpose { report(failed: purpose, reason, &turn) }
        }
    }

    /// Says that one rekey has failed; of a Child SA only as long as nothing has replaced or deleted it.
    func report(failed purpose: IKESA.Purpose, _ reason: CloseReason, _ turn: inout Turn) {
        switch purpose {
        case .child: return
        case .rekeyChild(let old):
            guard let index = childIndex(inbound: old), children[index].status == .active else { return }
            turn.output.report(.childRekeyFailed(old, reason))
        case .rekeyIKE: turn.output.report(.ikeRekeyFailed(channel.spis, reason))
        }
    }

    /// Ends the IKE SA without a Delete.
    consuming func closed(_ reason: CloseReason, _ turn: inout Turn) -> IKESA {
        reportUnfinished(reason, &turn)
        return .closed(spis: channel.spis, reason, &turn)
    }

    /// Deletes the IKE SA for what has come of an exchange.
    consuming func close(
        _ cause: IKESA.PendingTask.ClosingCause,
        failing purpose: IKESA.Purpose,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) -> IKESA {
        report(failed: purpose, cause.reason, &turn)
        return close(cause, policy: policy, &turn)
    }
}
