import ArgumentParser
import Runner

struct DiffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Says whether two simulated runs are the same, and where they part if they are not.",
        discussion: """
            Names the first window of a second, and in it the first entity and event that differ. For that both runs are \
            repeated up to the end of that window. Exit code 0 where they are the same, 98 where they differ.
            """
    )

    @Argument(help: "A run's folder.", completion: .directory)
    var first: String

    @Argument(help: "Another run's folder.", completion: .directory)
    var second: String

    @Option(help: ArgumentHelp("How many threads repeat the runs: a number, or auto.", valueName: "n"))
    var workers = WorkersOption.auto

    func run() throws {
        try DivergenceJob(first, second, workers: workers.count).run(on: .standard()).end()
    }
}
