import ArgumentParser

@main
struct Ikestorm: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ikestorm",
        abstract: "Offers IKEv2 load to a VPN gateway, simulated or real, and says what happens.",
        subcommands: [RunCommand.self]
    )
}
