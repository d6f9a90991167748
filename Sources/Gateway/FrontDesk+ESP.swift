import Primitives
import Simulation

// What becomes of ESP packets, where they take time.
extension FrontDesk {
    mutating func admit(_ arrival: ESPArrival, _ outbox: inout Outbox<GatewayMessage>) {
        guard var pool = esp.take() else { preconditionFailure("shards ask a desk that has a pool") }
        defer { esp = pool }
        // It came F ago: what was lost since then has taken it along.
        let isLost = isDown || now - settings.internalLatency < pool.resetAt
        let span = isLost ? nil : pool.take(arrival.byteCount, at: now)
        if let span {
            metrics.esp.serve(from: now, start: span.start, end: span.end, down: nextDown)
        }
        if !isLost { metrics.esp.raisePeak(pool.waitingCount(at: now), at: now) }
        // Whatever becomes of a packet, its shard hears of it behind those that it sent before.
        let leaving = pool.leave(arrival.client, isFromBehind: arrival.isFromBehind, at: span?.end ?? now)
        let isInTime = !isDown && leaving + settings.internalLatency < nextDown
        let action: JobCompletion.Action
        if span != nil, isInTime {
            action = arrival.isFromBehind ? .sealPacket : .openPacket
        } else {
            let reason: DropReason = isLost || span != nil ? .down : .queueFull
            metrics.esp.drop(reason)
            action = .losePacket(reason, isFromBehind: arrival.isFromBehind)
        }
        complete(arrival, at: isDown ? leaving : min(leaving, nextDown), action, &outbox)
    }

    private mutating func complete(
        _ arrival: ESPArrival,
        at leaving: Instant,
        _ action: JobCompletion.Action,
        _ outbox: inout Outbox<GatewayMessage>
    ) {
        let size = UInt64(arrival.byteCount) << 1 | (arrival.isFromBehind ? 1 : 0)
        record(.esp, arrival.order.count, UInt64(arrival.client) << 32 | size, leaving.nanoseconds)
        let time = leaving + settings.internalLatency
        let order = completionOrder(at: time)
        let half = HalfID(client: arrival.client, attempt: 0)
        let completion = JobCompletion(order: order, half: half, packet: arrival.packet, action: action)
        outbox.send(.completion(completion), to: Int(arrival.shard), arriving: time)
    }
}
