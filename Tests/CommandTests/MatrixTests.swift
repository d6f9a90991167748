import Foundation
import GatewayRig
import Testing

@Suite("ikestorm matrix")
struct MatrixTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test(
        "wrong words and what is not allowed end the command before anything is sent, each with its exit code",
        arguments: [
            (["--target", "nowhere", "--identity", "a@b", "--psk", "k"], 64, "--target nowhere: this is no address"),
            (["--target", "127.0.0.1"], 64, "Name a workload, or --identity and --psk or --certificates"),
            (["w.yaml", "--target", "127.0.0.1", "--psk", "k"], 64, "in the workload, or on the command line"),
            (
                ["--target", "127.0.0.1", "--identity", "a@b", "--psk", "k", "--rate", "21"], 64,
                "--rate is from 1 to 20"
            ),
            (
                ["--target", "127.0.0.1", "--identity", "a@b", "--psk", "k", "--features-at-once", "0"], 64,
                "--features-at-once is from 1 to 20"
            ),
            (
                ["--target", "127.0.0.1", "--identity", "a@b", "--psk", "k", "--key-exchanges", "dh"], 64,
                "x25519,ecp256"
            ),
            (["--target", "127.0.0.1", "--identity", "a@b", "--certificates", "c.pem"], 64, "needs --authorities"),
            (
                ["--target", "127.0.0.1", "--identity", "a@b", "--psk", "k", "--gateway-log", "/nowhere/log"], 64,
                "--gateway-log /nowhere/log: it cannot be read"
            ),
            (["none.yaml", "--target", "127.0.0.1"], 65, "none.yaml"),
            (["--target", "10.98.1.2", "--identity", "a@b", "--psk", "k"], 96, "nothing was sent"),
        ]
    )
    func refuses(_ words: [String], _ status: Int32, _ problem: String) throws {
        let outcome = try Binary.run(["matrix"] + words, in: scratch)
        #expect(outcome.status == status, "\(outcome.errors)")
        #expect(outcome.errors.contains(problem), "\(outcome.errors)")
        #expect(outcome.output.isEmpty)
    }

    @Test("a gateway that is not there is told, with exit code 69")
    func tellsOfSilence() throws {
        let words = ["matrix", "--target", "127.0.0.1:9:10", "--identity", "a@b", "--psk", "k"]
        let outcome = try Binary.run(words, in: scratch)
        #expect(outcome.status == 69, "\(outcome.errors)")
        #expect(outcome.errors.contains("cannot be reached"))
    }
}
