import Foundation
import GatewayRig
import Testing

@Suite("Exit codes")
struct ExitCodeTests {
    struct Ending: Sendable, CustomTestStringConvertible {
        let words: [String]
        let status: Int32
        /// What standard error, or standard output of a run that ends well, has to say.
        let says: String
        var testDescription: String { words.joined(separator: " ") }

        init(_ words: [String], _ status: Int32, _ says: String) {
            self.words = words
            self.status = status
            self.says = says
        }
    }

    private static let run = ["run"] + Shipped.small

    @Test(
        "say how a command ended",
        arguments: [
            Ending(run, 0, "PASSED"),
            Ending(run + ["--set", "thresholds=[handshake.latency p50 < 1ms]"], 99, "FAILED 1 of 1 threshold"),
            Ending(run + ["--set", "steady-state=[tunnels.up last < 50%]"], 97, "STEADY STATE FAILED 1 of 1"),
            Ending(run + ["--set", "steady-state=[tunnels.up last < 50%]", "--json"], 97, "steady-state-failed"),
            Ending(run + ["--set", "run.duratoin=1m"], 65, "duration"),
            Ending(run + ["--set", "populations.laptops.count=many"], 65, "populations.laptops.count"),
            Ending(["run", "nothing.yaml"], 65, "nothing.yaml:1:1: there is no file"),
            Ending(["run"], 64, "Missing expected argument '<workload>'"),
            Ending(run + ["--seed", "9223372036854775807"], 0, "PASSED"),
            Ending(run + ["--seed", "9223372036854775808"], 64, "the most is 9223372036854775807"),
            Ending(run + ["--workers", "0"], 64, "--workers"),
            Ending(run + ["--workers", "some"], 64, "--workers"),
            Ending(run + ["--crypto", "fast"], 64, "--crypto"),
            Ending(run + ["--frobnicate"], 64, "Unknown option '--frobnicate'"),
            Ending(run + ["--record"], 64, "--target"),
            Ending(run + ["--allow-target", "192.0.2.1"], 64, "--target"),
            Ending(run + ["--capture", "--crypto", "modelled"], 64, "--crypto real"),
            Ending(run + ["--sources", "10.0.0.0/8"], 64, "--target"),
            Ending(run + ["--target", "somewhere"], 64, "--target somewhere has no address"),
            Ending(run + ["--target", "vpn=127.0.0.1"], 64, "the workload has no gateway `vpn`, but gw"),
            Ending(run + ["--target", "gw=127.0.0.1", "--target", "gw=127.0.0.2"], 64, "has a target already"),
            Ending(run + ["--target", "gw=127.0.0.1", "--target", "127.0.0.2"], 64, "either each names its gateway"),
            Ending(run + ["--target", "127.0.0.1", "--target", "127.0.0.2"], 64, "2 targets are named for 1"),
            Ending(run + ["--target", "gw=127.0.0.1:9:10"], 69, "cannot be reached"),
            Ending(run + ["--target", "127.0.0.1", "--replications", "2"], 64, "--replications is for simulated runs"),
            Ending(run + ["--replications", "0"], 65, "run.replications"),
            Ending(run + ["--replications", "many"], 64, "--replications"),
            Ending(run + ["--target", "127.0.0.1", "--allow-target", "x"], 64, "--allow-target x is no address"),
            Ending(run + ["--target", "127.0.0.1", "--crypto", "modelled"], 64, "--crypto modelled"),
            Ending(run + ["--target", "192.0.2.1"], 96, "nothing was sent"),
            Ending(run + ["--target", "127.0.0.1:9:10"], 69, "cannot be reached"),
            Ending(run + ["--out", ""], 64, "--out wants the name of a folder"),
            Ending(run + ["--set", "populations.laptops.count=100000000"], 65, "write fewer clients"),
            Ending(["gateway", Shipped.quickstart, "--port", "1500", "--nat-port", "1500"], 64, "are two ports"),
            Ending(run + ["--set", "populations.laptops.count=9223372036854775807"], 65, "is too large"),
            Ending(["cleanup", "nowhere"], 69, "nowhere is not the folder of a run"),
            Ending(
                ["gateway", Shipped.quickstart, "--address", "192.0.2.1"],
                69,
                "nothing can answer on 192.0.2.1, port 500"
            ),
            Ending(["replay", "nowhere"], 69, "nowhere"),
            Ending(["abort", "nowhere"], 69, "nowhere is not a run that is going on"),
            Ending(run + ["--out", "/proc/nowhere"], 73, "/proc/nowhere"),
            Ending(["check", Shipped.quickstart], 0, "a good workload"),
            Ending(["check", "nothing.yaml"], 65, "there is no file"),
            Ending(["diff", "nothing", "nowhere"], 64, "nothing"),
            Ending(["frobnicate"], 64, "frobnicate"),
            Ending([], 0, "SUBCOMMANDS"),
            Ending(["version"], 0, "ikestorm 0."),
            Ending(["--version"], 0, "0."),
            Ending(["schema"], 0, "\"$schema\""),
            Ending(["doctor"], 0, "OpenSSL 3"),
            Ending(["doctor"], 0, "✓ ESP "),
            Ending(["doctor"], 0, "UDP buffers "),
            Ending(["doctor"], 0, "clock "),
            Ending(["pki", "made", "--clients", "2", "--seed", "1"], 0, "made/clients.pem"),
            Ending(["pki", "made", "--key", "dsa"], 64, "rsa2048"),
            Ending(["pki", "made", "--identity", "user", "--clients", "2"], 64, "no place for a number"),
            Ending(["pki", "made", "--until", "2019-01-01T00:00:00Z"], 64, "before"),
            Ending(["pki", "made", "--gateway", "O=Org, CN=gw"], 64, "write an e-mail address, a host name"),
            Ending(["pki", "/proc/nowhere"], 73, "/proc/nowhere"),
        ]
    )
    func endsWith(_ ending: Ending) throws {
        let outcome = try Binary.run(ending.words, in: Scratch())
        #expect(outcome.status == ending.status, "\(outcome.output)\(outcome.errors)")
        #expect((outcome.output + outcome.errors).contains(ending.says), "\(outcome.output)\(outcome.errors)")
    }

    @Test(
        "every command says what it is for",
        arguments: [
            "run", "check", "diff", "init", "schema", "gateway", "abort", "cleanup", "replay", "calibrate", "doctor",
            "version", "pki", "sink",
        ]
    )
    func explains(_ command: String) throws {
        let outcome = try Binary.run(command, "--help", in: Scratch())
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("OVERVIEW: "))
        #expect(outcome.output.contains("USAGE: ikestorm \(command)"))
    }

    @Test("a file that may grow no more ends a run with an error, and leaves its folder marked")
    func tellsFileSize() throws {
        let scratch = try Scratch()
        let command = [Binary.path, "run"] + Shipped.small + ["--out", "run", "--crypto", "modelled"]
        let words = ["sh", "-c", "ulimit -f 2; \"$@\"", "sh"] + command
        let outcome = try Command.run(words, environment: [:], directory: scratch.url, atMost: 60)
        #expect(outcome.status == 73, "\(outcome.errors)")
        #expect(scratch.exists("run/incomplete"))
    }

    @Test("a run whose threads the system does not start ends as a mistake that is not the workload's")
    func tellsThreads() throws {
        let scratch = try Scratch()
        let command = [Binary.path] + Self.run + ["--workers", "1024", "--out", "run"]
        // Less than 1 GB of addresses, in which the stacks of 1,024 threads have no room.
        let words = ["sh", "-c", "ulimit -v 1000000; exec \"$@\"", "sh"] + command
        let outcome = try Command.run(words, environment: [:], directory: scratch.url, atMost: 60)
        #expect(outcome.status == 70, "\(outcome.output)\(outcome.errors)")
        #expect(outcome.errors.contains("Resource temporarily unavailable; try --workers 1"), "\(outcome.errors)")
        #expect(scratch.exists("run/incomplete"))
    }

    @Test(
        "a result that standard output has no room for is not taken for a success",
        arguments: [["schema"], ["check", Shipped.quickstart, "--resolved"], run + ["--json"]]
    )
    func tellsFullDisk(_ words: [String]) throws {
        let outcome = try Command.run(["/bin/sh", "-c", "exec \"$@\" > /dev/full", "sh", Binary.path] + words)
        #expect(outcome.status == 73)
        #expect(outcome.errors.contains("standard output cannot be written: No space left on device"))
    }

    @Test("a reader that has gone away does not end a run before its files are written")
    func outlivesItsReader() throws {
        let scratch = try Scratch()
        let line = "{ \"$@\" 2>&1; echo $? > status; } | true"
        let words = [Binary.path] + Self.run + ["--out", "run"]
        _ = try Command.run(["/bin/bash", "-c", line, "bash"] + words, directory: scratch.url, atMost: 60)
        #expect(try scratch.text("status") == "0\n")
        #expect(scratch.exists("run/result.json"))
    }

    @Test("every mistake in a workload is told with its place, and what to write instead")
    func tellsMistakes() throws {
        let scratch = try Scratch()
        try scratch.write(Self.broken, to: "broken.yaml")
        for command in ["check", "run"] {
            let outcome = try Binary.run(command, "broken.yaml", in: scratch)
            #expect(outcome.status == 65)
            #expect(outcome.output == "")
            try Golden.expect(outcome.errors, "broken-workload.txt")
        }
        #expect(!scratch.exists("runs"))
    }

    private static let broken = """
        version: 1
        name: broken
        gatways: {}
        paths:
          home: { one-way-delay: 10, loss: { random: 200% } }
        populations:
          laptops: { count: -5, profile: laptop, path: home, gateway: gw }
        run: { duration: 10:30 }

        """
}

/// Texts that were looked at once; `UPDATE_GOLDEN=1` rewrites them.
enum Golden {
    static func expect(_ text: String, _ name: String) throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden/" + name)
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" { try Data(text.utf8).write(to: file) }
        #expect(text == String(decoding: try Data(contentsOf: file), as: UTF8.self), "\(name)")
    }
}
