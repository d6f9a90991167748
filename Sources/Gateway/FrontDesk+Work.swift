import IKEv2
import Primitives
import Simulation

// From the queue to a core and off it again.
extension FrontDesk {
    /// Gives work to free cores, as long as there is both.
    mutating func startJobs(_ outbox: inout Outbox<GatewayMessage>) {
        while canStart, let index = queue.takeFirst() {
            guard queue[index].needsHalf else {
                start(index, &outbox)
                continue
            }
            let id = queue[index].record
            guard halves.contains(id) else {
                withdraw(index, &outbox)
                continue
            }
            if halves[id].isBusy {
                queue.park(index, before: &halves[id].parked)
            } else if queue[index].work == .timer && queue[index].generation != halves[id].generation {
                // A report has booked another timer meanwhile.
                queue.free(index)
            } else {
                halves[id].isBusy = true
                start(index, &outbox)
            }
        }
    }

    /// The half has gone while its job waited: a packet is looked at for nothing, a timer is not due any more.
    private mutating func withdraw(_ index: UInt32, _ outbox: inout Outbox<GatewayMessage>) {
        guard queue[index].hasPacket else { return queue.free(index) }
        queue[index].record = Job.noRecord
        queue[index].work = .drop
        queue[index].reason = .unknownSPI
        queue[index].operation = .discard
        queue[index].price = settings.costs[.discard]
        start(index, &outbox)
    }

    private mutating func start(_ index: UInt32, _ outbox: inout Outbox<GatewayMessage>) {
        queue.start(index)
        let span = cores.start(serviceTime(of: queue[index].price), at: now)
        let completion = span.end + settings.internalLatency
        queue[index].isLost = completion >= nextDown
        let job = queue[index]
        metrics.start(job, at: now, span, down: nextDown)
        record(.start, job.half.packed, span.end.nanoseconds, job.sequence << 8 | UInt64(job.operation.rawValue))
        push(.jobEnd, class: GatewayEventClass.jobEnd, at: span.end, small: index, first: epoch)
        if job.isLost {
            guard job.hasPacket else { return }
            complete(job, at: completion, .drop(.down), &outbox)
        } else if !asksBackend(job) {
            complete(job, at: completion, action(of: job), &outbox)
        }
    }

    private func action(of job: Job) -> JobCompletion.Action {
        switch job.work {
        case .handle: .handle
        case .handleIfCookieIsTrue: .handleIfCookieIsTrue
        case .demandCookie: .demandCookie
        case .refuseUnknown: .refuseUnknown
        case .drop: .drop(job.reason)
        case .timer: .timer(generation: job.generation)
        }
    }

    private mutating func serviceTime(of price: Cost) -> Duration {
        let exact = price.duration(activeSAs: halves.activeCount)
        switch settings.serviceTimes {
        case .exact: return exact
        case .exponential: return DurationDistribution(.exponential(mean: exact)).draw(from: &serviceTimes)
        }
    }

    /// The place in the run's order of the next completion.
    mutating func completionOrder(at time: Instant) -> EventOrder {
        defer { completionCount += 1 }
        return EventOrder(
            time: time,
            class: GatewayEventClass.completion,
            source: settings.entity,
            count: completionCount
        )
    }

    /// Tells the shard what becomes of a packet or a timer.
    mutating func complete(
        _ job: Job,
        at time: Instant,
        _ action: JobCompletion.Action,
        _ outbox: inout Outbox<GatewayMessage>
    ) {
        if case .drop(let reason) = action { metrics.drop(reason) }
        let order = completionOrder(at: time)
        let wanted = action == .handle ? job.wantedAddresses : []
        let lease = wanted.isEmpty ? InnerAddresses() : lease(for: job.record, of: wanted)
        let completion = JobCompletion(
            order: order,
            half: job.half,
            packet: job.packet,
            action: action,
            lease: lease
        )
        outbox.send(.completion(completion), to: Int(job.shard), arriving: time)
    }

    /// The half's inner addresses; the lowest free ones where it has none yet.
    private mutating func lease(for id: SlotID, of wanted: AddressFamilies) -> InnerAddresses {
        var lease = AddressPools.Lease(ipv4: halves[id].lease)
        let place = Int(id.index)
        if place < ipv6Leases.count { lease.ipv6 = ipv6Leases[place] }
        let addresses = pools.extend(&lease, to: wanted)
        halves[id].lease = lease.ipv4
        if lease.ipv6 != AddressPools.Lease.none {
            while ipv6Leases.count <= place { ipv6Leases.append(AddressPools.Lease.none) }
            ipv6Leases[place] = lease.ipv6
        }
        metrics.leasesRefused = pools.refusedCount
        addresses.forEachAddress { digest.mix($0.high, $0.low) }
        return addresses
    }

    /// A job has reached its end: its core and its half are free.
    mutating func finish(_ index: UInt32, _ outbox: inout Outbox<GatewayMessage>) {
        let job = queue[index]
        cores.release()
        if asksBackend(job), !job.isLost { return ask(index, &outbox) }
        end(index, job)
    }

    /// The server behind the gateway has decided about a job, or has not answered.
    mutating func finishBackend(_ index: UInt32) {
        backend?.finish()
        end(index, queue[index])
    }

    private mutating func end(_ index: UInt32, _ job: Job) {
        queue.free(index)
        guard job.needsHalf, halves.contains(job.record) else { return }
        halves[job.record].isBusy = false
        queue.unpark(&halves[job.record].parked)
        if job.isLost {
            undo(job)
        } else {
            if job.spi != 0 { halves[job.record].finish(job.spi, isLost: false) }
            if job.opensHalf { halves[job.record].state = .opening }
        }
    }
}
