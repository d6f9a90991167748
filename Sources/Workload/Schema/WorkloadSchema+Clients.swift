extension WorkloadSchema {
    static let profile = Record(
        fields: [
            Field(
                "identity",
                .either([.scalar(.identity), .record(identityFile)]),
                .required,
                "its identity, with %05d where the client's number stands, or a file of identities"
            ),
            Field("authentication", .record(authentication), .required, "how it authenticates"),
            Field("proposals", .record(proposals), .required, "what it proposes, best first"),
            Field("lifetimes", lifetimes, .standard("strongswan"), "when it rekeys"),
            Field("retransmission", retransmission, .standard("strongswan"), "when its requests are sent again"),
            Field("reconnect", reconnect, .standard("strongswan"), "what it does after a failure"),
            Field("liveness", liveness, .standard("never"), "when it asks whether the gateway is alive"),
            Field(
                "nat-keepalive",
                .duration(or: ["never"]),
                .standard("20s"),
                "how often it keeps a NAT's mapping alive"
            ),
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
            Field("traffic-selectors", .record(trafficSelectors), "what it proposes"),
            Field("configuration", .record(configuration), "what it asks for beside an inner IPv4 address"),
            Field("children", .count(1...100), .standard("1"), "how many Child SAs it sets up"),
            mode, replayWindow,
        ] + lifeCycle,
        unsupported: [
            ("certificate", "write `certificates` in `authentication`"),
            ("eap", "write `eap` in `authentication`"),
        ]
    )

    static let trafficSelectors = Record(
        fields: [
            Field("local", .list(of: .scalar(.selector), least: 1), "its own side: [dynamic] unless said"),
            Field(
                "remote",
                .list(of: .scalar(.prefix), least: 1),
                "the gateway's side: everything of the families it has addresses of, unless said"
            ),
        ]
    )

    static let configuration = Record(
        fields: [
            Field(
                "addresses",
                .list(
                    of: .keyword(Workload.Configuration.Family.allCases.map(\.rawValue), noun: "address family"),
                    least: 1
                ),
                "the families of its `dynamic` addresses: [ipv4] unless said"
            ),
            Field(
                "settings",
                .list(of: .keyword(Workload.Configuration.Setting.allCases.map(\.rawValue), noun: "setting")),
                "what else it asks the gateway for"
            ),
        ]
    )

    static let retransmission = Shape.either([
        .keyword(Presets.retransmission.map(\.name), noun: "preset of retransmission"),
        .record(
            Record(
                fields: [
                    Field("first", .duration(), "the wait after the first sending"),
                    Field("factor", .scalar(.factor), "by what each wait is longer than the one before"),
                    Field("tries", .count(0...60), "how many times a request is sent again"),
                    Field("at-most", .duration(), "the longest wait"),
                    Field(
                        "waits",
                        .list(of: .scalar(.duration(words: [], isPositive: true)), least: 1),
                        "every wait, instead of the other keys"
                    ),
                ],
                exactlyOneOf: [["first", "waits"]]
            )
        ),
    ])

    static let reconnect = Shape.either([
        .keyword(["never"] + Presets.reconnect.map(\.name), noun: "preset of reconnect"),
        .record(
            Record(
                fields: [
                    Field(
                        "after",
                        .list(
                            of: .keyword(Workload.Reconnect.Reason.allCases.map(\.rawValue), noun: "reason"),
                            least: 1
                        ),
                        "reasons to try again: timeout and delete unless said"
                    ),
                    Field("wait", .record(reconnectWait), .required, "how long it waits before it tries"),
                    Field(
                        "give-up",
                        .count(1...1_000_000, or: ["never"]),
                        .standard("never"),
                        "after how many attempts in a row it gives up"
                    ),
                ]
            )
        ),
    ])

    static let reconnectWait = Record(
        fields: [
            Field("from", .durationOrZero, "the first wait"),
            Field("factor", .scalar(.factor), .standard("2"), "by what each wait is longer than the one before"),
            Field("at-most", .duration(), "the longest wait"),
            Field(
                "waits",
                .list(of: .durationOrZero, least: 1),
                "every wait, the last one repeated, instead of the other keys"
            ),
            Field("jitter", .percent(or: ["full", "none"]), .standard("none"), "the share of a wait that is drawn"),
        ],
        exactlyOneOf: [["from", "waits"]]
    )

    static let path = Record(
        fields: [
            Field(
                "one-way-delay",
                .either([
                    .scalar(.duration(words: [], isPositive: true)),
                    .record(
                        Record(
                            fields: [
                                Field("per-client", distribution, .required, "drawn once per client"),
                                Field("jitter", distribution, "drawn for each packet"),
                                Field(
                                    "keep-order",
                                    .scalar(.boolean),
                                    .standard("true"),
                                    "whether packets never overtake"
                                ),
                            ]
                        )
                    ),
                ]),
                .required,
                "how long a packet takes one way"
            ),
            Field("loss", loss, .standard("none"), "how packets are lost"),
            Field("duplication", .percent(), .standard("0%"), "the share of packets that come twice"),
            Field(
                "reordering",
                .record(
                    Record(
                        fields: [
                            Field("share", .percent(), .required, "the share of packets that are held back"),
                            Field("extra-delay", .duration(), .required, "for how long"),
                        ]
                    )
                ),
                "packets that are held back"
            ),
            Field(
                "bandwidth",
                .record(
                    Record(
                        fields: [
                            Field("rate", .scalar(.bandwidth), .required, "the link's rate"),
                            Field("queue", .scalar(.size()), .standard("64KiB"), "the tail-drop queue in front of it"),
                            Field(
                                "shared",
                                .scalar(.boolean),
                                .standard("false"),
                                "whether all clients share one link"
                            ),
                        ]
                    )
                ),
                "a link with a rate and a queue"
            ),
            Field("mtu", .count(576...65_535), "the largest IP packet, in bytes"),
            Field(
                "over-mtu",
                .keyword(Workload.MTU.OverMTU.allCases.map(\.rawValue), noun: "way"),
                .standard("fragment"),
                "what happens to a larger one"
            ),
            Field("nat", nat, .standard("none"), "a NAT in front of each client, or of all"),
        ],
        unsupported: [("corruption", "packets can be lost, duplicated and reordered")]
    )

    static let loss = Shape.either([.keyword(["none"], noun: "loss"), .record(lossRecord)])

    static let lossRecord = Record(
        fields: [
            Field("random", .percent(), "each packet by itself"),
            Field(
                "gilbert-elliott",
                .record(
                    Record(
                        fields: [
                            Field(
                                "to-bad",
                                .percent(),
                                .required,
                                "from the good state to the bad one, before each packet"
                            ),
                            Field("to-good", .percent(), .required, "back again"),
                            Field("in-good", .percent(), .standard("0%"), "the loss in the good state"),
                            Field("in-bad", .percent(), .standard("100%"), "the loss in the bad state"),
                        ]
                    )
                ),
                "in bursts"
            ),
        ],
        exactlyOneOf: [["random", "gilbert-elliott"]]
    )

    static let nat = Shape.either([
        .keyword(["none"], noun: "NAT"),
        .record(
            Record(
                fields: [
                    Field(
                        "preset",
                        .keyword(Presets.nat.map(\.name), noun: "NAT preset"),
                        "what the other keys are unless said"
                    ),
                    Field(
                        "mapping",
                        .keyword(Workload.NAT.Dependence.allCases.map(\.rawValue), noun: "mapping behaviour"),
                        "RFC 4787 section 4.1"
                    ),
                    Field(
                        "filtering",
                        .keyword(Workload.NAT.Dependence.allCases.map(\.rawValue), noun: "filtering behaviour"),
                        "RFC 4787 section 5"
                    ),
                    Field(
                        "timeout",
                        .record(
                            Record(
                                fields: [
                                    Field("one-way", .duration(), "of a mapping without an answer"),
                                    Field("two-way", .duration(), "of a mapping with one"),
                                ]
                            )
                        ),
                        "when an idle mapping is forgotten"
                    ),
                    Field(
                        "ports",
                        .keyword(Workload.NAT.Ports.allCases.map(\.rawValue), noun: "choice of ports"),
                        "how outer ports are chosen"
                    ),
                    Field("shared", .record(sharedNAT), "one NAT for all clients of the path"),
                ],
                unsupported: [("pool", "write `addresses` in `shared`")]
            )
        ),
    ])

    static let sharedNAT = Record(
        fields: [
            Field("addresses", .list(of: .scalar(.prefix), least: 1), .required, "its outer addresses"),
            Field(
                "ports-per-client",
                .count(8...64_512),
                .standard("512"),
                "how many ports of one address a client has for itself"
            ),
        ]
    )

    static let distribution = Shape.either([
        .durationOrZero,
        .record(
            Record(
                fields: [
                    Field("constant", .durationOrZero, "always the same"),
                    Field("uniform", .list(of: .durationOrZero, least: 2), "anything between two, alike"),
                    Field(
                        "normal",
                        .record(
                            Record(
                                fields: [
                                    Field("mean", .duration(), .required, "the mean"),
                                    Field("deviation", .duration(), .required, "the standard deviation"),
                                ] + minimum(.required)
                            )
                        ),
                        "a normal distribution"
                    ),
                    Field(
                        "lognormal",
                        .record(
                            Record(
                                fields: [
                                    Field("median", .duration(), .required, "the median"),
                                    Field("sigma", .scalar(.factor), .required, "the deviation of the logarithm"),
                                ] + minimum(.required)
                            )
                        ),
                        "a normal distribution of the logarithm"
                    ),
                    Field(
                        "exponential",
                        .record(
                            Record(fields: [Field("mean", .duration(), .required, "the mean")] + minimum(.optional))
                        ),
                        "an exponential distribution"
                    ),
                    Field(
                        "empirical",
                        .named(of: .durationOrZero, noun: "quantile", least: 2),
                        "values by percentile, such as p0, p50 and p100"
                    ),
                ],
                exactlyOneOf: [["constant", "uniform", "normal", "lognormal", "exponential", "empirical"]]
            )
        ),
    ])

    private static func minimum(_ presence: Field.Presence) -> [Field] {
        [
            Field("minimum", .durationOrZero, presence, "no draw is below it"),
            Field("maximum", .duration(), "no draw is above it"),
        ]
    }
}
