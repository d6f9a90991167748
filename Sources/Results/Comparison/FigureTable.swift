import Metrics
import Primitives

/// What a figure of one run came to.
package enum FigureValue: Hashable, Sendable {
    /// In the figure's unit.
    case number(UInt64)
    /// It was never measured.
    case none
    /// The condition of a `recovery.time` did not hold again.
    case notRecovered
}

/// Every figure of a run, by its name and in the order of `result.json`: everybody's first.
///
/// A count that a result does not name, as of a feature that its workload does not use, is 0.
package struct FigureTable: Sendable {
    package private(set) var names: [FigureName] = []
    private var values: [FigureName: FigureValue] = [:]

    package init(_ result: RunResult) {
        let record = result.record
        add(record.measurements(), subject: nil)
        for recovery in result.recoveries {
            let value: FigureValue =
                switch recovery.outcome {
                case .after(let duration): .number(UInt64(clamping: duration.nanoseconds))
                case .never: .notRecovered
                case .noSamples: .none
                }
            let name = Replications.Figure.RecoveryName(fault: recovery.fault, condition: recovery.condition)
            add(value, FigureName(.recoveryTime, "time", recovery: name))
        }
        for population in record.populations {
            add(record.measurements(of: population.name), subject: .population(population.name))
        }
        for flow in record.flows { add(record.measurements(ofFlow: flow.name), subject: .flow(flow.name)) }
    }

    package subscript(name: FigureName) -> FigureValue {
        values[name] ?? (name.unit == .count ? .number(0) : .none)
    }

    private mutating func add(_ value: FigureValue, _ name: FigureName) {
        if values.updateValue(value, forKey: name) == nil { names.append(name) }
    }

    private mutating func add(_ measurements: Measurements, subject: FigureName.Subject?) {
        for metric in MetricName.allCases where measurements.scope.flow == nil || metric.isPerFlow {
            switch metric.kind {
            case .counter:
                let counter = measurements.counter(metric)
                add(.number(counter.total), FigureName(metric, "total", subject: subject))
                for reason in counter.byReason {
                    add(.number(reason.count), FigureName(metric, reason.name, subject: subject))
                }
            case .ratio:
                let ratio = measurements.ratio(metric)
                for (name, path) in RatioRecord.fields {
                    let value = ratio[keyPath: path].map { FigureValue.number(UInt64($0.partsPerBillion)) }
                    add(value ?? .none, FigureName(metric, name, subject: subject))
                }
            case .latency:
                let latency = measurements.latency(metric)
                for (name, path) in LatencyRecord.fields {
                    let isKnown = latency.count > 0 || name == "count"
                    add(
                        isKnown ? .number(latency[keyPath: path]) : .none,
                        FigureName(metric, name, subject: subject)
                    )
                }
            case .recovery: continue
            }
        }
    }
}
