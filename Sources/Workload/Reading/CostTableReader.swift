/// Reads the values of a cost table whose shape was checked.
enum CostTableReader {
    static func table(_ view: RecordView) -> CostTableFile {
        let operations = view.view("operations")
        let provenance = view.view("provenance")
        let validRange = view.view("valid-range")
        return CostTableFile(
            name: view.text("name"),
            provenance: CostTableFile.Provenance(
                source: provenance.text("source"),
                kind: provenance.keyword("kind", or: .estimate)
            ),
            validRange: CostTableFile.ValidRange(
                activeSAs: range(validRange, "active-sas") ?? 0...0,
                setUpsPerSecond: range(validRange, "set-ups-per-second") ?? 0...0
            ),
            operations: CostTableFile.Operation.allCases.map { cost(operations.view($0.rawValue)) },
            keyExchanges: view.views("key-exchanges").map {
                CostTableFile.KeyExchangeCost(method: $0.name, cost: cost($0.view))
            },
            signatures: signatures(view),
            eap: view.has("eap") ? cost(view.view("eap")) : nil
        )
    }

    private static func signatures(_ view: RecordView) -> CostTableFile.SignatureCosts? {
        guard view.has("signatures") else { return nil }
        let signatures = view.view("signatures")
        return .init(sign: cost(signatures.view("sign")), verify: cost(signatures.view("verify")))
    }

    /// The ranges whose ends are the wrong way round, or that are not two numbers.
    static func errors(_ view: RecordView) -> [WorkloadError] {
        let validRange = view.view("valid-range")
        let costs = CostTableFile.Operation.allCases.map { view.view("operations").view($0.rawValue) }
        let signatures = ["sign", "verify"].map { view.view("signatures").view($0) }
        let intervals = (costs + signatures + [view.view("eap")] + view.views("key-exchanges").map(\.view)).map {
            ($0, "interval-ns")
        }
        let ranges = [(validRange, "active-sas"), (validRange, "set-ups-per-second")] + intervals
        return ranges.compactMap { view, key in
            guard view.elements(key).count >= 2, range(view, key) == nil else { return nil }
            return WorkloadError(
                view.mark(key),
                "`\(key)` is two numbers, the smaller one first",
                remedy: "write [0, 5000]"
            )
        }
    }

    private static func cost(_ view: RecordView) -> CostTableFile.Cost {
        CostTableFile.Cost(
            baseNanoseconds: Int64(view.optionalCount("base-ns") ?? 0),
            perActiveSAPicoseconds: Int64(view.optionalCount("per-active-sa-ps") ?? 0),
            interval: range(view, "interval-ns").map { Int64($0.lowerBound)...Int64($0.upperBound) }
        )
    }

    private static func range(_ view: RecordView, _ key: String) -> ClosedRange<Int>? {
        let bounds = view.elements(key).compactMap {
            $0.read(or: nil) { text throws(UnitProblem) -> Int? in try Units.count(text, in: 0...Int.max) }
        }
        return bounds.count == 2 && bounds[0] <= bounds[1] ? bounds[0]...bounds[1] : nil
    }
}

extension CostTableFile {
    /// Reads a cost table strictly; every mistake is thrown, with its place.
    package init(text: String, file: String) throws(WorkloadErrors) {
        let root = try YAMLDocument.compose(text, file: file)
        var check = ShapeCheck()
        check.check(root, against: .record(CostTableSchema.root), at: "")
        let view = RecordView(node: root, record: CostTableSchema.root, path: "")
        let errors = check.errors + CostTableReader.errors(view)
        guard errors.isEmpty else { throw WorkloadErrors(errors) }
        self = CostTableReader.table(view)
    }

    /// What stands in for a table that could not be read.
    static var empty: CostTableFile {
        CostTableFile(
            name: "",
            provenance: Provenance(source: "", kind: .estimate),
            validRange: ValidRange(activeSAs: 0...0, setUpsPerSecond: 0...0),
            operations: Operation.allCases.map { _ in Cost(baseNanoseconds: 0) },
            keyExchanges: []
        )
    }
}
