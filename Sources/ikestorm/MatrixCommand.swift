import ArgumentParser
import Foundation
import Primitives
import Runner

struct MatrixCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "matrix",
        abstract: "Asks a gateway for everything that this version speaks, and prints one table of what works.",
        discussion: """
            Each key exchange with each cipher, then PRFs, credentials and features (rekeys, fragments, MOBIKE and others) \
            with one combination that works: a handshake each, at the pace of --rate, each IKE SA deleted. Who the client \
            is stands in a workload, whose populations are tried one by one, or on the command line. As for any live run, \
            the target has to be allowed, and one canary handshake has to succeed first.

            Exit code 0 where everything works, or is refused and other answers explain why; 98 where something is broken, \
            or refused without an explanation; 75 where something could not be tried; 96 where safety or the canary said no.
            """
    )

    @Argument(help: "A workload with credentials; its load is not offered.", completion: .file(extensions: ["yaml"]))
    var workload: String?

    @Option(help: ArgumentHelp("The gateway, with ports if they are not 500 and 4500.", valueName: "address"))
    var target: String

    @Option(help: ArgumentHelp("Allows this address beside the workload's own safety.", valueName: "address"))
    var allowTarget: [String] = []

    @Option(help: ArgumentHelp("Where the clients come from, in place of the workload's.", valueName: "prefix"))
    var sources: [String] = []

    @Option(help: "Who the gateway is (IDr); its address unless it is named.")
    var gatewayIdentity: String?

    @Option(help: "Who the client is (IDi).")
    var identity: String?

    @Option(help: "The pre-shared key. Others on this machine can read it: a workload keeps it to itself.")
    var psk: String?

    @Option(help: "The client's private key and certificates, in PEM.", completion: .file())
    var certificates: String?

    @Option(help: "The certificates of authorities that the client believes, in PEM.", completion: .file())
    var authorities: String?

    @Option(help: "The client's traffic selector: dynamic asks for an address.")
    var localTS = "dynamic"

    @Option(help: "The traffic selector behind the gateway.")
    var remoteTS = "0.0.0.0/0"

    @Option(help: "Handshakes that begin in a second.")
    var rate = 2

    @Option(
        help: ArgumentHelp(
            "Features that are tried at the same time, where the gateway lets an identity have several IKE SAs.",
            valueName: "n"
        )
    )
    var featuresAtOnce = 1

    @Option(help: ArgumentHelp("The most handshakes for key exchanges and ciphers.", valueName: "n"))
    var atMost = 200

    @Option(help: "Key exchanges, with commas between them; all unless they are named.")
    var keyExchanges: String?

    @Option(
        help: ArgumentHelp(
            "The gateway's log on this machine: what it says about what does not work is told beside it.",
            valueName: "file"
        ),
        completion: .file()
    )
    var gatewayLog: String?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("Sets a value of the workload.", valueName: "path=value")
    )
    var overrides: [String] = []

    @Flag(help: "Print the result as JSON.")
    var json = false

    @Option(help: "Writes the table as Markdown.", completion: .file(extensions: ["md"]))
    var markdown: String?

    @Option(help: "Writes the table as HTML, one file without script.", completion: .file(extensions: ["html"]))
    var html: String?

    func validate() throws {
        guard let place = LiveTarget(target) else { throw ValidationError("--target \(target): this is no address.") }
        guard place.others.isEmpty else { throw ValidationError("--target \(target): one address is all it takes.") }
        guard allowTarget.allSatisfy({ IPAddress($0) != nil }) else {
            throw ValidationError("--allow-target is an address.")
        }
        guard sources.allSatisfy({ IPPrefix($0) != nil }) else {
            throw ValidationError("--sources is a prefix, such as 10.0.0.0/24.")
        }
        guard (1...20).contains(rate) else { throw ValidationError("--rate is from 1 to 20.") }
        guard (1...20).contains(featuresAtOnce) else { throw ValidationError("--features-at-once is from 1 to 20.") }
        guard (1...10_000).contains(atMost) else { throw ValidationError("--at-most is from 1 to 10000.") }
        guard gatewayLog.map(FileManager.default.isReadableFile(atPath:)) ?? true else {
            throw ValidationError("--gateway-log \(gatewayLog ?? ""): it cannot be read.")
        }
        let methods = chosenKeyExchanges
        guard methods.allSatisfy(CalibrationTrial.keyExchanges.contains) else {
            throw ValidationError("--key-exchanges are among \(CalibrationTrial.keyExchanges.joined(separator: ",")).")
        }
        guard workload == nil else {
            guard identity == nil, psk == nil, certificates == nil, authorities == nil, gatewayIdentity == nil else {
                throw ValidationError("Credentials are in the workload, or on the command line: not in both.")
            }
            return
        }
        guard identity != nil, psk != nil || certificates != nil else {
            throw ValidationError("Name a workload, or --identity and --psk or --certificates.")
        }
        guard certificates == nil || authorities != nil else {
            throw ValidationError("--certificates needs --authorities: what the gateway's certificate is believed by.")
        }
        guard overrides.isEmpty else { throw ValidationError("--set is for a workload.") }
    }

    private var chosenKeyExchanges: [String] { keyExchanges?.split(separator: ",").map(String.init) ?? [] }

    func run() throws {
        guard let target = LiveTarget(target) else { return }
        var options = LiveOptions()
        options.allowedTargets = allowTarget.compactMap { IPAddress($0) }
        options.sources = sources.compactMap { IPPrefix($0) }
        var job = MatrixJob(try prepared(target), target: target, options: options)
        job.pace = MatrixPace(perSecond: rate)
        job.featuresAtOnce = featuresAtOnce
        job.mostCombinations = atMost
        job.keyExchanges = chosenKeyExchanges
        job.gatewayLog = gatewayLog
        job.isJSON = json
        job.markdownFile = markdown
        job.htmlFile = html
        try job.run(on: .standard()).end()
    }

    private func prepared(_ target: LiveTarget) throws -> PreparedWorkload {
        if let workload { return try PreparedWorkload(path: workload, overrides: overrides) }
        return try MatrixCredentials(
            gatewayIdentity: gatewayIdentity ?? "\(target.address)",
            identity: identity ?? "",
            psk: psk,
            certificates: certificates,
            authorities: authorities,
            localSelector: localTS,
            remoteSelector: remoteTS
        )
        .prepared()
    }
}
