import Primitives
import Simulation

// The gateway goes down and comes up again.
extension FrontDesk {
    /// When the gateway goes down next, or has gone down.
    var nextDown: Instant {
        let restarts = settings.restarts.restarts
        return nextRestart < restarts.count ? restarts[nextRestart].down : .never
    }

    /// When it is up again after that.
    var nextUp: Instant {
        let restarts = settings.restarts.restarts
        return nextRestart < restarts.count ? restarts[nextRestart].up : .never
    }

    /// All work is lost, and all state where the restart does not keep it.
    mutating func goDown(_ outbox: inout Outbox<GatewayMessage>) {
        let keepsState = settings.restarts.restarts[nextRestart].keepsState
        isDown = true
        epoch += 1
        record(.down, UInt64(queue.waitingCount), keepsState ? 1 : 0)
        for index in queue.indices where queue[index].isLive {
            let job = queue[index]
            // A job that runs was lost when it started: its packet's completion is on its way.
            if !job.isRunning && job.hasPacket {
                complete(job, at: now + settings.internalLatency, .drop(.down), &outbox)
            }
            guard keepsState, job.needsHalf, halves.contains(job.record) else { continue }
            halves[job.record].isBusy = false
            halves[job.record].parked = Job.none
            undo(job)
        }
        queue.removeAll()
        cores.reset(at: now)
        backend?.reset(at: now)
        esp?.reset(at: now)
        guard !keepsState else { return }
        halves = HalfTable()
        fragments = FragmentTable()
        pools.releaseAll()
        ipv6Leases.removeAll()
        cookiesUntil = .zero
        metrics.childSAs = 0
        boot += 1
    }

    mutating func comeUp() {
        isDown = false
        nextRestart += 1
        record(.up, 0, 0)
    }

    /// What a job was going to do has not happened: a request is new when it comes again, a timer is due at once.
    mutating func undo(_ job: Job) {
        record(.lost, job.half.packed, job.sequence)
        fragments.forget(job.half)
        if job.spi != 0 { halves[job.record].finish(job.spi, isLost: true) }
        if job.opensHalf {
            forget(job.record)
        } else if job.work == .timer && job.generation == halves[job.record].generation {
            halves[job.record].deadline = nextUp
            book(job.record)
        }
    }
}
