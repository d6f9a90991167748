import ArgumentParser
import Dispatch
import Foundation
import Primitives
import Runner

struct SinkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sink",
        abstract: "Is the target behind a gateway: sends back what is echoed, and takes and sends one-way flows.",
        discussion: """
            Run it on a host that the gateway's tunnels lead to, and allow the inner addresses of the clients. At the \
            end, after Ctrl-C, it says how many packets of how many flows came, and what was missing among them.
            """
    )

    @Option(help: "The address to answer on.")
    var address = "127.0.0.1"

    @Option(help: "The UDP port where packets are sent back.")
    var port: UInt16 = 7

    @Option(help: "The UDP port of one-way flows: what comes there is counted, and told to who sent it.")
    var flowPort: UInt16 = 9

    @Option(name: .customLong("allow"), help: "A prefix outside loopback that may be answered.")
    var allowed: [String] = []

    @Option(help: "Stop by itself after so many seconds.")
    var seconds: Int?

    func validate() throws {
        if let seconds, seconds < 1 { throw ValidationError("--seconds is 1 or more.") }
    }

    func run() throws {
        var options = SinkServiceOptions(address: try ServiceOptions.address(address, such: "10.0.0.7"))
        options.echoPort = port
        options.flowPort = flowPort
        options.allowed = try ServiceOptions.prefixes(allowed)
        do {
            try serve(options)
        } catch let error as LiveError {
            throw JobFailure(error)
        }
    }

    private func serve(_ options: SinkServiceOptions) throws {
        let stop = StopFlag()
        let signals = InterruptSignals { stop.set() }
        defer { signals.end() }
        if let seconds {
            DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(seconds)) { stop.set() }
        }
        var service = try SinkService(options: options) { stop.isSet }
        let ports = service.ports
        say("answering on \(options.address), ports \(ports.echo) and \(ports.flow); Ctrl-C ends it")
        try service.serve()
        let status = service.status
        say(
            "got \(status.packets) packets of \(status.flows) flows, \(status.byteCount) octets; "
                + "sent back \(status.sent); \(status.missing) missing, \(status.reordered) out of order, "
                + "\(status.doubled) doubled"
        )
    }

    private func say(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }
}
