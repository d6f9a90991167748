import ArgumentParser
import Runner

struct CleanupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cleanup",
        abstract: "Deletes the IKE SAs that a killed live run left on its gateway.",
        discussion: """
            The run's folder holds their keys until they are deleted, or the gateway is found to have forgotten them. Exit \
            code 0 where nothing is left, 69 where the gateway does not answer.
            """
    )

    @Argument(help: "The run's folder.", completion: .directory)
    var folder: String

    func run() throws {
        try CleanupJob(folder: folder).run(on: .standard()).end()
    }
}
