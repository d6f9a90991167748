package import Metrics
import Primitives
package import Results

/// How late the generator itself was, apart for what it does on its own, what it sends and what it takes in.
package struct Lateness: Sendable {
    /// From when something was due to when it was done: an arrival, a retransmission, a rekey.
    package var timers = LatencyHistogram()
    /// From when a datagram was meant to leave to when the system had it.
    package var sends = LatencyHistogram()
    /// From when the system had a datagram to when its client had it.
    package var receives = LatencyHistogram()
    /// Datagrams that our own sockets lost or could not send.
    package var lostCount: UInt64 = 0

    package init() {}

    mutating func merge(_ other: Lateness) {
        timers.merge(other.timers)
        sends.merge(other.sends)
        receives.merge(other.receives)
        lostCount += other.lostCount
    }

    /// What the lateness makes of the run.
    ///
    /// A run is *valid* as long as 99 of 100 operations were done within 10 ms and all of them within a second, and
    /// our own sockets lost no datagram: less than what a path's jitter does to a handshake. It is *invalid* once one
    /// of 100 was later than 250 ms, one later than 5 s, or one of 1,000 datagrams was lost: then the gateway was
    /// offered another load than the workload says. In between it is *degraded*.
    package var judgement: RunRecord.GeneratorJudgement {
        let worst = [("timers", timers), ("sends", sends), ("receives", receives)]
            .map { (name: $0, p99: $1.percentile(thousandths: 99_000) ?? .zero, most: $1.maximum ?? .zero) }
        for kind in worst where kind.p99 > Self.invalidP99 {
            return .invalid("1 % of the \(kind.name) were more than \(kind.p99) late")
        }
        for kind in worst where kind.most > Self.invalidMaximum {
            return .invalid("one of the \(kind.name) was \(kind.most) late")
        }
        let datagrams = sends.count + receives.count
        if lostCount > 0, lostCount * 1_000 >= datagrams {
            return .invalid("the generator's own sockets lost \(lostCount) of \(datagrams) datagrams")
        }
        for kind in worst where kind.p99 > Self.degradedP99 {
            return .degraded("1 % of the \(kind.name) were more than \(kind.p99) late")
        }
        for kind in worst where kind.most > Self.degradedMaximum {
            return .degraded("one of the \(kind.name) was \(kind.most) late")
        }
        if lostCount > 0 { return .degraded("the generator's own sockets lost \(lostCount) datagrams") }
        return .valid
    }

    private static var degradedP99: Duration { .milliseconds(10) }
    private static var degradedMaximum: Duration { .seconds(1) }
    private static var invalidP99: Duration { .milliseconds(250) }
    private static var invalidMaximum: Duration { .seconds(5) }
}
