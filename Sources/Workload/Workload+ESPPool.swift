package import Primitives

extension Workload {
    /// What does a simulated gateway's work on ESP, apart from the cores that do IKE.
    package struct ESPPool: Hashable, Sendable {
        package var cores: Int
        /// How many packets may wait for a core.
        package var queuePackets: Int
        /// What each packet takes of a core, and what 1,000 octets of it add.
        package var perPacket: Duration
        package var perKilobyte: Duration

        /// How long a full queue of the longest packets takes.
        var longestWait: Duration {
            (perPacket + perKilobyte * 9) * Int64(queuePackets) / Int64(cores)
        }
    }
}

extension WorkloadSchema {
    static let espPool = Record(
        fields: [
            Field("cores", .count(1...1_024), .required, "how many cores open and seal ESP packets, and nothing else"),
            Field("per-packet", .duration(), .required, "what each packet takes of a core, whatever its length"),
            Field("per-kilobyte", .durationOrZero, .standard("0s"), "what 1000 octets of it take besides"),
            Field(
                "queue",
                .record(
                    Record(
                        fields: [
                            Field("packets", .count(1...1_000_000), .standard("1024"), "how many packets wait at most")
                        ]
                    )
                ),
                "the queue in front of them"
            ),
        ]
    )
}

extension WorkloadReader {
    mutating func espPool(_ simulated: RecordView) -> Workload.ESPPool? {
        guard simulated.has("esp") else { return nil }
        let view = simulated.view("esp")
        for key in ["per-packet", "per-kilobyte"] where view.duration(key) > Self.longestService {
            fail(view.mark(key), "no gateway takes so long for a packet", "write at most 1s")
        }
        let pool = Workload.ESPPool(
            cores: view.count("cores"),
            queuePackets: view.view("queue").count("packets"),
            perPacket: view.duration("per-packet"),
            perKilobyte: view.duration("per-kilobyte")
        )
        if pool.cores > 0, max(pool.perPacket, pool.perKilobyte) <= Self.longestService,
            pool.longestWait > Self.longestWait
        {
            fail(
                view.mark("queue"),
                "a packet could wait \(UnitText.duration(pool.longestWait)) in a queue of \(pool.queuePackets)",
                "write one in which it waits an hour at most"
            )
        }
        return pool
    }

    private static var longestService: Duration { .seconds(1) }
    private static var longestWait: Duration { .seconds(3_600) }
}

extension Workload {
    func value(_ pool: ESPPool) -> YAMLValue {
        .map([
            ("cores", .plain(pool.cores)),
            ("per-packet", .plain(pool.perPacket)),
            ("per-kilobyte", .plain(pool.perKilobyte)),
            ("queue", .map([("packets", .plain(pool.queuePackets))])),
        ])
    }
}
