import Foundation
import IKEWire
import IKEv2
import Metrics
import Primitives
import Results
import Runner
import Testing
import Workload

@Suite("The parts of a live run")
struct LiveUnitTests {
    @Test(
        "a target is an address, and ports where they are not those of RFC 7296",
        arguments: [
            ("192.0.2.1", "192.0.2.1", 500, 4500),
            ("192.0.2.1:1500", "192.0.2.1", 1500, 4500),
            ("192.0.2.1:1500:14500", "192.0.2.1", 1500, 14500),
            ("2001:db8::1", "2001:db8::1", 500, 4500),
            ("[2001:db8::1]", "2001:db8::1", 500, 4500),
            ("[2001:db8::1]:1500:14500", "2001:db8::1", 1500, 14500),
        ]
    )
    func readsTargets(_ text: String, _ address: String, _ port: UInt16, _ encapsulated: UInt16) throws {
        let target = try #require(LiveTarget(text))
        #expect(
            target == LiveTarget(address: try #require(IPAddress(address)), port: port, encapsulatedPort: encapsulated)
        )
        #expect(LiveTarget(target.description) == target)
    }

    @Test("further addresses of a target are behind commas", arguments: ["192.0.2.1", "[2001:db8::2]:1500:14500"])
    func readsFurtherAddresses(_ first: String) throws {
        var expected = try #require(LiveTarget(first))
        expected.others = try ["198.51.100.1", "2001:db8::1"].map { try #require(IPAddress($0)) }
        let target = try #require(LiveTarget(first + ",198.51.100.1,2001:db8::1"))
        #expect(target == expected)
        #expect(LiveTarget(target.description) == target)
    }

    @Test(
        "what is no target is refused",
        arguments: [
            "", "gw.example.org", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536", "192.0.2.1:500:500",
            "192.0.2.1:1:2:3", "[2001:db8::1", "[2001:db8::1]500", "192.0.2.1:+5", "192.0.2.1,", "192.0.2.1,gw",
            "192.0.2.1,192.0.2.1", "192.0.2.1,[2001:db8::1]:500", ",192.0.2.1",
        ]
    )
    func refusesTargets(_ text: String) {
        #expect(LiveTarget(text) == nil)
    }

    /// How late each of a hundred operations was, and what that makes of the run.
    struct Late: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var usual: Duration
        var worst: Duration
        var lost: UInt64 = 0
        var judgement: String
    }

    @Test(
        "a run is judged by its lateness",
        arguments: [
            Late(testDescription: "prompt", usual: .microseconds(50), worst: .milliseconds(5), judgement: "valid"),
            Late(testDescription: "slow", usual: .milliseconds(11), worst: .milliseconds(20), judgement: "degraded"),
            Late(testDescription: "one slow", usual: .zero, worst: .milliseconds(1_001), judgement: "degraded"),
            Late(testDescription: "too slow", usual: .milliseconds(260), worst: .seconds(1), judgement: "invalid"),
            Late(testDescription: "one hangs", usual: .zero, worst: .seconds(6), judgement: "invalid"),
            Late(testDescription: "one lost", usual: .zero, worst: .zero, lost: 1, judgement: "degraded"),
            Late(testDescription: "many lost", usual: .zero, worst: .zero, lost: 3, judgement: "invalid"),
        ]
    )
    func judgesLateness(_ late: Late) {
        // Each kind of lateness counts as much as another.
        let kinds: [WritableKeyPath<Lateness, LatencyHistogram>] = [\.timers, \.sends, \.receives]
        for kind in kinds {
            var lateness = Lateness()
            for other in kinds where other != kind {
                for _ in 0..<1_000 { lateness[keyPath: other].record(.zero) }
            }
            for _ in 0..<999 { lateness[keyPath: kind].record(late.usual) }
            lateness[keyPath: kind].record(late.worst)
            lateness.lostCount = late.lost
            let word =
                switch lateness.judgement {
                case .valid: "valid"
                case .degraded: "degraded"
                case .invalid: "invalid"
                }
            #expect(word == late.judgement)
        }
    }

    @Test("a late run is inconclusive, whatever its thresholds say")
    func lateRunNeverPasses() throws {
        let machine = Host.Machine(system: "", processor: "", cores: 1, memoryBytes: 0)
        let host = Host(workers: 1, memoryBytes: 0, cryptoBackend: "", wallClock: .zero, startedAt: 0, machine: machine)
        var record = RunRecord(
            name: "late",
            mode: .live,
            seed: 1,
            version: "",
            digest: nil,
            workloadHash: "",
            command: [],
            duration: .seconds(1),
            plannedDuration: .seconds(1),
            host: host
        )
        var lateness = Lateness()
        for _ in 0..<100 { lateness.timers.record(.seconds(1)) }
        record.generator = lateness.judgement
        let result = RunResult(record, steadyState: [], thresholds: [])
        #expect(result.verdict == .invalid)
        #expect(result.exitCode == .inconclusive)
    }

    @Test("a ceiling of 10 attempts a second admits 10 in each second and one more at once", arguments: [1, 2])
    func holdsCeilings(workers: Int) throws {
        let safety = try LoopbackWorkload(safety: "{ at-most: { set-ups: 10/s } }").validated().safety
        var admitted = 0
        for _ in 0..<workers {
            var ceilings = Ceilings(safety, shareOf: workers)
            for millisecond in 0..<10_000 where ceilings.admits(at: .zero + .milliseconds(Int64(millisecond))) {
                admitted += 1
            }
        }
        #expect((100...102).contains(admitted))
    }

    @Test("a dry run names targets, rates, identities, addresses and faults, and what is not allowed")
    func describesItself() throws {
        var parts = LoopbackWorkload(count: 50, rate: "20/s", duration: "1m")
        parts.faults = "faults: { outage: { kind: path-down, at: 30s, for: 2s, path: home } }"
        parts.traffic = "traffic: { calls: { population: laptops, echo: true, up: { packets: 30/s, size: 200B } } }"
        let limits = "at-most: { set-ups: 15/s, half-open: 9 }, abort-when: [handshake.success rate(10s) < 50%]"
        parts.safety = "{ \(LoopbackWorkload.allowance), \(limits) }"
        let workload = try parts.validated()
        let text = try LiveRun(workload, options: LiveOptions()).dryRunText
        #expect(
            text == """
                loopback, in real time for 60s; nothing has been sent
                target      gw (gw.example.org) at 127.0.0.1
                clients     50 laptops
                  identities  user00001@example.org to user00050@example.org
                  sources     50 addresses, 127.64.0.1 to 127.64.0.50
                  inner       10.0.0.0/8
                peak rate   20 attempts in one second
                packets     30.0/s of each of laptops, and back; 1,500/s in all
                ceiling     15 attempts in 1s
                ceiling     9 attempts under way
                aborts when handshake.success rate(10s) < 50%
                fault       outage at 30s
                note        the profile laptop has `encapsulation: forced`, since its packets go by UDP
                """
        )
        let elsewhere = LiveTarget(address: try #require(IPAddress("10.98.1.2")))
        var options = LiveOptions()
        options.sources = [try #require(IPPrefix("127.0.0.1/32"))]
        options.allowanceFile = "/nowhere"
        parts.safety = "{ \(limits) }"
        let run = try LiveRun(parts.validated(), targets: [elsewhere], options: options)
        let forbidden = try run.dryRunText.split(separator: "\n").filter { $0.hasPrefix("not allowed") }
        #expect(
            forbidden == [
                "not allowed the workload's safety does not allow the target 10.98.1.2 among its allow-targets",
                "not allowed the workload's safety does not allow the inner prefix 10.0.0.0/8 among its allow-inner",
                "not allowed the workload's safety does not allow the identity user00001@example.org "
                    + "among its allow-identities",
            ]
        )
        #expect(throws: LiveError.self) { try run.run() }
        // Loopback needs no allowance as a target; identities and what is behind the gateway do.
        let here = try LiveRun(parts.validated(), options: LiveOptions())
        let unnamed = try here.dryRunText.split(separator: "\n").filter { $0.hasPrefix("not allowed") }
        #expect(unnamed == Array(forbidden.dropFirst()))
        #expect(throws: LiveError.self) { try here.run() }
    }

    @Test("in transport mode nothing is behind the gateway that would have to be allowed")
    func asksNothingOfTransport() throws {
        var parts = LoopbackWorkload(policy: "mode: transport", selectors: "mode: transport")
        parts.safety = #"{ allow-targets: [10.98.1.2], allow-identities: ["*"] }"#
        let target = LiveTarget(address: try #require(IPAddress("10.98.1.2")))
        var options = LiveOptions()
        options.sources = [try #require(IPPrefix("127.0.0.1/32"))]
        options.allowanceFile = "/nowhere"
        let text = try LiveRun(try parts.validated(), targets: [target], options: options).dryRunText
        #expect(text.contains("inner       none"))
        #expect(!text.contains("not allowed"), "\(text)")
    }

    @Test("the machine-wide file holds against the workload: both allow, the lowest ceiling holds")
    func intersects() throws {
        var parts = LoopbackWorkload()
        parts.safety = """
            { allow-targets: [10.98.0.0/16], allow-inner: [10.0.0.0/8], allow-identities: ["*"], \
            at-most: { set-ups: 100/s, half-open: 50 }, abort-when: [handshake.success rate(1m) < 50%] }
            """
        let machine = """
            allow-targets: [10.98.1.0/24]
            allow-inner: [0.0.0.0/0]
            allow-identities: ["*@example.org"]
            at-most: { set-ups: 5000/m, half-open: 80 }
            abort-when: [handshake.latency p99 > 5s]
            """
        let run = try Self.run(parts, machine: machine, target: "10.98.1.2")
        #expect(try !run.dryRunText.contains("not allowed"))
        #expect(run.workload.safety.setUpsAtMost?.perSecondThousandths == 83_333)
        #expect(run.workload.safety.halfOpenAtMost == 50)
        #expect(
            run.workload.safety.abortWhen.map(\.description) == [
                "handshake.success rate(60s) < 50%", "handshake.latency p99 > 5s",
            ]
        )
        let other = try Self.run(parts, machine: machine, target: "10.98.2.2")
        #expect(try other.dryRunText.contains("does not allow the target 10.98.2.2"))
        // A file that says nothing allows nothing.
        let silent = try Self.run(parts, machine: "{}", target: "10.98.1.2")
        #expect(try silent.dryRunText.split(separator: "\n").filter { $0.hasPrefix("not allowed") }.count == 3)
    }

    @Test(
        "a machine-wide file that cannot be understood allows nothing, and says where it is wrong",
        arguments: [
            ("allow-target: [10.98.1.2]", "did you mean \"allow-targets\"?"),
            ("allow-targets: [gw]", "gw"),
            ("- 10.98.1.2", "list"),
            ("", "empty"),
            ("allow-targets: [10.98.1.2", ":1:"),
        ]
    )
    func refusesUnreadable(_ machine: String, _ saying: String) throws {
        let error = try #require(throws: LiveError.self) {
            try Self.run(LoopbackWorkload(), machine: machine, target: "127.0.0.1")
        }
        #expect(error.exitCode == .safetyAbort)
        #expect("\(error)".contains(saying), "\(error)")
    }

    /// A run from loopback under a machine-wide file.
    private static func run(_ parts: LoopbackWorkload, machine: String, target: String) throws -> LiveRun {
        let file = FileManager.default.temporaryDirectory.appending(path: "ikestorm-\(UUID().uuidString).yaml")
        defer { try? FileManager.default.removeItem(at: file) }
        try machine.write(to: file, atomically: true, encoding: .utf8)
        var options = LiveOptions()
        options.allowanceFile = file.path
        options.sources = [try #require(IPPrefix("127.0.0.1/32"))]
        let address = try #require(LiveTarget(target))
        return try LiveRun(parts.validated(), targets: [address], options: options)
    }

    @Test("documentation ranges exist in virtual time only, whoever allows them")
    func refusesDocumentation() throws {
        let workload = try LoopbackWorkload().validated()
        let address = try #require(IPAddress("192.0.2.10"))
        var options = LiveOptions()
        options.allowedTargets = [address]
        options.allowanceFile = "/nowhere"
        let run = try LiveRun(workload, targets: [LiveTarget(address: address)], options: options)
        let error = try #require(throws: LiveError.self) { try run.run() }
        #expect("\(error)".contains("192.0.2.10 is of a range for documentation"))
        #expect(error.exitCode == .safetyAbort)
    }

    @Test("our responder tells failures by their reasons, and neither ends that were wanted nor a second guess")
    func tellsFailures() {
        var failures = GatewayFailures()
        let spis = IKESPIPair(initiator: IKESPI(rawValue: 1), responder: IKESPI(rawValue: 2))
        let reports: [Report] = [
            .closed(spis, .expiredCertificate), .refused(.noProposalChosen), .established(spis),
            .closed(spis, .deletedByPeer), .closed(spis, .deletedHere), .closed(spis, .rekeyed),
            .closed(spis, .redundant), .refused(.invalidKEPayload), .closed(spis, .expiredCertificate),
            .childRefused(.tsUnacceptable), .closed(spis, .noBackend),
        ]
        for report in reports { failures.note(report) }
        #expect(
            failures.text
                == "2 expired-certificate, 1 refused:NO_PROPOSAL_CHOSEN, 1 refused:TS_UNACCEPTABLE, 1 eap-no-backend"
        )
        #expect(failures.total == 5)
    }
}
