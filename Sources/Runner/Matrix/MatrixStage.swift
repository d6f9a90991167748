import IKECrypto
import Primitives
import Results
import Workload

/// Some cells of the matrix as one live run: a population for each, which has one client and comes when it is its turn.
///
/// Everything that a live run does for safety holds for it: the allowance, the canary, the ceilings, Delete at the end.
struct MatrixStage {
    var template: Workload
    var cells: [MatrixCell]
    /// What the canary offers, so that it is let in by any gateway that some cell works with.
    var canary: Workload.Proposals
    var pace: MatrixPace
    /// More than one is for a gateway that lets an identity have several IKE SAs.
    var featuresAtOnce = 1
    /// The gateway's log, which says why what does not work does not.
    var gatewayLog: String?

    /// Each cell's client comes at `from`, and is gone at `until`.
    struct Slot {
        var from: Duration
        var until: Duration
    }

    /// Set-ups follow each other at the pace. A feature takes longer, and waits for everything before it: a gateway
    /// that keeps one IKE SA for each identity would otherwise end one with the other. Where there may be several at
    /// once, it waits for a feature that is so many before it.
    var slots: [Slot] {
        var slots: [Slot] = []
        var features: [Slot] = []
        var next = Duration.milliseconds(100)
        for cell in cells {
            let isFeature = cell.feature != nil
            let others = featuresAtOnce == 1 ? slots : features
            if isFeature, others.count >= featuresAtOnce {
                next = max(next, others[others.count - featuresAtOnce].until + Self.pause)
            }
            let slot = Slot(from: next, until: next + (isFeature ? Self.featureTime : Self.setUpTime))
            slots.append(slot)
            if isFeature { features.append(slot) }
            next += pace.interval
        }
        return slots
    }

    var duration: Duration { (slots.map(\.until).max() ?? .zero) + .seconds(1) }

    func run(_ target: LiveTarget, _ options: LiveOptions) throws(LiveError) -> Outcome {
        var options = options
        options.workers = 1
        var traces = [MatrixTrace](repeating: MatrixTrace(), count: cells.count + 1)
        var sources = [IPAddress?](repeating: nil, count: cells.count + 1)
        var epoch: UInt64 = 0
        let log = try gatewayLog.map { file throws(LiveError) in try GatewayLog(following: file) }
        defer { _ = log?.end() }
        var sinks = RunSinks(
            event: { traces[Int($0.client)].note($0) },
            packet: { packet in
                let isOutgoing = packet.destination == target.plain || packet.destination == target.encapsulated
                let port = isOutgoing ? packet.destination.port : packet.source.port
                guard let client = packet.client else { return }
                if isOutgoing, sources[Int(client)] == nil { sources[Int(client)] = packet.source.address }
                traces[Int(client)].note(
                    packet,
                    isOutgoing: isOutgoing,
                    isEncapsulated: port == target.encapsulatedPort
                )
            }
        )
        sinks.started = { epoch = $0 }
        let result = try LiveRun(workload, targets: [target], options: options).run(sinks: sinks)
        let lines = log?.end() ?? []
        let results = cells.indices.map { index in
            let trace = traces[index + 1]
            let judge = MatrixJudge(cell: cells[index], trace: trace, until: .zero + slots[index].until)
            var result = MatrixResult(cell: cells[index], verdict: judge.verdict, exchanges: trace.exchanges)
            if result.verdict != .works, let source = sources[index + 1], let span = trace.span(slots[index].until) {
                result.evidence = lines.evidence(
                    about: "\(source)",
                    from: epoch + span.lowerBound.nanoseconds,
                    until: epoch + span.upperBound.nanoseconds
                )
            }
            return result
        }
        return Outcome(results: results, live: result)
    }

    struct Outcome {
        var results: [MatrixResult]
        var live: LiveResult
    }

    private static var pause: Duration { .milliseconds(500) }
    /// Long enough for three requests without an answer.
    private static var setUpTime: Duration { .seconds(4) }
    private static var featureTime: Duration { .milliseconds(5_500) }
}

/// How fast clients come.
package struct MatrixPace: Hashable, Sendable {
    package var perSecond: Int

    package init(perSecond: Int) { self.perSecond = perSecond }

    var interval: Duration { .seconds(1) / Int64(perSecond) }
}

// The stage as a workload.
extension MatrixStage {
    /// The template's gateway and credentials, with the stage's clients in place of its load.
    var workload: Workload {
        var workload = template
        workload.name = "matrix"
        let wire = template.paths[template.populations[0].paths[0].path].direct
        workload.paths = [wire, wire.natted]
        workload.populations = [population(named: "canary", 0, profile: 0, path: 0)]
        workload.profiles = [profile(of: 0, canary)]
        workload.arrivals = []
        workload.faults = []
        for (index, cell) in cells.enumerated() { add(cell, slots[index], number: index + 1, to: &workload) }
        workload.floods = []
        workload.steadyState = []
        workload.thresholds = []
        // Refusals are what is looked for: the conditions of a load do not hold for them.
        workload.safety.abortWhen = []
        workload.run.warmUp = .zero
        workload.run.replications = 1
        workload.run.duration = duration
        return workload
    }

    private func add(_ cell: MatrixCell, _ slot: Slot, number: Int, to workload: inout Workload) {
        var profile = profile(of: cell.population, cell.proposals)
        if let signature = cell.signature {
            profile.authentication.signatures = Self.signatures(profile.authentication.signatures, making: signature)
        }
        if let method = cell.method { profile.authentication.eap?.methods = [method] }
        cell.feature?.apply(to: &profile, keyExchange: cell.keyExchange ?? "x25519")
        let name = "cell-\(number)"
        profile.name = name
        workload.profiles.append(profile)
        let isNatted = cell.feature == .natted
        workload.populations.append(population(named: name, cell.population, profile: number, path: isNatted ? 1 : 0))
        if cell.feature != .mobike { workload.populations[number].sources = [source(number, cell.population)] }
        workload.arrivals.append(arrival(named: name, of: number, slot))
        guard cell.feature == .mobike else { return }
        workload.faults.append(
            Workload.Fault(
                name: name,
                at: slot.from + MatrixFeature.age,
                effect: .move(population: number, share: .one, to: 0, over: .zero, sources: [])
            )
        )
    }

    /// The list by which a client makes this signature, and still takes the gateway's.
    ///
    /// An RSA key signs with the first of the list. An ECDSA key prefers its curve's own hash: then no other hash, and
    /// no other ECDSA signature that it could make, is in the list.
    private static func signatures(
        _ all: [Workload.SignatureName],
        making wanted: Workload.SignatureName
    ) -> [Workload.SignatureName] {
        let scheme = SignatureScheme(wanted)
        func isECDSA(_ name: Workload.SignatureName) -> Bool { name.rawValue.hasPrefix("ecdsa") }
        let others = all.filter { $0 != wanted }
        guard isECDSA(wanted) else { return [wanted] + others }
        return [wanted]
            + others.filter { name in
                let other = SignatureScheme(name)
                guard other.namesItself == scheme.namesItself else { return false }
                return !other.namesItself || other.hash == scheme.hash && !isECDSA(name)
            }
    }

    /// One client that comes and goes.
    private func arrival(named name: String, of population: Int, _ slot: Slot) -> Workload.Arrival {
        var stay = template.paths[0].direct.delay.perClient
        stay.shape = .constant(slot.until - slot.from)
        var arrival = template.arrivals[0]
        arrival.name = name
        arrival.population = population
        arrival.start = slot.from
        arrival.pattern = .constant(rate: Workload.Rate(count: 1, per: .seconds(1)), lasting: .seconds(1))
        arrival.stay = stay
        return arrival
    }

    private func population(named name: String, _ original: Int, profile: Int, path: Int) -> Workload.Population {
        var population = template.populations[original]
        population.name = name
        population.count = 1
        population.profile = profile
        population.gateway = 0
        population.paths = [population.paths[0]]
        population.paths[0].path = path
        population.paths[0].share = .one
        return population
    }

    /// Clients go around the population's sources, so that none of them has all half-open IKE SAs.
    private func source(_ number: Int, _ original: Int) -> IPPrefix {
        let sources = template.populations[original].sources
        let source = template.populations[original].source(ofClient: number % Self.sourceCount + 1)
        // A single source stays what it is.
        guard sources.count > 1 || sources[0].count > 2 else { return sources[0] }
        return IPPrefix(address: source, length: source.byteCount * 8)
    }

    private func profile(of population: Int, _ proposals: Workload.Proposals) -> Workload.Profile {
        var profile = template.profiles[template.populations[population].profile].quiet
        profile.name = "canary"
        profile.proposals = proposals
        profile.retransmission.waits = [.milliseconds(500), .seconds(1), .seconds(2)]
        profile.fragmentation = .never
        profile.mobility = Workload.Mobility()
        profile.lifeCycle = Workload.LifeCycle()
        return profile
    }

    private static var sourceCount: Int { 8 }
}

extension Workload.Path {
    /// The same way with nothing in it.
    fileprivate var direct: Workload.Path { delayingOnly(.microseconds(100)) }

    fileprivate var natted: Workload.Path {
        var path = self
        path.name = "natted"
        path.nat = Presets.nat[0].value
        return path
    }
}
