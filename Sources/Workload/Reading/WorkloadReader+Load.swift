import Primitives

extension WorkloadReader {
    mutating func arrival(
        _ name: String,
        _ view: RecordView,
        populations: [Workload.Population]
    ) -> Workload.Arrival {
        let population = reference(view.value("population"), to: .populations)
        let clients = populations.indices.contains(population) ? populations[population].count : nil
        return Workload.Arrival(
            name: name,
            population: population,
            start: view.duration("at"),
            pattern: pattern(view, clients: clients),
            stay: distribution(view, "stay")
        )
    }

    private mutating func pattern(_ view: RecordView, clients: Int?) -> Workload.Arrival.Pattern {
        if view.has("ramp") { return ramp(view.view("ramp")) }
        if view.has("spike") {
            let spike = view.view("spike")
            if let clients, let wanted = spike.optionalCount("clients"), wanted > clients {
                fail(
                    spike.mark("clients"),
                    "the population has \(clients) clients, fewer than the spike",
                    "write at most \(clients)"
                )
            }
            return .spike(clients: spike.count("clients"), over: spike.duration("over"))
        }
        if view.has("trace") { return .trace(trace(view, clients: clients)) }
        let key = view.has("poisson") ? "poisson" : "constant"
        let (rate, lasting) = steady(view, key)
        return key == "poisson" ? .poisson(rate: rate, lasting: lasting) : .constant(rate: rate, lasting: lasting)
    }

    private mutating func steady(_ view: RecordView, _ key: String) -> (Workload.Rate, Duration?) {
        let isScalar = view.value(key)?.scalar != nil
        let inner = view.view(key)
        let rate = isScalar ? view.rate(key) : inner.rate("rate")
        if rate.count == 0 {
            fail(isScalar ? view.mark(key) : inner.mark("rate"), "at this rate nobody comes", "write more than 0/s")
        }
        return (rate, isScalar ? nil : inner.optionalDuration("for"))
    }

    private mutating func ramp(_ view: RecordView) -> Workload.Arrival.Pattern {
        let (from, to) = (view.rate("from"), view.rate("to"))
        if from.count == 0, to.count == 0 {
            fail(view.mark("to"), "a ramp from 0 to 0 brings nobody", "write a rate above 0/s")
        }
        let over = view.duration("over")
        if !Self.isCountable(max(from.perSecondThousandths, to.perSecondThousandths), over: over) {
            fail(
                view.mark("over"),
                "a ramp of \(over) to this rate is too long",
                "write a shorter time, or a lower rate"
            )
        }
        return .ramp(from: from, to: to, over: over, holds: view.text("then") == "hold")
    }

    /// Whether twice the rate times the square of the time fits in 128 bits, in which a ramp's arrivals are counted.
    ///
    /// Within a year, each client's number times the time fits too.
    private static func isCountable(_ rate: UInt64, over: Duration) -> Bool {
        guard over <= .hours(365 * 24) else { return false }
        let length = UInt128(over.nanoseconds)
        return !(length * length).multipliedReportingOverflow(by: 2 * UInt128(rate)).overflow
    }

    private mutating func trace(_ view: RecordView, clients: Int?) -> [Workload.Arrival.TraceEntry] {
        guard let node = view.node.entry("trace")?.value else { return [] }
        var entries: [(entry: Workload.Arrival.TraceEntry, mark: SourceMark)] = []
        if let path = node.scalar {
            guard !path.isEmpty else { return [] }
            do throws(UnitProblem) {
                let (read, problems) = TraceFile.entries(of: try readFile(path), file: path)
                errors += problems
                entries = read
            } catch {
                fail(node.mark, error.problem, error.remedy)
            }
        } else {
            entries = node.elements.map { element in
                let view = RecordView(node: element, record: WorkloadSchema.traceEntry, path: view.path + ".trace")
                let entry = Workload.Arrival.TraceEntry(
                    at: view.duration("when"),
                    until: view.optionalDuration("until"),
                    client: view.optionalCount("who")
                )
                return (entry, element.mark)
            }
        }
        checkTrace(entries, clients: clients)
        return entries.map(\.entry)
    }

    private mutating func checkTrace(
        _ entries: [(entry: Workload.Arrival.TraceEntry, mark: SourceMark)],
        clients: Int?
    ) {
        for (index, (entry, mark)) in entries.enumerated() {
            if index > 0, entry.at < entries[index - 1].entry.at {
                fail(mark, "a trace is in order of time, and \(entry.at) comes after \(entries[index - 1].entry.at)")
                return
            }
            if let until = entry.until, until <= entry.at {
                fail(mark, "the client goes at \(until), before it comes at \(entry.at)")
                return
            }
            if let client = entry.client, let clients, client >= clients {
                fail(mark, "there is no client \(client)", "the population's clients are 0 to \(clients - 1)")
                return
            }
        }
    }

    mutating func fault(_ name: String, _ view: RecordView) -> Workload.Fault {
        let fallback = Workload.Fault(name: name, at: view.duration("at"), effect: .natFlush(paths: []))
        let written = view.has("kind") ? view.text("kind") : name
        guard let kind = FaultKind(rawValue: written) else {
            let kinds = FaultKind.allCases.map(\.rawValue)
            if !view.has("kind") {
                fail(
                    view.node.mark,
                    "the fault \"\(name.abbreviated)\" does not say its kind",
                    "add `kind`, one of \(Nearest.list(kinds))"
                )
            }
            return fallback
        }
        let allowed = ["kind", "at"] + kind.required + kind.optional
        for entry in view.node.entries where view.record.field(entry.key) != nil && !allowed.contains(entry.key) {
            fail(
                entry.keyMark,
                "`\(entry.key)` has no meaning in a fault of kind \(kind.rawValue)",
                "its keys are \((["at"] + kind.required + kind.optional).joined(separator: ", "))"
            )
        }
        for key in kind.required where !view.has(key) {
            let summary = view.record.field(key)?.summary ?? ""
            fail(view.node.mark, "a fault of kind \(kind.rawValue) has no `\(key)`", "add `\(key)`: \(summary)")
        }
        return Workload.Fault(name: name, at: view.duration("at"), effect: effect(kind, view))
    }

    private mutating func effect(_ kind: FaultKind, _ view: RecordView) -> Workload.Fault.Effect {
        switch kind {
        case .lossBurst:
            .lossBurst(paths: paths(view), loss: loss(view), lasting: view.duration("for"))
        case .pathDown: .pathDown(paths: paths(view), lasting: view.duration("for"))
        case .natFlush: .natFlush(paths: paths(view))
        case .natRebind:
            .natRebind(paths: paths(view), share: view.has("share") ? view.percent("share") : .one)
        case .move: move(view)
        case .restart:
            .gatewayRestart(
                gateway: reference(view.value("gateway"), to: .gateways),
                down: view.duration("down"),
                keepsState: view.boolean("keeps-state")
            )
        case .radiusOutage:
            .radiusOutage(gateway: reference(view.value("gateway"), to: .gateways), lasting: view.duration("for"))
        case .certificateRollover: .certificateRollover(rollover(view))
        case .replay:
            .replay(
                paths: paths(view),
                share: view.has("share") ? view.percent("share") : .one,
                after: view.duration("after"),
                lasting: view.duration("for")
            )
        }
    }

    private mutating func paths(_ view: RecordView) -> [Int] {
        guard let node = view.value("path") else { return [] }
        if node.scalar != nil { return [reference(node, to: .paths)] }
        return node.elements.map { reference($0, to: .paths) }
    }

    mutating func flood(_ name: String, _ view: RecordView, allowed: [Workload.Flood.Kind]) -> Workload.Flood {
        let kinds = Workload.Flood.Kind.allCases.map(\.rawValue)
        let written = view.has("kind") ? view.text("kind") : name
        let kind = Workload.Flood.Kind(rawValue: written)
        if kind == nil, !view.has("kind") {
            fail(
                view.node.mark,
                "the flood \"\(name.abbreviated)\" does not say its kind",
                "add `kind`, one of \(Nearest.list(kinds))"
            )
        }
        if let kind, !allowed.contains(kind) {
            fail(
                view.node.mark,
                "a \(kind.rawValue) is hostile, and `safety` does not allow it",
                "add `allow-kinds: [\(kind.rawValue)]` to `safety`"
            )
        }
        let rate = view.rate("rate")
        if rate.count == 0 { fail(view.mark("rate"), "at this rate nothing is sent", "write more than 0/s") }
        return Workload.Flood(
            name: name,
            kind: kind ?? .cookieFlood,
            gateway: reference(view.value("gateway"), to: .gateways),
            at: view.duration("at"),
            lasting: view.duration("for"),
            rate: rate,
            sources: view.prefixes("sources")
        )
    }
}
