import Foundation
import Primitives
import Results
import Runner
import Testing
import Workload

/// A search against our own responder over loopback.
@Suite("The capacity of a gateway, in real time", .serialized)
struct LiveCapacityTests {
    /// Clients that come within a second, at 10 to 40 a second.
    private func search(
        until: String,
        duration: String = "1s",
        safety: String = ""
    ) throws -> (code: ExitCode, output: String) {
        var values = LoopbackWorkload(count: 40, rate: "10/s", duration: duration)
        values.safety = "{ \(LoopbackWorkload.allowance)\(safety) }"
        let workload = try values.validated()
        let gateway = try LoopbackGateway(workload)
        let folder = FileManager.default.temporaryDirectory.appending(path: "ikestorm-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = folder.appending(path: "loopback.yaml")
        try workload.resolved().write(to: file, atomically: true, encoding: .utf8)
        let target = gateway.target
        let words = "127.0.0.1:\(target.port):\(target.encapsulatedPort)"
        var job = CapacityJob(
            path: file.path,
            variation: try Variation("arrivals.morning.constant=10..40/s"),
            world: .live(targets: [words], allowed: [], sources: []),
            workers: 1
        )
        job.until = [until]
        job.resolution = .percent(50)
        job.folder = folder.appending(path: "found").path
        var output = ""
        return (try job.run(on: Console(output: { output += $0 }, errors: { _ in })), output)
    }

    @Test("is looked for by one run after the other")
    func finds() throws {
        var (code, output) = try search(until: "handshake.offered < 20")
        // Where the machine had other things to do, the search says so, and is to be done again.
        for _ in 0..<3 where code == .inconclusive { (code, output) = try search(until: "handshake.offered < 20") }
        #expect(code == .pass)
        #expect(output.contains("live · seed 7 · from 10/s to 40/s"))
        #expect(output.contains("answer  with 17/s it passes, with 25/s it does not"))
    }

    @Test("and no further where safety ends a run")
    func stopsAtAbort() throws {
        let safety = ", abort-when: [handshake.success rate(1s) > 50%]"
        let (code, output) = try search(until: "handshake.success > 0%", duration: "8s", safety: safety)
        #expect(code == .safetyAbort)
        #expect(output.contains("answer  with 10/s safety ended the run, and the search"))
    }
}
