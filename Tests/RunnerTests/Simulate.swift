import Metrics
import Primitives
import Results
import Runner
import Testing
import Workload

/// Runs the text of a workload in virtual time, in which every invariant has to hold.
///
/// - Parameter endsMidFlight: whether the run ends, by its design, while an end cannot know what became of its peer.
func simulate(
    _ text: String,
    sinks: RunSinks = RunSinks(),
    endsMidFlight: Bool = false,
    at location: SourceLocation = #_sourceLocation,
    _ change: (inout SimulatedOptions) -> Void = { _ in }
) throws -> SimulatedOutcome {
    let workload = try WorkloadFile(text: text, path: "test.yaml").validated()
    return try simulate(workload, sinks: sinks, endsMidFlight: endsMidFlight, at: location, change)
}

/// The same of a workload that has been read.
///
/// Every simulated run of a test comes by here: each of its packets is looked at, and at its end both ends have the
/// same IKE SAs and Child SAs wherever nothing is going on.
func simulate(
    _ workload: Workload,
    sinks: RunSinks = RunSinks(),
    endsMidFlight: Bool = false,
    at location: SourceLocation = #_sourceLocation,
    _ change: (inout SimulatedOptions) -> Void = { _ in }
) throws -> SimulatedOutcome {
    var options = SimulatedOptions()
    change(&options)
    let watcher = WireWatcher()
    var watched = sinks
    watched.packet = { packet in
        watcher.look(at: packet)
        sinks.packet?(packet)
    }
    let outcome = try SimulatedRun(workload, options: options, sinks: watched).run()
    #expect(outcome.violations == [], sourceLocation: location)
    #expect(watcher.violations == [], sourceLocation: location)
    #expect(watcher.packetCount > 0, sourceLocation: location)
    expectFlowsAddUp(outcome.measurements, workload, at: location)
    if !endsMidFlight { #expect(outcome.oneSided == [], sourceLocation: location) }
    return outcome
}

/// What flows is counted by flow, and no packet is only its population's.
private func expectFlowsAddUp(_ measurements: [Measurements], _ workload: Workload, at location: SourceLocation) {
    let flows = workload.flows.filter { $0.way == nil }.map { flow in
        measurements.first { $0.scope == MeasurementScope(flow: flow.name) }
    }
    for metric in MetricName.allCases where metric.isPerFlow {
        let counted = flows.reduce(0) { $0 + ($1?.counter(metric).total ?? 0) }
        let sampled = flows.reduce(0) { $0 + ($1?.latency(metric).count ?? 0) }
        #expect(counted == measurements.first?.counter(metric).total, "\(metric)", sourceLocation: location)
        #expect(sampled == measurements.first?.latency(metric).count, "\(metric)", sourceLocation: location)
    }
}

/// Whether a run with so many workers, shards and another window, and with modelled cryptography, is the same as one
/// without.
func expectNoTrace(of workers: Int, in text: String, endsMidFlight: Bool = false) throws {
    let one = try simulate(text, endsMidFlight: endsMidFlight)
    let other = try simulate(text, endsMidFlight: endsMidFlight) { options in
        options.workers = workers
        options.crypto = .modelled
        options.overrides = SimulationOverrides(
            window: .microseconds(Int64(1000 / workers)),
            shardCount: UInt32(5 * workers)
        )
    }
    #expect(one.digest == other.digest)
    #expect(one.measurements == other.measurements)
    #expect(one.series == other.series)
}

/// Whether runs with several workers and batch sizes, and with modelled cryptography, are the same as this one.
func expectNoTraceOfBatches(in text: String, _ one: SimulatedOutcome) throws {
    for workers in [2, 3, 7] {
        let other = try simulate(text) { options in
            options.workers = workers
            options.batchSize = workers == 3 ? 8 : 1
            options.overrides = SimulationOverrides(shardCount: UInt32(workers))
        }
        #expect(other.digest == one.digest)
        #expect(other.series == one.series)
    }
    let modelled = try simulate(text) { $0.crypto = .modelled }
    #expect(modelled.digest == one.digest)
    #expect(modelled.measurements == one.measurements)
}

extension WireWatcher {
    /// What shows it every packet of a run.
    var sinks: RunSinks { RunSinks(packet: { self.look(at: $0) }) }
}
