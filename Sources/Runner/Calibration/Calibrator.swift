import Foundation
import Metrics
import Primitives
import Results
import Synchronization
package import Workload

/// Drives a real gateway, trial by trial, and measures its CPU time for each kind of exchange.
package struct Calibrator {
    /// Clients, keys and safety come from its first population.
    package var template: Workload
    package var target: LiveTarget
    package var options: LiveOptions
    package var process: GatewayProcess
    /// A proposal for IKE that the gateway refuses; nil measures no refusals.
    package var refusedProposal: String?
    /// Clients per second: low, mid, high.
    package var rates: [Int]
    /// The first one is measured in every exchange, the others in IKE_SA_INIT.
    package var keyExchanges: [String]
    package var replications: Int
    /// What is measured with the first key exchange, each at every rate.
    package var exchanges: [CalibrationTrial.Exchange]
    /// Told of each trial, a line at a time.
    package var report: (String) -> Void

    package init(
        _ template: Workload,
        target: LiveTarget,
        options: LiveOptions,
        process: GatewayProcess,
        report: @escaping (String) -> Void = { _ in }
    ) {
        self.template = template
        self.target = target
        self.options = options
        self.process = process
        self.report = report
        rates = [50, 200, 500]
        keyExchanges = CalibrationTrial.usualKeyExchanges
        replications = 2
        exchanges = CalibrationTrial.Exchange.measured
    }

    package var trials: [CalibrationTrial] {
        let first = keyExchanges[0]
        let middle = rates[rates.count / 2]
        var trials: [CalibrationTrial] = []
        for rate in rates {
            for exchange in exchanges {
                guard exchange != .refused || refusedProposal != nil else { continue }
                trials.append(CalibrationTrial(exchange, clientsPerSecond: rate, keyExchange: first))
            }
        }
        for method in keyExchanges.dropFirst() {
            trials.append(CalibrationTrial(.setUp, clientsPerSecond: max(1, middle / 4), keyExchange: method))
        }
        return trials
    }

    /// What the exchanges hold and do not tell from the rest of them, so that its price has to be known.
    ///
    /// A key exchange is told by rekeys with it and without it, and the Delete behind the rekey of an IKE SA by others.
    package var unseparated: [PricedWork] {
        var works: [PricedWork] = []
        if !exchanges.contains(.childRekey) || !exchanges.contains(.childRekeyWithKeyExchange) {
            works.append(.keyExchange(keyExchanges[0]))
        }
        if exchanges.contains(.ikeRekey), !exchanges.contains(.liveness) { works.append(.operation(.informational)) }
        return works
    }

    /// All trials, as often as asked; what a trial that went wrong measured is left out, and said.
    package func samples() throws(CalibrationFailure) -> [WorkSample] { try samples(of: trials) }

    package func samples(of trials: [CalibrationTrial]) throws(CalibrationFailure) -> [WorkSample] {
        var samples: [WorkSample] = []
        for replication in 0..<replications {
            for (number, trial) in trials.enumerated() {
                let place = "\(replication * trials.count + number + 1)/\(replications * trials.count)"
                do throws(TrialFailure) {
                    let measured = try measure(trial)
                    report("\(place) \(trial.label): " + Self.line(measured))
                    samples += measured
                } catch {
                    switch error {
                    case .useless(let reason): report("\(place) \(trial.label): left out: \(reason)")
                    case .fatal(let failure): throw failure
                    }
                }
            }
        }
        return samples
    }

    private enum TrialFailure: Error {
        case useless(String)
        case fatal(CalibrationFailure)
    }

    private static func line(_ samples: [WorkSample]) -> String {
        samples.map { sample in
            let times = sample.counts.first?.times ?? 0
            guard times > 0 else { return "\(sample.label) \(Int(sample.nanoseconds / sample.seconds / 1_000)) us/s" }
            return "\(sample.label) \(Int(sample.nanoseconds / times / 1_000)) us"
        }
        .joined(separator: ", ")
    }

    /// Runs one trial and divides its CPU time among its stretches.
    private func measure(_ trial: CalibrationTrial) throws(TrialFailure) -> [WorkSample] {
        let workload = trial.workload(from: template, refusedProposal: refusedProposal)
        let beforeDrain = Mutex<UInt64>(0)
        var options = options
        options.workers = 1
        options.beforeDrain = { [process] _ in
            let time = (try? process.cpuNanoseconds) ?? 0
            beforeDrain.withLock { $0 = time }
        }
        var readings: [Int: UInt64] = [:]
        let result: LiveResult
        do throws(LiveError) {
            result = try LiveRun(workload, targets: [target], options: options).run { progress in
                readings[Int(progress.time.nanoseconds / 1_000_000_000)] = try? process.cpuNanoseconds
            }
        } catch {
            throw .fatal(CalibrationFailure(error.exitCode, "\(error)"))
        }
        // Behind the last response the gateway clears up.
        usleep(500_000)
        readings[trial.endSecond] = beforeDrain.withLock { $0 }
        let end: UInt64
        do throws(CalibrationFailure) { end = try process.cpuNanoseconds } catch { throw .fatal(error) }
        try check(trial, result)
        return try divide(trial, readings, end: end)
    }

    /// A trial counts if every client did exactly what it was to do.
    private func check(_ trial: CalibrationTrial, _ result: LiveResult) throws(TrialFailure) {
        guard let measured = result.measurements.first else { throw .useless("nothing was measured") }
        func total(_ metric: MetricName) -> Int { Int(clamping: measured.counter(metric).total) }
        let wanted = trial.clientCount
        let isRefused = trial.exchange == .refused
        let done: (name: String, count: Int) =
            switch trial.exchange {
            case .refused: ("refused", total(.handshakeFailed))
            case .setUp: ("set up", total(.handshakeEstablished))
            case .childRekey, .childRekeyWithKeyExchange: ("Child SAs rekeyed", total(.childRekeyEstablished))
            case .ikeRekey: ("IKE SAs rekeyed", total(.ikeRekeyEstablished))
            case .liveness: ("asked whether it is alive", Self.requestCount(result) - 3 * wanted)
            }
        let established = total(.handshakeEstablished)
        guard established == (isRefused ? 0 : wanted) else {
            throw .useless("\(established) of \(wanted) were set up")
        }
        guard done.count == wanted else { throw .useless("\(done.name): \(done.count) of \(wanted)") }
        guard total(.retransmissions) == 0 else { throw .useless("there were retransmissions") }
        guard result.leftBehind == 0 else { throw .useless("\(result.leftBehind) IKE SAs could not be deleted") }
    }

    /// The datagrams that were sent: where nothing is sent twice, one for each request.
    private static func requestCount(_ result: LiveResult) -> Int {
        Int(clamping: result.touched.targets.reduce(0) { $0 + $1.sent })
    }

    private func divide(
        _ trial: CalibrationTrial,
        _ readings: [Int: UInt64],
        end: UInt64
    ) throws(TrialFailure) -> [WorkSample] {
        let count = Double(trial.clientCount)
        var samples: [WorkSample] = []
        for stretch in trial.stretches {
            guard let first = readings[stretch.seconds.lowerBound], let last = readings[stretch.seconds.upperBound],
                last >= first
            else { throw .useless("the gateway's CPU time was not read in time") }
            samples.append(
                WorkSample(
                    stretch.name,
                    stretch.work.map { WorkSample.Count($0.work, $0.times * count) },
                    activeSAs: stretch.activeShare * count,
                    seconds: Double(stretch.seconds.count),
                    nanoseconds: Double(last - first)
                )
            )
        }
        if let idle = samples.first(where: { $0.counts.isEmpty }), idle.nanoseconds > Self.mostIdle * idle.seconds {
            throw .useless("the gateway was still busy when it should have been idle: it was too slow for the rate")
        }
        guard trial.exchange != .refused else { return samples }
        guard let beforeDrain = readings[trial.endSecond], end >= beforeDrain else {
            throw .useless("the gateway's CPU time was not read in time")
        }
        samples.append(
            WorkSample(
                "Delete",
                [WorkSample.Count(.operation(.delete), count)],
                activeSAs: count / 2,
                // The way there and back, the Deletes themselves, and the wait behind them.
                seconds: 2 * 1.5 + count / 1_000 + 0.5,
                nanoseconds: Double(end - beforeDrain)
            )
        )
        return samples
    }

    /// In nanoseconds per second.
    private static var mostIdle: Double { 30e6 }
}
