import Foundation
import GatewayRig
import Testing

/// strongSwan's initiators and our responder on UDP, for as long as a test has them.
final class ServedClients {
    let rig: Rig
    private(set) var clients: RealClients
    private let folder: TemporaryFolder
    private let addresses: [String]
    private var responder: Command

    /// - Parameters:
    ///   - knobs: those of `Tests/Gateways/strongswan-client.sh`, whose proposals are the workload's unless said.
    ///   - addresses: where our responder answers.
    ///   - prepare: what is done to the network before anybody is there.
    init(
        _ workload: LiveWorkload,
        knobs: [String: String] = [:],
        at addresses: [String] = [Rig.gatewayAddress],
        prepare: (Rig) throws -> Void = { _ in }
    ) throws {
        let ours = ["IKE_PROPOSALS": "aes256gcm16-prfsha384-x25519", "ESP_PROPOSALS": "aes256gcm16-x25519"]
        rig = try Rig(knobs: knobs.merging(ours) { said, _ in said })
        folder = try TemporaryFolder()
        self.addresses = addresses
        try workload.text.write(toFile: Self.file(folder), atomically: true, encoding: .utf8)
        try prepare(rig)
        responder = try Self.serve(rig, folder, addresses)
        clients = try RealClients.start(in: rig)
    }

    private static func file(_ folder: TemporaryFolder) -> String { folder.path + "/workload.yaml" }

    private static func serve(_ rig: Rig, _ folder: TemporaryFolder, _ addresses: [String]) throws -> Command {
        let allowed = ["10.99.0.0/16", "10.98.1.1/32", "fd98:1::1/128"]
        let responder = try rig.start(
            [Rig.ikestorm, "gateway", file(folder)] + addresses.flatMap { ["--address", $0] }
                + allowed.flatMap { ["--allow", $0] },
            on: .gateway
        )
        try responder.waitUntilReady()
        return responder
    }

    /// Our responder crashes, and is there again at the same ports, without what it knew.
    func crashResponder() throws {
        responder.kill()
        _ = try responder.wait(atMost: 10)
        responder = try Self.serve(rig, folder, addresses)
    }

    /// strongSwan crashes, and is there again.
    func crashClients() throws {
        try clients.kill()
        clients = try RealClients.start(in: rig)
    }

    /// What our responder has said so far.
    var said: String { responder.errors }

    /// Waits until our responder has said something.
    func waitUntilSaid(_ words: String) throws {
        let deadline = ContinuousClock.now + .seconds(20)
        while !said.contains(words) {
            try #require(ContinuousClock.now < deadline && responder.isRunning, "\(said)")
            Thread.sleep(forTimeInterval: 0.05)
        }
    }

    /// Ends our responder, and returns what it has said.
    func stop() throws -> String {
        responder.interrupt()
        return try responder.wait(atMost: 20).errors
    }
}

extension RealClients {
    /// Waits until charon has logged something so often.
    func waitForLog(_ line: Regex<Substring>, times: Int = 1) throws {
        let deadline = ContinuousClock.now + .seconds(20)
        var log = try self.log()
        while log.matches(of: line).count < times {
            try #require(ContinuousClock.now < deadline, "\(log.suffix(4000))")
            Thread.sleep(forTimeInterval: 0.1)
            log = try self.log()
        }
    }

    /// The clients' list as soon as it is as it should be, or as it is after ten seconds.
    func waitForAssociations(_ isAsWanted: ([ListedIKESA]) -> Bool) throws -> [ListedIKESA] {
        let deadline = ContinuousClock.now + .seconds(10)
        var all = try associations()
        while !isAsWanted(all), ContinuousClock.now < deadline {
            Thread.sleep(forTimeInterval: 0.1)
            all = try associations()
        }
        return all
    }
}
