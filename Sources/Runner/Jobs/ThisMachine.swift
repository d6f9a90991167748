import Foundation
import IKECrypto
import Primitives
import Results
import Workers

/// What commands ask of the machine and its clocks.
package enum ThisMachine {
    /// One worker for each core that the process may use.
    package static var allowedCores: Int { (try? CPUTopology.current().allowed.count) ?? 1 }

    /// - Parameter hasTraffic: Whether packets of ESP are part of the run.
    static func cryptoBackend(_ crypto: SimulatedOptions.Crypto, hasTraffic: Bool) -> String {
        guard crypto == .real else { return "modelled" }
        let packets = hasTraffic && PacketLibrary.preferred == .ipsecMB ? "; ESP by \(IPsecMB.version)" : ""
        return "real (\(CryptoLibrary.version)\(packets))"
    }

    static func contents(of file: String) -> String {
        (try? AtomicFile.read(file)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// Since some moment in the past: for how long things take.
    static var stopwatch: Duration { .nanoseconds(Int64(ProcessInfo.processInfo.systemUptime * 1e9)) }

    static var secondsSince1970: Int64 { Int64(Date().timeIntervalSince1970) }
}
