import ArgumentParser
import Runner
import Workload

struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Prints the JSON Schema of workload files, for editors."
    )

    func run() {
        Console.standard().output(JSONSchema.text)
    }
}
