import Metrics
import Primitives

/// Turns a composed file into a workload: looks names up, fills defaults in, and refuses what cannot be.
struct WorkloadReader {
    let root: RecordView
    /// Reads a file that the workload names, from the workload's folder; throws a sentence that says why not.
    let readFile: (String) throws(UnitProblem) -> String
    /// A path that names the same file from anywhere.
    let absolutePath: (String) -> String
    var errors: [WorkloadError] = []
    let gatewayNames: [String]
    let profileNames: [String]
    let pathNames: [String]
    let populationNames: [String]

    init(
        root: SourceNode,
        readFile: @escaping (String) throws(UnitProblem) -> String,
        absolutePath: @escaping (String) -> String = { $0 }
    ) {
        self.root = RecordView(node: root, record: WorkloadSchema.root, path: "")
        self.readFile = readFile
        self.absolutePath = absolutePath
        func names(_ section: Scalar.Section) -> [String] {
            root.entry(section.rawValue)?.value.entries.map(\.key) ?? []
        }
        gatewayNames = names(.gateways)
        profileNames = names(.profiles)
        pathNames = names(.paths)
        populationNames = names(.populations)
    }

    mutating func workload(sources: SourceMap) -> Workload {
        var profiles = root.views("profiles").map { profile($0.name, $0.view) }
        let paths = root.views("paths").map { path($0.name, $0.view) }
        let populations = populations(profiles: profiles)
        checkFamilies(populations, paths)
        var gateways = root.views("gateways").enumerated().map { index, entry in
            gateway(entry.name, entry.view, at: index, populations: populations)
        }
        readFragmentation(into: &profiles, &gateways, populations, paths)
        readMobility(into: &profiles, &gateways)
        let run = run(root.view("run"))
        let faults = root.views("faults").map { fault($0.name, $0.view) }
        checkMoves(faults, populations, gateways)
        checkRollovers(faults, populations)
        let flows = root.views("traffic").map { traffic($0.name, $0.view) }
        checkFlows(flows)
        let safety = safety(root.view("safety"))
        return Workload(
            name: root.text("name"),
            seed: UInt64(root.count("seed")),
            gateways: gateways,
            profiles: profiles,
            paths: paths,
            populations: populations,
            arrivals: root.views("arrivals").map { arrival($0.name, $0.view, populations: populations) },
            faults: faults,
            traffic: flows,
            floods: root.views("floods").map { flood($0.name, $0.view, allowed: safety.allowKinds) },
            steadyState: expectations(root, "steady-state"),
            thresholds: expectations(root, "thresholds"),
            safety: safety,
            run: run,
            sources: sources
        )
    }

    mutating func fail(_ mark: SourceMark, _ problem: String, _ remedy: String? = nil) {
        errors.append(WorkloadError(mark, problem, remedy: remedy))
    }

    /// Each flow has histograms of its own, and packets name theirs by a short number.
    private mutating func checkFlows(_ traffic: [Workload.Traffic]) {
        guard traffic.count > Self.mostTraffics else { return }
        fail(
            root.mark("traffic"),
            "\(traffic.count) kinds of traffic are more than \(Self.mostTraffics)",
            "have clients share some: each of a population's has the flow"
        )
    }

    private static var mostTraffics: Int { 500 }

    /// An IPv6 link has an MTU of 1280 or more (RFC 8200 section 5).
    private mutating func checkFamilies(_ populations: [Workload.Population], _ paths: [Workload.Path]) {
        for population in populations where population.sources.contains(where: { !$0.address.isIPv4 }) {
            for share in population.paths where paths.indices.contains(share.path) {
                let path = paths[share.path]
                guard let mtu = path.mtu, mtu.byteCount < 1_280 else { continue }
                let written = root.view("paths").node.entry(path.name)?.value
                fail(
                    written?.entry("mtu")?.value.mark ?? root.mark("paths"),
                    "the path \(path.name) has IPv6 clients of \(population.name), and an MTU below 1280",
                    "write 1280 or more"
                )
            }
        }
    }

    /// The index of what a name refers to; reports a name that nothing has.
    mutating func reference(_ node: SourceNode?, to section: Scalar.Section) -> Int {
        // What is no text was reported with the file's shape.
        guard let node, let name = node.scalar, !name.isEmpty else { return 0 }
        return reference(name, at: node.mark, to: section)
    }

    mutating func reference(_ name: String, at mark: SourceMark, to section: Scalar.Section) -> Int {
        let names =
            switch section {
            case .gateways: gatewayNames
            case .profiles: profileNames
            case .paths: pathNames
            case .populations: populationNames
            }
        if let index = names.firstIndex(of: name) { return index }
        fail(mark, "unknown \(section.noun) \"\(name.abbreviated)\"", Nearest.remedy(for: name, among: names))
        return 0
    }

    mutating func expectations(_ view: RecordView, _ key: String) -> [Expectation] {
        let names = ExpectationParser.Names(
            populations: populationNames,
            traffic: root.views("traffic").map { name, view in
                ExpectationParser.Names.Traffic(
                    name,
                    population: view.value("population")?.scalar ?? "",
                    hasBothWays: view.has("up") && view.has("down")
                )
            },
            faults: root.node.entry("faults")?.value.entries.map(\.key) ?? []
        )
        return view.elements(key).compactMap { node in
            guard case .scalar(let text, let isPlain) = node.content, !text.isEmpty else { return nil }
            do throws(ExpectationProblem) {
                return try ExpectationParser.parse(text, names: names)
            } catch {
                var mark = node.mark
                mark.column += error.offset + (isPlain ? 0 : 1)
                fail(mark, error.problem, error.remedy)
                return nil
            }
        }
    }
}

extension WorkloadReader {
    private mutating func run(_ view: RecordView) -> Workload.Run {
        let run = Workload.Run(
            duration: view.duration("duration"),
            warmUp: view.duration("warm-up"),
            replications: view.count("replications"),
            epoch: view.read("epoch", or: 0) { text throws(UnitProblem) in try Timestamps.seconds(text) }
        )
        if run.duration > .zero, run.warmUp >= run.duration {
            fail(
                view.mark("warm-up"),
                "the warm-up is as long as the run, so that nothing is measured",
                "make it shorter"
            )
        }
        return run
    }

    mutating func safety(_ view: RecordView) -> Workload.Safety {
        let ceilings = view.view("at-most")
        if ceilings.has("set-ups"), ceilings.rate("set-ups").count == 0 {
            fail(ceilings.mark("set-ups"), "a ceiling of no set-ups at all")
        }
        return Workload.Safety(
            allowTargets: view.prefixes("allow-targets"),
            allowInner: view.prefixes("allow-inner"),
            allowIdentities: view.texts("allow-identities"),
            allowKinds: view.keywords("allow-kinds", as: Workload.Flood.Kind.self),
            setUpsAtMost: ceilings.has("set-ups") ? ceilings.rate("set-ups") : nil,
            halfOpenAtMost: ceilings.optionalCount("half-open"),
            abortWhen: expectations(view, "abort-when"),
            onAbort: view.has("on-abort")
                ? view.keywords("on-abort", as: Workload.Safety.AbortStep.self) : [.stopArrivals, .drain]
        )
    }
}
