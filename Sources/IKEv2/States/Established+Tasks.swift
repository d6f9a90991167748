import BasicContainers
import IKECrypto
import IKEWire
import Primitives

extension IKESA.Established {
    mutating func enqueue(_ kind: IKESA.PendingTask.Kind, due: Instant? = nil, notBefore: Instant) {
        guard !tasks.contains(where: { $0.kind == kind }) else { return }
        tasks.append(IKESA.PendingTask(kind: kind, due: due ?? notBefore, notBefore: notBefore))
    }

    consuming func command(_ command: IKESA.Command, policy: PeerPolicy, _ turn: inout Turn) -> IKESA {
        guard !isSuperseded else { return .established(self) }
        switch command {
        case .createChild: enqueue(.createChild, notBefore: turn.now)
        case .rekeyIKE: enqueue(.rekeyIKE, notBefore: turn.now)
        case .checkLiveness: enqueue(.checkLiveness, notBefore: turn.now)
        case .delete: return close(.deletedHere, policy: policy, &turn)
        case .rekeyChildren:
            for index in 0..<children.count where children[index].status == .active && !children[index].isTaskQueued {
                children[index].isTaskQueued = true
                enqueue(.rekeyChild(children[index].inbound), notBefore: turn.now)
            }
        }
        return startNext(policy: policy, &turn)
    }

    /// Deletes the IKE SA, as soon as the window is free.
    consuming func close(
        _ cause: IKESA.PendingTask.ClosingCause, policy: PeerPolicy, _ turn: inout Turn
    ) -> IKESA {
        .begin(closing: channel, origin, cause.reason, policy: policy, &turn)
    }

    /// Begins the next exchange that waits, if the window is free.
    consuming func startNext(policy: PeerPolicy, _ turn: inout Turn) -> IKESA {
        while outgoing == .idle, channel.outstanding == nil, incoming == nil, !isSuperseded,
            let index = tasks.firstIndex(where: { $0.notBefore <= turn.now })
        {
            let task = tasks.remove(at: index)
            switch task.kind {
            case .createChild:
                beginDraft(.child, due: task.due, policy: policy, &turn)
            case .rekeyChild(let spi):
                guard let child = childIndex(inbound: spi), children[child].status == .active else { continue }
                beginDraft(.rekeyChild(spi), due: task.due, policy: policy, &turn)
            case .rekeyIKE:
                beginDraft(.rekeyIKE, due: task.due, policy: policy, &turn)
            case .deleteChild(let spi):
                beginDeletion(of: spi, policy: policy, &turn)
            case .checkLiveness:
                beginLivenessCheck(policy: policy, &turn)
            case .close(let cause):
                return close(cause, policy: policy, &turn)
            }
        }
        return .established(self)
    }

    /// Does what is due: retransmissions, lifetimes, keepalives, liveness checks, tasks that waited for their time.
    consuming func advance(policy: PeerPolicy, _ turn: inout Turn) -> IKESA {
        guard channel.retransmitIfDue(policy: policy, &turn) else {
            return .closed(spis: channel.spis, .timeout, &turn)
        }
        if hard <= turn.now {
            if isSuperseded { return .closed(spis: channel.spis, .rekeyed, &turn) }
            return close(.expired, policy: policy, &turn)
        }
        if soft <= turn.now {
            enqueue(.rekeyIKE, due: soft, notBefore: turn.now)
            soft = .never
        }
        enqueueDueChildren(&turn)
        if keepaliveDeadline(policy) <= turn.now { channel.sendKeepalive(&turn) }
        if livenessDeadline(policy) <= turn.now { enqueue(.checkLiveness, notBefore: turn.now) }
        return startNext(policy: policy, &turn)
    }

    private mutating func enqueueDueChildren(_ turn: inout Turn) {
        for index in 0..<children.count {
            let spi = children[index].inbound
            if children[index].hard <= turn.now || children[index].deletion <= turn.now {
                children[index].hard = .never
                children[index].deletion = .never
                enqueue(.deleteChild(spi), notBefore: turn.now)
            } else if children[index].status == .active, !children[index].isTaskQueued,
                children[index].soft <= turn.now
            {
                children[index].isTaskQueued = true
                enqueue(.rekeyChild(spi), due: children[index].soft, notBefore: turn.now)
            }
        }
    }

    func deadline(_ policy: PeerPolicy) -> Instant {
        var earliest = min(hard, soft, keepaliveDeadline(policy))
        earliest = min(earliest, channel.outstanding?.deadline ?? .never)
        for index in 0..<children.count { earliest = min(earliest, children[index].deadline) }
        guard channel.outstanding == nil, outgoing == .idle else { return earliest }
        for task in tasks { earliest = min(earliest, task.notBefore) }
        return min(earliest, livenessDeadline(policy))
    }

    /// RFC 3948 section 4: only the end behind the NAT keeps its mapping alive.
    private func keepaliveDeadline(_ policy: PeerPolicy) -> Instant {
        guard channel.nat.isLocalBehindNAT, !isSuperseded, let interval = policy.values.natKeepalive else {
            return .never
        }
        return channel.sentAt + interval
    }

    private func livenessDeadline(_ policy: PeerPolicy) -> Instant {
        guard !isSuperseded, let interval = policy.values.liveness, outgoing == .idle else { return .never }
        return channel.heardAt + interval
    }
}

extension IKESA {
    static func begin(
        closing channel: consuming Channel, _ origin: Origin, _ reason: CloseReason, policy: PeerPolicy,
        _ turn: inout Turn
    ) -> IKESA {
        Closing.begin(channel, origin, reason, policy: policy, &turn)
    }
}
