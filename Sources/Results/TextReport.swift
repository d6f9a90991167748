import Metrics
import Primitives

/// The table at the end of a run, for a terminal of 80 columns or more.
package struct TextReport {
    private let result: RunResult
    private let style: TextStyle
    private let folder: String?
    private var lines: [String] = []

    /// The whole report, each line ended; `folder` is where the run's files are.
    package static func text(
        of result: RunResult,
        style: TextStyle = .plain,
        folder: String? = nil
    ) -> String {
        var report = TextReport(result: result, style: style, folder: folder)
        report.write()
        return report.lines.map { $0 + "\n" }.joined()
    }

    private init(result: RunResult, style: TextStyle, folder: String?) {
        self.result = result
        self.style = style
        self.folder = folder
    }

    private var record: RunRecord { result.record }
    private var total: Measurements { record.measurements() }

    private mutating func write() {
        writeHeading()
        writeCounts()
        writeTraffic()
        writeReasons()
        writeLatencies()
        writeAvailability()
        writePopulations()
        writeFlows()
        write(result.steadyState, titled: "Steady state")
        write(result.thresholds, titled: "Thresholds")
        writeWarnings()
        writeEnd()
    }

    /// What the tool itself took, for whoever plans the machine that it runs on.
    private static func costs(of host: Host) -> String? {
        guard let cpu = host.cpu else { return nil }
        var shares: [String] = []
        if let time = host.cpuPerTunnel {
            shares.append("a tunnel \(Humane.time(time))" + (host.bytesPerTunnel.map { ", \(Humane.bytes($0))" } ?? ""))
        }
        if let time = host.cpuPerPacket { shares.append("a packet \(Humane.time(time))") }
        let each = shares.isEmpty ? "" : " (" + shares.joined(separator: "; ") + ")"
        return "\(Humane.time(cpu)) CPU, \(Humane.bytes(host.memoryBytes))" + each
    }

    private static func text(of node: Host.Node) -> String {
        let workers = "\(node.workers) worker" + (node.workers == 1 ? "" : "s")
        let share = node.places == 0 ? "" : ", \(node.placesHere * 100 / node.places) % of their shards on it"
        return "\(workers), \(Humane.bytes(node.memoryBytes))" + share
    }

    private mutating func section(_ title: String, _ table: TextTable) {
        lines += ["", style.bold(title)] + table.lines
    }

    private mutating func writeHeading() {
        lines.append(style.bold(PrintableText.line(record.name)) + "  " + painted(result.headline))
        lines.append(style.dim(result.subtitle(withWallClock: true)))
    }

    private func painted(_ headline: String) -> String {
        switch result.verdict {
        case .passed: style.good(headline)
        case .degraded, .interrupted: style.doubtful(headline)
        case .forced, .aborted, .invalid, .steadyStateFailed, .thresholdsFailed: style.bad(headline)
        }
    }
}

extension MetricName {
    /// Counts that are worth a line where there are any.
    fileprivate static let shownWhenCounted: [MetricName] = [
        .initialContactReplaced, .unknownIKESPI, .arrivalsSkipped, .clipped, .mobikeMoves, .mobikeUpdates,
        .mobikeRestarts, .natExhausted,
    ]
}

extension TextReport {
    private mutating func writeCounts() {
        var table = TextTable()
        table.add("", "offered", "established", "failed", "success")
        let success = total.handshakeSuccess.map(Humane.share) ?? "-"
        table.add(["handshake"] + counts(.handshakeOffered, .handshakeEstablished, .handshakeFailed) + [success])
        table.add(["child.rekey"] + counts(.childRekeyOffered, .childRekeyEstablished, .childRekeyFailed) + [""])
        table.add(["ike.rekey"] + counts(.ikeRekeyOffered, .ikeRekeyEstablished, .ikeRekeyFailed) + [""])
        if total.shows(.reauthenticationOffered) {
            table.add(
                ["reauthentication"]
                    + counts(.reauthenticationOffered, .reauthenticationEstablished, .reauthenticationFailed) + [""]
            )
        }
        section("Exchanges", table)
        var others = TextTable()
        others.add("retransmissions", Humane.count(total.counter(.retransmissions).total))
        for metric in MetricName.shownWhenCounted where total.counter(metric).total > 0 {
            others.add(metric.rawValue, Humane.count(total.counter(metric).total))
        }
        lines += others.lines
    }

    private mutating func writeTraffic() {
        guard total.shows(.trafficOffered) else { return }
        var table = TextTable()
        table.add("", "offered", "received", "lost", "lost of all")
        let share = Probability(total.counter(.trafficLost).total, outOf: total.counter(.trafficOffered).total)
        table.add(
            ["traffic"] + counts(.trafficOffered, .trafficReceived, .trafficLost) + [share.map(Humane.share) ?? "-"]
        )
        section("Packets", table)
        var others = TextTable()
        for metric in [MetricName.trafficReordered, .trafficDuplicated, .espDropped]
        where total.counter(metric).total > 0 {
            others.add(metric.rawValue, Humane.count(total.counter(metric).total))
        }
        lines += others.lines
    }

    private func counts(_ metrics: MetricName...) -> [String] {
        metrics.map { Humane.count(total.counter($0).total) }
    }

    private mutating func writeReasons() {
        var table = TextTable()
        table.leftColumns = [0, 1]
        for metric in MetricName.allCases where metric.hasReasons {
            let reasons = total.counter(metric).byReason.sorted { $0.count > $1.count }
            for reason in reasons {
                let name = PrintableText.line(reason.name).shortened(to: 40)
                table.add(metric.rawValue, name, Humane.count(reason.count))
            }
        }
        guard !table.lines.isEmpty else { return }
        section("Failures by reason", table)
    }

    private mutating func writeLatencies() {
        var table = TextTable()
        table.add("", "count", "p50", "p90", "p99", "p99.9", "max")
        let metrics = MetricName.allCases.filter { $0.kind == .latency }
        for metric in metrics where total.shows(metric) && (metric != .generatorLag || record.mode == .live) {
            let latency = total.latency(metric)
            guard latency.count > 0 else {
                table.add(metric.rawValue, "0", "-", "-", "-", "-", "-")
                continue
            }
            let numbers = [latency.p50, latency.p90, latency.p99, latency.p999, latency.maximum].map { Humane.time($0) }
            table.add([metric.rawValue, Humane.count(latency.count)] + numbers)
        }
        section("Latency", table)
    }

    private mutating func writeAvailability() {
        let up = total.ratio(.tunnelsUp)
        var table = TextTable()
        table.leftColumns = [0, 1]
        if let minimum = up.min, let mean = up.mean, let last = up.last {
            table.add(
                MetricName.tunnelsUp.rawValue,
                "min \(Humane.share(minimum)), mean \(Humane.share(mean)), last \(Humane.share(last))"
            )
        } else {
            table.add(MetricName.tunnelsUp.rawValue, "no samples")
        }
        for recovery in result.recoveries {
            let text = "\(Humane.recovery(recovery.outcome)) after \(recovery.fault) (\(recovery.condition))"
            table.add(MetricName.recoveryTime.rawValue, PrintableText.line(text))
        }
        section("Availability", table)
    }

    private mutating func writePopulations() {
        guard record.populations.count > 1 else { return }
        var table = TextTable()
        table.add("", "clients", "established", "failed", "p50", "p99", "tunnels.up")
        for population in record.populations {
            let measurements = record.measurements(of: population.name)
            let latency = measurements.latency(.handshakeLatency)
            table.add(
                PrintableText.line(population.name).shortened(to: 24),
                Humane.count(population.clients),
                Humane.count(measurements.counter(.handshakeEstablished).total),
                Humane.count(measurements.counter(.handshakeFailed).total),
                latency.count > 0 ? Humane.time(latency.p50) : "-",
                latency.count > 0 ? Humane.time(latency.p99) : "-",
                measurements.ratio(.tunnelsUp).last.map(Humane.share) ?? "-"
            )
        }
        section("Populations (tunnels.up at the end)", table)
    }

    private mutating func writeFlows() {
        guard record.flows.count > 1 else { return }
        var table = TextTable()
        table.leftColumns = [0, 3]
        table.add("", "offered", "lost", "", "p50", "p99", "max", "jitter p99")
        for flow in record.flows {
            let name = PrintableText.line(flow.name).shortened(to: 24)
            table.add([name] + FlowRow(flow, in: record).cells)
        }
        section("Flows", table)
    }

    private mutating func write(_ outcomes: [ExpectationOutcome], titled title: String) {
        guard !outcomes.isEmpty else { return }
        var table = TextTable()
        for outcome in outcomes {
            var value = Humane.measured(outcome.measured)
            if let window = outcome.window { value += " at \(Humane.clock(window))" }
            table.add(outcome.mark + " " + PrintableText.line(outcome.expectation), value)
        }
        lines += ["", style.bold(title)]
        for (line, outcome) in zip(table.lines, outcomes) {
            lines.append(
                outcome.passed ? line.replacing("✓", with: style.good("✓"), maxReplacements: 1) : style.bad(line)
            )
        }
    }

    private mutating func writeWarnings() {
        guard !record.warnings.isEmpty else { return }
        lines += ["", style.bold("Warnings")] + record.warnings.map { "  " + PrintableText.line($0) }
    }

    private mutating func writeEnd() {
        var table = TextTable()
        table.leftColumns = [0, 1]
        table.indentation = ""
        if let digest = record.digest { table.add("digest", PrintableText.line(digest)) }
        table.add("repeat", PrintableText.line(PrintableText.shell(record.command)))
        if let folder { table.add("files", PrintableText.line(folder)) }
        if let costs = Self.costs(of: record.host) { table.add("took", costs) }
        if let nodes = record.host.nodes, nodes.count > 1 {
            for node in nodes { table.add("node \(node.number)", Self.text(of: node)) }
        }
        lines += [""] + table.lines
    }
}

extension ExpectationOutcome {
    /// A tick or a cross.
    var mark: String { passed ? "✓" : "✗" }
}

extension RunResult {
    /// The verdict in a few words.
    var headline: String {
        switch verdict {
        case .passed: return expectationCount == 0 ? "DONE, nothing was expected" : "PASSED"
        case .thresholdsFailed: return "FAILED \(Self.failed(thresholds)) of \(Self.things(thresholds, "threshold"))"
        case .steadyStateFailed:
            return "STEADY STATE FAILED \(Self.failed(steadyState)) of \(Self.things(steadyState, "expectation"))"
        case .degraded: return "INCONCLUSIVE, the generator was late: " + generatorReason
        case .invalid: return "INVALID, the generator was too late: " + generatorReason
        case .aborted:
            guard let abort = record.abort else { return "ABORTED" }
            return "ABORTED at \(Humane.clock(abort.time)) by " + PrintableText.line(abort.condition)
        case .interrupted: return record.mode == .live ? "INTERRUPTED, and every SA deleted" : "INTERRUPTED"
        case .forced: return "INTERRUPTED BY FORCE"
        }
    }

    /// What kind of run it was, on one line; without the wall clock it is the same on every machine.
    func subtitle(withWallClock: Bool) -> String {
        let clients = record.populations.reduce(0) { $0 + $1.clients }
        var parts = [record.mode.rawValue, "seed \(record.seed)"]
        switch record.mode {
        case .simulated:
            let wall = withWallClock ? " in \(Humane.time(record.host.wallClock)) wall" : ""
            parts.append("\(Humane.time(record.duration)) virtual" + wall)
        case .live: parts.append(Humane.time(record.duration))
        }
        parts.append("\(Humane.count(clients)) \(clients == 1 ? "client" : "clients")")
        parts += record.costTables.map { table in
            let name = table.name.split(separator: "/").last.map(String.init) ?? table.name
            return PrintableText.line(name.hasSuffix(".json") ? String(name.dropLast(5)) : name).shortened(to: 24)
        }
        return parts.joined(separator: " · ")
    }

    private var expectationCount: Int { steadyState.count + thresholds.count }

    private var generatorReason: String {
        switch record.generator {
        case .valid: ""
        case .degraded(let reason), .invalid(let reason): PrintableText.line(reason)
        }
    }

    private static func failed(_ outcomes: [ExpectationOutcome]) -> Int { outcomes.count { !$0.passed } }

    private static func things(_ outcomes: [ExpectationOutcome], _ noun: String) -> String {
        "\(outcomes.count) \(noun)" + (outcomes.count == 1 ? "" : "s")
    }
}
