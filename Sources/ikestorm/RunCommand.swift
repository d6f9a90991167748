import ArgumentParser
import Primitives
import Results
import Runner
import Workers

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs a workload against the simulated gateway in virtual time, or against a real one.",
        discussion: """
            Progress goes to standard error: a panel on a terminal, plain lines elsewhere. The table at the end goes to \
            standard output, and everything else into the run folder, runs/NAME/TIME-SEED/ unless --out says another: \
            result.json, workload.yaml (with every default written out), series.csv, events.ndjson, histograms/, \
            junit.xml, summary.md, environment.json, windows.txt (for `ikestorm diff`). A folder with a file \
            `incomplete` in it is of a run that was killed or still goes on.

            With --target the load is real. It goes only where the workload's safety allows, to loopback, and where \
            --allow-target says; --dry-run shows all of it first. Ctrl-C deletes every IKE SA and ends the run (105), a \
            second one ends it at once (130).

            With --replications, or run.replications in the workload, a simulated run is repeated with seeds that follow \
            from its own. Each has a folder replication-N in the run's, and replications.json and summary.md have the \
            means of all figures with 95 % intervals. They pass when each of them does.

            A simulated run is a function of workload, seed and version: --workers and --crypto change nothing but its \
            speed. Exit codes: 0 passed, 65 bad workload, 97 steady state failed, 99 threshold failed.
            """
    )

    @Argument(help: "The workload file.", completion: .file(extensions: ["yaml"]))
    var workload: String

    @Option(
        help: ArgumentHelp(
            "The real gateway to run against, in real time; of several gateways each as GATEWAY=ADDRESS. Further addresses "
                + "of a gateway are behind commas, for clients that move.",
            valueName: "address"
        )
    )
    var target: [String] = []

    @Option(
        help: ArgumentHelp("Allows load to this address beside the workload's own safety.", valueName: "address")
    )
    var allowTarget: [String] = []

    @Option(
        help: ArgumentHelp("Where the clients of a live run are, in place of the workload's own.", valueName: "prefix")
    )
    var sources: [String] = []

    @Option(help: ArgumentHelp("The seed; the workload's own when it is not given.", valueName: "n"))
    var seed: UInt64?

    @Option(
        help: ArgumentHelp(
            "How many runs, each with a seed that follows from the first, and what they say together.",
            valueName: "n"
        )
    )
    var replications: Int?

    @Option(help: ArgumentHelp("How many threads compute the run: a number, or auto: one per core.", valueName: "n"))
    var workers = WorkersOption.auto

    @Option(
        help: "On which NUMA nodes workers run: spread over all in turn, or packed, one node filled after the other."
    )
    var placement = Placement.spread

    @Option(help: "real computes every operation, modelled their lengths and outcomes alone, for many clients.")
    var crypto = SimulatedOptions.Crypto.real

    @Option(
        help: """
            What computes public-key operations: openssl one at a time, crypto-mb up to eight at once, auto the latter \
            in virtual time where it is there.
            """
    )
    var cryptoLibrary = PublicKeyLibrary.auto

    @Option(
        help: ArgumentHelp(
            "How long a live run's workers let more come before they look again, 0 to 100ms: batches are fuller and cost "
                + "less, and all is late by as much.",
            valueName: "duration"
        )
    )
    var batchWait: BatchWaitOption?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("Sets a value of the workload, as in run.duration=1m.", valueName: "path=value")
    )
    var overrides: [String] = []

    @Option(
        help: ArgumentHelp("The run's folder, which must be new or empty.", valueName: "folder"),
        completion: .directory
    )
    var out: String?

    @Flag(help: "Prints result.json, and nothing else, on standard output.")
    var json = false

    @Option(help: "What events.ndjson tells: life-cycle, or none, which writes no such file: many clients run faster.")
    var events = EventsOption.lifeCycle

    @Flag(help: "Writes capture.pcapng, and the key table with which Wireshark decrypts it; wants --crypto real.")
    var capture = false

    @Flag(help: "Says what the run would do, and does nothing.")
    var dryRun = false

    @Flag(help: "Records a live run, so that `replay` repeats it in virtual time.")
    var record = false

    func validate() throws {
        if out == "" { throw ValidationError("--out wants the name of a folder.") }
        if dryRun, json { throw ValidationError("--json prints a result, and --dry-run has none: leave one out.") }
        guard target.isEmpty else {
            if replications != nil {
                throw ValidationError("--replications is for simulated runs: a run in real time is one run.")
            }
            if crypto == .modelled {
                throw ValidationError("--crypto modelled is for simulated runs: a real gateway wants real keys.")
            }
            if record, cryptoLibrary == .cryptoMB {
                throw ValidationError("--record computes one operation at a time: leave --crypto-library out.")
            }
            return
        }
        if record { throw ValidationError("--record is for live runs: name a --target, or leave it out.") }
        if batchWait != nil { throw ValidationError("--batch-wait is for live runs: name a --target.") }
        if !sources.isEmpty { throw ValidationError("--sources is for live runs: name a --target.") }
        if !allowTarget.isEmpty { throw ValidationError("--allow-target is for live runs: name a --target.") }
    }

    func run() throws {
        let counted = replications.map { ["run.replications=\($0)"] } ?? []
        let prepared = try PreparedWorkload(path: workload, overrides: overrides + counted, seed: seed)
        let console = Console.standard()
        if !target.isEmpty {
            let job = try LiveJob(
                prepared,
                targets: target,
                allowed: allowTarget,
                sources: sources,
                workers: workers.count,
                placement: placement,
                library: cryptoLibrary == .cryptoMB ? .cryptoMB : .openSSL,
                batchWait: batchWait?.duration ?? .zero,
                folder: out,
                writesJSON: json,
                records: record,
                keepsEvents: events != .none,
                capturesPackets: capture
            )
            guard !dryRun else { return try job.dryRun(on: console) }
            try job.run(on: console).end()
            return
        }
        guard !dryRun else {
            for warning in prepared.warnings { console.errors(warning + "\n") }
            console.output(SimulatedDryRun.text(of: prepared))
            return
        }
        let job = SimulatedJob(
            prepared,
            workers: workers.count,
            placement: placement,
            crypto: crypto,
            library: cryptoLibrary,
            folder: out,
            writesJSON: json,
            keepsEvents: events != .none,
            capturesPackets: capture
        )
        try job.run(on: console).end()
    }
}
