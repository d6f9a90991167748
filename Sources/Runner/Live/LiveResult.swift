import BasicContainers
package import IKECrypto
import IKEv2
import Load
import Metrics
package import Primitives
package import Results
import UDPTransport
import Workload

/// What a live run came to: what a run's record takes over, and what only a live run has.
package struct LiveResult: Sendable {
    package var measurements: [Measurements]
    package var series: SeriesTable
    /// How long load was offered; shorter than planned where the run was cut short.
    package var duration: Duration
    package var lateness: Lateness
    package var abort: RunRecord.SafetyAbort?
    package var interruption: RunRecord.Interruption
    /// The IKE SAs as they were when the load ended.
    package var associations: [LiveAssociation]
    /// How many clients still had an IKE SA when the run ended: what `ikestorm cleanup` is for.
    package var leftBehind: Int
    /// How many clients had sent their Delete and had no answer yet: the gateway's answer, or the Delete, was lost.
    package var unanswered: Int
    package var touched: LiveTouch
    /// The workload's faults that were brought about.
    package var faults: [String]
    package var warnings: [String]
    /// What workers computed in lanes; nothing where operations were computed one at a time.
    package var lanes: LaneCounts?
    /// The wall clock at the run's start, in nanoseconds since 1970.
    package var epoch: UInt64

    package var generator: RunRecord.GeneratorJudgement { lateness.judgement }
}

/// Every address, inner prefix and identity that a live run touched, with counts.
package struct LiveTouch: Hashable, Sendable {
    package struct Address: Hashable, Sendable {
        package var address: IPAddress
        package var sent: UInt64 = 0
        package var received: UInt64 = 0
        package var sentByteCount: UInt64 = 0
        package var receivedByteCount: UInt64 = 0
    }

    package struct Identity: Hashable, Sendable {
        package var identity: String
        package var attempts: UInt64 = 0
    }

    package struct Inner: Hashable, Sendable {
        package var prefix: IPPrefix
        /// How many clients asked for a Child SA towards it.
        package var clients: UInt64 = 0
    }

    /// By address: what was sent to, and where it was sent from.
    package var targets: [Address] = []
    package var sources: [Address] = []
    package var inner: [Inner] = []
    package var identities: [Identity] = []
    /// Datagrams that the sockets' allowance kept in: more than 0 is a bug, and harmless.
    package var refused: UInt64 = 0
    /// Datagrams that came from elsewhere, or for nobody.
    package var strays: UInt64 = 0
    /// ICMP errors that came back, by the system's error number.
    package var errors: [Int32: UInt64] = [:]
}

/// What one worker has to say at its end.
struct WorkerSummary: Sendable {
    var lateness: Lateness
    var touched: WorkerTouch
    var counters: UDPSocket.Counters
    var lanes: LaneCounts
    var leftBehind: Int
    var unanswered: Int
}

extension LiveWorker {
    func summary(_ counters: UDPSocket.Counters) -> WorkerSummary {
        var summary = WorkerSummary(
            lateness: lateness,
            touched: touched,
            counters: counters,
            lanes: lanes,
            leftBehind: 0,
            unanswered: 0
        )
        for local in 0..<clients.count where clients[local].client.hasEndpoint {
            var isClosing = true
            clients[local].client.forEachSA { isClosing = isClosing && $0.stateName == .closing }
            if isClosing { summary.unanswered += 1 } else { summary.leftBehind += 1 }
        }
        return summary
    }
}

extension LiveTouch {
    /// Adds up what the workers have touched.
    init(_ plan: LivePlan, _ summaries: [WorkerSummary]) {
        var targets: [IPAddress: Address] = [:]
        var sources: [IPAddress: Address] = [:]
        var inner: [IPPrefix: UInt64] = [:]
        for (worker, summary) in summaries.enumerated() {
            refused += summary.counters.refused
            strays += summary.touched.strayCount
            errors.merge(summary.touched.errors) { $0 + $1 }
            let departures = Dictionary(grouping: summary.touched.departures, by: \.local)
            for (local, values) in plan.clients[worker].enumerated() {
                let counts = summary.touched.clients[local]
                guard counts.attempts > 0 else { continue }
                for (source, counts) in summary.touched.stays(of: local, from: values.source, departures[local] ?? [])
                where counts.sent > 0 {
                    sources[source, default: Address(address: source)].add(counts)
                    let target = plan.target(of: values, from: source).address
                    targets[target, default: Address(address: target)].add(counts)
                }
                identities.append(Identity(identity: plan.identity(of: values), attempts: UInt64(counts.attempts)))
                let profile = plan.workload.profiles[plan.workload.populations[values.population].profile]
                for prefix in profile.innerPrefixes { inner[prefix, default: 0] += 1 }
            }
        }
        self.targets = targets.values.sorted { $0.address < $1.address }
        self.sources = sources.values.sorted { $0.address < $1.address }
        self.inner = inner.map { Inner(prefix: $0.key, clients: $0.value) }
            .sorted { ($0.prefix.address, $0.prefix.length) < ($1.prefix.address, $1.prefix.length) }
        identities.sort { $0.identity < $1.identity }
    }
}

extension LiveTouch.Address {
    fileprivate mutating func add(_ counts: WorkerTouch.Counts) {
        sent += UInt64(counts.sent)
        received += UInt64(counts.received)
        sentByteCount += counts.sentByteCount
        receivedByteCount += counts.receivedByteCount
    }
}
