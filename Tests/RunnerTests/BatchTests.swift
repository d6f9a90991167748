import Foundation
import IKECrypto
import Primitives
import Runner
import Simulation
import Testing
import Workload

/// What a run came to, and every octet that its files are written from.
private struct RecordedRun {
    let outcome: SimulatedOutcome
    let octets: [UInt8]

    init(_ workload: Workload, _ options: SimulatedOptions) throws {
        final class Notebook { var octets: [UInt8] = [] }
        let notebook = Notebook()
        let sinks = RunSinks(
            event: { event in
                notebook.octets += "\(event.time) \(event.client) \(event.isGateway) \(event.name)".utf8
                for detail in event.details { notebook.octets += " \(detail.key)=\(detail.value)".utf8 }
            },
            packet: { packet in
                notebook.octets += "\(packet.time) \(packet.source) \(packet.destination)".utf8
                notebook.octets += packet.octets
            },
            keys: { keys in
                notebook.octets += "\(keys.spis)".utf8
                notebook.octets += keys.ei + keys.er + keys.ai + keys.ar
            }
        )
        // Without keepalives nothing of the gateway's reaches a client any more: that is the story.
        outcome = try simulate(workload, sinks: sinks, endsMidFlight: workload.name == "nat-timeout") { $0 = options }
        octets = notebook.octets
    }

    /// What tells the two apart.
    func differences(from other: RecordedRun) -> [String] {
        var differences: [String] = []
        if outcome.digest != other.outcome.digest { differences.append("digest") }
        if outcome.measurements != other.outcome.measurements { differences.append("measurements") }
        if outcome.series != other.outcome.series { differences.append("series") }
        if outcome.windowLog.firstDifference(from: other.outcome.windowLog) != nil { differences.append("log") }
        if octets != other.octets { differences.append("files") }
        return differences
    }
}

@Suite("Key exchanges that workers gather")
struct BatchTests {
    struct Way: Sendable, CustomTestStringConvertible {
        var batchSize: Int
        var workers: Int
        var shardCount: UInt32
        var window: Duration
        var testDescription: String {
            "batches of \(batchSize), \(workers) workers, \(shardCount) shards, windows of \(window)"
        }
    }

    /// Each batch size, with other numbers of workers and shards and other windows.
    static let ways = [
        Way(batchSize: 1, workers: 2, shardCount: 25, window: .milliseconds(1)),
        Way(batchSize: 2, workers: 1, shardCount: 25, window: .milliseconds(1)),
        Way(batchSize: 8, workers: 3, shardCount: 16, window: .microseconds(330)),
        Way(batchSize: 8, workers: 7, shardCount: 60, window: .milliseconds(1)),
        Way(batchSize: 64, workers: 1, shardCount: 100, window: .milliseconds(1)),
        Way(batchSize: 64, workers: 16, shardCount: 7, window: .microseconds(500)),
    ]

    #if DEBUG
        // A debug build takes 17 times as long: it shows that it does the same, and leaves the rest to release.
        private static let workloads = ["quickstart"]
        private static let clientCount = 12
    #else
        private static let workloads = ((try? FileManager.default.contentsOfDirectory(atPath: "workloads")) ?? [])
            .filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
        private static let clientCount = 50
    #endif

    private static func options(_ way: Way, _ crypto: SimulatedOptions.Crypto) -> SimulatedOptions {
        var options = SimulatedOptions()
        options.crypto = crypto
        options.workers = way.workers
        options.batchSize = way.batchSize
        options.overrides = SimulationOverrides(window: way.window, shardCount: way.shardCount)
        return options
    }

    /// A shipped workload with few clients, all at once as far as it goes.
    private static func shipped(_ name: String) throws -> Workload {
        let path = "workloads/\(name).yaml"
        let populations = try WorkloadFile(contentsOf: path).validated().populations
        let overrides = populations.map { "populations.\($0.name).count=\(clientCount)" }
        return try WorkloadFile(contentsOf: path, overrides: overrides).validated()
    }

    @Test("no byte of a run tells which library computed its keys", arguments: ["quickstart", nil])
    func libraries(name: String?) throws {
        let workload =
            try name.map { try Self.shipped($0) } ?? WorkloadFile(text: Self.crowd, path: "crowd.yaml").validated()
        var options = SimulatedOptions()
        options.library = .openSSL
        let one = try RecordedRun(workload, options)
        #expect(one.outcome.batchCounts == BatchCounts(), "libcrypto gathers nothing unless it is told to")
        for workers in [1, 3] {
            options.library = .auto
            options.workers = workers
            // As many shards as clients: operations of one shard do not meet.
            options.overrides = SimulationOverrides(shardCount: 64)
            let other = try RecordedRun(workload, options)
            #expect(other.differences(from: one) == [], "\(workers) workers")
            let lanes = other.outcome.batchCounts.lanes
            switch MultiBufferLibrary.state {
            case .ready: #expect(name != nil || lanes.calls > 0, "a crowd fills lanes")
            case .missing, .unfitProcessor:
                #expect(lanes == LaneUse())
                print("left out: libcrypto_mb (\(MultiBufferLibrary.state)) in a simulated run")
            }
        }
    }

    @Test("no byte of a shipped workload's run tells how they were gathered", arguments: workloads)
    func noTrace(name: String) throws {
        #expect(Self.workloads.contains("quickstart"))
        let workload = try Self.shipped(name)
        var plain = SimulatedOptions()
        plain.crypto = .modelled
        let one = try RecordedRun(workload, plain)
        #expect(!one.octets.isEmpty)
        for way in Self.ways {
            let other = try RecordedRun(workload, Self.options(way, .modelled))
            #expect(other.differences(from: one) == [], "\(way.testDescription)")
        }
    }

    private static let crowd = """
        version: 1
        name: crowd
        gateways:
          gw:
            identity: gw.example.org
            policy:
              authentication: { psk: test-only }
              proposals: { ike: [aes128gcm16-prfsha256-x25519], child: [aes128gcm16-x25519] }
              lifetimes: { ike: { rekey: 5s, jitter: 10% }, child: { rekey: 2s, jitter: 10% } }
              half-open: { cookies-above: never, cookies-above-per-source: never, refuse-above-per-source: never }
              pool: [10.128.0.0/16]
            simulated: { cores: 16, costs: workloads/costs/strongswan-5.9.json }
        profiles:
          laptop:
            identity: "user%05d@example.org"
            authentication: { psk: test-only }
            proposals: { ike: [aes128gcm16-prfsha256-x25519], child: [aes128gcm16-x25519] }
            lifetimes: { ike: { rekey: 5s, jitter: 10% }, child: { rekey: 2s, jitter: 10% } }
            retransmission: { first: 1s, factor: 2, tries: 4 }
        paths:
          lan: { one-way-delay: 5ms }
        populations:
          laptops: { count: 64, profile: laptop, path: lan, gateway: gw, sources: [198.18.0.0/16] }
        arrivals:
          at-once: { population: laptops, spike: { clients: 64, over: 1ms } }
        run: { duration: 12s }
        """

    private static func crowd(batchSize: Int, workers: Int = 1, crypto: SimulatedOptions.Crypto) throws -> RecordedRun {
        let workload = try WorkloadFile(text: crowd, path: "crowd.yaml").validated()
        let way = Way(batchSize: batchSize, workers: workers, shardCount: 64, window: .milliseconds(1))
        return try RecordedRun(workload, options(way, crypto))
    }

    @Test("batches fill up to their size, and the larger they may be, the fewer they are")
    func fill() throws {
        let plain = try Self.crowd(batchSize: 1, crypto: .real)
        #expect(plain.outcome.batchCounts == BatchCounts())
        var counts: [BatchCounts] = []
        for batchSize in [2, 8, 64] {
            let gathered = try Self.crowd(batchSize: batchSize, crypto: .real)
            #expect(gathered.differences(from: plain) == [], "batches of \(batchSize)")
            counts.append(gathered.outcome.batchCounts)
        }
        // Both ends of 64 handshakes ask for three operations, before any rekey.
        #expect(counts[0].operations >= 3 * 64)
        #expect(counts.allSatisfy { $0.operations == counts[0].operations })
        #expect(counts[0].batches > counts[1].batches && counts[1].batches > counts[2].batches)
        for (count, batchSize) in zip(counts, [2, 8, 64] as [UInt64]) {
            #expect(count.operations > count.batches, "some batches hold more than one")
            #expect(count.operations <= count.batches * batchSize, "no batch holds more than \(batchSize)")
        }
    }

    @Test("several workers gather each for itself", arguments: [2, 3, 7, 16])
    func workers(workers: Int) throws {
        let plain = try Self.crowd(batchSize: 1, crypto: .modelled)
        let gathered = try Self.crowd(batchSize: 8, workers: workers, crypto: .modelled)
        #expect(gathered.differences(from: plain) == [])
        let counts = gathered.outcome.batchCounts
        #expect(counts.operations > counts.batches && counts.operations <= 8 * counts.batches)
    }
}
