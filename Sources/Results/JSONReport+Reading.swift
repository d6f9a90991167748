import Metrics
import Primitives

extension JSONReport {
    /// Reads a `result.json` strictly; `file` is what errors call it.
    ///
    /// What is not in that file comes from others of the run folder: buckets, series.
    package static func result(from bytes: [UInt8], file: String) throws(ResultError) -> RunResult {
        var object = try JSONObject.document(bytes, file: file)
        let found = try object.string("schema")
        guard found == schema else {
            throw object.problem("schema", "it is \"\(found)\", and this version of ikestorm reads \"\(schema)\"")
        }
        var record = try self.record(from: &object)
        var metrics = try object.object("metrics")
        let (measurements, recoveries) = try self.measurements(MeasurementScope(), record, from: &metrics)
        record.measurements = [measurements]
        var populations = try object.object("populations")
        for name in populations.keys {
            var population = try populations.object(name)
            record.populations.append(
                RunRecord.Population(name: name, clients: try population.integer("clients"))
            )
            var metrics = try population.object("metrics")
            let scope = MeasurementScope(population: name)
            record.measurements.append(try self.measurements(scope, record, from: &metrics).measurements)
            try population.finish()
        }
        try readFlows(from: &object, into: &record)
        let result = RunResult(
            record: record,
            steadyState: try outcomes("steadyState", of: &object),
            thresholds: try outcomes("thresholds", of: &object),
            recoveries: recoveries,
            verdict: try object.name("verdict")
        )
        guard try object.integer("exitCode") == result.exitCode.rawValue else {
            throw object.problem("exitCode", "it is not the one of the verdict \"\(result.verdict.rawValue)\"")
        }
        try object.finish()
        return result
    }

    /// Results of runs without traffic have none, nor do those of older versions.
    private static func readFlows(from object: inout JSONObject, into record: inout RunRecord) throws(ResultError) {
        guard object.has("flows") else { return }
        var flows = try object.object("flows")
        for name in flows.keys {
            var flow = try flows.object(name)
            record.flows.append(RunRecord.Flow(name: name, population: try flow.string("population")))
            var metrics = try flow.object("metrics")
            let scope = MeasurementScope(flow: name)
            record.measurements.append(try measurements(scope, record, from: &metrics).measurements)
            try flow.finish()
        }
    }

    private static func record(from object: inout JSONObject) throws(ResultError) -> RunRecord {
        var record = RunRecord(
            name: try object.string("name"),
            mode: try object.name("mode"),
            seed: try object.integer("seed"),
            version: try object.string("version"),
            digest: try object.has("digest") ? object.string("digest") : nil,
            workloadHash: try object.string("workload"),
            command: try object.strings("command"),
            duration: try object.time("duration"),
            plannedDuration: try object.time("plannedDuration"),
            host: try host(from: object.object("host"))
        )
        record.warmUp = try object.time("warmUp")
        for var table in try object.objects("costTables") {
            let gateway = try table.string("gateway")
            record.costTables.append(
                RunRecord.CostTable(gateway: gateway, name: try table.string("name"), hash: try table.string("hash"))
            )
            try table.finish()
        }
        for var fault in try object.objects("faults") {
            let name = try fault.string("name")
            let kind = try fault.string("kind")
            record.faults.append(
                RunRecord.Fault(name: name, kind: kind, start: try fault.moment("start"), end: try fault.moment("end"))
            )
            try fault.finish()
        }
        record.generator = try generator(from: object.object("generator"))
        if object.has("abort") {
            var abort = try object.object("abort")
            record.abort = RunRecord.SafetyAbort(
                condition: try abort.string("condition"),
                time: try abort.moment("time")
            )
            try abort.finish()
        }
        record.interruption = try object.name("interruption")
        record.warnings = try object.strings("warnings")
        return record
    }

    private static func measurements(
        _ scope: MeasurementScope,
        _ record: RunRecord,
        from metrics: inout JSONObject
    ) throws(ResultError) -> (measurements: Measurements, recoveries: [Recovery]) {
        var measurements = Measurements(scope: scope, start: .zero + record.warmUp)
        var recoveries: [Recovery] = []
        let isEverybody = scope == MeasurementScope()
        for metric in MetricName.allCases where metric.kind != .recovery || isEverybody {
            if scope.flow != nil, !metric.isPerFlow { continue }
            // Version 0.1.0 did not count the tunnels that were lost.
            guard (!metric.isOfFeature && metric != .tunnelsLost) || metrics.has(metric.rawValue) else { continue }
            var object = try metrics.object(metric.rawValue)
            switch metric.kind {
            case .counter: measurements.counters[metric] = try counter(metric, from: &object)
            case .ratio:
                var ratio = RatioRecord()
                for (name, path) in RatioRecord.fields where object.has(name) {
                    ratio[keyPath: path] = try object.share(name)
                }
                measurements.ratios[metric] = ratio
            case .latency: measurements.latencies[metric] = try latency(from: &object)
            case .recovery:
                for var recovery in try object.objects("recoveries") {
                    recoveries.append(try self.recovery(from: &recovery))
                }
            }
            try object.finish()
        }
        try metrics.finish()
        return (measurements, recoveries)
    }

    private static func counter(
        _ metric: MetricName,
        from object: inout JSONObject
    ) throws(ResultError) -> CounterRecord {
        let total: UInt64 = try object.integer("total")
        guard metric.hasReasons else { return CounterRecord(total: total) }
        var reasons = try object.object("byReason")
        var list: [CounterRecord.Reason] = []
        for name in reasons.keys {
            list.append(CounterRecord.Reason(name: name, count: try reasons.integer(name)))
        }
        let counter = CounterRecord(byReason: list)
        guard counter.total == total else { throw object.problem("byReason", "it does not add up to \(total)") }
        return counter
    }

    static func latency(from object: inout JSONObject) throws(ResultError) -> LatencyRecord {
        var latency = LatencyRecord()
        for (name, path) in LatencyRecord.fields where name == "count" || object.has(name) {
            latency[keyPath: path] = try object.integer(name)
        }
        return latency
    }

    private static func recovery(from object: inout JSONObject) throws(ResultError) -> Recovery {
        let outcome: Recovery.Outcome
        switch try object.string("outcome") {
        case Recovery.Outcome.never.name: outcome = .never
        case Recovery.Outcome.noSamples.name: outcome = .noSamples
        case Recovery.Outcome.after(.zero).name: outcome = .after(try object.time("time"))
        default: throw object.problem("outcome", "\"recovered\", \"not-recovered\" or \"no-samples\" is wanted")
        }
        if object.has("time"), outcome == .never || outcome == .noSamples {
            throw object.problem("time", "what did not recover has none")
        }
        let recovery = Recovery(
            fault: try object.string("fault"),
            condition: try object.string("condition"),
            outcome: outcome
        )
        try object.finish()
        return recovery
    }

    private static func outcomes(
        _ key: String,
        of object: inout JSONObject
    ) throws(ResultError) -> [ExpectationOutcome] {
        var outcomes: [ExpectationOutcome] = []
        for var outcome in try object.objects(key) {
            let measured: ExpectationOutcome.Measured
            switch try outcome.string("measured") {
            case "ns": measured = .value(.time(try outcome.time("value")))
            case "ratio": measured = .value(.share(try outcome.share("value")))
            case "count": measured = .value(.count(try outcome.integer("value")))
            case "per-second": measured = .value(.rate(perSecondThousandths: try outcome.thousandths("value")))
            case "no-samples": measured = .noSamples
            case "not-recovered": measured = .notRecovered
            default: throw outcome.problem("measured", "it is no unit, and no reason why there is no value")
            }
            _ = outcome.has("value")
            outcomes.append(
                ExpectationOutcome(
                    expectation: try outcome.string("expectation"),
                    metric: try outcome.name("metric"),
                    measured: measured,
                    passed: try outcome.bool("passed"),
                    window: outcome.has("window") ? try outcome.moment("window") : nil
                )
            )
            try outcome.finish()
        }
        return outcomes
    }

    private static func generator(from object: JSONObject) throws(ResultError) -> RunRecord.GeneratorJudgement {
        var object = object
        let judgement: RunRecord.GeneratorJudgement
        switch try object.string("judgement") {
        case "valid": judgement = .valid
        case "degraded": judgement = .degraded(try object.string("reason"))
        case "invalid": judgement = .invalid(try object.string("reason"))
        default: throw object.problem("judgement", "\"valid\", \"degraded\" or \"invalid\" is wanted")
        }
        try object.finish()
        return judgement
    }

    private static func host(from object: JSONObject) throws(ResultError) -> Host {
        var object = object
        var machine = try object.object("machine")
        var host = Host(
            workers: try object.integer("workers"),
            memoryBytes: try object.integer("memoryBytes"),
            bytesPerTunnel: try object.has("bytesPerTunnel") ? object.integer("bytesPerTunnel") : nil,
            cryptoBackend: try object.string("cryptoBackend"),
            wallClock: try object.time("wallClock"),
            startedAt: try object.integer("startedAt"),
            machine: Host.Machine(
                system: try machine.string("system"),
                processor: try machine.string("processor"),
                cores: try machine.integer("cores"),
                memoryBytes: try machine.integer("memoryBytes")
            )
        )
        // Results of older versions have none of these.
        host.cpu = try object.has("cpu") ? object.time("cpu") : nil
        host.cpuPerTunnel = try object.has("cpuPerTunnel") ? object.time("cpuPerTunnel") : nil
        host.cpuPerPacket = try object.has("cpuPerPacket") ? object.time("cpuPerPacket") : nil
        if object.has("windows") { host.windows = try windows(from: object.object("windows")) }
        if object.has("nodes") { host.nodes = try nodes(from: object.objects("nodes")) }
        try machine.finish()
        try object.finish()
        return host
    }

    private static func nodes(from objects: [JSONObject]) throws(ResultError) -> [Host.Node] {
        var nodes: [Host.Node] = []
        for var object in objects {
            nodes.append(
                Host.Node(
                    number: try object.integer("node"),
                    workers: try object.integer("workers"),
                    memoryBytes: try object.integer("memoryBytes"),
                    places: try object.integer("places"),
                    placesHere: try object.integer("placesHere")
                )
            )
            try object.finish()
        }
        return nodes
    }

    private static func windows(from object: JSONObject) throws(ResultError) -> Host.Windows {
        var object = object
        let windows = Host.Windows(
            count: try object.integer("count"),
            events: try object.integer("events"),
            busiestPartEvents: try object.integer("busiestPartEvents"),
            atBarriers: try object.time("atBarriers")
        )
        try object.finish()
        return windows
    }
}
