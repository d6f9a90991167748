import ArgumentParser
import Runner

struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Writes a small workload to begin with.",
        discussion: "Nothing that is there is written over."
    )

    @Argument(help: "The file to write.", completion: .file(extensions: ["yaml"]))
    var file = "first.yaml"

    func run() throws {
        try StarterWorkload.write(to: file)
        Console.standard().output("wrote \(file); now `ikestorm run \(file)`\n")
    }
}
