package import Metrics
package import Primitives

/// A validated workload: every name resolves, every number has its unit, every default is filled in.
///
/// Things keep the order of the file; references between them are indexes into these arrays.
package struct Workload: Hashable, Sendable {
    package var name: String
    package var seed: UInt64
    package var gateways: [Gateway]
    package var profiles: [Profile]
    package var paths: [Path]
    package var populations: [Population]
    package var arrivals: [Arrival]
    package var faults: [Fault]
    package var traffic: [Traffic]
    package var floods: [Flood]
    package var steadyState: [Expectation]
    package var thresholds: [Expectation]
    package var safety: Safety
    package var run: Run
    /// Where each thing was written, for warnings; two workloads are equal wherever they were written.
    package var sources: SourceMap

    /// The version of the file's schema that this program reads.
    package static var schemaVersion: Int { 1 }
}

extension Workload {
    /// How long the run is, and how often it is repeated.
    package struct Run: Hashable, Sendable {
        package var duration: Duration
        /// What happens before this is simulated but not measured.
        package var warmUp: Duration
        package var replications: Int
        /// The wall time of the run's start, in seconds since 1970, for certificates and captures.
        package var epoch: Int64
    }

    /// What a live run may touch, and when it stops by itself.
    package struct Safety: Hashable, Sendable {
        /// Outer destinations outside loopback.
        package var allowTargets: [IPPrefix]
        /// Inner destinations beyond the gateway's own answerer.
        package var allowInner: [IPPrefix]
        /// Identities that may be used, with `*` for any run of characters.
        package var allowIdentities: [String]
        /// Kinds of load that need to be allowed by name.
        package var allowKinds: [Flood.Kind]
        /// The ceiling on attempts, as a rate; nil for none.
        package var setUpsAtMost: Rate?
        /// The ceiling on half-open IKE SAs; nil for none.
        package var halfOpenAtMost: Int?
        package var abortWhen: [Expectation]
        package var onAbort: [AbortStep]

        package enum AbortStep: String, CaseIterable, Hashable, Sendable {
            case stopArrivals = "stop-arrivals"
            /// Every SA is deleted with a Delete payload before the run ends.
            case drain
        }
    }
}

/// Where the parts of a workload were written, by their dotted path.
package struct SourceMap: Hashable, Sendable {
    package var marks: [String: SourceMark] = [:]

    /// The mark of a path, or of the nearest thing around it that was written.
    package subscript(path: String) -> SourceMark? {
        var path = path[...]
        while true {
            if let mark = marks[String(path)] { return mark }
            guard let dot = path.lastIndex(of: ".") else { return nil }
            path = path[..<dot]
        }
    }

    /// Two maps never differ: a workload is the same wherever it was written.
    package static func == (left: SourceMap, right: SourceMap) -> Bool { true }

    package func hash(into hasher: inout Hasher) {}
}

/// A place in a file, or in a `--set` of the command line.
package struct SourceMark: Hashable, Sendable {
    package var file: String
    package var line: Int
    package var column: Int
}

extension SourceMark: CustomStringConvertible {
    package var description: String {
        // An override is one line, which stands there whole.
        file.hasPrefix(Override.markPrefix) ? file : "\(file):\(line):\(column)"
    }
}
