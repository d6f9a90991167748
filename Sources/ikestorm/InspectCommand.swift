import ArgumentParser
import Runner

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Says what became of each IKE negotiation in a capture, and why it failed.",
        discussion: """
            Reads pcap and pcapng. With keys, what is encrypted is read too: `run --capture` leaves them beside its capture, \
            and strongSwan's plugin save-keys writes the same table. Exit code 0 where no negotiation failed, 98 where one \
            did, 65 where the capture cannot be read to its end (what stands before that is told all the same).
            """
    )

    @Argument(help: "The capture.", completion: .file(extensions: ["pcap", "pcapng", "cap"]))
    var capture: String

    @Option(help: "A folder with Wireshark's ikev2_decryption_table.", completion: .directory)
    var keys: String?

    @Option(
        help: ArgumentHelp("IKE proposals that the responder takes, to hold an offer against.", valueName: "proposals")
    )
    var accepts: [String] = []

    @Option(help: "How many negotiations are told at length.")
    var show = 20

    @Flag(help: "Print the result as JSON.")
    var json = false

    func validate() throws {
        guard (0...100_000).contains(show) else { throw ValidationError("--show is 0 to 100000.") }
    }

    func run() throws {
        var job = try InspectJob(capture, keyFolder: keys, accepted: accepts)
        job.shown = show
        job.isJSON = json
        try job.run(on: .standard()).end()
    }
}
