package import Primitives

extension Workload {
    /// A flow of datagrams through the tunnel of each client of a population.
    package struct Traffic: Hashable, Sendable {
        /// What the inner packets are.
        package enum Content: String, CaseIterable, Hashable, Sendable {
            /// UDP datagrams to the port of the discard protocol, or of the echo protocol (RFC 863, RFC 862).
            case udp
            /// Echo requests (RFC 792, RFC 4443 section 4.1).
            case icmp
        }

        package enum Pattern: String, CaseIterable, Hashable, Sendable {
            /// Evenly spaced, from a moment that each flow draws.
            case constant
            /// Independent of one another.
            case poisson
            /// Evenly spaced in bursts with pauses between them, as speech is; both are exponential.
            case onOff = "on-off"
        }

        package struct Bursts: Hashable, Sendable {
            package var burst: Duration
            package var pause: Duration
        }

        /// What flows one way.
        package struct Stream: Hashable, Sendable {
            package var packets: Rate
            package var size: Size
        }

        package var name: String
        package var population: Int
        package var content = Content.udp
        package var pattern: Pattern
        /// How long bursts and pauses are on average; nil unless the pattern has them.
        package var bursts: Bursts?
        /// Whether what is behind the gateway sends each packet back; then it is there that a client measures.
        package var isEchoed = false
        /// The address behind the gateway; nil: the first host of the selectors.
        package var target: IPAddress?
        /// From the client to behind the gateway; nil: nothing.
        package var up: Stream?
        /// From behind the gateway to the client; nil: nothing.
        package var down: Stream?
        /// How long packets look at least, their inner IP header included, by TFC padding (RFC 4303 section 2.7); 0:
        /// as long as they are.
        package var padding = 0
        /// After so many packets of a flow a dummy follows (RFC 4303 section 2.6); 0: none does.
        package var dummies = 0
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
                "whether packets are evenly spaced, independent of one another, or in bursts"
            ),
            Field("burst", .duration(), "of `on-off`: how long bursts are, exponential around this"),
            Field("pause", .duration(), "of `on-off`: how long it is from one to the next"),
            Field(
                "protocol",
                .keyword(Workload.Traffic.Content.allCases.map(\.rawValue), noun: "protocol"),
                .standard("udp"),
                "what the inner packets are: UDP datagrams or ICMP echo requests"
            ),
            Field(
                "echo",
                .scalar(.boolean),
                .standard("false"),
                "whether the target sends each packet back, so that a client measures the way there and back"
            ),
            Field("target", .scalar(.address), "an address behind the gateway; else the first host of the selectors"),
            Field("padding", .scalar(.size()), "what shorter packets look as long as, by TFC padding"),
            Field("dummies", .count(1...1_000_000), "after how many packets an end sends one that is to be dropped"),
            Field("up", .record(stream), "from each client to behind its gateway"),
            Field("down", .record(stream), "from behind its gateway to each client"),
        ]
    )

    private static let stream = Record(
        fields: [
            Field("packets", .scalar(.rate), .required, "how many for each client, in a burst where there are bursts"),
            Field(
                "size",
                packetSize,
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
        let isEchoed = view.boolean("echo")
        let content: Workload.Traffic.Content = view.keyword("protocol", or: .udp)
        if isEchoed, view.has("down") {
            fail(view.mark("down"), "what comes down is what went up, since it is echoed", "remove `down` or `echo`")
        } else if !isEchoed, content == .icmp {
            fail(view.mark("protocol"), "echo requests are answered", "add `echo: true`")
        }
        let pattern: Workload.Traffic.Pattern = view.keyword("pattern", or: .constant)
        return Workload.Traffic(
            name: name,
            population: population,
            content: content,
            pattern: pattern,
            bursts: bursts(view, pattern),
            isEchoed: isEchoed,
            target: target(view, of: population),
            up: stream(view, "up"),
            down: stream(view, "down"),
            padding: padding(view, content, of: population),
            dummies: view.optionalCount("dummies") ?? 0
        )
    }

    /// What is padded has to tell how long it is.
    private mutating func padding(_ view: RecordView, _ content: Workload.Traffic.Content, of population: Int) -> Int {
        guard let padding = view.optionalSize("padding") else { return 0 }
        checkSize(padding, at: view.mark("padding"))
        if content == .icmp, profile(of: population)?.view.text("mode") == Workload.Mode.transport.rawValue {
            fail(
                view.mark("padding"),
                "in transport mode an ICMP message does not tell how long it is, so that nothing can follow it",
                "remove it, or write `protocol: udp`"
            )
        }
        return padding
    }

    private func profile(of population: Int) -> (name: String, view: RecordView)? {
        let populations = root.views("populations")
        guard populations.indices.contains(population) else { return nil }
        let name = populations[population].view.text("profile")
        return root.views("profiles").first { $0.name == name }
    }

    private mutating func bursts(_ view: RecordView, _ pattern: Workload.Traffic.Pattern) -> Workload.Traffic.Bursts? {
        guard pattern == .onOff else {
            for key in ["burst", "pause"] where view.has(key) {
                fail(view.mark(key), "the pattern \(pattern.rawValue) has no bursts", "add `pattern: on-off`")
            }
            return nil
        }
        for key in ["burst", "pause"] where !view.has(key) {
            fail(view.mark("pattern"), "`on-off` needs a `\(key)`", "add one, such as `\(key): 1s`")
        }
        return Workload.Traffic.Bursts(burst: view.duration("burst"), pause: view.duration("pause"))
    }

    /// A target has to be in what its clients ask for.
    private mutating func target(_ view: RecordView, of population: Int) -> IPAddress? {
        guard let target = view.address("target") else { return nil }
        guard let profile = profile(of: population) else { return target }
        let selectors = profile.view.view("traffic-selectors").prefixes("remote")
        if !selectors.isEmpty, !selectors.contains(where: { $0.contains(target) }) {
            fail(
                view.mark("target"),
                "no selector of the profile \(profile.name) holds \(target)",
                "write an address in one of its `traffic-selectors.remote`"
            )
        }
        return target
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
        return Workload.Traffic.Stream(packets: packets, size: packetSize(inner))
    }

    private static var mostPackets: UInt64 { 1_000_000 }
}

// How they are written.
extension Workload {
    func value(_ traffic: Traffic) -> YAMLValue {
        var entries: [(key: String, value: YAMLValue)] = [
            ("population", .quoted(populations[traffic.population].name)),
            ("pattern", .plain(traffic.pattern.rawValue)),
        ]
        if let bursts = traffic.bursts {
            entries.append(("burst", .plain(UnitText.duration(bursts.burst))))
            entries.append(("pause", .plain(UnitText.duration(bursts.pause))))
        }
        if traffic.content != .udp { entries.append(("protocol", .plain(traffic.content.rawValue))) }
        if traffic.isEchoed { entries.append(("echo", .plain("true"))) }
        if let target = traffic.target { entries.append(("target", .quoted(target.description))) }
        if traffic.padding > 0 { entries.append(("padding", .plain(UnitText.size(traffic.padding)))) }
        if traffic.dummies > 0 { entries.append(("dummies", .plain(traffic.dummies))) }
        if let up = traffic.up { entries.append(("up", value(up))) }
        if let down = traffic.down { entries.append(("down", value(down))) }
        return .map(entries)
    }

    private func value(_ stream: Traffic.Stream) -> YAMLValue {
        .map([("packets", .plain(UnitText.rate(stream.packets))), ("size", value(stream.size))])
    }
}
