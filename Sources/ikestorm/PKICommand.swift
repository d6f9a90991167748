import ArgumentParser
import Runner

struct PKICommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pki",
        abstract: "Makes a test's authority, and certificates of a gateway and of its clients.",
        discussion: """
            FOLDER/ca.pem is for `authorities` in `authentication`, gateway.pem and clients.pem for `certificates`.
            The keys are a test's: whoever has the folder is everybody. Nothing that is there is written over.
            """
    )

    @Argument(help: "The folder to write to.", completion: .directory)
    var folder: String

    @Option(help: "How many clients get a certificate.")
    var clients = 0

    @Option(help: "Their identities, with %05d where the number stands.")
    var identity = "user%05d@example.org"

    @Option(help: "The first client's number.")
    var firstClient = 1

    @Option(help: "The gateway's identity.")
    var gateway = "gw.example.org"

    @Option(help: "Everybody's kind of key: \(TestAuthorityJob.keys.joined(separator: ", ")).")
    var key = "ecdsa256"

    @Flag(help: "The authority issues through an intermediate one.")
    var intermediate = false

    @Option(help: "From when all certificates are valid.")
    var from = "2020-01-01T00:00:00Z"

    @Option(help: "Until when.")
    var until = "2049-12-31T23:59:59Z"

    @Option(help: "Make the same keys again; anybody can who knows the number.")
    var seed: UInt64?

    func validate() throws {
        guard (0...1_000_000).contains(clients) else { throw ValidationError("--clients is from 0 to 1000000.") }
        guard (0...1_000_000_000).contains(firstClient) else {
            throw ValidationError("--first-client is from 0 to 1000000000.")
        }
    }

    func run() throws {
        var job = TestAuthorityJob(
            folder: folder,
            key: key,
            gateway: gateway,
            identity: identity,
            clients: clients,
            from: from,
            until: until
        )
        job.hasIntermediate = intermediate
        job.firstClient = firstClient
        job.seed = seed
        Console.standard().output(try job.run())
    }
}
