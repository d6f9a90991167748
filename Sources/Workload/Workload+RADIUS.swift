package import Primitives

extension Workload {
    /// The RADIUS servers that decide about EAP in a gateway's place, and how it asks them.
    package struct RADIUS: Hashable, Sendable {
        /// How long a server takes for an answer, in virtual time.
        package var latency: Distribution
        /// How many requests wait for an answer at most, in virtual time.
        package var sockets: Int
        /// How many jobs the gateway has in work at most, those that wait for RADIUS among them; nil: waiting takes no
        /// worker.
        package var workers: Int?
        /// How long each sending of a request waits for the answer.
        package var waits: [Duration]
        /// Where the servers are in real time, the preferred one first.
        package var servers: [IPAddress]
        package var port: UInt16
        package var secret: String
    }
}

extension WorkloadSchema {
    static let radius = Record(
        fields: [
            Field("latency", distribution, .standard("5ms"), "how long a server takes, in virtual time"),
            Field(
                "sockets",
                .count(1...1_000_000),
                .standard("1"),
                "how many requests wait for an answer at a time, in virtual time; strongSwan's eap-radius has 1"
            ),
            Field(
                "workers",
                .count(1...1_000_000, or: ["free"]),
                .standard("16"),
                "how many jobs are in work at a time, those that wait for RADIUS among them; free: waiting takes none"
            ),
            Field(
                "waits",
                .list(of: .duration(), least: 1),
                "how long each sending of a request waits: 2s, 2.8s, 3.92s, 5.488s unless said"
            ),
            Field("servers", .list(of: .scalar(.address), least: 1), "the real servers, for `ikestorm gateway`"),
            Field("port", .count(1...65_535), .standard("1812"), "their port"),
            Field("secret", .scalar(.text), "what the gateway shares with them"),
        ]
    )
}

extension WorkloadReader {
    mutating func radius(_ outer: RecordView) -> Workload.RADIUS? {
        guard outer.has("radius") else { return nil }
        let view = outer.view("radius")
        let standard = Workload.Distribution(
            shape: .constant(.milliseconds(5)),
            minimum: .milliseconds(5),
            maximum: nil
        )
        let radius = Workload.RADIUS(
            latency: distribution(view, "latency") ?? standard,
            sockets: view.count("sockets"),
            workers: view.text("workers") == "free" ? nil : view.count("workers"),
            waits: view.has("waits") ? view.durations("waits") : Workload.RADIUS.strongSwan,
            servers: view.addresses("servers"),
            port: UInt16(clamping: view.count("port")),
            secret: view.text("secret")
        )
        if !outer.view("authentication").has("eap") {
            fail(view.node.mark, "RADIUS decides about EAP, and there is none", "write `eap` in `authentication`")
        }
        if view.has("servers"), !view.has("secret") {
            fail(view.node.mark, "RADIUS servers take nothing without a secret", "write `secret`")
        }
        return radius
    }
}

extension Workload.RADIUS {
    /// What strongSwan's eap-radius does unless told otherwise: 2 s x 1.4^n, 4 sendings (strongswan.conf).
    fileprivate static let strongSwan: [Duration] = [
        .milliseconds(2000), .milliseconds(2800), .milliseconds(3920), .milliseconds(5488),
    ]
}

extension Workload {
    /// The map of `radius` as a resolved workload has it.
    func value(_ radius: RADIUS) -> YAMLValue {
        var entries: [(key: String, value: YAMLValue)] = [
            ("latency", value(radius.latency)),
            ("sockets", .plain(radius.sockets)),
            ("workers", radius.workers.map { .plain($0) } ?? .plain("free")),
            ("waits", .list(radius.waits.map { .plain($0) })),
        ]
        if !radius.servers.isEmpty {
            entries.append(("servers", .list(radius.servers.map { .quoted($0.description) })))
            entries.append(("port", .plain(Int(radius.port))))
            entries.append(("secret", .quoted(radius.secret)))
        }
        return .map(entries)
    }
}
