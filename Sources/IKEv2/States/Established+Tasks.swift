import BasicContainers
import IKECrypto
import IKEWire
import Primitives

extension IKESA.Established {
    mutating func enqueue(_ kind: IKESA.PendingTask.Kind, due: Instant? = nil, notBefore: Instant) {
        // Several Child SAs may be wanted, anything else is done once.
        guard kind == .createChild || !tasks.contains(where: { $0.kind == kind }) else { return }
        tasks.append(IKESA.PendingTask(kind: kind, due: due ?? notBefore, notBefore: notBefore))
    }

    /// Whether the IKE SA is deleted as soon as what is under way allows.
    var isToBeClosed: Bool { closingCause != nil }

    private var closingCause: IKESA.PendingTask.ClosingCause? {
        for task in tasks {
            if case .close(let cause) = task.kind { return cause }
        }
        return nil
    }

    consuming func command(_ command: IKESA.Command, policy: PeerPolicy, _ turn: inout Turn) -> IKESA {
        guard !isSuperseded, !isToBeClosed else { return .established(self) }
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

    /// Deletes the IKE SA, and whatever has been made of it by a rekey, as soon as the window is free.
    consuming func close(
        _ cause: IKESA.PendingTask.ClosingCause,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) -> IKESA {
        // The peer may have taken this end's rekey: the new IKE SA has to be deleted too, and is not known yet.
        guard draftPurpose != .rekeyIKE, !isAwaitingResult, !hasFlights else {
            enqueue(.close(cause), notBefore: turn.now)
            return .established(self)
        }
        if cause != .deletedHere { reportUnfinished(cause.reason, &turn) }
        leaveGaps()
        if let rival = rival.take()?.take() {
            let origin = origin.forSuccessor()
            turn.redundant = Box(
                IKESA.Closing.begin(rival.takeChannel(), origin, cause.reason, policy: policy, &turn)
            )
        }
        return IKESA.Closing.begin(channel, origin, cause.reason, policy: policy, &turn)
    }

    private var isWindowFree: Bool {
        outgoing == .idle && incoming == nil && channel.outstanding == nil && !isSuperseded
    }

    /// Begins the next exchange that waits, if the window is free.
    consuming func startNext(policy: PeerPolicy, _ turn: inout Turn) -> IKESA {
        if isWindowFree, !hasFlights {
            if let cause = closingCause { return close(cause, policy: policy, &turn) }
            if channel.isNearlyUsedUp { return close(.expired, policy: policy, &turn) }
        }
        while let index = tasks.firstIndex(where: { $0.notBefore <= turn.now }), makeRoom(for: tasks[index].kind) {
            begin(tasks.remove(at: index), policy: policy, &turn)
        }
        return .established(self)
    }

    /// Whether a task can begin now: the window is free, or wide enough for one more request.
    private mutating func makeRoom(for kind: IKESA.PendingTask.Kind) -> Bool {
        if isWindowFree, !hasFlights { return true }
        guard !isToBeClosed, mayOverlap(kind) else { return false }
        setAside()
        return true
    }

    private mutating func begin(_ task: IKESA.PendingTask, policy: PeerPolicy, _ turn: inout Turn) {
        switch task.kind {
        case .createChild:
            beginDraft(task, .child, policy: policy, &turn)
        case .rekeyChild(let spi):
            guard let child = childIndex(inbound: spi), children[child].status == .active else { return }
            beginDraft(task, .rekeyChild(spi), policy: policy, &turn)
        case .rekeyIKE:
            beginDraft(task, .rekeyIKE, policy: policy, &turn)
        case .deleteChild(let spi):
            beginDeletion(of: spi, policy: policy, &turn)
        case .checkLiveness:
            beginLivenessCheck(policy: policy, &turn)
        case .updateAddresses:
            beginAddressUpdate(due: task.due, policy: policy, &turn)
        case .checkPath:
            beginPathCheck(policy: policy, &turn)
        case .announceWindow:
            announceWindow(policy: policy, &turn)
        case .refuseChild(let spi):
            beginChildRefusal(spi, policy: policy, &turn)
        case .close:
            preconditionFailure("an IKE SA is closed before it begins anything else")
        }
    }

    /// Does what is due: retransmissions, lifetimes, keepalives, liveness checks, tasks that waited for their time.
    consuming func advance(policy: PeerPolicy, _ turn: inout Turn) -> IKESA {
        guard !isAwaitingResult else { return .established(self) }
        if followUpExpiry <= turn.now { incoming = nil }
        guard channel.retransmitIfDue(policy: policy, &turn), retransmitFlights(policy: policy, &turn) else {
            return closed(superseded ?? .timeout, &turn)
        }
        if hard <= turn.now {
            if let superseded { return .closed(spis: channel.spis, superseded, &turn) }
            hard = .never
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
        guard !isAwaitingResult else { return .never }
        var earliest = min(hard, soft, keepaliveDeadline(policy), followUpExpiry)
        earliest = min(earliest, channel.outstanding?.deadline ?? .never)
        for index in 0..<children.count { earliest = min(earliest, children[index].deadline) }
        guard isWindowFree, !hasFlights else { return min(earliest, flightDeadline) }
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
        guard isWindowFree, !hasFlights, let interval = policy.values.liveness else { return .never }
        return channel.heardAt + interval
    }
}
