import Foundation
import GatewayRig
import Testing

@Suite("ikestorm inspect")
struct InspectTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// A capture of a negotiation that failed.
    private static let failed = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../InspectionTests/Vectors/cookie.pcapng").standardizedFileURL.path

    @Test("reads the capture of a run with its keys: every negotiation is decrypted, and has its identity")
    func readsRuns() throws {
        let run = try Binary.run(["run"] + Shipped.small + ["--capture", "--out", "run"], in: scratch)
        #expect(run.status == 0, "\(run.errors)")
        let outcome = try Binary.run("inspect", "run/capture.pcapng", "--keys", "run", "--json", in: scratch)
        #expect([0, 98].contains(outcome.status), "\(outcome.errors)")
        let root = try object(outcome.output)
        #expect(root["schema"] as? String == "ikestorm-inspect-1")
        let negotiations = try #require(root["negotiations"] as? [[String: Any]])
        let established = negotiations.filter { $0["outcome"] as? String == "established" }
        #expect(established.count >= 18)
        for negotiation in established where negotiation["ikeProposal"] is String {
            #expect(negotiation["decrypted"] as? Bool == true)
            #expect((negotiation["initiatorIdentity"] as? String)?.hasSuffix("@example.org") == true)
        }
    }

    @Test("says by its exit code that a negotiation failed, and paints nothing where nobody looks")
    func endsWithFailure() throws {
        let outcome = try Binary.run("inspect", Self.failed, in: scratch, environment: ["TERM": "xterm"])
        #expect(outcome.status == 98)
        #expect(outcome.output.hasPrefix("2 negotiations: 1 failed, 1 without an end\n"))
        #expect(!outcome.output.contains("\u{1B}"))
        let short = try Binary.run("inspect", Self.failed, "--show", "0", in: scratch)
        #expect(!short.output.contains("What was sent"))
    }

    @Test("tells what stands before the place where a file is cut, and which octet that is")
    func readsCutFiles() throws {
        let whole = try Data(contentsOf: URL(filePath: Self.failed))
        try whole.dropLast(5).write(to: scratch.url.appending(path: "cut.pcapng"))
        let outcome = try Binary.run("inspect", "cut.pcapng", in: scratch)
        #expect(outcome.status == 65)
        #expect(outcome.output.contains("2 negotiations"))
        let place = try #require(outcome.errors.firstMatch(of: /begins at octet (\d+): it was cut; \d+ packets before/))
        #expect(try #require(Int(place.1)) < whole.count - 5)
        let json = try Binary.run("inspect", "cut.pcapng", "--json", in: scratch)
        #expect((try object(json.output)["problem"] as? String)?.contains("it was cut") == true)
    }

    @Test(
        "refuses what it cannot read",
        arguments: [
            (["inspect", "nothing.pcap"], 64, "nothing.pcap cannot be read"),
            (["inspect", "note.txt"], 65, "note.txt: this is no capture"),
            (["inspect", "empty"], 65, "this is no capture"),
            (["inspect", failed, "--keys", "nowhere"], 64, "names a folder with Wireshark's table"),
            (["inspect", failed, "--keys", "."], 65, "ikev2_decryption_table:2: this is no line of the table"),
            (["inspect", failed, "--accepts", "aes-sha9"], 64, "unknown algorithm \"sha9\""),
            (["inspect", failed, "--show", "-1"], 64, "--show"),
        ] as [([String], Int32, String)]
    )
    func refuses(_ words: [String], _ status: Int32, _ text: String) throws {
        try scratch.write("no capture at all", to: "note.txt")
        try scratch.write("", to: "empty")
        try scratch.write("# keys\nnonsense\n", to: "ikev2_decryption_table")
        let outcome = try Binary.run(words, in: scratch)
        #expect(outcome.status == status)
        #expect(outcome.errors.contains(text), "\(outcome.errors)")
    }

    private func object(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }
}
