import Foundation
import GatewayRig
import Testing

/// What tshark makes of a run's capture, with the run's folder for its profile: it finds key tables and ports by name.
struct DecryptedCapture {
    /// How many messages of each exchange type there are, by its number.
    private(set) var counts: [String: Int] = [:]
    private(set) var fragmentCount = 0

    init(in folder: URL) throws {
        let fields = [
            "isakmp.exchangetype", "isakmp.enc.decrypted", "_ws.malformed", "udp.length", "isakmp.nextpayload",
        ]
        let text = try Command.output(
            of: ["tshark", "-n", "-r", folder.path + "/capture.pcapng", "-Y", "udp", "-T", "fields"]
                + fields.flatMap { ["-e", $0] },
            environment: ["WIRESHARK_CONFIG_DIR": folder.path, "HOME": folder.path, "LC_ALL": "C.UTF-8"]
        )
        for line in text.split(separator: "\n") {
            let values = line.split(separator: "\t", omittingEmptySubsequences: false)
            // A NAT keepalive is one octet behind eight of UDP.
            guard values.count == 5, values[3] != "9" else { continue }
            #expect(!values[0].isEmpty, "not known for IKE: \(line)")
            #expect(values[2].isEmpty, "malformed: \(line)")
            // IKE_SA_INIT, exchange type 34, has nothing to decrypt.
            if values[0] != "34" { #expect(!values[1].isEmpty, "not decrypted: \(line)") }
            counts[String(values[0]), default: 0] += 1
            // The payload of a fragment (RFC 7383 section 2.5).
            if values[4].hasPrefix("53") { fragmentCount += 1 }
        }
    }

    /// IKE_SA_INIT, IKE_AUTH, CREATE_CHILD_SA and INFORMATIONAL.
    func expectEach(atLeast count: Int) {
        for exchange in ["34", "35", "36", "37"] { #expect(counts[exchange] ?? 0 >= count, "\(counts)") }
    }
}

@Suite("A capture of a simulated run")
struct SimulatedCaptureTests {
    @Test(
        "every IKE message is decrypted by tshark with the key table beside it, and none is malformed, in fragments too",
        arguments: ["never", "200"]
    )
    func opensDecrypted(_ fragmentation: String) throws {
        let scratch = try Scratch()
        let changes = [
            "profiles.laptop.lifetimes.ike.rekey=40s", "profiles.laptop.fragmentation=\(fragmentation)",
            "gateways.gw.policy.fragmentation=\(fragmentation)",
        ].flatMap { ["--set", $0] }
        let run = try Binary.run(["run"] + Shipped.small + changes + ["--out", "run", "--capture"], in: scratch)
        #expect(run.status == 0, "\(run.output)\(run.errors)")
        let capture = try DecryptedCapture(in: scratch.url.appending(path: "run"))
        // Each of them more than once for each client.
        capture.expectEach(atLeast: 40)
        #expect((capture.fragmentCount > 100) == (fragmentation != "never"))
        let rekeys = try ResultFile(try scratch.bytes("run/result.json")).total("ike.rekey.established")
        #expect(rekeys ?? 0 >= 20)
    }

    @Test("so is every message of IKE SAs that both ends rekey at once, be they the ones that lose")
    func opensCollisions() throws {
        let scratch = try Scratch()
        // Without jitter both ends' lifetimes end while the other's request is on its way.
        let both = ["gateways.gw.policy.lifetimes", "profiles.laptop.lifetimes"].flatMap { path in
            ["--set", path + ".ike.rekey=15s", "--set", path + ".ike.jitter=0%"]
        }
        let words = ["run"] + Shipped.small + both + ["--out", "run", "--capture"]
        let run = try Binary.run(words, in: scratch)
        #expect([0, 99].contains(run.status), "\(run.output)\(run.errors)")
        try DecryptedCapture(in: scratch.url.appending(path: "run")).expectEach(atLeast: 40)
        let events = try scratch.text("run/events.ndjson").split(separator: "\n")
        #expect(events.count { $0.contains("\"redundant\"") } >= 20, "IKE SAs lose")
    }

    @Test("a cipher that Wireshark cannot name is told")
    func tellsUnknownCipher() throws {
        let scratch = try Scratch()
        let proposal = "proposals={ ike: [chacha20poly1305-prfsha256-x25519], child: [aes128gcm16] }"
        let ciphers = ["gateways.gw.policy.", "profiles.laptop."].flatMap { ["--set", $0 + proposal] }
        let run = try Binary.run(["run"] + Shipped.small + ciphers + ["--out", "run", "--capture"], in: scratch)
        #expect(
            run.output.contains("Wireshark 4.0 has no name for the cipher of 20 IKE SAs"),
            "\(run.output)\(run.errors)"
        )
    }
}
