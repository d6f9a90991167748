import ArgumentParser
import Primitives
import Results
import Runner

struct CapacityCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "capacity",
        abstract: "Finds the largest value of a setting with which a workload passes.",
        discussion: """
            Runs the workload with the lowest and the highest value of --vary, and then with what lies in the middle of what is \
            not known yet, until two values are as close as --resolution says: with the one it passes, with the other one it \
            does not. It passes when its thresholds and its steady state hold, or what --until says in place of the \
            thresholds:

              ikestorm capacity first.yaml --vary arrivals.start.constant=20..5000/s --set populations.clients.count=50000
              ikestorm capacity workloads/esp-throughput.yaml --vary traffic.stream.up.packets=100/s..20000/s

            Passing is taken to become harder with larger values. The folder of the search, runs/NAME/TIME-SEED/ unless \
            --out says another, has that of each run, capacity.json and summary.md.

            Against a real gateway (--target) all runs are in real time, one after the other, each of which deletes its IKE \
            SAs. Where the generator was late with a value, what lies above is not known (75).

            Exit codes: 0 with an answer, 65 bad workload, 75 the generator was late, 96 safety ended a run and the search, 99 \
            it does not pass even with the lowest value.
            """
    )

    @Argument(help: "The workload file.", completion: .file(extensions: ["yaml"]))
    var workload: String

    @Option(help: ArgumentHelp("The setting, and the range of its values.", valueName: "path=low..high"))
    var vary: String

    @Option(
        help: ArgumentHelp("What a run has to keep, in place of the workload's thresholds.", valueName: "expectation")
    )
    var until: [String] = []

    @Option(help: ArgumentHelp("How close the answer has to be, in percent.", valueName: "percent"))
    var resolution = "2%"

    @Option(help: ArgumentHelp("How many runs each value has to pass, each with its own seed.", valueName: "n"))
    var replications = 1

    @Option(help: ArgumentHelp("The real gateway to run against, in real time.", valueName: "address"))
    var target: [String] = []

    @Option(help: ArgumentHelp("Allows load to this address beside the workload's own safety.", valueName: "address"))
    var allowTarget: [String] = []

    @Option(
        help: ArgumentHelp("Where the clients of a live run are, in place of the workload's own.", valueName: "prefix")
    )
    var sources: [String] = []

    @Option(help: ArgumentHelp("The seed; the workload's own when it is not given.", valueName: "n"))
    var seed: UInt64?

    @Option(help: ArgumentHelp("How many threads compute a run: a number, or auto: one per core.", valueName: "n"))
    var workers = WorkersOption.auto

    @Option(help: "real computes every operation, modelled their lengths and outcomes alone, for many clients.")
    var crypto = SimulatedOptions.Crypto.real

    @Option(name: .customLong("set"), help: ArgumentHelp("Sets a value of the workload.", valueName: "path=value"))
    var overrides: [String] = []

    @Option(help: ArgumentHelp("The folder, which must be new or empty.", valueName: "folder"), completion: .directory)
    var out: String?

    @Flag(help: "Prints capacity.json, and nothing else, on standard output.")
    var json = false

    func validate() throws {
        if out == "" { throw ValidationError("--out wants the name of a folder.") }
        guard (1...1_000).contains(replications) else { throw ValidationError("--replications is from 1 to 1000.") }
        guard share != nil else { throw ValidationError("--resolution is from 0% to 50%, such as 2%.") }
        if !target.isEmpty, crypto == .modelled {
            throw ValidationError("--crypto modelled is for simulated runs: a real gateway wants real keys.")
        }
        guard target.isEmpty else { return }
        if !sources.isEmpty { throw ValidationError("--sources is for live runs: name a --target.") }
        if !allowTarget.isEmpty { throw ValidationError("--allow-target is for live runs: name a --target.") }
    }

    private var share: Probability? {
        guard resolution.hasSuffix("%"), let percent = Double(resolution.dropLast()), (0...50).contains(percent) else {
            return nil
        }
        return Probability(partsPerBillion: UInt32(percent * 10_000_000))
    }

    /// What repeats the search: without the folder, which has to be a new one.
    private var repetition: [String] {
        var words = ["ikestorm"] + CommandLine.arguments.dropFirst().filter { !$0.hasPrefix("--out=") }
        if let place = words.firstIndex(of: "--out") { words.removeSubrange(place..<min(place + 2, words.count)) }
        return words
    }

    func run() throws {
        let world: CapacityJob.World =
            target.isEmpty ? .simulated(crypto) : .live(targets: target, allowed: allowTarget, sources: sources)
        var job = CapacityJob(
            path: workload,
            variation: try Variation(vary),
            world: world,
            workers: workers.count
        )
        job.overrides = overrides
        job.seed = seed
        job.until = until
        if let share { job.resolution = share }
        job.replications = replications
        job.folder = out
        job.writesJSON = json
        job.command = repetition
        try job.run(on: .standard()).end()
    }
}
