import ArgumentParser
import Foundation
import Primitives
import Results
import Runner

struct CalibrateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "calibrate",
        abstract: "Measures what a real gateway's work costs, and writes it as a cost table.",
        discussion: """
            The first population of the workload says who the clients are: identity, key, proposals, sources, safety. \
            They come at each rate and do one kind of thing: are refused, are set up, rekey their Child SA without and \
            with a key exchange, rekey their IKE SA, ask whether the gateway is alive, delete. The gateway has to be a \
            process of this machine, which is allowed the target (--allow-target or the workload's safety) and \
            accepts many half-open IKE SAs without cookies. With three rates a replication takes about six minutes.

            With --predict nothing is fitted: the workload's own cost table predicts set-ups per second of a saturated \
            gateway, and the latency at half of that load; both are then measured and printed side by side.
            """
    )

    @Argument(help: "The workload file.", completion: .file(extensions: ["yaml"]))
    var workload: String

    @Option(help: ArgumentHelp("The real gateway.", valueName: "address"))
    var target: String

    @Option(help: ArgumentHelp("Allows load to this address beside the workload's own safety.", valueName: "address"))
    var allowTarget: [String] = []

    @Option(help: ArgumentHelp("The process of the gateway on this machine.", valueName: "pid"))
    var gatewayPID: Int32?

    @Option(help: "What the gateway is: its name, version and how it is configured, for the table.")
    var gateway: String

    @Option(help: "The day of the measurement, for the table.")
    var date: String

    @Option(help: "Clients per second: low, mid, high.")
    var rates = "50,200,500"

    @Option(help: "Key exchanges, the one that everything is measured with first.")
    var keyExchanges = CalibrationTrial.usualKeyExchanges.joined(separator: ",")

    @Option(
        help: """
            What is measured, among \(CalibrateCommand.keywords); all unless some are named. A price that they do not tell \
            by themselves is taken from the workload's table.
            """
    )
    var exchanges = CalibrateCommand.keywords

    @Option(help: "How often everything is measured.")
    var replications = 2

    @Option(help: ArgumentHelp("A proposal for IKE that the gateway refuses.", valueName: "proposal"))
    var refusedProposal: String?

    @Option(help: "The table's name.")
    var name = "measured"

    @Option(help: "The table to write.", completion: .file(extensions: ["json"]))
    var out = "costs.json"

    @Flag(help: "Compares the workload's cost table with the gateway, in place of fitting one.")
    var predict = false

    @Option(help: ArgumentHelp("With --predict: the cores that the gateway may use.", valueName: "n"))
    var gatewayCores = 1

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("Sets a value of the workload.", valueName: "path=value")
    )
    var overrides: [String] = []

    func validate() throws {
        guard let place = LiveTarget(target) else { throw ValidationError("--target \(target): this is no address.") }
        guard place.others.isEmpty else { throw ValidationError("--target \(target): one address is all it takes.") }
        guard allowTarget.allSatisfy({ IPAddress($0) != nil }) else {
            throw ValidationError("--allow-target is an address.")
        }
        guard predict || gatewayPID != nil else {
            throw ValidationError("Name the gateway's process with --gateway-pid: its CPU time is what is measured.")
        }
        let numbers = rates.split(separator: ",").map { Int($0) ?? 0 }
        guard !numbers.isEmpty, numbers.allSatisfy({ (1...2_000).contains($0) }) else {
            throw ValidationError("--rates are numbers from 1 to 2000 with commas between them.")
        }
        let methods = keyExchanges.split(separator: ",").map(String.init)
        guard !methods.isEmpty, methods.allSatisfy(CalibrationTrial.keyExchanges.contains) else {
            throw ValidationError("--key-exchanges are among \(CalibrationTrial.keyExchanges.joined(separator: ",")).")
        }
        guard !chosenExchanges.isEmpty, chosenExchanges.count == exchanges.split(separator: ",").count else {
            throw ValidationError("--exchanges are among \(Self.keywords), with commas between them.")
        }
        guard (1...100).contains(replications), (1...1_024).contains(gatewayCores) else {
            throw ValidationError("--replications is from 1 to 100, and --gateway-cores from 1 to 1024.")
        }
    }

    private static let keywords = CalibrationTrial.Exchange.measured.map(\.keyword).joined(separator: ",")

    private var chosenExchanges: [CalibrationTrial.Exchange] {
        let words = exchanges.split(separator: ",").map(String.init)
        return CalibrationTrial.Exchange.measured.filter { words.contains($0.keyword) }
    }

    func run() throws {
        guard let target = LiveTarget(target) else { return }
        var options = LiveOptions()
        options.allowedTargets = allowTarget.compactMap { IPAddress($0) }
        let job = CalibrateJob(
            try PreparedWorkload(path: workload, overrides: overrides),
            target: target,
            options: options,
            gateway: gateway,
            date: date
        )
        if predict {
            try job.predict(cores: gatewayCores, replications: replications, on: .standard())
        } else if let gatewayPID {
            var measuring = CalibrateJob.Measuring(
                processNumber: gatewayPID,
                rates: rates.split(separator: ",").compactMap { Int($0) },
                keyExchanges: keyExchanges.split(separator: ",").map(String.init),
                replications: replications,
                refusedProposal: refusedProposal
            )
            measuring.exchanges = chosenExchanges
            let command = ["ikestorm"] + CommandLine.arguments.dropFirst()
            try job.calibrate(measuring, name: name, command: Array(command), to: out, on: .standard())
        }
    }
}
