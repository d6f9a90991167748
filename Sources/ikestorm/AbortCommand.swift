import ArgumentParser
import Runner

struct AbortCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "abort",
        abstract: "Stops a live run that is going on elsewhere: no new load, a Delete for every IKE SA, then its end.",
        discussion: """
            The run itself ends with exit code 96 or 105. This command ends with 0 once it has, and with 69 where the \
            folder is not of a run that is going on, or where it has not ended in time.
            """
    )

    @Argument(help: "The run's folder.", completion: .directory)
    var folder: String

    @Option(help: ArgumentHelp("How long to wait for the run's end.", valueName: "seconds"))
    var seconds = 60

    func run() throws {
        try AbortJob(folder: folder, seconds: seconds).run(on: .standard())
    }
}
