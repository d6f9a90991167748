import Primitives

extension Workload.Traffic {
    /// How long packets are, the inner IP header included.
    package enum Size: Hashable, Sendable {
        case fixed(Int)
        /// 72, 576 and 1400 octets, drawn at 7 : 4 : 1.
        case imix
        /// Any length from one to another, each alike.
        case uniform(from: Int, to: Int)
        /// Each length as often as its weight says, in order of length.
        case mix([Share])

        package struct Share: Hashable, Sendable {
            package var byteCount: Int
            package var weight: Int

            package init(byteCount: Int, weight: Int) {
                self.byteCount = byteCount
                self.weight = weight
            }
        }

        /// The sum of all lengths and how many there are: by their weights, and exact.
        package var sum: (octets: Int, count: Int) {
            switch self {
            case .fixed(let byteCount): (byteCount, 1)
            case .imix: (7 * 72 + 4 * 576 + 1_400, 12)
            case .uniform(let from, let to): (from + to, 2)
            case .mix(let shares):
                (shares.reduce(0) { $0 + $1.byteCount * $1.weight }, shares.reduce(0) { $0 + $1.weight })
            }
        }

        /// The same where each looks at least so long.
        package func sum(paddedTo least: Int) -> (octets: Int, count: Int) {
            switch self {
            case .fixed(let byteCount): return (max(byteCount, least), 1)
            case .imix:
                let (short, middle, long) = (max(72, least), max(576, least), max(1_400, least))
                return (7 * short + 4 * middle + long, 12)
            case .uniform(let from, let to):
                guard least > from else { return sum }
                // The sizes above it are in a row, and the others are all the same.
                let (count, longer) = (to - from + 1, max(0, to - least))
                return (least * (count - longer) + longer * (least + 1 + to) / 2, count)
            case .mix(let shares):
                return (shares.reduce(0) { $0 + max($1.byteCount, least) * $1.weight }, sum.count)
            }
        }

        /// The headers of IPv6 and UDP with a mark of 24 octets, and what jumbo frames carry.
        static var bounds: ClosedRange<Int> { 72...9_000 }

        static var mostShares: Int { 64 }
    }
}

extension WorkloadSchema {
    static let packetSize = Shape.either([
        .scalar(.size(words: ["imix"])),
        .record(
            Record(
                fields: [
                    Field("uniform", .list(of: .scalar(.size()), least: 2), "anything between two sizes, alike"),
                    Field(
                        "mix",
                        .named(of: .count(1...1_000_000), noun: "size", least: 1),
                        "sizes by weight, such as 72B: 7 and 1400B: 1"
                    ),
                ],
                exactlyOneOf: [["uniform", "mix"]]
            )
        ),
    ])
}

extension WorkloadReader {
    mutating func packetSize(_ stream: RecordView) -> Workload.Traffic.Size {
        guard let node = stream.value("size") else { return .imix }
        guard let text = node.scalar else {
            let drawn = stream.view("size")
            return drawn.has("mix") ? mix(drawn) : uniform(drawn)
        }
        guard text != "imix", let byteCount = try? Units.size(text) else { return .imix }
        checkSize(byteCount, at: node.mark)
        return .fixed(byteCount)
    }

    private mutating func uniform(_ view: RecordView) -> Workload.Traffic.Size {
        let nodes = view.elements("uniform")
        let sizes = nodes.compactMap { $0.read(or: nil) { text throws(UnitProblem) in try Units.size(text) } }
        // What is no size, or missing, was reported with the file's shape.
        guard sizes.count == nodes.count, sizes.count >= 2 else { return .imix }
        for (node, size) in zip(nodes, sizes) { checkSize(size, at: node.mark) }
        guard sizes.count == 2, sizes[0] <= sizes[1] else {
            fail(
                view.mark("uniform"),
                "sizes that are alike have two bounds, the smaller one first",
                "write [72B, 1400B]"
            )
            return .imix
        }
        return .uniform(from: sizes[0], to: sizes[1])
    }

    private mutating func mix(_ view: RecordView) -> Workload.Traffic.Size {
        var shares: [Workload.Traffic.Size.Share] = []
        for entry in view.node.entry("mix")?.value.entries ?? [] {
            do throws(UnitProblem) {
                let byteCount = try Units.size(entry.key)
                checkSize(byteCount, at: entry.keyMark)
                if shares.contains(where: { $0.byteCount == byteCount }) {
                    fail(entry.keyMark, "the size \(entry.key) has a weight already", "keep one of them")
                }
                let weight = entry.value.read(or: 1) { text throws(UnitProblem) in
                    try Units.count(text, in: 1...1_000_000)
                }
                shares.append(Workload.Traffic.Size.Share(byteCount: byteCount, weight: weight))
            } catch {
                fail(entry.keyMark, error.problem, error.remedy)
            }
        }
        if shares.count > Workload.Traffic.Size.mostShares {
            fail(
                view.mark("mix"),
                "a mix of \(shares.count) sizes is more than \(Workload.Traffic.Size.mostShares)",
                "write `uniform`, or fewer sizes"
            )
        }
        return .mix(shares.sorted { $0.byteCount < $1.byteCount })
    }

    mutating func checkSize(_ byteCount: Int, at mark: SourceMark) {
        let bounds = Workload.Traffic.Size.bounds
        if !bounds.contains(byteCount) {
            fail(
                mark,
                "a packet of \(byteCount) octets cannot carry what it is measured by",
                "write \(bounds.lowerBound)B to \(bounds.upperBound)B"
            )
        }
    }
}

extension Workload {
    func value(_ size: Traffic.Size) -> YAMLValue {
        switch size {
        case .fixed(let byteCount): .plain(UnitText.size(byteCount))
        case .imix: .plain("imix")
        case .uniform(let from, let to):
            .map([("uniform", .list([.plain(UnitText.size(from)), .plain(UnitText.size(to))]))])
        case .mix(let shares):
            .map([("mix", .map(shares.map { (UnitText.size($0.byteCount), .plain($0.weight)) }))])
        }
    }
}
