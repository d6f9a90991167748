import BasicContainers
import IKEv2
import Load
import Primitives
import Simulation
import Workload

/// The workload's faults in the order in which they begin and end; those that this end brings about or waits for.
struct FaultClock: Sendable {
    struct Change: Hashable, Sendable {
        var at: Instant
        var fault: Int
        var isEnd: Bool
    }

    private var changes: [Change] = []
    private var place = 0

    init(_ workload: Workload) {
        for (number, fault) in workload.faults.enumerated() where fault.isLive {
            changes.append(Change(at: .zero + fault.at, fault: number, isEnd: false))
            if fault.end > fault.at { changes.append(Change(at: .zero + fault.end, fault: number, isEnd: true)) }
        }
        changes.sort { ($0.at, $0.fault) < ($1.at, $1.fault) }
    }

    var next: Instant { place < changes.count ? changes[place].at : .never }

    mutating func popDue(at now: Instant) -> Change? {
        guard next <= now else { return nil }
        place += 1
        return changes[place - 1]
    }
}

extension Workload.Fault {
    /// Whether the fault is on our side of the wire, or its cost is.
    var isLive: Bool {
        switch effect {
        case .lossBurst, .pathDown, .natFlush, .natRebind, .move, .gatewayRestart: true
        // The gateway's own certificates are for its owner to change at that moment.
        case .certificateRollover(let rollover): rollover.population != nil
        // What a stranger does to packets is not ours to do to a real gateway.
        case .radiusOutage, .replay: false
        }
    }

    /// Whether somebody else has to bring it about at its moment.
    var isAwaited: Bool { if case .gatewayRestart = effect { true } else { false } }
}

extension LiveWorker {
    mutating func applyFaults() {
        while let change = faults.popDue(at: turn.now) { apply(change) }
        moveClients()
    }

    private mutating func apply(_ change: FaultClock.Change) {
        switch plan.workload.faults[change.fault].effect {
        case .lossBurst(let paths, let loss, _):
            for path in paths {
                links[path].loss = Loss(change.isEnd ? plan.workload.paths[path].loss : loss)
            }
        case .pathDown(let paths, _):
            for path in paths { links[path].isUp = change.isEnd }
        case .natFlush(let paths):
            for local in 0..<clients.count where paths.contains(clients[local].path) {
                clients[local].nat?.flush()
                if clients[local].nat != nil { disturb(local, .natRebinding) }
            }
        case .natRebind(let paths, let share):
            for local in 0..<clients.count
            where paths.contains(clients[local].path)
                && clients[local].client.place.isHit(by: change.fault, share: share, seed: plan.seed)
            {
                clients[local].nat?.rebind()
                if clients[local].nat != nil { disturb(local, .natRebinding) }
            }
        case .certificateRollover(let rollover): rollOver(rollover, fault: change.fault)
        case .gatewayRestart(let gateway, let down, _):
            // A real gateway is its owner's to restart; what that costs is measured here.
            guard !change.isEnd else { break }
            for local in 0..<clients.count where clients[local].gateway == gateway {
                disturb(local, .restart, until: turn.now + down)
            }
        case .radiusOutage, .move, .replay: break
        }
    }

    /// Changes what the same clients as in virtual time prove themselves by, and take for a proof.
    private mutating func rollOver(_ rollover: Workload.CertificateRollover, fault: Int) {
        guard let clientPlan = plansAfter[fault] else { return }
        for local in 0..<clients.count
        where clients[local].values.population == rollover.population
            && clients[local].client.place.isHit(by: fault, share: rollover.share, seed: plan.seed)
        {
            record(local) { $0.rollOver($1, by: fault, at: $2) }
            clients[local].plan = clientPlan
        }
        // Nothing comes of it by itself; an entry without an outcome would not be vouched for.
        recordOutcome()
    }
}
