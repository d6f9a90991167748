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
        let batches = fill(of: counts.lanes.steps, in: counts.lanes.calls)
        return cryptoBackend(options.crypto, hasTraffic: hasTraffic, batches: batches)
    }

    /// The same of a live run.
    static func cryptoBackend(_ lanes: LaneCounts?, hasTraffic: Bool) -> String {
        let batches = lanes.map { fill(of: UInt64($0.operations), in: UInt64($0.calls)) }
        return cryptoBackend(.real, hasTraffic: hasTraffic, batches: batches)
    }

    private static func fill(of operations: UInt64, in calls: UInt64) -> String {
        let tenths = calls == 0 ? 0 : (10 * operations + calls / 2) / calls
        let lanes = "\(tenths / 10).\(tenths % 10) of \(LaneCounts.laneCount) lanes used"
        return "\(MultiBufferLibrary.version), \(lanes)"
    }

    static func contents(of file: String) -> String {
        (try? AtomicFile.read(file)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// Since some moment in the past: for how long things take.
    static var stopwatch: Duration { .nanoseconds(Int64(ProcessInfo.processInfo.systemUptime * 1e9)) }

    static var secondsSince1970: Int64 { Int64(Date().timeIntervalSince1970) }
}
