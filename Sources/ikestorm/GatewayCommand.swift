import ArgumentParser
import Dispatch
import Foundation
import Primitives
import Runner
import Workload

struct GatewayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gateway",
        abstract: "Answers IKEv2 on UDP with ikestorm's own responder, to try real time without another gateway.",
        discussion: """
            It takes the policy of the workload's gateway: authentication, proposals, lifetimes, half-open limits and \
            address pool. What tunnels carry is sent back, as by a host at every address behind it. Answers go to loopback, and to what --allow names; Ctrl-C deletes every IKE SA and ends it.
            """
    )

    @Argument(help: "The workload whose gateway is served.")
    var workload: String

    @Option(help: "The gateway's name in the workload; the first one when it is not given.")
    var name: String?

    @Option(
        name: .customLong("address"),
        help: ArgumentHelp(
            "An address to answer on; 0.0.0.0 or :: for every one of a family. Clients that move are told of each.",
            valueName: "address"
        )
    )
    var addresses = ["127.0.0.1"]

    @Option(help: "The port of IKE_SA_INIT.")
    var port: UInt16 = 500

    @Option(help: "The port behind NATs, where messages have a non-ESP marker.")
    var natPort: UInt16 = 4500

    @Option(name: .customLong("allow"), help: "A prefix outside loopback that may be answered.")
    var allowed: [String] = []

    @Option(help: "What computes public-key operations: openssl one at a time, crypto-mb up to eight at once.")
    var cryptoLibrary = PublicKeyLibrary.openSSL

    @Option(help: "Stop by itself after so many seconds.")
    var seconds: Int?

    @Flag(help: "Say nothing while it serves.")
    var quiet = false

    func validate() throws {
        if port == natPort, port != 0 { throw ValidationError("--port and --nat-port are two ports.") }
        if let seconds, seconds < 1 { throw ValidationError("--seconds is 1 or more.") }
    }

    func run() throws {
        let loaded = try PreparedWorkload(path: workload).workload
        guard let index = name.map({ name in loaded.gateways.firstIndex { $0.name == name } }) ?? 0 else {
            let names = loaded.gateways.map(\.name).joined(separator: ", ")
            throw ValidationError("--name: the workload has no such gateway; it has \(names)")
        }
        var options = GatewayServiceOptions(
            addresses: try addresses.map { try ServiceOptions.address($0, such: "127.0.0.1") }
        )
        options.port = port
        options.library = cryptoLibrary
        options.encapsulatedPort = natPort
        options.allowed = try ServiceOptions.prefixes(allowed)
        do {
            try serve(loaded, index, options)
        } catch let error as LiveError {
            throw JobFailure(error)
        }
    }

    private func serve(_ workload: Workload, _ index: Int, _ options: GatewayServiceOptions) throws {
        let stop = StopFlag()
        let signals = InterruptSignals { stop.set() }
        defer { signals.end() }
        if let seconds {
            DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(seconds)) { stop.set() }
        }
        var service = try GatewayService(
            workload,
            gateway: index,
            options: options,
            seed: operatingSystemSeed(),
            wantsStop: { stop.isSet }
        )
        let ports = service.ports
        let addresses = options.addresses.map(\.description).joined(separator: " and ")
        say("answering on \(addresses), ports \(ports.plain) and \(ports.encapsulated); Ctrl-C ends it")
        var last = service.status
        try service.serve { status in
            defer { last = status }
            guard !quiet else { return }
            if status.established != last.established {
                let rate = status.established - last.established
                say("\(status.peers) IKE SAs, \(status.halfOpen) half-open, \(rate) established/s")
            }
            if status.failures.total != last.failures.total { say("failed so far: \(status.failures.text)") }
            if status.radiusFailovers != last.radiusFailovers {
                say("a RADIUS server does not answer: the next one is asked")
            }
        }
        service.deleteAll()
        let status = service.status
        var told = ["served \(status.established) IKE SAs", "demanded \(status.cookieDemands) cookies"]
        if status.replaced > 0 { told.append("dropped \(status.replaced) for INITIAL_CONTACT") }
        told += status.packets.told
        let failovers = status.radiusFailovers
        if failovers > 0 { told.append("asked another RADIUS server \(failovers) time\(failovers == 1 ? "" : "s")") }
        if status.failures.total > 0 { told.append("failed: \(status.failures.text)") }
        say(told.joined(separator: ", "))
    }

    private func say(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }
}
