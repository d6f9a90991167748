import Foundation
import Metrics
package import Primitives
import Results
package import Workload

/// What a cost table predicts of a gateway, beside what the gateway does.
///
/// The same workload runs in virtual time with the table and in real time against the gateway: first more set-ups than
/// it can do, then half as many as the table says that it can.
package struct Prediction {
    package var template: Workload
    package var table: CostTableFile
    /// The cores that the gateway's threads may use.
    package var cores: Int
    package var target: LiveTarget
    package var options: LiveOptions
    /// Clients of each run: few enough that the cost of the SAs that there are already stays below that of a set-up.
    package var clientCount = 1_000
    package var replications = 3

    package init(_ template: Workload, table: CostTableFile, cores: Int, target: LiveTarget, options: LiveOptions) {
        self.template = template
        self.table = table
        self.cores = cores
        self.target = target
        self.options = options
    }

    /// What one run came to.
    package struct Outcome: Sendable {
        package var established: Int
        package var failed: Int
        /// Established over the time from the first offer to the last one established.
        package var setUpsPerSecond: Double
        package var p50: Duration
        package var p99: Duration
        /// Why the run is not to be trusted, if it is not.
        package var doubt: String?
    }

    package struct Comparison: Sendable {
        package var name: String
        package var offeredPerSecond: Int
        package var clients: Int
        /// One for each seed.
        package var predicted: [Outcome]
        package var measured: [Outcome]
    }

    package var keyExchange: String {
        let proposal = template.profiles[template.populations[0].profile].proposals.ike[0]
        return proposal.split(separator: "-").map(String.init).first { CalibrationTrial.keyExchanges.contains($0) }
            ?? CalibrationTrial.keyExchanges[0]
    }

    /// Set-ups per second of all cores, while half of the clients are up.
    package var capacity: Double {
        1e9 * Double(cores) / Double(table.setUpNanoseconds(keyExchange: keyExchange, activeSAs: clientCount / 2))
    }

    package func compare() throws(CalibrationFailure) -> [Comparison] {
        let saturating = max(1, Int(capacity * 1.5))
        let half = max(1, Int(capacity / 2))
        return [
            try compare("saturated", rate: saturating, clients: clientCount, isRandom: false),
            try compare("half load", rate: half, clients: clientCount, isRandom: true),
        ]
    }

    private func compare(
        _ name: String,
        rate: Int,
        clients: Int,
        isRandom: Bool
    ) throws(CalibrationFailure) -> Comparison {
        var comparison = Comparison(name: name, offeredPerSecond: rate, clients: clients, predicted: [], measured: [])
        for replication in 0..<replications {
            var workload = workload(rate: rate, clients: clients, isRandom: isRandom)
            workload.seed = template.seed + UInt64(replication)
            comparison.predicted.append(try predict(workload))
            comparison.measured.append(try measure(workload))
        }
        return comparison
    }

    private func workload(rate: Int, clients: Int, isRandom: Bool) -> Workload {
        var workload = template.reduced(to: clients, oneWayDelay: .microseconds(100))
        let rate = Workload.Rate(count: UInt64(rate), per: .seconds(1))
        workload.arrivals[0].pattern =
            isRandom ? .poisson(rate: rate, lasting: nil) : .constant(rate: rate, lasting: nil)
        let offering = Double(clients) / Double(rate.count)
        let working = Double(clients) / capacity
        workload.run.duration = .milliseconds(Int64((max(offering, working) * 1.5 + 1) * 1_000))
        if isRandom { workload.run.duration = .milliseconds(Int64(offering * 1_000) + 500) }
        workload.gateways[workload.populations[0].gateway].simulated?.costs = table
        workload.gateways[workload.populations[0].gateway].simulated?.cores = cores
        return workload
    }

    private func predict(_ workload: Workload) throws(CalibrationFailure) -> Outcome {
        var options = SimulatedOptions()
        options.crypto = .modelled
        var last = Instant.zero
        let sinks = RunSinks(event: { event in if event.name == "established" { last = max(last, event.time) } })
        do {
            let outcome = try SimulatedRun(workload, options: options, sinks: sinks).run()
            return Self.outcome(outcome.measurements, last: last)
        } catch {
            throw CalibrationFailure(.ownMistake, "the simulated run could not be computed: \(error)")
        }
    }

    private func measure(_ workload: Workload) throws(CalibrationFailure) -> Outcome {
        var options = options
        options.workers = 1
        options.seed = workload.seed
        var last = Instant.zero
        let sinks = RunSinks(event: { event in if event.name == "established" { last = max(last, event.time) } })
        do throws(LiveError) {
            let result = try LiveRun(workload, targets: [target], options: options).run(sinks: sinks)
            // The gateway clears up behind the last Delete; the next run is not to wait for that.
            usleep(500_000)
            var outcome = Self.outcome(result.measurements, last: last)
            switch result.generator {
            case .valid: break
            case .degraded(let reason), .invalid(let reason): outcome.doubt = reason
            }
            return outcome
        } catch {
            throw CalibrationFailure(error.exitCode, "\(error)")
        }
    }

    private static func outcome(_ measurements: [Measurements], last: Instant) -> Outcome {
        let measured = measurements[0]
        let established = Int(clamping: measured.counter(.handshakeEstablished).total)
        let seconds = Double(last.nanoseconds) / 1e9
        let latency = measured.latency(.handshakeLatency)
        return Outcome(
            established: established,
            failed: Int(clamping: measured.counter(.handshakeFailed).total),
            setUpsPerSecond: seconds > 0 ? Double(established) / seconds : 0,
            p50: .nanoseconds(Int64(latency.p50)),
            p99: .nanoseconds(Int64(latency.p99)),
            doubt: nil
        )
    }
}
