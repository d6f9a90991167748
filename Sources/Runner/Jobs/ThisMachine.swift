import Foundation
import IKECrypto
import Primitives
import Results
import Simulation
import Workers

/// What commands ask of the machine and its clocks.
package enum ThisMachine {
    /// One worker for each core that the process may use.
    package static var allowedCores: Int { (try? CPUTopology.current().allowed.count) ?? 1 }

    /// - Parameters:
    ///   - hasTraffic: Whether packets of ESP are part of the run.
    ///   - batches: What computed the operations that workers gathered, where that was another library.
    static func cryptoBackend(
        _ crypto: SimulatedOptions.Crypto,
        hasTraffic: Bool,
        batches: String? = nil
    ) -> String {
        guard crypto == .real else { return "modelled" }
        let packets = hasTraffic && IPsecMB.absence == nil ? "; ESP by \(IPsecMB.version)" : ""
        return "real (\(CryptoLibrary.version)\(batches.map { "; batches by " + $0 } ?? "")\(packets))"
    }

    /// The same of a simulated run, and how many of its operations there were at once.
    static func cryptoBackend(_ options: SimulatedOptions, _ counts: BatchCounts, hasTraffic: Bool) -> String {
        guard options.batchLibrary == .cryptoMB else { return cryptoBackend(options.crypto, hasTraffic: hasTraffic) }
        let lanes = counts.lanes
        let tenths = lanes.calls == 0 ? 0 : (10 * lanes.steps + lanes.calls / 2) / lanes.calls
        let fill = "\(tenths / 10).\(tenths % 10) of \(LaneCounts.laneCount) lanes used"
        return cryptoBackend(
            options.crypto,
            hasTraffic: hasTraffic,
            batches: "\(MultiBufferLibrary.version), \(fill)"
        )
    }

    static func contents(of file: String) -> String {
        (try? AtomicFile.read(file)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// Since some moment in the past: for how long things take.
    static var stopwatch: Duration { .nanoseconds(Int64(ProcessInfo.processInfo.systemUptime * 1e9)) }

    static var secondsSince1970: Int64 { Int64(Date().timeIntervalSince1970) }
}
