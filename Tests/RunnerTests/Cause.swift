import Metrics
import Primitives
import Results
import Runner
import Testing
import Workload

/// Something drawn that lets attempts fail: whose, how either end calls it, and when.
struct Cause {
    var populations: [String]
    var atClients: [String]
    var atGateway: [String]
    var from = Instant.zero
    var until = Instant.never

    /// The gateway's RADIUS server is away: a conversation ends by AUTHENTICATION_FAILED before its first packet of
    /// EAP, and by EAP-Failure later, which reads otherwise to a client that has just asked for another method.
    static func outage(from start: UInt64, until end: UInt64, hasNak: Bool = false) -> Cause {
        Cause(
            populations: ["c", "e", "s"],
            atClients: ["authentication-failed", "eap-rejected"] + (hasNak ? ["eap-no-common-method"] : []),
            atGateway: ["eap-no-backend"],
            from: .zero + .seconds(Int64(start)),
            until: .zero + .seconds(Int64(end)) + patience
        )
    }

    /// An authority takes over, for everybody of the first population at the end, and for nobody of the others.
    static func rollover(from start: UInt64, until end: UInt64?) -> [Cause] {
        let reasons = ["authentication-failed", "untrusted-certificate"]
        let begun = Instant.zero + .seconds(Int64(start))
        var main = Cause(populations: ["c"], atClients: reasons, atGateway: reasons, from: begun)
        if let end { main.until = .zero + .seconds(Int64(end)) + patience }
        return [main, Cause(populations: ["e", "s"], atClients: reasons, atGateway: reasons, from: begun)]
    }

    /// They fail in one way, for as long as they try.
    static func strangers(_ refusal: (atClients: String, atGateway: String)) -> Cause {
        Cause(populations: ["s"], atClients: [refusal.atClients], atGateway: [refusal.atGateway])
    }

    /// The gateway takes the IKE SA, and lets nobody have what the clients ask for.
    static let refusal = Cause(populations: ["e"], atClients: ["refused:TS_UNACCEPTABLE"], atGateway: [])

    func explains(_ reason: String, of population: String, atGateway isGateway: Bool) -> Bool {
        populations.contains(population) && (isGateway ? atGateway : atClients).contains(reason)
    }

    /// How long an exchange goes on at most that was under way: the server's waits, and every sending.
    private static let patience = Duration.seconds(2) + .milliseconds(15_500) + .seconds(1)
}

/// Looks at every IKE SA that ends, and says which end nothing that was drawn explains.
final class FailureWatcher {
    private let causes: [Cause]
    /// The name and the first client behind each population.
    private let populations: [(name: String, end: Int)]
    private(set) var violations: [String] = []

    convenience init(_ workload: Workload, _ causes: [Cause]) {
        self.init(workload.populations.map { ($0.name, $0.count) }, causes)
    }

    init(_ counts: [(name: String, count: Int)], _ causes: [Cause]) {
        var end = 0
        populations = counts.map { name, count in
            end += count
            return (name, end)
        }
        self.causes = causes
    }

    func look(at event: RunSinks.Event) {
        guard let population = populations.first(where: { event.client < $0.end })?.name else { return }
        let name = "\(event.time) \(event.isGateway ? "gateway" : "client") \(population)"
        if event.name == "established", population == "s" { violations.append("\(name) lets a stranger in") }
        guard event.name == "closed", let reason = event.details.first(where: { $0.key == "reason" })?.value,
            !Self.usual.contains(reason)
        else { return }
        let isExplained = causes.contains { cause in
            cause.from <= event.time && event.time <= cause.until
                && cause.explains(reason, of: population, atGateway: event.isGateway)
        }
        if !isExplained { violations.append("\(name): \(reason)") }
    }

    /// Looks at what is counted, too: an attempt may fail though its IKE SA does not.
    func look(at outcome: SimulatedOutcome) {
        for (name, _) in populations {
            for metric in [MetricName.handshakeFailed, .reauthenticationFailed, .tunnelsLost] {
                for reason in outcome.counter(metric, of: name).byReason.map(\.name)
                where !Self.usual.contains(reason)
                    && !causes.contains(where: { $0.explains(reason, of: name, atGateway: false) })
                {
                    violations.append("\(metric.rawValue)(\(name)): \(reason)")
                }
            }
        }
    }

    /// What loss, faults, rekeys and reauthentications lead to.
    private static let usual = [
        "timeout", "deleted-by-peer", "deleted-here", "rekeyed", "redundant", "expired", "half-open-expired",
        "abandoned",
    ]
}

@Suite("What explains the ends of IKE SAs")
struct FailureWatcherTests {
    /// What is said of an end for this reason where the server is away from 10 s to 12 s: three clients of `c`, and
    /// then one of `d`.
    private func violations(
        _ reason: String,
        at seconds: Int64 = 11,
        client: UInt32 = 2,
        isGateway: Bool = false,
        _ name: String = "closed"
    ) -> [String] {
        let watcher = FailureWatcher([("c", 3), ("d", 1), ("s", 1)], [.outage(from: 10, until: 12)])
        watcher.look(
            at: RunSinks.Event(
                time: .zero + .seconds(seconds),
                client: client,
                isGateway: isGateway,
                name: name,
                details: [("reason", reason)]
            )
        )
        return watcher.violations
    }

    @Test("is of the client, the end and the time that was drawn, and nothing else is")
    func explains() {
        #expect(violations("eap-rejected") == [])
        #expect(violations("timeout", at: 90, client: 3) == [])
        #expect(violations("eap-no-backend", isGateway: true) == [])
        #expect(violations("eap-rejected", at: 9).count == 1)
        #expect(violations("eap-rejected", at: 31).count == 1)
        #expect(violations("eap-rejected", client: 3).count == 1)
        #expect(violations("eap-rejected", isGateway: true).count == 1)
        #expect(violations("untrusted-certificate").count == 1)
    }

    @Test("and no stranger is let in")
    func keepsOut() {
        #expect(violations("", client: 3, "established") == [])
        #expect(violations("", client: 4, isGateway: true, "established").count == 1)
    }
}
