import Foundation
import GatewayRig
import Testing

@Suite("The command against strongSwan", .serialized)
struct LiveCommandTests {
    private let folder: TemporaryFolder
    private let workload: String

    init() throws {
        folder = try TemporaryFolder()
        workload = folder.path + "/live.yaml"
    }

    private func write(_ parts: LiveWorkload) throws {
        try parts.text.write(toFile: workload, atomically: true, encoding: .utf8)
    }

    private func run(_ more: String...) -> [String] {
        [Rig.ikestorm, "run", workload, "--target", "10.98.1.2", "--out", folder.path + "/run"] + more
    }

    @Test(
        "neither a run towards what is not allowed nor a dry run of what is sends anything: a capture of the link shows it"
    )
    func sendsNothing() throws {
        let rig = try Rig()
        let packets = try rig.capturing {
            try write(LiveWorkload(safety: "{ \(LiveSafetyTests.allowed) }"))
            let outcome = try rig.run(run())
            #expect(outcome.status == 96)
            #expect(outcome.errors.contains("nothing was sent"))
            #expect(outcome.errors.contains("does not allow the target 10.98.1.2"))

            try write(LiveWorkload(count: 20, rate: "10/s"))
            let dry = try rig.run(run("--dry-run"))
            #expect(dry.status == 0, "\(dry.errors)")
            for words in ["gw (gw.example.org) at 10.98.1.2", "20 laptops", "10.99.0.", "peak rate   10 attempts"] {
                #expect(dry.output.contains(words), "\(dry.output)")
            }
            #expect(!dry.output.contains("not allowed"), "\(dry.output)")
            try rig.sendMark()
        }
        // The mark was sent behind both, so that nothing of them can be missing from the capture.
        #expect(packets.filter { $0.source != Rig.gatewayAddress }.map(\.destinationPort) == [Rig.markPort])
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/run"))
    }

    @Test(
        "a live capture opens decrypted: tshark reads every IKE message, fragments too, and none is malformed",
        arguments: ["never", "160"]
    )
    func opensDecrypted(_ fragmentation: String) throws {
        let gateway = try RealGateway.start(knobs: ["DPD_DELAY": "1s", "FRAGMENT_SIZE": "160"])
        try write(
            LiveWorkload(
                count: 40,
                rate: "40/s",
                duration: "6s",
                ike: "{ rekey: 3s, over: 20s }",
                child: "{ rekey: 2s, over: 20s }",
                path: "{ one-way-delay: 1ms, nat: { preset: linux-conntrack } }",
                fragmentation: fragmentation
            )
        )
        let outcome = try gateway.rig.run(run("--capture"))
        #expect([0, 75].contains(outcome.status), "\(outcome.output)\(outcome.errors)")

        let fields = ["isakmp.exchangetype", "isakmp.enc.decrypted", "_ws.malformed", "udp.length"]
        let text = try Command.output(
            of: ["tshark", "-n", "-r", folder.path + "/run/capture.pcapng", "-Y", "udp", "-T", "fields"]
                + fields.flatMap { ["-e", $0] },
            environment: ["WIRESHARK_CONFIG_DIR": folder.path + "/run", "HOME": folder.path, "LC_ALL": "C.UTF-8"]
        )
        var counts: [String: Int] = [:]
        for line in text.split(separator: "\n") {
            let values = line.split(separator: "\t", omittingEmptySubsequences: false)
            try #require(values.count == fields.count, "\(line)")
            // A NAT keepalive is one octet behind eight of UDP.
            if values[3] == "9" { continue }
            #expect(!values[0].isEmpty, "not known for IKE: \(line)")
            counts[String(values[0]), default: 0] += 1
            #expect(values[2].isEmpty, "malformed: \(line)")
            // IKE_SA_INIT, exchange type 34, has nothing to decrypt.
            if values[0] != "34" { #expect(!values[1].isEmpty, "not decrypted: \(line)") }
        }
        // Both messages of an exchange, for each client.
        for exchange in ["34", "35", "36", "37"] { #expect(counts[exchange] ?? 0 >= 80, "\(counts)") }
        #expect(try gateway.associations() == [])
    }

    @Test("the workload that README begins with runs against it as it is, and `cleanup` deletes what lost its Delete")
    func runsQuickstart() throws {
        let gateway = try RealGateway.start()
        let quickstart = Rig.projectDirectory.appending(path: "workloads/quickstart.yaml").path
        let target = [
            "--target", Rig.gatewayAddress, "--allow-target", Rig.gatewayAddress, "--sources", "10.99.0.0/16",
        ]
        let output = folder.path + "/run"
        let outcome = try gateway.rig.run(
            [Rig.ikestorm, "run", quickstart, "--set", "run.duration=25s", "--out", output, "--json"] + target
        )
        // A busy machine may make the run late, which is a verdict and no failure.
        #expect([0, 75].contains(outcome.status), "\(outcome.output)\(outcome.errors)")

        let result = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
        let metrics = try #require(result?["metrics"] as? [String: [String: Any]])
        let offered = metrics["handshake.offered"]?["total"] as? Int
        let established = try #require(metrics["handshake.established"]?["total"] as? Int)
        #expect(offered == 2_000)
        // Five tries of a message are lost together in one of some thousand bursts of the mobile path.
        #expect(established > 1_980)

        let cleanup = try gateway.rig.run([Rig.ikestorm, "cleanup", output])
        #expect(cleanup.status == 0, "\(cleanup.output)\(cleanup.errors)")
        #expect(try gateway.associations().filter { $0.state == "ESTABLISHED" }.map(\.remoteIdentity) == [])
    }

    @Test("what a killed run left at the gateway is deleted by `cleanup`", arguments: ["never", "160"])
    func cleansUp(_ fragmentation: String) throws {
        let gateway = try RealGateway.start(knobs: ["FRAGMENT_SIZE": "160"])
        try write(
            LiveWorkload(
                count: 30,
                rate: "30/s",
                duration: "10m",
                child: "{ rekey: 1s, over: 20s }",
                fragmentation: fragmentation
            )
        )
        let killed = try gateway.rig.start(run())
        try wait(for: "established 30 ", of: killed)
        // In the middle of rekeys.
        usleep(1_300_000)
        killed.kill()
        _ = try killed.wait(atMost: 10)
        #expect(try gateway.associations().filter { $0.state == "ESTABLISHED" }.count == 30)

        let cleanup = try gateway.rig.run([Rig.ikestorm, "cleanup", folder.path + "/run"])
        #expect(cleanup.status == 0, "\(cleanup.errors)")
        #expect(cleanup.output == "30 IKE SAs were left behind, 30 are deleted\n")
        #expect(try gateway.associations() == [])
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/run/keys"))
    }

    private func wait(for text: String, of command: Command) throws {
        try wait(atMost: 60) { command.errors.contains(text) || !command.isRunning }
        try #require(command.errors.contains(text), "\(command.output)\(command.errors)")
    }

    private func wait(atMost seconds: Int, until isTrue: () throws -> Bool) throws {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while try !isTrue() {
            try #require(ContinuousClock.now < deadline, "it takes longer than \(seconds) s")
            usleep(50_000)
        }
    }
}
