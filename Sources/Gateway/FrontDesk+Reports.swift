import Primitives
import Simulation

// What halves say about themselves, and their timers.
extension FrontDesk {
    mutating func take(_ report: HalfReport) {
        guard report.boot == boot else { return }
        record(
            .report,
            report.half.packed,
            report.deadline.nanoseconds,
            UInt64(report.generation) << 8 | UInt64(report.transition.rawValue)
        )
        guard let id = halves.id(of: report.half) ?? adopt(report) else { return }
        metrics.childSAs += Int(report.childSAChange)
        switch report.transition {
        case .none: break
        case .halfOpened:
            if halves[id].state != .established { halves[id].state = .halfOpen }
        case .established: halves.establish(id)
        case .ended, .refused:
            forget(id)
            return
        }
        halves.use(report.spi, for: id)
        // Generations may wrap around; a difference tells which is newer.
        guard Int32(bitPattern: report.generation &- halves[id].generation) > 0 else { return }
        halves[id].generation = report.generation
        halves[id].deadline = report.deadline
        halves[id].setTimer(report.operation, report.keyExchange)
        if report.deadline != .never { book(id) }
    }

    /// A half that is there although its record is not: it was refused once, and its next try was quicker than the
    /// report of that.
    private mutating func adopt(_ report: HalfReport) -> SlotID? {
        switch report.transition {
        case .halfOpened: halves.insert(report.half, shard: report.shard, source: 0, state: .halfOpen)
        case .established: halves.insert(report.half, shard: report.shard, source: 0, state: .established)
        case .none, .ended, .refused: nil
        }
    }

    /// The half is gone: its address is free, and who waits for it waits for nothing.
    mutating func forget(_ id: SlotID) {
        queue.unpark(&halves[id].parked)
        let record = halves.remove(id)
        fragments.forget(record.half)
        var lease = AddressPools.Lease(ipv4: record.lease)
        if ipv6Leases.indices.contains(Int(id.index)) {
            swap(&lease.ipv6, &ipv6Leases[Int(id.index)])
        }
        pools.release(lease)
    }

    /// Plans a look at the half's timer, unless one is planned that comes early enough.
    mutating func book(_ id: SlotID) {
        let due = max(halves[id].deadline, isDown ? nextUp : now)
        guard due < halves[id].bookedAt else { return }
        halves[id].bookedAt = due
        halves[id].booking = UInt32(truncatingIfNeeded: eventCount)
        push(
            .booking,
            class: GatewayEventClass.booking,
            at: due,
            small: UInt32(truncatingIfNeeded: eventCount),
            first: id.packed
        )
    }

    /// The time of a booking has come: the timer is due, or it was put off since, or it is not wanted any more.
    mutating func lookAtTimer(of id: SlotID, booking: UInt32) {
        guard halves.contains(id), halves[id].booking == booking, halves[id].bookedAt != .never else { return }
        halves[id].bookedAt = .never
        guard halves[id].deadline != .never else { return }
        guard halves[id].deadline <= now, !isDown else { return book(id) }
        halves[id].deadline = .never
        let half = halves[id]
        var job = Job(enqueuedAt: now, half: half.half, shard: half.shard, work: .timer)
        job.record = id
        job.generation = half.generation
        job.operation = half.operation
        job.price = settings.costs[half.operation]
        // The key pair; the agreement is paid with the response.
        if let place = half.keyExchangePlace { job.price += settings.costs[keyExchangeAt: place].half }
        job.priority = half.operation == .ownRequest ? .medium : .high
        record(.timer, half.half.packed, UInt64(half.generation))
        queue.append(job)
    }
}
