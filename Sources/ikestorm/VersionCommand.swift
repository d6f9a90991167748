import ArgumentParser
import Runner

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Prints the version.")

    func run() {
        Console.standard().output("ikestorm \(IkestormVersion.text)\n")
    }
}
