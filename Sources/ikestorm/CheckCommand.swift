import ArgumentParser
import Runner
import Workload

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Says what is wrong with a workload, and what cannot happen in it.",
        discussion: """
            Every mistake has file, line and column, and what to write instead: exit code 65. Warnings, as of a run \
            that is too short for any rekey, leave the exit code at 0.
            """
    )

    @Argument(help: "The workload file.", completion: .file(extensions: ["yaml"]))
    var workload: String

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("Sets a value of the workload, as in run.duration=1m.", valueName: "path=value")
    )
    var overrides: [String] = []

    @Flag(help: "Prints the workload with every default, preset and cost written out.")
    var resolved = false

    func run() throws {
        let prepared = try PreparedWorkload(path: workload, overrides: overrides)
        let console = Console.standard()
        for warning in prepared.warnings { console.errors(warning + "\n") }
        if resolved {
            console.output(prepared.workload.resolved())
        } else {
            let count = prepared.warnings.count
            let warnings = count == 0 ? "" : ", with \(count) warning" + (count == 1 ? "" : "s")
            console.output("\(workload): a good workload\(warnings)\n")
        }
    }
}
