import IKEWire
import Metrics
import Primitives
import Results
import Runner
import Synchronization
import Testing
import Workload

/// A link in a run that all clients of a path share, in each direction.
@Suite("A simulated run over a shared link")
struct SharedLinkRunTests {
    /// Traffic of 30 clients over 20 ms for 20 s, without rekeys.
    ///
    /// A packet of 200 B is one of ESP of 8 + 8 + 204 + 16 = 236 B, and of 256 B with its outer header: 1 ms at
    /// 2,048 kbit/s. The queue of 64 KiB is 256 ms of them.
    private func text(isShared: Bool) -> String {
        var setting = TrafficRunTests.Setting(ike: "{ rekey: 24h }", child: "{ rekey: 24h }")
        setting.path = "one-way-delay: 20ms, bandwidth: { rate: 2048kbit/s, shared: \(isShared) }"
        setting.flow = "up: { packets: 50/s, size: 200B }, down: { packets: 1/s, size: 200B }"
        return setting.text.replacing("duration: 60s", with: "duration: 20s")
    }

    private func flow(_ name: String, in outcome: SimulatedOutcome) throws -> Measurements {
        try #require(outcome.measurements.first { $0.scope == MeasurementScope(flow: name) })
    }

    @Test("30 clients together get what one link carries, and lose what is more")
    func isBusy() throws {
        let outcome = try simulate(text(isShared: true))
        let up = try flow("office/up", in: outcome)
        // 50 packets a second each, from one client after the other on: 50 x (30 x 20 - 21.75), less the handshakes.
        let offered = up.counter(.trafficOffered).total
        #expect((28_700...28_900).contains(offered))
        // Of 1,500 in a second the link carries 1,000, one in each millisecond, from the 20th client on, which comes
        // when a second has gone by and some 500 packets have.
        let received = up.counter(.trafficReceived).total
        #expect((19_300...19_500).contains(received))
        let lost = up.counter(.trafficLost)
        #expect(lost.byReason.map(\.name) == ["queue-full"])
        // What is in the queue at the end, and what has left it 20 ms ago at most, is neither.
        #expect((270...280).contains(offered - received - lost.total))
        // The last that finds room waits 255 ms for the others and 1 ms for itself.
        let longest = Duration.nanoseconds(Int64(up.latency(.trafficLatency).maximum))
        #expect(longest > .milliseconds(274) && longest <= .milliseconds(276))
        // The other direction has a queue of its own: at worst all 30 come at once.
        let down = try flow("office/down", in: outcome)
        #expect(down.counter(.trafficLost).total == 0)
        #expect(down.latency(.trafficLatency).minimum == 21_000_000)
        #expect(down.latency(.trafficLatency).maximum <= 50_000_000)
    }

    @Test("30 clients with a link each lose nothing, and wait for none of the others")
    func isIdle() throws {
        let up = try flow("office/up", in: try simulate(text(isShared: false)))
        #expect((28_700...28_900).contains(up.counter(.trafficOffered).total))
        #expect(up.counter(.trafficLost).total == 0)
        let latency = up.latency(.trafficLatency)
        #expect(latency.minimum == 21_000_000 && latency.maximum == 21_000_000)
    }

    /// Some 400 B every 5 ms for a link that carries 437 B in that time.
    @Test("a client that is alone on a shared link is as one on a link of its own")
    func isAlone() throws {
        func outcome(isShared: Bool) throws -> SimulatedOutcome {
            var setting = TrafficRunTests.Setting()
            setting.path = """
                one-way-delay: { per-client: { uniform: [8ms, 60ms] }, jitter: { exponential: { mean: 3ms } } },
                    bandwidth: { rate: 700kbit/s, queue: 4KiB, shared: \(isShared) }, loss: { random: 3% },
                    duplication: 5%, reordering: { share: 5%, extra-delay: 7ms }, mtu: 1000
                """
            setting.flow = "pattern: poisson, up: { packets: 200/s, size: imix }, down: { packets: 100/s, size: imix }"
            return try simulate(setting.text.replacing("count: 30", with: "count: 1"))
        }
        let (shared, own) = (try outcome(isShared: true), try outcome(isShared: false))
        #expect(shared.measurements == own.measurements)
        let up = try flow("office/up", in: shared)
        #expect(up.counter(.trafficLost).byReason.map(\.name).sorted() == ["lost", "queue-full"])
    }

    /// Ten clients begin at once, whose IKE_SA_INIT requests of 200 B take 228 x 8 / 128,000 s = 14.25 ms each.
    @Test("of a burst one leaves after the other, each as long after the last as it takes to send")
    func isSerial() throws {
        let seen = Mutex<[RunSinks.Packet]>([])
        let sinks = RunSinks(packet: { packet in
            guard packet.source.port == 500, packet.octets[18] == ExchangeType.ikeSAInit.rawValue else { return }
            seen.withLock { $0.append(packet) }
        })
        var setting = TrafficRunTests.Setting()
        setting.path = "one-way-delay: 3ms, bandwidth: { rate: 128kbit/s, shared: true }"
        let text = setting.text
            .replacing("count: 30", with: "count: 10")
            .replacing("constant: 20/s", with: "spike: { clients: 10, over: 1ns }")
            .replacing("cores: 2", with: "cores: 16")
            .replacing("duration: 60s", with: "duration: 1s")
        _ = try simulate(text, sinks: sinks)
        let gateway = IPAddress(v4: 0xC000_0201)
        let requests = seen.withLock { $0.filter { $0.source.address != gateway } }
        let answers = seen.withLock { $0.filter { $0.source.address == gateway } }
        #expect(requests.map(\.time) == Array(repeating: .zero, count: 10))
        #expect(requests.map(\.octets.count) == Array(repeating: 200, count: 10))
        // Behind the link and 3 ms of the path, the gateway takes the same time for each, and some for itself.
        let first = try #require(answers.first?.time)
        let burst = Duration.microseconds(14_250)
        #expect(first > .zero + .milliseconds(3) + burst && first < .zero + .milliseconds(6) + burst)
        #expect(answers.map(\.time) == (0..<10).map { first + burst * $0 })
    }

    @Test("in real time a link is not shared, as the run says before it sends anything")
    func isLive() throws {
        func plan(isShared: Bool) throws -> String {
            let workload = try WorkloadFile(text: text(isShared: isShared), path: "test.yaml").validated()
            let target = LiveTarget(address: IPAddress(v4: 0x7F00_0001))
            return try LiveRun(workload, targets: [target], options: LiveOptions()).dryRunText
        }
        let warning = "the link of the path way is not shared: in real time each client has one of that rate"
        #expect(try plan(isShared: true).contains(warning))
        #expect(try !plan(isShared: false).contains("is not shared"))
    }

    /// Clients of a carrier's NAT and link, of which some go to another network with another link.
    private var world: String {
        var setting = TrafficRunTests.Setting()
        (setting.policy, setting.profile) = ("mobike: true", "mobike: true")
        setting.up = "{ packets: 30/s, size: 200B }"
        setting.path = """
            one-way-delay: { per-client: { uniform: [4ms, 60ms] }, jitter: { exponential: { mean: 1ms } } },
                loss: { gilbert-elliott: { to-bad: 1%, to-good: 30% } }, duplication: 2%, mtu: 1300,
                bandwidth: { rate: 1500kbit/s, queue: 16KiB, shared: true },
                nat: { preset: linux-conntrack, shared: { addresses: [203.0.113.8/31], ports-per-client: 4000 } } }
              other: { one-way-delay: 5ms, bandwidth: { rate: 1Mbit/s, shared: true }
            """
        setting.more = """
            faults:
              leave: { kind: move, at: 5s, over: 3s, population: laptops, to: other, share: 50% }
              dark: { kind: path-down, at: 6s, for: 1s, path: way }
            """
        return setting.text.replacing("duration: 60s", with: "duration: 10s")
    }

    @Test("workers, shards, windows and the kind of cryptography leave no trace in it", arguments: [1, 2, 3, 7])
    func isDeterminate(workers: Int) throws { try expectNoTrace(of: workers, in: world) }

    @Test("batches leave no trace in it, and both ways lose packets to full queues")
    func isDeterminateInBatches() throws {
        let one = try simulate(world)
        try expectNoTraceOfBatches(in: world, one)
        for name in ["office/up", "office/down"] {
            #expect(try flow(name, in: one).counter(.trafficLost).byReason.contains { $0.name == "queue-full" })
        }
        #expect(one.measurements.first?.counter(.mobikeUpdates).total == 15)
    }
}
