import Metrics
import Primitives

/// `result.json`: everything about a run except its histograms, its series and its events.
///
/// Keys have one order and numbers one form, so that equal results are equal bytes (docs/results-format.md).
package enum JSONReport {
    /// The name and the version of the form. A change that could mislead a reader gets a new one.
    package static var schema: String { "ikestorm-result-1" }

    package static func text(of result: RunResult) -> String { value(of: result).text }

    static func value(of result: RunResult) -> JSONValue {
        let record = result.record
        return [
            "schema": .string(schema),
            "version": .string(record.version),
            "name": .string(record.name),
            "mode": .string(record.mode.rawValue),
            "verdict": .string(result.verdict.rawValue),
            "exitCode": .integer(result.exitCode.rawValue),
            "digest": record.digest.map(JSONValue.string) ?? .null,
            "seed": .integer(record.seed),
            "workload": .string(record.workloadHash),
            "costTables": .array(record.costTables.map(value)),
            "command": .strings(record.command),
            "duration": .time(record.duration),
            "plannedDuration": .time(record.plannedDuration),
            "warmUp": .time(record.warmUp),
            "metrics": metrics(of: record.measurements(), recoveries: result.recoveries),
            "populations": .object(
                record.populations.map { JSONValue.Member(key: $0.name, value: value(of: $0, in: record)) }
            ),
            "flows": record.flows.isEmpty
                ? nil
                : .object(record.flows.map { JSONValue.Member(key: $0.name, value: value(of: $0, in: record)) }),
            "steadyState": .array(result.steadyState.map(value)),
            "thresholds": .array(result.thresholds.map(value)),
            "faults": .array(record.faults.map(value)),
            "generator": value(of: record.generator),
            "abort": record.abort.map { ["condition": .string($0.condition), "time": .time($0.time)] } ?? .null,
            "interruption": .string(record.interruption.rawValue),
            "warnings": .strings(record.warnings),
            "host": value(of: record.host),
        ]
    }
}

extension JSONReport {
    private static func metrics(of measurements: Measurements, recoveries: [Recovery]?) -> JSONValue {
        var members: [JSONValue.Member] = []
        for metric in MetricName.allCases where measurements.shows(metric) {
            let value: JSONValue
            switch metric.kind {
            case .counter: value = self.value(of: measurements.counter(metric), hasReasons: metric.hasReasons)
            case .ratio: value = self.value(of: measurements.ratio(metric))
            case .latency: value = self.value(of: measurements.latency(metric))
            case .recovery:
                // A fault is nobody's own: populations have no recoveries.
                guard let recoveries else { continue }
                value = ["recoveries": .array(recoveries.map(self.value))]
            }
            members.append(JSONValue.Member(key: metric.rawValue, value: value))
        }
        return .object(members)
    }

    private static func value(of counter: CounterRecord, hasReasons: Bool) -> JSONValue {
        guard hasReasons else { return ["total": .integer(counter.total)] }
        let reasons = counter.byReason.map { JSONValue.Member(key: $0.name, value: .integer($0.count)) }
        return ["total": .integer(counter.total), "byReason": .object(reasons)]
    }

    private static func value(of ratio: RatioRecord) -> JSONValue {
        .object(
            RatioRecord.fields.map { name, path in
                JSONValue.Member(key: name, value: ratio[keyPath: path].map(JSONValue.share) ?? .null)
            }
        )
    }

    static func value(of latency: LatencyRecord) -> JSONValue {
        .object(
            LatencyRecord.fields.map { name, path in
                // No number stands for what was never measured.
                let isKnown = latency.count > 0 || name == "count"
                return JSONValue.Member(key: name, value: isKnown ? .integer(latency[keyPath: path]) : .null)
            }
        )
    }

    private static func value(of recovery: Recovery) -> JSONValue {
        var time: JSONValue = .null
        if case .after(let duration) = recovery.outcome { time = .time(duration) }
        return [
            "fault": .string(recovery.fault),
            "condition": .string(recovery.condition),
            "outcome": .string(recovery.outcome.name),
            "time": time,
        ]
    }

    private static func value(of population: RunRecord.Population, in record: RunRecord) -> JSONValue {
        [
            "clients": .integer(population.clients),
            "metrics": metrics(of: record.measurements(of: population.name), recoveries: nil),
        ]
    }

    private static func value(of flow: RunRecord.Flow, in record: RunRecord) -> JSONValue {
        [
            "population": .string(flow.population),
            "metrics": metrics(of: record.measurements(ofFlow: flow.name), recoveries: nil),
        ]
    }

    private static func value(_ table: RunRecord.CostTable) -> JSONValue {
        ["gateway": .string(table.gateway), "name": .string(table.name), "hash": .string(table.hash)]
    }

    private static func value(_ fault: RunRecord.Fault) -> JSONValue {
        [
            "name": .string(fault.name),
            "kind": .string(fault.kind),
            "start": .time(fault.start),
            "end": .time(fault.end),
        ]
    }

    private static func value(of generator: RunRecord.GeneratorJudgement) -> JSONValue {
        switch generator {
        case .valid: ["judgement": .string("valid")]
        case .degraded(let reason): ["judgement": .string("degraded"), "reason": .string(reason)]
        case .invalid(let reason): ["judgement": .string("invalid"), "reason": .string(reason)]
        }
    }

    private static func value(_ outcome: ExpectationOutcome) -> JSONValue {
        [
            "expectation": .string(outcome.expectation),
            "metric": .string(outcome.metric.rawValue),
            "passed": .bool(outcome.passed),
            "measured": .string(outcome.measured.name),
            "value": number(outcome.measured),
            "window": outcome.window.map(JSONValue.time),
        ]
    }

    private static func number(_ measured: ExpectationOutcome.Measured) -> JSONValue {
        guard case .value(let value) = measured else { return .null }
        switch value {
        case .time(let time): return .time(time)
        case .share(let share): return .share(share)
        case .count(let count): return .integer(count)
        case .rate(let thousandths): return .number(JSONValue.decimal(thousandths, digits: 3))
        }
    }

    static func value(of host: Host) -> JSONValue {
        [
            "workers": .integer(host.workers),
            "memoryBytes": .integer(host.memoryBytes),
            "bytesPerTunnel": host.bytesPerTunnel.map(JSONValue.integer) ?? .null,
            "cpu": host.cpu.map(JSONValue.time) ?? .null,
            "cpuPerTunnel": host.cpuPerTunnel.map(JSONValue.time) ?? .null,
            "cpuPerPacket": host.cpuPerPacket.map(JSONValue.time) ?? .null,
            "cryptoBackend": .string(host.cryptoBackend),
            "wallClock": .time(host.wallClock),
            "startedAt": .integer(host.startedAt),
            "machine": [
                "system": .string(host.machine.system),
                "processor": .string(host.machine.processor),
                "cores": .integer(host.machine.cores),
                "memoryBytes": .integer(host.machine.memoryBytes),
            ],
            "windows": host.windows.map(value) ?? .null,
            "nodes": host.nodes.map { .array($0.map(value)) } ?? .null,
        ]
    }

    private static func value(of node: Host.Node) -> JSONValue {
        [
            "node": .integer(node.number),
            "workers": .integer(node.workers),
            "memoryBytes": .integer(node.memoryBytes),
            "places": .integer(node.places),
            "placesHere": .integer(node.placesHere),
        ]
    }

    private static func value(of windows: Host.Windows) -> JSONValue {
        [
            "count": .integer(windows.count),
            "events": .integer(windows.events),
            "busiestPartEvents": .integer(windows.busiestPartEvents),
            "atBarriers": .time(windows.atBarriers),
        ]
    }
}

extension MetricName {
    /// Whether the counter tells apart why.
    var hasReasons: Bool {
        switch self {
        case .handshakeFailed, .childRekeyFailed, .ikeRekeyFailed, .reauthenticationFailed, .tunnelsLost, .trafficLost,
            .espDropped:
            true
        default: false
        }
    }
}

extension ExpectationOutcome.Measured {
    /// The unit of the value, or why there is none.
    var name: String {
        switch self {
        case .value(.time): "ns"
        case .value(.share): "ratio"
        case .value(.count): "count"
        case .value(.rate): "per-second"
        case .noSamples: "no-samples"
        case .notRecovered: "not-recovered"
        }
    }
}

extension Recovery.Outcome {
    var name: String {
        switch self {
        case .after: "recovered"
        case .never: "not-recovered"
        case .noSamples: "no-samples"
        }
    }
}
