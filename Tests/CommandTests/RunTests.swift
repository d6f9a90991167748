import Foundation
import GatewayRig
import Testing

@Suite("ikestorm run")
struct RunTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test("a workload ends in a table, and in a folder with every file")
    func runsToTheEnd() throws {
        let outcome = try Binary.run(["run"] + Shipped.small + ["--out", "run"], in: scratch)

        #expect(outcome.status == 0, "\(outcome.errors)")
        let words = [
            "quickstart  PASSED", "handshake", "retransmissions", "tunnels.up", "✓ handshake.success > 99%",
            "digest  v1:", "repeat  ikestorm run", "files   run",
        ]
        for word in words { #expect(outcome.output.contains(word), "\(word) in\n\(outcome.output)") }
        #expect(outcome.errors.contains("1:15 of 1:15  100 %  offered 2"))

        let files = try scratch.files(in: "run")
        let expected = [
            "environment.json", "events.ndjson", "histograms", "histograms/child.rekey.latency.json",
            "histograms/child.rekey.latency.laptops.json", "histograms/handshake.latency.json",
            "histograms/handshake.latency.laptops.json", "junit.xml", "result.json", "series.csv", "summary.md",
            "windows.txt", "workload.yaml",
        ]
        #expect(files.keys.sorted() == expected.filter { $0 != "histograms" })
        let result = try ResultFile(try scratch.bytes("run/result.json"))
        #expect(result.verdict == "passed")
        #expect(result.total("handshake.established") ?? 0 >= 20)
        let events = try scratch.text("run/events.ndjson").split(separator: "\n")
        #expect(events.contains { $0.contains("\"established\"") && $0.contains("laptops/19") })
    }

    @Test("README's picture is what the first workload prints")
    func looksAsREADMEShows() throws {
        let readme = try String(contentsOf: Shipped.folder.appending(path: "../README.md"), encoding: .utf8)
        let picture = try #require(readme.firstMatch(of: /(?s)<!-- picture -->\n```\n(.*?)```/)).1
        let outcome = try Binary.run(["run", Shipped.quickstart, "--crypto", "modelled", "--out", "run"], in: scratch)

        // The wall clock is each run's own, and so are the places of the workload and of the files.
        let printed = outcome.output.replacing(/\ virtual in .* wall/, with: " virtual")
            .replacing(Shipped.quickstart, with: "workloads/quickstart.yaml")
        #expect(lines(of: printed) == lines(of: String(picture)), "`scripts/picture` writes it anew")
    }

    private func lines(of text: String) -> [Substring] {
        text.split(separator: "\n").filter { line in
            !["files ", "repeat ", "took "].contains { line.hasPrefix($0) }
        }
    }

    @Test("a run of many tunnels says what memory each of them took")
    func sharesMemory() throws {
        let many = ["--set", "populations.laptops.count=4000", "--set", "run.duration=60s", "--crypto", "modelled"]
        let outcome = try Binary.run(["run", Shipped.quickstart, "--json", "--events", "none"] + many, in: scratch)
        let bytes = try #require(try ResultFile(Data(outcome.output.utf8)).host["bytesPerTunnel"] as? Int)
        #expect((1_000..<50_000).contains(bytes))
    }

    @Test("a run says what it has computed, and what of that a tunnel and a packet come to", arguments: [false, true])
    func sharesCPU(hasTraffic: Bool) throws {
        let flow = "traffic={ calls: { population: laptops, up: { packets: 2/s, size: 200B } } }"
        let traffic = hasTraffic ? ["--set", flow] : []
        let outcome = try Binary.run(["run"] + Shipped.small + traffic + ["--out", "run", "--json"], in: scratch)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let result = try ResultFile(Data(outcome.output.utf8))
        let cpu = try #require(result.host["cpu"] as? Int)
        let wallClock = try #require(result.host["wallClock"] as? Int)
        // In nanoseconds: no more than all of the machine's cores have had, in a run that begins a little before.
        let cores = ProcessInfo.processInfo.activeProcessorCount
        #expect(cpu > 1_000_000 && cpu <= (wallClock + 1_000_000_000) * cores, "\(cpu) of \(wallClock) ns")
        let tunnels = try #require(result.total("handshake.established"))
        try #require(tunnels >= 20)
        #expect(result.host["cpuPerTunnel"] as? Int == cpu / tunnels)
        let packets = result.total("traffic.offered") ?? 0
        // Two a second of each of 20 clients, which come in the first seconds of 75.
        #expect(hasTraffic ? (2_000...3_000).contains(packets) : packets == 0, "\(packets)")
        #expect(result.host["cpuPerPacket"] as? Int == (hasTraffic ? cpu / max(packets, 1) : nil))
    }

    @Test("a run without --out has a folder of its own under runs/, by name, time and seed")
    func namesItsFolder() throws {
        let outcome = try Binary.run(["run"] + Shipped.small + ["--seed", "7"], in: scratch)

        #expect(outcome.status == 0, "\(outcome.errors)")
        let folders = try FileManager.default.contentsOfDirectory(atPath: scratch.url.path + "/runs/quickstart")
        #expect(folders.count == 1)
        #expect(folders.first?.wholeMatch(of: /\d{8}T\d{6}Z-7/) != nil, "\(folders)")
    }

    @Test("--json prints result.json, and nothing else, on standard output")
    func printsJSON() throws {
        let outcome = try Binary.run(["run"] + Shipped.small + ["--out", "run", "--json"], in: scratch)

        #expect(outcome.status == 0)
        #expect(Data(outcome.output.utf8) == (try scratch.bytes("run/result.json")))
        #expect(try ResultFile(Data(outcome.output.utf8)).exitCode == 0)
    }

    @Test("the line behind `repeat` is a command that comes to the same digest, with all that was set")
    func saysHowToRepeat() throws {
        let words = [
            "run", Shipped.quickstart, "--seed", "9", "--set", "populations.laptops.count=15", "--set",
            "run.duration=30s", "--set", "profiles.laptop.identity=it's %02d@example.org",
        ]
        let outcome = try Binary.run(words + ["--out", "first"], in: scratch)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let line = try #require(outcome.output.split(separator: "\n").first { $0.hasPrefix("repeat  ikestorm ") })
        let command = String(line).replacing("repeat  ikestorm ", with: "'\(Binary.path)' ") + " --out second"
        let again = try Command.run(["sh", "-c", command], environment: [:], directory: scratch.url, atMost: 120)
        #expect(again.status == 0, "\(command)\n\(again.errors)")
        let digests = try ["first", "second"].map { try ResultFile(scratch.bytes("\($0)/result.json")).digest }
        #expect(digests[0] != nil && digests[0] == digests[1])
        #expect(try scratch.bytes("first/workload.yaml") == scratch.bytes("second/workload.yaml"))
    }

    #if !DEBUG
        @Test(
            "a debug build writes the same bytes, with other workers too",
            arguments: [
                Shipped.small, [Shipped.path("restart"), "--set", "populations.laptops.count=20"],
                [Shipped.path("lossy-mobile"), "--set", "populations.phones.count=15", "--set", "run.duration=90s"],
                [Shipped.path("radius-outage")] + Shipped.few(["blocked", "unblocked"]),
                [Shipped.path("mobike-wave")] + Shipped.few(["mobile", "fixed"]),
                [Shipped.path("nat-timeout")] + Shipped.few(["kept-alive", "silent"]),
            ]
        )
        func isTheSameInDebug(_ workload: [String]) throws {
            var runs: [[String: Data]] = []
            for (path, workers) in [(Binary.path, "1"), (Binary.debugPath, "3")] {
                let words = [path, "run"] + workload + ["--out", "run-\(workers)", "--workers", workers, "--capture"]
                // At most ten seconds of processor time, whatever else the machine does.
                let limited = ["bash", "-c", "ulimit -t 10 && exec \"$@\"", "limited"] + words
                let outcome = try Command.run(limited, environment: [:], directory: scratch.url, atMost: 300)
                #expect([0, 99].contains(outcome.status), "\(words): \(outcome.errors)")
                runs.append(try scratch.outcome(in: "run-\(workers)"))
            }
            #expect(runs[0].keys.sorted() == runs[1].keys.sorted())
            for (name, bytes) in runs[0] { #expect(bytes == runs[1][name], "\(name)") }
        }
    #endif

    @Test("a capture is the same with any workers, and taking it changes no event")
    func capturesWithoutTrace() throws {
        let variants = [["--workers", "1", "--capture"], ["--workers", "3", "--capture"], ["--workers", "1"]]
        var digests: Set<String?> = []
        for (index, words) in variants.enumerated() {
            let outcome = try Binary.run(["run"] + Shipped.small + ["--out", "run\(index)"] + words, in: scratch)
            #expect(outcome.status == 0, "\(outcome.errors)")
            digests.insert(try ResultFile(try scratch.bytes("run\(index)/result.json")).digest)
        }
        #expect(digests.count == 1)
        for name in ["capture.pcapng", "ikev2_decryption_table", "events.ndjson"] {
            #expect(try scratch.bytes("run0/" + name) == scratch.bytes("run1/" + name))
        }
    }

    @Test("what a killed run leaves is marked, and is not taken for a result")
    func marksKilledRun() throws {
        let words = ["run", Shipped.quickstart, "--out", "run", "--set", "run.duration=10h", "--crypto", "modelled"]
        let run = try Command([Binary.path] + words, directory: scratch.url)
        let deadline = ContinuousClock.now + .seconds(60)
        while !run.errors.contains(" of 10:00:00"), ContinuousClock.now < deadline { usleep(20_000) }
        #expect(run.isRunning)
        run.kill()
        let outcome = try run.wait(atMost: 10)

        #expect(outcome.status == 128 + SIGKILL)
        #expect(scratch.exists("run/incomplete"))
        #expect(!scratch.exists("run/result.json"))
        #expect(scratch.exists("run/events.ndjson.partial"))
        let comparison = try Binary.run("diff", "run", "run", in: scratch)
        #expect(comparison.status == 64)
        #expect(comparison.errors.contains("incomplete"))
    }

    @Test("Ctrl-C ends a simulated run with what it has come to, and without a digest")
    func endsAtInterrupt() throws {
        let words = ["run", Shipped.quickstart, "--out", "run", "--set", "run.duration=10000h", "--crypto", "modelled"]
        let run = try Command([Binary.path] + words, directory: scratch.url)
        let deadline = ContinuousClock.now + .seconds(60)
        while !scratch.exists("run/events.ndjson.partial"), ContinuousClock.now < deadline { usleep(20_000) }
        usleep(300_000)
        run.interrupt()
        let outcome = try run.wait(atMost: 30)

        #expect(outcome.status == 105, "\(outcome.errors)")
        #expect(outcome.output.contains("quickstart  INTERRUPTED"))
        #expect(!scratch.exists("run/incomplete"))
        let result = try ResultFile(try scratch.bytes("run/result.json"))
        #expect(result.verdict == "interrupted")
        #expect(result.digest == nil)
        #expect(try scratch.text("run/summary.md").contains("INTERRUPTED"))
        let comparison = try Binary.run("diff", "run", "run", in: scratch)
        #expect(comparison.status == 64)
        #expect(comparison.errors.contains("it was interrupted"))
    }

    @Test("a run is not written into a folder that holds something")
    func keepsWhatIsThere() throws {
        try FileManager.default.createDirectory(
            at: scratch.url.appending(path: "run"),
            withIntermediateDirectories: true
        )
        try scratch.write("mine", to: "run/notes")
        let outcome = try Binary.run(["run"] + Shipped.small + ["--out", "run"], in: scratch)

        #expect(outcome.status == 73)
        #expect(outcome.errors.contains("a run wants a folder of its own"))
        #expect(try scratch.files(in: "run").keys.sorted() == ["notes"])
    }

    @Test("a dry run says what would happen, and leaves nothing behind")
    func dryRun() throws {
        let outcome = try Binary.run(["run"] + Shipped.small + ["--dry-run"], in: scratch)

        #expect(outcome.status == 0)
        for word in ["no packet is sent", "laptops: 20,", "0/s to 150/s within 10.0 s", "4 cores"] {
            #expect(outcome.output.contains(word), "\(word) in\n\(outcome.output)")
        }
        #expect(!scratch.exists("runs"))
    }
}

@Suite("A terminal")
struct TerminalTests {
    /// Runs a command with a terminal on both of its outputs.
    private func terminalText(_ environment: [String: String]) throws -> String {
        let scratch = try Scratch()
        let words = ([Binary.path, "run"] + Shipped.small).joined(separator: " ")
        let outcome = try Command.run(
            ["script", "--quiet", "--return", "--command", words, "typescript"],
            environment: ["TERM": "xterm"].merging(environment) { $1 },
            directory: scratch.url,
            atMost: 120
        )
        #expect(outcome.status == 0, "script, of util-linux: \(outcome.errors)")
        return try scratch.text("typescript")
    }

    @Test("shows a panel that is redrawn, and colours")
    func showsPanel() throws {
        let text = try terminalText(["NO_COLOR": ""])
        #expect(text.contains("\u{1B}[1m"))
        #expect(text.contains("░"))
    }

    @Test("shows no colours where NO_COLOR is set")
    func hasNoColours() throws {
        let text = try terminalText(["NO_COLOR": "1"])
        #expect(text.contains("PASSED"))
        #expect(text.contains("░"))
        #expect(text.firstMatch(of: /\x1B\[[0-9;]*m/) == nil)
    }
}
