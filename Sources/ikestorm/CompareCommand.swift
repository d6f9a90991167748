import ArgumentParser
import Results
import Runner

struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Says whether runs differ, and whether for the worse.",
        discussion: """
            Each side is compared with the first one, or with the baseline that --baseline names. A side is a run's \
            folder, its result.json, a folder of such folders (replications, say), the name of a baseline, or several \
            of these with commas between them.

              ikestorm compare runs/before runs/after
              ikestorm compare --baseline main runs/quickstart/20261124T050000Z-42

            Simulated runs are exact: runs of one seed are compared figure by figure, and every difference is a \
            change, which fails unless --allow names it. Of live runs each figure \
            is a sample with a value of each run, and is better, worse, the same or inconclusive (docs/comparing.md).

            A figure is a metric with its field, as in "handshake.latency p99" or "traffic.lost(calls) nat"; without a \
            field all fields are meant.

            Exit codes: 0 the same, or better in real time, 64 the sides cannot be compared, 75 inconclusive, \
            98 worse, or changed.
            """
    )

    @Argument(help: "The sides.", completion: .directory)
    var sides: [String]

    @Option(help: ArgumentHelp("The baseline that the sides are measured by.", valueName: "name"))
    var baseline: String?

    @Option(help: ArgumentHelp("Where baselines are.", valueName: "folder"), completion: .directory)
    var folder = BaselineStore.usualPath

    @Option(
        name: .customLong("metric"),
        help: ArgumentHelp("Compares this figure, and not what is chosen; may be repeated.", valueName: "figure")
    )
    var figures: [String] = []

    @Option(
        help: ArgumentHelp(
            "This figure may change, or the digest, or all simulated ones for the better; may be repeated.",
            valueName: "figure, digest or better"
        )
    )
    var allow: [String] = []

    @Option(
        help: ArgumentHelp(
            "The least difference that matters, of all or of one figure; may be repeated; 5% unless said.",
            valueName: "percent or figure=percent"
        )
    )
    var minimumEffect: [String] = []

    @Option(
        help: ArgumentHelp("In how many jobs with equal live sides one may seem to differ.", valueName: "percent")
    )
    var falseAlarms = "5%"

    @Option(
        help: ArgumentHelp(
            "Compares although this differs: workload or machine; may be repeated.",
            valueName: "what"
        )
    )
    var across: [ComparisonTerms.Difference] = []

    @Option(
        help: ArgumentHelp("The exit code in place of 75, such as 125 for git bisect run.", valueName: "code")
    )
    var inconclusiveExit: Int32?

    @Flag(help: "Prints the comparison as JSON, and nothing else, on standard output.")
    var json = false

    func validate() throws {
        guard sides.count > (baseline == nil ? 1 : 0) else {
            throw ValidationError("Name two sides at least, or one and --baseline.")
        }
        if let inconclusiveExit, !(0...255).contains(inconclusiveExit) {
            throw ValidationError("--inconclusive-exit is from 0 to 255.")
        }
        guard let share = Self.share(falseAlarms), share > 0, share < 0.5 else {
            throw ValidationError("--false-alarms is above 0% and below 50%, such as 5%.")
        }
    }

    /// `5%` as 0.05.
    private static func share(_ text: some StringProtocol) -> Double? {
        guard text.hasSuffix("%"), let percent = Double(text.dropLast()), (0...1e6).contains(percent) else {
            return nil
        }
        return percent / 100
    }

    private var terms: ComparisonTerms {
        get throws {
            var terms = ComparisonTerms()
            terms.falseAlarms = Self.share(falseAlarms) ?? terms.falseAlarms
            for word in minimumEffect {
                let parts = word.split(separator: "=", maxSplits: 1)
                guard let last = parts.last, let share = Self.share(last) else {
                    throw ValidationError("--minimum-effect \(word) is no share; write 5%, or handshake.latency=10%.")
                }
                if parts.count == 1 {
                    terms.minimumEffect = share
                } else {
                    terms.minimumEffects.append(.init(try FigurePattern(word: String(parts[0])), share: share))
                }
            }
            terms.figures = try figures.map { try FigurePattern(word: $0) }
            terms.allowsDigest = allow.contains("digest")
            terms.allowsBetter = allow.contains("better")
            terms.allowed = try allow.filter { !["digest", "better"].contains($0) }.map { try FigurePattern(word: $0) }
            terms.across = Set(across)
            return terms
        }
    }

    func run() throws {
        let job = CompareJob(
            sides,
            baseline: baseline,
            store: BaselineStore(path: folder),
            terms: try terms,
            writesJSON: json
        )
        let code = try job.run(on: .standard())
        guard code == .inconclusive, let inconclusiveExit else { return try code.end() }
        throw ArgumentParser.ExitCode(inconclusiveExit)
    }
}

extension ComparisonTerms.Difference: ExpressibleByArgument {}
