import BasicContainers
import DequeModule
import Gateway
import IKECrypto
import IKEv2
import Load
import Primitives
import Simulation

/// Where a shard stands in an event: whose machine has had its input and is still to be settled.
enum Standing: BitwiseCopyable {
    case betweenEvents
    case arrival(Int)
    /// More of the client may be due at the same instant.
    case timer(Int, EventOrder)
    case delivery(Int)
    /// The gateway's half of one attempt.
    case half(Int, attempt: UInt32)
    /// A flood's pretended initiator, and where it pretends to be.
    case flood(Int, source: UDPEndpoint)
}

// An event has two ends: an input to a machine, and what the machine wants when it needs no operation any more. In
// between the shard carries the operations out at once, or stands there until a worker has done so for several shards.
extension ClientShard {
    /// Whether an operation is asked for that was not carried out yet.
    var isWaiting: Bool { turn.output.keyExchange != nil }

    /// Ends the event in which the shard stands; false when it waits for an operation.
    mutating func finishEvent(_ outbox: inout Outbox<GatewayMessage>) -> Bool {
        while true {
            if isWaiting {
                guard !plan.gathersOperations else { return false }
                carryOut()
            }
            let standing = standing
            self.standing = .betweenEvents
            switch standing {
            case .betweenEvents: return true
            case .arrival(let local):
                settleClient(local, &outbox)
                rest(local)
                scheduleNextArrival(local)
            case .timer(let local, let order):
                settleClient(local, &outbox)
                advanceClient(local, order)
            case .delivery(let local):
                settleClient(local, &outbox)
                rest(local)
            case .half(let local, let attempt): settleHalf(local, attempt, &outbox)
            case .flood(let local, let source): settleFlood(local, source, &outbox)
            }
        }
    }

    private mutating func carryOut() {
        while let request = turn.output.keyExchange.take() { give(turn.cryptography.perform(request)) }
    }

    /// Gives the machine that waits its result; it may ask again.
    mutating func give(_ result: consuming KeyExchangeResult) {
        switch standing {
        case .arrival(let local), .timer(let local, _), .delivery(let local):
            let clientPlan = clients[local].plan
            clients[local].client.complete(result, plan: clientPlan, &turn, &tally)
        case .half(let local, let attempt):
            guard let found = halfIndex(local, attempt) else {
                preconditionFailure("a half that waits is there")
            }
            let policy = gatewayPolicies[clients[local].gateway]
            clients[local].halves[found].endpoint.complete(result, under: policy, &turn)
        case .flood(let local, _):
            let policy = clients[local].plan.policy
            pretended?.complete(result, under: policy, &turn)
        case .betweenEvents: preconditionFailure("operations are asked for in an event")
        }
    }

    /// Carries out the operations that these shards wait for, all at once.
    ///
    /// The first shard's cryptography does it: all have the same, and results depend on nothing in it.
    static func carryOut(_ waiting: [Int], of parts: borrowing Cells<RunPart>) -> LaneUse {
        var requests = RigidArray<KeyExchangeRequest?>(capacity: waiting.count)
        var results = RigidArray<KeyExchangeResult?>(capacity: waiting.count)
        for part in waiting {
            requests.append(parts[part].shard?.turn.output.keyExchange.take())
            results.append(nil)
        }
        var asked = requests.mutableSpan
        var answers = results.mutableSpan
        let counts = parts[waiting[0]].shard?.turn.cryptography.perform(&asked, into: &answers)
        for place in waiting.indices {
            guard let result = results[place].take() else {
                preconditionFailure("each request that a batch takes has a result")
            }
            parts[waiting[place]].shard?.give(result)
        }
        return LaneUse(calls: UInt64(counts?.calls ?? 0), steps: UInt64(counts?.operations ?? 0))
    }
}
