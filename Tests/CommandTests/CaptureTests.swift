import Foundation
import GatewayRig
import Testing

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

        // The run's folder is Wireshark's profile: it finds the key table by its name.
        let fields = ["isakmp.exchangetype", "isakmp.enc.decrypted", "_ws.malformed", "isakmp.nextpayload"]
        let text = try Command.output(
            of: ["tshark", "-n", "-r", scratch.url.path + "/run/capture.pcapng", "-Y", "isakmp", "-T", "fields"]
                + fields.flatMap { ["-e", $0] },
            environment: [
                "WIRESHARK_CONFIG_DIR": scratch.url.path + "/run", "HOME": scratch.url.path, "LC_ALL": "C.UTF-8",
            ]
        )
        var counts: [String: Int] = [:]
        for line in text.split(separator: "\n") {
            let values = line.split(separator: "\t", omittingEmptySubsequences: false)
            guard values.count == 4, !values[0].isEmpty else { continue }
            counts[String(values[0]), default: 0] += 1
            #expect(values[2].isEmpty, "malformed: \(line)")
            // IKE_SA_INIT, exchange type 34, has nothing to decrypt.
            if values[0] != "34" { #expect(!values[1].isEmpty, "not decrypted: \(line)") }
        }
        let fragments = text.split(separator: "\n").count { $0.split(separator: "\t").last?.hasPrefix("53") == true }
        #expect((fragments > 100) == (fragmentation != "never"))
        // IKE_AUTH, CREATE_CHILD_SA and INFORMATIONAL, each of them more than once for each client.
        for exchange in ["34", "35", "36", "37"] { #expect(counts[exchange] ?? 0 >= 40, "\(counts)") }
        let rekeys = try ResultFile(try scratch.bytes("run/result.json")).total("ike.rekey.established")
        #expect(rekeys ?? 0 >= 20)
    }
}
