import BasicContainers
import IKEv2
import Load
import Primitives
import Workload

/// The faults by which packets are caught at a moment, each by its number.
struct ReplayFaults {
    private(set) var active: [Int] = []

    mutating func change(_ fault: Int, _ isEnd: Bool) {
        if isEnd { active.removeAll { $0 == fault } } else { active.append(fault) }
    }
}

extension Workload.Fault {
    var isReplay: Bool {
        switch effect {
        case .replay: true
        default: false
        }
    }
}

// Somebody on the way keeps packets and sends them again, which the anti-replay window is against (RFC 4303 section
// 3.4.3). He stands at the end of the path, and sees what comes out of it.
extension ClientShard {
    mutating func replay(_ local: Int, _ handle: UInt32, _ kind: ShardEvent, from arrival: Instant) {
        for fault in replays.active {
            guard case .replay(let paths, let share, let delay, _) = plan.workload.faults[fault].effect,
                paths.contains(clients[local].path),
                clients[local].client.place.isHit(by: fault, share: share, seed: plan.seed)
            else { continue }
            let copy = packets.copy(handle)
            push(local, copy, kind, at: arrival + delay)
            packets.makeMoot(copy)
        }
    }
}
