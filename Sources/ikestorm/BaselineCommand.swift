import ArgumentParser
import Results
import Runner

struct BaselineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "baseline",
        abstract: "Keeps runs by name, for others to be compared with.",
        discussion: """
            A baseline is a folder, results/baselines/NAME unless --folder says another place. `ikestorm compare` takes \
            its name for a side.
            """,
        subcommands: [BaselineSetCommand.self, BaselineListCommand.self, BaselineShowCommand.self]
    )
}

struct BaselineFolder: ParsableArguments {
    @Option(help: ArgumentHelp("Where baselines are.", valueName: "folder"), completion: .directory)
    var folder = BaselineStore.usualPath

    var store: BaselineStore { BaselineStore(path: folder) }
}

struct BaselineSetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Makes runs a baseline, in place of the one that had the name.",
        discussion: """
            Copies result.json, workload.yaml, environment.json and windows.txt of each run. Live runs whose generator \
            was late, or that ended early, are refused: they are no basis for comparisons. A workload.yaml has the \
            pre-shared keys and passwords of its workload.

            Exit codes: 0, 64 the runs are no basis, 73 the baseline cannot be written.
            """
    )

    @Argument(help: "The baseline's name.")
    var name: String

    @Argument(help: "Folders of runs, or folders of such folders.", completion: .directory)
    var runs: [String]

    @OptionGroup var place: BaselineFolder

    func run() throws {
        try BaselineSetJob(name, runs, store: place.store).run(on: .standard()).end()
    }
}

struct BaselineListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists the baselines.")

    @OptionGroup var place: BaselineFolder

    func run() throws {
        try BaselineListJob(store: place.store).run(on: .standard()).end()
    }
}

struct BaselineShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Says where a baseline comes from, and what figures it has."
    )

    @Argument(help: "The baseline's name.")
    var name: String

    @OptionGroup var place: BaselineFolder

    func run() throws {
        try BaselineShowJob(name, store: place.store).run(on: .standard()).end()
    }
}
