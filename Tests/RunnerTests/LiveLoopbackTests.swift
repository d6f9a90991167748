import IKECrypto
import Metrics
import Primitives
import Results
import Runner
import Testing
import Workload

@Suite("A live run against our own responder", .serialized)
struct LiveLoopbackTests {
    @Test("every client is set up, rekeyed and deleted, whatever the number of workers", arguments: [1, 2, 5])
    func establishes(workers: Int) throws {
        let workload = try LoopbackWorkload(
            count: 100,
            duration: "4s",
            ike: "{ rekey: 2s, over: 20s }",
            child: "{ rekey: 1s, over: 20s }"
        ).validated()
        var options = LiveOptions()
        options.workers = workers
        options.library = .cryptoMB
        let run = try drive(workload, options)
        let measured = try #require(run.result.measurements.first)
        #expect(measured.counter(.handshakeEstablished).total == 100)
        #expect(measured.counter(.handshakeFailed).total == 0)
        #expect(measured.counter(.childRekeyEstablished).total >= 200)
        #expect(measured.counter(.ikeRekeyEstablished).total >= 100)
        #expect(measured.counter(.childRekeyFailed).byReason == [])
        #expect(measured.counter(.ikeRekeyFailed).byReason == [])
        #expect(run.result.associations.count >= 100)
        #expect(run.result.leftBehind == 0)
        #expect(run.result.touched.identities.map(\.attempts) == Array(repeating: 1, count: 100))
        #expect(run.result.touched.refused == 0)
        // Each client has an address of its own, and its worker's port.
        #expect(Set(run.sources.map(\.address)).count == 100)
        #expect(Set(run.sources.map(\.port)).count <= 2 * workers)
        let batches = run.result.lanes?.calls ?? 0
        #expect((batches > 0) == (MultiBufferLibrary.state == .ready), "arrivals of one moment are computed together")
    }

    @Test("workers that let more come are late by as much, and nothing is lost by it")
    func letsMoreCome() throws {
        let workload = try LoopbackWorkload(count: 100, duration: "3s", child: "{ rekey: 1s, over: 20s }").validated()
        var options = LiveOptions()
        options.batchWait = .milliseconds(5)
        let run = try drive(workload, options)
        let measured = try #require(run.result.measurements.first)
        #expect(measured.counter(.handshakeEstablished).total == 100)
        #expect(measured.counter(.childRekeyFailed).byReason == [])
        #expect(run.result.leftBehind == 0)
        let lag = measured.latency(.generatorLag).p50
        #expect(lag >= 500_000, "half of what is due waits for the end of a pause")
    }

    @Test("operations are computed one at a time where that is wanted")
    func computesOneAtATime() throws {
        let workload = try LoopbackWorkload(count: 100, duration: "3s", child: "{ rekey: 1s, over: 20s }").validated()
        var options = LiveOptions()
        options.library = .openSSL
        let run = try drive(workload, options)
        let measured = try #require(run.result.measurements.first)
        #expect(measured.counter(.handshakeEstablished).total == 100)
        #expect(measured.counter(.childRekeyFailed).byReason == [])
        #expect(run.result.lanes == nil)
    }

    @Test(
        "Child SAs in transport mode are set up, rekeyed and deleted, behind a NAT too",
        arguments: ["", ", nat: { preset: linux-conntrack }"]
    )
    func transport(nat: String) throws {
        let workload = try LoopbackWorkload(
            count: 20,
            duration: "3s",
            child: "{ rekey: 1s, over: 20s }",
            path: "{ one-way-delay: 1ms\(nat) }",
            policy: "mode: transport",
            selectors: "mode: transport"
        ).validated()
        let run = try drive(workload, LiveOptions())
        let measured = try #require(run.result.measurements.first)
        #expect(measured.counter(.handshakeEstablished).total == 20)
        #expect(measured.counter(.childRekeyEstablished).total >= 20)
        #expect(measured.counter(.childRekeyFailed).byReason == [])
        #expect(run.result.leftBehind == 0)
    }

    @Test("clients that share an address have ports of their own")
    func sharesAnAddress() throws {
        let workload = try LoopbackWorkload(count: 40).validated()
        var options = LiveOptions()
        options.sources = [try #require(IPPrefix("127.0.0.1/32"))]
        let run = try drive(workload, options)
        #expect(run.result.measurements.first?.counter(.handshakeEstablished).total == 40)
        #expect(Set(run.sources.map(\.address)).count == 1)
        #expect(Set(run.sources.map(\.port)).count >= 40)
        #expect(run.result.leftBehind == 0)
    }

    @Test("a NAT's new ports are new source ports, and the gateway follows them")
    func rebinds() throws {
        let workload = try LoopbackWorkload(
            count: 20,
            duration: "5s",
            child: "{ rekey: 1s, over: 20s }",
            path: "{ one-way-delay: 1ms, nat: { preset: linux-conntrack } }",
            faults: "faults: { rebind: { kind: nat-rebind, at: 2s, path: home, share: 100% } }"
        ).validated()
        let run = try drive(workload, LiveOptions())
        let measured = try #require(run.result.measurements.first)
        #expect(measured.counter(.handshakeEstablished).total == 20)
        #expect(measured.counter(.childRekeyFailed).byReason == [])
        // Port 500, 4500, and what 4500 became; a worker without the privilege has one port for both.
        for address in Set(run.sources.map(\.address)) {
            #expect((2...3).contains(run.sources.filter { $0.address == address }.count))
        }
        #expect(run.result.leftBehind == 0)
    }

    @Test(
        "who moves has another source address, and with MOBIKE the same IKE SA; behind a NAT, too",
        arguments: [(true, "home"), (true, "lte"), (false, "lte")]
    )
    func moves(_ isMobile: Bool, _ path: String) throws {
        let workload = try LoopbackWorkload(
            count: 20,
            duration: "6s",
            child: "{ rekey: 1s, over: 20s }",
            path: "{ one-way-delay: 1ms }\n  lte: { one-way-delay: 2ms, nat: { preset: linux-conntrack } }",
            faults: "faults: { leave: { kind: move, at: 2s, over: 1s, population: laptops, to: \(path) } }",
            mobike: isMobile
        ).validated()
        var options = LiveOptions()
        options.workers = 2
        let run = try drive(workload, options)
        let measured = try #require(run.result.measurements.first)
        #expect(measured.counter(.mobikeMoves).total == 20)
        #expect(measured.counter(.mobikeUpdates).total == (isMobile ? 20 : 0))
        #expect(measured.latency(.mobikeLatency).count == (isMobile ? 20 : 0))
        #expect(measured.counter(.mobikeRestarts).total == (isMobile ? 0 : 20))
        #expect(measured.counter(.handshakeEstablished).total == (isMobile ? 20 : 40))
        #expect(measured.counter(.childRekeyFailed).byReason == [])
        #expect(Set(run.sources.map(\.address)).count == 40)
        #expect(run.result.touched.sources.count == 40)
        #expect(run.result.leftBehind == 0)
    }

    @Test("a NAT that appears and one that disappears change where an IKE SA is, and nothing else")
    func goesBehindNATAndBack() throws {
        let workload = try LoopbackWorkload(
            count: 20,
            duration: "7s",
            child: "{ rekey: 1s, over: 20s }",
            path: "{ one-way-delay: 1ms }\n  lte: { one-way-delay: 2ms, nat: { preset: linux-conntrack } }",
            faults: """
                faults:
                  leave: { kind: move, at: 2s, over: 500ms, population: laptops, to: lte }
                  return: { kind: move, at: 4s, over: 500ms, population: laptops, to: home }
                """,
            mobike: true
        ).validated()
        let run = try drive(workload, LiveOptions())
        let measured = try #require(run.result.measurements.first)
        #expect(measured.counter(.handshakeEstablished).total == 20)
        #expect(measured.counter(.mobikeMoves).total == 40)
        #expect(measured.counter(.mobikeUpdates).total == 40)
        #expect(measured.counter(.mobikeRestarts).total == 0)
        #expect(measured.counter(.childRekeyFailed).byReason == [])
        #expect(measured.counter(.childRekeyEstablished).total >= 80)
        #expect(run.result.touched.sources.count == 60)
        #expect(run.result.leftBehind == 0)
    }

    @Test("while a path is down nothing gets through, and behind it everything goes on")
    func goesDown() throws {
        let workload = try LoopbackWorkload(
            count: 20,
            duration: "6s",
            child: "{ rekey: 1s, over: 20s }",
            faults: "faults: { outage: { kind: path-down, at: 2s, for: 1500ms, path: home } }"
        ).validated()
        try expectAGap(in: try drive(workload, LiveOptions()), until: .milliseconds(3_450))
    }

    @Test("a burst of loss ends with its time, and behind a NAT that forgets everything goes on")
    func losesAndForgets() throws {
        let workload = try LoopbackWorkload(
            count: 20,
            duration: "8s",
            child: "{ rekey: 1s, over: 20s }",
            path: "{ one-way-delay: 1ms, nat: { preset: linux-conntrack } }",
            faults: """
                faults:
                  burst: { kind: loss-burst, at: 2s, for: 1s, path: home, loss: { random: 100% } }
                  flush: { kind: nat-flush, at: 4500ms, path: home }
                """
        ).validated()
        let run = try drive(workload, LiveOptions())
        try expectAGap(in: run, until: .milliseconds(2_950))
        #expect(run.times.contains { $0 > Instant.zero + .seconds(6) })
    }

    @Test("two runs with the same seed have no SPI in common: a gateway may still have what a killed run left")
    func drawsAnew() throws {
        let workload = try LoopbackWorkload(count: 20).validated()
        let runs = try (0..<2).map { _ in try drive(workload, LiveOptions()).result.associations }
        let children = runs.map { Set($0.flatMap(\.children).map(\.inbound)) }
        #expect(children.map(\.count) == [20, 20])
        #expect(children[0].isDisjoint(with: children[1]))
        #expect(Set(runs[0].map(\.spis)).isDisjoint(with: runs[1].map(\.spis)))
    }

    @Test("half-open attempts stay below their ceiling")
    func limitsHalfOpen() throws {
        let workload = try LoopbackWorkload(
            count: 50,
            rate: "1000/s",
            path: "{ one-way-delay: 100ms }",
            safety: "{ \(LoopbackWorkload.allowance), at-most: { half-open: 5 } }"
        ).validated()
        let run = try drive(workload, LiveOptions())
        let measured = try #require(run.result.measurements.first)
        #expect(measured.counter(.handshakeOffered).total == 5)
        #expect(measured.counter(.clipped).total == 45)
    }

    /// What a run came to, and what it sent.
    private struct Drive {
        var result: LiveResult
        /// Where packets came from, each endpoint once.
        var sources: Set<UDPEndpoint> = []
        /// When packets were sent.
        var times: [Instant] = []
    }

    private func drive(_ workload: Workload, _ options: LiveOptions) throws -> Drive {
        let gateway = try LoopbackGateway(workload)
        var sources: Set<UDPEndpoint> = []
        var times: [Instant] = []
        let sinks = RunSinks(packet: { packet in
            guard packet.destination.address == gateway.target.address else { return }
            sources.insert(packet.source)
            times.append(packet.time)
        })
        let result = try LiveRun(workload, targets: [gateway.target], options: options).run(sinks: sinks)
        return Drive(result: result, sources: sources, times: times)
    }
    /// Everybody connects, nothing is sent from 2 s until a moment, and behind that everything goes on.
    private func expectAGap(in run: Drive, until end: Duration) throws {
        let measured = try #require(run.result.measurements.first)
        #expect(measured.counter(.handshakeEstablished).total == 20)
        #expect(measured.counter(.retransmissions).total > 0)
        #expect(measured.counter(.childRekeyFailed).byReason == [])
        let gap = Instant.zero + .milliseconds(2_050)...Instant.zero + end
        #expect(run.times.filter { gap.contains($0) } == [])
        #expect(run.times.contains { $0 > gap.upperBound })
        #expect(run.result.leftBehind == 0)
    }
}
