extension Workload {
    /// What Child SAs wrap packets in (RFC 4301 section 4.1).
    package enum Mode: String, CaseIterable, Hashable, Sendable {
        case tunnel
        case transport
    }
}

// What the key is.
extension WorkloadSchema {
    static let mode = Field("mode", modes, .standard("tunnel"), "what its Child SAs are to be; `transport` or nothing")

    static let modePolicy = Field(
        "mode",
        modes,
        .standard("tunnel"),
        "whether it agrees to `transport` where it is asked for that"
    )

    private static let modes = Shape.keyword(Workload.Mode.allCases.map(\.rawValue), noun: "mode")
}

// How it is read.
extension WorkloadReader {
    mutating func mode(_ view: RecordView) -> Workload.Mode {
        let mode = view.keyword("mode", or: Workload.Mode.tunnel)
        guard mode == .transport else { return mode }
        for key in ["traffic-selectors", "configuration"] where view.has(key) {
            fail(
                view.mark(key),
                "`\(key)` has no meaning in transport mode, which is between the outer addresses of the two ends",
                "remove it, or write `mode: tunnel`"
            )
        }
        if view.boolean("mobike") {
            fail(
                view.mark("mobike"),
                "MOBIKE moves Child SAs in tunnel mode alone (RFC 4555 section 1.3)",
                "remove it, or write `mode: tunnel`"
            )
        }
        return mode
    }
}

extension YAMLValue {
    /// A map with the mode where it is not the usual one, so that older workloads resolve as ever.
    func adding(_ mode: Workload.Mode) -> YAMLValue {
        guard case .map(let entries) = self, mode != .tunnel else { return self }
        return .map(entries + [("mode", .plain(mode.rawValue))])
    }
}
