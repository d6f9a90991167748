import Foundation
import GatewayRig
import Metrics
import Primitives
import Results
import Runner
import Testing
import Workload

@Suite("What a live run leaves in its folder", .serialized)
struct LiveRecordingTests {
    @Test(
        "a recorded run is replayed in virtual time: the same datagrams, reports and states, with fragments too",
        arguments: [(1, "never"), (3, "never"), (1, "160")]
    )
    func replays(workers: Int, fragmentation: String) throws {
        let gateway = try RealGateway.start(knobs: ["DPD_DELAY": "1s", "FRAGMENT_SIZE": "160"])
        let folder = try TemporaryFolder()
        let workload = try LiveWorkload(
            count: 60,
            rate: "60/s",
            duration: "8s",
            ike: "{ rekey: 5s, jitter: 10%, over: 20s }",
            child: "{ rekey: 3s, jitter: 10%, over: 20s }",
            // The gateway forgets whose Delete it has answered: if that answer is lost, the end waits for all of these.
            retransmission: "{ first: 300ms, factor: 1.5, tries: 6 }",
            path: "{ one-way-delay: 2ms, loss: { random: 3% }, duplication: 2%, nat: { preset: linux-conntrack } }",
            fragmentation: fragmentation
        ).validated()
        var options = LiveOptions()
        options.folder = folder.path
        options.records = true
        options.workers = workers
        let chosen = options
        let result = try gateway.rig.inside { try LiveRun(workload, options: chosen).run() }
        let measured = try #require(result.measurements.first)
        #expect(measured.counter(.handshakeEstablished).total >= 60)
        #expect(measured.counter(.childRekeyEstablished).total >= 60)
        #expect(measured.counter(.ikeRekeyEstablished).total >= 60)
        #expect(measured.counter(.retransmissions).total > 0)

        let outcome = try RecordedRun(folder: folder.path).replay()
        #expect(outcome.divergence == nil)
        #expect(!outcome.isCutShort)
        #expect(outcome.clients == 60)
        #expect(outcome.inputs > 60 * 10)
        // At the end of the load, and behind the last Delete.
        #expect(outcome.comparisons == 2 * workers)
        for file in try FileManager.default.contentsOfDirectory(atPath: folder.path + "/recording") {
            #expect(try folder.mode(of: "recording/\(file)") == 0o600)
        }
    }

    @Test("a recording with one octet changed diverges, or is not read")
    func noticesAChange() throws {
        let gateway = try RealGateway.start()
        let folder = try TemporaryFolder()
        let workload = try LiveWorkload(count: 1, duration: "1s").validated()
        var options = LiveOptions()
        options.folder = folder.path
        options.records = true
        let chosen = options
        _ = try gateway.rig.inside { try LiveRun(workload, options: chosen).run() }
        #expect(try RecordedRun(folder: folder.path).replay().divergence == nil)

        let file = URL(filePath: folder.path + "/recording/worker-0.inputs")
        let octets = [UInt8](try Data(contentsOf: file))
        var unnoticed = 0
        for place in stride(from: 6, to: octets.count, by: 37) {
            var changed = octets
            changed[place] ^= 0x10
            try Data(changed).write(to: file)
            let outcome = try? RecordedRun(folder: folder.path).replay()
            if let outcome, outcome.divergence == nil, !outcome.isCutShort { unnoticed += 1 }
        }
        #expect(unnoticed == 0)
    }

    @Test("IKE SAs that a run left behind are deleted by their journalled keys, which are wiped")
    func cleansUp() throws {
        let gateway = try RealGateway.start()
        let folder = try TemporaryFolder()
        let count = 30
        // An abort that does not drain leaves everything as it is.
        let workload = try LiveWorkload(
            count: count,
            rate: "30/s",
            duration: "20s",
            child: "{ rekey: 1500ms, over: 20s }",
            safety: """
                { allow-targets: [10.98.1.2], \(LiveSafetyTests.allowed), \
                abort-when: [handshake.success rate(4s) > 50%], on-abort: [stop-arrivals] }
                """
        ).validated()
        var options = LiveOptions()
        options.folder = folder.path
        let chosen = options
        let result = try gateway.rig.inside { try LiveRun(workload, options: chosen).run() }
        #expect(result.abort != nil)
        #expect(result.leftBehind == count)
        #expect(try gateway.associations().count == count)
        #expect(try folder.mode(of: "keys/worker-0.keys") == 0o600)
        #expect(try folder.mode(of: "safety.json") != 0)

        let outcome = try gateway.rig.inside { try Cleanup(folder: folder.path).run() }
        #expect(outcome.found == count)
        #expect(outcome.deleted == count)
        #expect(outcome.unanswered == 0)
        #expect(try gateway.associations() == [])
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/keys"))
        #expect(try gateway.rig.inside { try Cleanup(folder: folder.path).run() }.found == 0)
    }

    @Test("`abort` ends a run that goes on: every IKE SA is deleted, and no key is left")
    func abortsFromOutside() throws {
        let gateway = try RealGateway.start()
        let folder = try TemporaryFolder()
        let workload = try LiveWorkload(count: 10, rate: "10/s", duration: "60s").validated()
        var options = LiveOptions()
        options.folder = folder.path
        let chosen = options
        let result = try gateway.rig.inside {
            let control = LiveFolder(folder.path)
            return try LiveRun(workload, options: chosen).run { progress in
                guard progress.up >= 5 else { return }
                #expect(control.isRunning)
                // The run cannot end while it waits here: nobody waits for it.
                #expect(throws: Never.self) { try control.abort(waiting: 0) }
            }
        }
        #expect(result.abort?.condition == "ikestorm abort")
        #expect(result.leftBehind == 0)
        #expect(try gateway.associations() == [])
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/keys"))
        #expect(!LiveFolder(folder.path).isRunning)
    }

}

/// A folder that goes away with its test.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "ikestorm-live-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func mode(of name: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path + "/" + name)
        return (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0
    }
}
