import ArgumentParser
import Runner

struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Repeats a live run that was recorded with --record, in virtual time.",
        discussion: """
            The same machines get the same inputs at the same moments, and have to do the same. Exit code 0 where they \
            do, 98 with the first difference where they do not.
            """
    )

    @Argument(help: "The run's folder.", completion: .directory)
    var folder: String

    func run() throws {
        try ReplayJob(folder: folder).run(on: .standard()).end()
    }
}
