import Primitives

extension Workload {
    /// A flow of UDP datagrams through the tunnel of each client of a population.
    package struct Traffic: Hashable, Sendable {
        package enum Pattern: String, CaseIterable, Hashable, Sendable {
            /// Evenly spaced, from a moment that each flow draws.
            case constant
            /// Independent of one another.
            case poisson
        }

        /// How long packets are, the inner IP header included.
        package enum Size: Hashable, Sendable {
            case fixed(Int)
            /// 72, 576 and 1400 octets, drawn at 7 : 4 : 1.
            case imix
        }

        /// What flows one way.
        package struct Stream: Hashable, Sendable {
            package var packets: Rate
            package var size: Size
        }

        package var name: String
        package var population: Int
        package var pattern: Pattern
        /// From the client to behind the gateway; nil: nothing.
        package var up: Stream?
        /// From behind the gateway to the client; nil: nothing.
        package var down: Stream?
    }
}

// What the keys are.
extension WorkloadSchema {
    static let traffic = Record(
        fields: [
            Field("population", .scalar(.reference(.populations)), .required, "through whose clients' tunnels"),
            Field(
                "pattern",
                .keyword(Workload.Traffic.Pattern.allCases.map(\.rawValue), noun: "pattern"),
                .standard("constant"),
                "whether packets are evenly spaced or independent of one another"
            ),
            Field("up", .record(stream), "from each client to behind its gateway"),
            Field("down", .record(stream), "from behind its gateway to each client"),
        ]
    )

    private static let stream = Record(
        fields: [
            Field("packets", .scalar(.rate), .required, "how many for each client"),
            Field(
                "size",
                .scalar(.size(words: ["imix"])),
                .required,
                "how long they are with their inner IP header; `imix` draws 72, 576 and 1400 octets at 7 : 4 : 1"
            ),
        ]
    )
}

// How they are read.
extension WorkloadReader {
    mutating func traffic(_ name: String, _ view: RecordView) -> Workload.Traffic {
        let population = reference(view.value("population"), to: .populations)
        if !view.has("up"), !view.has("down") {
            fail(view.node.mark, "the traffic \"\(name.abbreviated)\" flows nowhere", "add `up`, `down` or both")
        }
        return Workload.Traffic(
            name: name,
            population: population,
            pattern: view.keyword("pattern", or: .constant),
            up: stream(view, "up"),
            down: stream(view, "down")
        )
    }

    private mutating func stream(_ view: RecordView, _ key: String) -> Workload.Traffic.Stream? {
        guard view.has(key) else { return nil }
        let inner = view.view(key)
        let packets = inner.rate("packets")
        if packets.count == 0 {
            fail(inner.mark("packets"), "at this rate nothing flows", "write more than 0/s, or remove `\(key)`")
        } else if packets.perSecondThousandths > Self.mostPackets * 1_000 {
            fail(
                inner.mark("packets"),
                "\(UnitText.rate(packets)) is more than \(Self.mostPackets) packets a second for each client",
                "write at most \(Self.mostPackets)/s"
            )
        }
        guard let text = inner.value("size")?.scalar, text != "imix", let byteCount = try? Units.size(text) else {
            return Workload.Traffic.Stream(packets: packets, size: .imix)
        }
        if !Self.packetSizes.contains(byteCount) {
            fail(
                inner.mark("size"),
                "a packet of \(byteCount) octets cannot carry what it is measured by",
                "write \(Self.packetSizes.lowerBound)B to \(Self.packetSizes.upperBound)B"
            )
        }
        return Workload.Traffic.Stream(packets: packets, size: .fixed(byteCount))
    }

    /// The headers of IPv6 and UDP with a mark of 24 octets, and what jumbo frames carry.
    private static var packetSizes: ClosedRange<Int> { 72...9_000 }

    private static var mostPackets: UInt64 { 1_000_000 }
}

// How they are written.
extension Workload {
    func value(_ traffic: Traffic) -> YAMLValue {
        var entries: [(key: String, value: YAMLValue)] = [
            ("population", .quoted(populations[traffic.population].name)),
            ("pattern", .plain(traffic.pattern.rawValue)),
        ]
        if let up = traffic.up { entries.append(("up", value(up))) }
        if let down = traffic.down { entries.append(("down", value(down))) }
        return .map(entries)
    }

    private func value(_ stream: Traffic.Stream) -> YAMLValue {
        let size =
            switch stream.size {
            case .fixed(let byteCount): UnitText.size(byteCount)
            case .imix: "imix"
            }
        return .map([("packets", .plain(UnitText.rate(stream.packets))), ("size", .plain(size))])
    }
}
