/// The shape of a workload file: what DESIGN calls its schema, in one table.
enum WorkloadSchema {
    static let root = Record(
        fields: [
            Field("version", .count(1...1), .required, "the version of this schema: 1"),
            Field("name", .scalar(.text), .required, "the workload's name, as in reports and folders"),
            Field("seed", .count(0...Int.max), .standard("1"), "what every draw of the run derives from"),
            Field("gateways", .named(of: .record(gateway), noun: "gateway", least: 1), .required, "gateways by name"),
            Field(
                "profiles",
                .named(of: .record(profile), noun: "profile", least: 1),
                .required,
                "kinds of client by name"
            ),
            Field("paths", .named(of: .record(path), noun: "path", least: 1), .required, "network paths by name"),
            Field(
                "populations",
                .named(of: .record(population), noun: "population", least: 1),
                .required,
                "groups of clients by name"
            ),
            Field(
                "arrivals",
                .named(of: .record(arrival), noun: "arrival", least: 1),
                .required,
                "how clients come, by name"
            ),
            Field(
                "traffic",
                .named(of: .record(traffic), noun: "traffic"),
                "what flows through tunnels, by name"
            ),
            Field("faults", .named(of: .record(fault), noun: "fault"), "what goes wrong, by name"),
            Field("floods", .named(of: .record(flood), noun: "flood"), "hostile load by name"),
            Field("steady-state", .list(of: .scalar(.expectation)), "what holds outside of faults and recoveries"),
            Field("thresholds", .list(of: .scalar(.expectation)), "what the run passes or fails by"),
            Field("safety", .record(safety), "what a live run may touch"),
            Field("run", .record(run), .required, "how long, and how often"),
        ],
        unsupported: [
            ("front-ends", "each population names its `gateway`")
        ]
    )

    static let gateway = Record(
        fields: [
            Field("identity", .scalar(.text), .required, "the identity it shows in IKE_AUTH"),
            Field("policy", .record(policy), .required, "its own configuration"),
            Field("simulated", .record(simulated), "its model in virtual time"),
            Field(
                "real",
                .record(
                    Record(fields: [
                        Field("addresses", .list(of: .scalar(.address), least: 1), .required, "its outer addresses")
                    ])
                ),
                "where it is in real time"
            ),
        ]
    )

    static let policy = Record(
        fields: [
            Field("authentication", .record(authentication), .required, "how either end authenticates"),
            Field("proposals", .record(proposals), .required, "what it accepts, best first"),
            Field("lifetimes", lifetimes, .standard("strongswan"), "when it rekeys"),
            Field("half-open", .record(halfOpen), "how it defends itself against half-open IKE SAs"),
            Field("radius", .record(radius), "the RADIUS servers that decide about EAP, and how it asks them"),
            Field("pool", .list(of: .scalar(.prefix)), "where inner addresses come from, IPv4 and IPv6"),
            Field("name-servers", .list(of: .scalar(.address)), "what clients that ask for name servers are given"),
            Field("subnets", .list(of: .scalar(.prefix)), "what clients that ask for subnets are given"),
            Field("liveness", liveness, .standard("never"), "when it asks whether the peer is alive"),
            Field("retransmission", retransmission, .standard("strongswan"), "when its requests are sent again"),
            Field(
                "fragmentation",
                .count(Workload.Fragmentation.sizes, or: Workload.Fragmentation.words),
                .standard("never"),
                "whether it takes IKE messages in fragments, and the largest IP packets that it sends them in"
            ),
            Field("mobike", .scalar(.boolean), .standard("false"), "whether it takes part in MOBIKE"),
            Field(
                "encapsulation",
                .keyword(["when-needed", "forced"], noun: "use of port 4500"),
                .standard("when-needed"),
                "whether everything goes by UDP port 4500 although there is no NAT"
            ),
            Field("traffic-selectors", .list(of: .scalar(.prefix), least: 1), "what it narrows its own side to"),
            modePolicy, replayWindow,
        ] + lifeCyclePolicy,
        unsupported: [("ocsp", "certificates are not revoked in this version")]
    )

    static let proposals = Record(
        fields: [
            Field("ike", .list(of: .scalar(.proposal(.ike)), least: 1), .required, "proposals for the IKE SA"),
            Field("child", .list(of: .scalar(.proposal(.child)), least: 1), .required, "proposals for Child SAs"),
        ]
    )

    static let lifetimes = Shape.either([
        .keyword(Presets.lifetimes.map(\.name), noun: "preset of lifetimes"),
        .record(
            Record(
                fields: [
                    Field("ike", .record(lifetime), .required, "lifetimes of IKE SAs"),
                    Field("child", .record(childLifetime), .required, "lifetimes of Child SAs"),
                ]
            )
        ),
    ])

    static let lifetime = Record(fields: lifetimeFields)

    static let childLifetime = Record(
        fields: lifetimeFields + [
            Field(
                "packets",
                .count(1...1_000_000_000_000, or: ["never"]),
                .standard("never"),
                "how many packets it carries in one direction before it is rekeyed, before jitter"
            ),
            Field(
                "bytes",
                .scalar(.size(words: ["never"])),
                .standard("never"),
                "how many bytes of inner packets, likewise"
            ),
        ]
    )

    private static let lifetimeFields = [
        Field("rekey", .duration(or: ["never"]), .required, "the soft lifetime, before jitter"),
        Field("jitter", .percent(), .standard("10%"), "the share of it that is drawn and taken off"),
        Field("over", .duration(), "from the soft to the hard lifetime; a tenth of the soft one unless said"),
    ]

    static let halfOpen = Record(
        fields: [
            Field(
                "cookies-above",
                .count(0...1_000_000_000, or: ["never"]),
                .standard("30"),
                "in total, then IKE_SA_INIT needs a cookie"
            ),
            Field(
                "cookies-above-per-source",
                .count(0...1_000_000_000, or: ["never"]),
                .standard("3"),
                "of one address, then it needs a cookie"
            ),
            Field(
                "refuse-above-per-source",
                .count(1...1_000_000_000, or: ["never"]),
                .standard("5"),
                "of one address, then it is dropped"
            ),
            Field(
                "refuse-above",
                .count(1...1_000_000_000, or: ["never"]),
                .standard("never"),
                "in total, then it is dropped"
            ),
            Field("timeout", .duration(), .standard("30s"), "then a half-open IKE SA is forgotten"),
        ]
    )

    static let simulated = Record(
        fields: [
            Field("model", .scalar(.text), .standard("strongswan-5.9"), "the model's name in reports"),
            Field("cores", .count(1...1_024), .required, "how many cores work on IKE"),
            Field("serial", .percent(), .standard("0%"), "the part of each job that one core at a time can be in"),
            Field(
                "costs",
                .either([.scalar(.file), .record(CostTableSchema.root)]),
                .required,
                "a cost table's file, from this file's folder, or the table itself"
            ),
            Field("internal-latency", .duration(), .standard("1ms"), "what a message inside the gateway takes"),
            Field("queue", .record(queue), "its receive queue"),
            Field("esp", .record(espPool), "what does its work on ESP; that takes no time unless said"),
            Field("addresses", .list(of: .scalar(.address), least: 1), "its outer addresses in virtual time"),
            Field("behind-nat", .scalar(.address), "its own address behind a NAT that lets everything through"),
        ]
    )

    static let queue = Record(
        fields: [
            Field("packets", .count(1...1_000_000_000), .standard("4096"), "how many packets wait at most"),
            Field("bytes", .scalar(.size()), .standard("4MiB"), "how many bytes wait at most"),
        ]
    )

    static let liveness = Shape.either([
        .keyword(["never"], noun: "liveness"),
        .record(
            Record(fields: [Field("every", .duration(), .required, "how long an IKE SA is silent before it is checked")]
            )
        ),
    ])

    static let population = Record(
        fields: [
            Field("count", .count(1...100_000_000), .required, "how many clients"),
            Field("profile", .scalar(.reference(.profiles)), .required, "their profile"),
            Field(
                "path",
                .either([.scalar(.reference(.paths)), .named(of: .percent(), noun: "path", least: 1)]),
                .required,
                "their path, or the share of each path"
            ),
            Field("gateway", .scalar(.reference(.gateways)), .required, "the gateway they go to"),
            Field(
                "sources",
                .list(of: .scalar(.prefix), least: 1),
                "their outer addresses; 198.51.100.0/24 unless said"
            ),
            Field(
                "first-identity",
                .count(0...4_000_000_000),
                "the first client's number; behind the populations of the same profile unless said"
            ),
        ]
    )

    static let run = Record(
        fields: [
            Field("duration", .duration(), .required, "how long the run is"),
            Field("warm-up", .durationOrZero, .standard("0s"), "what is not measured at its start"),
            Field("replications", .count(1...10_000), .standard("1"), "how many runs, each with a seed of its own"),
            Field("epoch", .scalar(.timestamp), .standard("2026-01-01T00:00:00Z"), "the wall time of its start"),
        ]
    )

    static let safety = Record(
        fields: [
            Field("allow-targets", .list(of: .scalar(.prefix)), "outer destinations outside loopback"),
            Field("allow-inner", .list(of: .scalar(.prefix)), "inner destinations beyond the gateway's answerer"),
            Field("allow-identities", .list(of: .scalar(.text)), "identities, with * for any characters"),
            Field(
                "allow-kinds",
                .list(of: .keyword(Workload.Flood.Kind.allCases.map(\.rawValue), noun: "kind of load")),
                "hostile kinds of load"
            ),
            Field(
                "at-most",
                .record(
                    Record(
                        fields: [
                            Field("set-ups", .scalar(.rate), "attempts per time"),
                            Field("half-open", .count(1...1_000_000_000), "half-open IKE SAs"),
                        ]
                    )
                ),
                "ceilings of the offered load"
            ),
            Field("abort-when", .list(of: .scalar(.expectation)), "when the run ends by itself"),
            Field(
                "on-abort",
                .list(of: .keyword(Workload.Safety.AbortStep.allCases.map(\.rawValue), noun: "step")),
                "what it does then: stop-arrivals and drain unless said"
            ),
        ]
    )
}
