import Foundation
import GatewayRig
import Testing

/// Runs in real time against our own responder: a loaded machine may make the generator late, which is exit code 75.
@Suite("A live run from the command line", .serialized)
struct LiveCommandTests {
    private let scratch: Scratch
    private let gateway: Command
    private let target: String

    init() throws {
        scratch = try Scratch()
        let words = ["gateway", Shipped.quickstart, "--port", "0", "--nat-port", "0", "--seconds", "120"]
        let gateway = try Command([Binary.path] + words, directory: scratch.url)
        try Self.wait(for: "Ctrl-C ends it", of: gateway)
        let match = try #require(gateway.errors.firstMatch(of: /ports (\d+) and (\d+)/))
        target = "127.0.0.1:\(match.1):\(match.2)"
        self.gateway = gateway
    }

    private func words(_ duration: String, _ more: String...) -> [String] {
        let values = ["populations.laptops.count=20", "paths.lte.loss={ random: 0% }", "run.duration=\(duration)"]
        let thresholds = ["--set", "thresholds=[handshake.success > 99%]"]
        return ["run", Shipped.quickstart, "--target", target, "--out", "run"] + thresholds + more
            + values.flatMap { ["--set", $0] }
    }

    private static func wait(for text: String, of command: Command) throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while !command.errors.contains(text), command.isRunning, ContinuousClock.now < deadline { usleep(20_000) }
        try #require(command.errors.contains(text), "\(command.output)\(command.errors)")
    }

    /// A run that has all of its clients up and goes on.
    private func started() throws -> Command {
        let run = try Command([Binary.path] + words("10m"), directory: scratch.url)
        try Self.wait(for: "established 20 ", of: run)
        return run
    }

    @Test("establishes, says what it touched, and is the same when it is replayed")
    func runsAndReplays() throws {
        let outcome = try Binary.run(words("6s", "--record"), in: scratch)

        #expect([0, 75].contains(outcome.status), "\(outcome.output)\(outcome.errors)")
        let result = try ResultFile(try scratch.bytes("run/result.json"))
        #expect(result.total("handshake.established") == 20)
        #expect(result.digest == nil)
        #expect(try scratch.text("run/safety.json").contains("user00020@example.org"))
        let replay = try Binary.run("replay", "run", in: scratch)
        #expect(replay.status == 0, "\(replay.output)\(replay.errors)")
        #expect(replay.output.contains("replayed 20 clients"))
    }

    @Test("is captured so that tshark knows its ports, and decrypts every IKE message")
    func captures() throws {
        let lifetimes = ["ike", "child"].flatMap { ["--set", "profiles.laptop.lifetimes.\($0).rekey=3s"] }
        let outcome = try Binary.run(words("5s", "--capture") + lifetimes, in: scratch)
        #expect([0, 75].contains(outcome.status), "\(outcome.output)\(outcome.errors)")
        try DecryptedCapture(in: scratch.url.appending(path: "run")).expectEach(atLeast: 20)
    }

    @Test("whose files have no room any more deletes every IKE SA, and ends with an error")
    func drainsWithoutRoom() throws {
        for more in [["--record"], []] {
            let folder = more.isEmpty ? "plain" : "recorded"
            let values = ["populations.laptops.count=400", "run.duration=20s", "paths.lte.loss={ random: 0% }"]
            let run = ["run", Shipped.quickstart, "--target", target, "--out", folder, "--workers", "2"] + more
            // 8 KiB: not for the keys of 400 IKE SAs, and less for a recording.
            let words =
                ["sh", "-c", "ulimit -f 16; exec \"$@\"", "sh", Binary.path] + run + values.flatMap { ["--set", $0] }
            let outcome = try Command.run(words, environment: [:], directory: scratch.url, atMost: 60)
            #expect(outcome.status == 73, "\(outcome.output)\(outcome.errors)")
            #expect(outcome.errors.contains("cannot be written"), "\(outcome.errors)")
            let cleanup = try Binary.run("cleanup", folder, in: scratch)
            #expect(cleanup.output == "\(folder) has left no IKE SA behind\n", "\(cleanup.output)\(cleanup.errors)")
        }
    }

    @Test("ends where it stands at a second Ctrl-C, and cleanup deletes what is left")
    func endsByForce() throws {
        let run = try started()
        // Without its gateway a Delete has no answer, and the drain goes on.
        gateway.kill()
        _ = try gateway.wait(atMost: 10)
        run.interrupt()
        usleep(500_000)
        run.interrupt()
        let outcome = try run.wait(atMost: 5)
        #expect(outcome.status == 130, "\(outcome.output)\(outcome.errors)")
        #expect(outcome.output.contains("cleanup"), "\(outcome.output)")
    }

    @Test("that stood still for a while is inconclusive, whatever its thresholds say")
    func isLate() throws {
        // Somebody always has something to do.
        let busy = [
            "--set", "profiles.laptop.lifetimes.child.rekey=2s", "--set", "profiles.laptop.lifetimes.child.over=1m",
        ]
        let run = try Command([Binary.path] + words("8s") + busy, directory: scratch.url)
        try Self.wait(for: "established 20 ", of: run)
        run.signal(SIGSTOP)
        usleep(2_500_000)
        run.signal(SIGCONT)
        let outcome = try run.wait(atMost: 60)
        #expect(outcome.status == 75, "\(outcome.output)\(outcome.errors)")
    }

    @Test("counts latency from when clients were due, though it could not let them come in time")
    func countsFromIntendedTime() throws {
        // Of 80 clients, one each 50 ms, every second one is due while the generator stands still.
        let load = [
            "populations.laptops.count=80", "arrivals.morning={ population: laptops, constant: { rate: 20/s } }",
        ]
        let run = try Command(
            [Binary.path] + words("8s") + load.flatMap { ["--set", $0] },
            directory: scratch.url
        )
        try Self.wait(for: "established ", of: run)
        run.signal(SIGSTOP)
        usleep(2_000_000)
        run.signal(SIGCONT)
        let outcome = try run.wait(atMost: 60)
        #expect(outcome.status == 75, "\(outcome.output)\(outcome.errors)")
        let result = try ResultFile(try scratch.bytes("run/result.json"))
        #expect(result.total("handshake.established") == 80)
        // The path loses nothing, and the gateway answers at once: what is longer is the generator's own wait.
        let latency = try #require(result.latency("handshake.latency"))
        #expect(latency.p50 < 1_500_000_000)
        #expect((1_200_000_000...3_000_000_000).contains(latency.p90), "\(latency)")
        #expect((1_800_000_000...4_000_000_000).contains(latency.max), "\(latency)")
    }

    @Test("drains when its terminal is closed")
    func drainsAtHangUp() throws {
        let run = try started()
        run.signal(SIGHUP)
        #expect(try run.wait(atMost: 40).status == 105)
    }

    @Test("tells that nobody answers at an address of its own")
    func findsNobody() throws {
        let words = ["run", Shipped.quickstart, "--target", "::1", "--out", "run", "--set", "run.duration=5s"]
        let outcome = try Binary.run(words, in: scratch)
        #expect(outcome.status == 69, "\(outcome.output)\(outcome.errors)")
        #expect(!outcome.errors.contains("it answered"), "\(outcome.errors)")
    }

    @Test("drains on Ctrl-C, and says so")
    func drains() throws {
        let run = try started()
        run.interrupt()
        let outcome = try run.wait(atMost: 40)
        #expect(outcome.status == 105, "\(outcome.output)\(outcome.errors)")
        #expect(outcome.output.contains("INTERRUPTED, and every SA deleted"))
        #expect(try Binary.run("cleanup", "run", in: scratch).output == "run has left no IKE SA behind\n")
    }

    @Test("is stopped from elsewhere by abort")
    func aborts() throws {
        let run = try started()
        let abort = try Binary.run("abort", "run", in: scratch)
        #expect(abort.status == 0, "\(abort.errors)")
        #expect(abort.output == "run has ended\n")
        #expect([96, 105].contains(try run.wait(atMost: 10).status))
    }

    @Test("leaves the keys with which cleanup deletes what a killed run left")
    func cleansUp() throws {
        let run = try started()
        run.kill()
        #expect(try run.wait(atMost: 10).status == 128 + SIGKILL)
        #expect(scratch.exists("run/incomplete"))
        let cleanup = try Binary.run("cleanup", "run", in: scratch)
        #expect(cleanup.status == 0, "\(cleanup.output)\(cleanup.errors)")
        #expect(cleanup.output == "20 IKE SAs were left behind, 20 are deleted\n")
        #expect(try Binary.run("cleanup", "run", in: scratch).output == "run has left no IKE SA behind\n")
    }

    @Test("leaves keys that cleanup wipes once the gateway has forgotten their IKE SAs, and keeps while it is silent")
    func cleansUpForgotten() throws {
        let run = try started()
        run.kill()
        _ = try run.wait(atMost: 10)
        let (keys, kept) = (scratch.url.appending(path: "run/keys"), scratch.url.appending(path: "kept"))
        try FileManager.default.copyItem(at: keys, to: kept)
        #expect(try Binary.run("cleanup", "run", in: scratch).status == 0)

        // With the same keys again, the gateway is asked for what it has not any more.
        try FileManager.default.copyItem(at: kept, to: keys)
        let again = try Binary.run("cleanup", "run", in: scratch)
        #expect(again.status == 0, "\(again.errors)")
        #expect(
            again.output.hasPrefix("20 IKE SAs were left behind, 0 are deleted\n20 are not known"),
            "\(again.output)"
        )
        #expect(try Binary.run("cleanup", "run", in: scratch).output == "run has left no IKE SA behind\n")

        try FileManager.default.copyItem(at: kept, to: keys)
        gateway.kill()
        _ = try gateway.wait(atMost: 10)
        let alone = try Binary.run("cleanup", "run", in: scratch)
        #expect(alone.status == 69 && alone.output == "20 IKE SAs were left behind, 0 are deleted\n", "\(alone.output)")
        #expect(alone.errors.contains("repeat the clean-up"), "\(alone.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: keys.path()).count > 0)
    }
}
