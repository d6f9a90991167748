extension WorkloadSchema {
    static let arrival = Record(
        fields: [
            Field("population", .scalar(.reference(.populations)), .required, "whose clients come"),
            Field("at", .durationOrZero, .standard("0s"), "when the first may come"),
            Field("stay", distribution, "how long a client stays; to the end unless said"),
            Field("constant", steady, "evenly spaced"),
            Field(
                "ramp",
                .record(
                    Record(
                        fields: [
                            Field("from", .scalar(.rate), .required, "the rate at its start"),
                            Field("to", .scalar(.rate), .required, "the rate at its end"),
                            Field("over", .duration(), .required, "how long it takes"),
                            Field(
                                "then",
                                .keyword(["hold", "stop"], noun: "way to go on"),
                                .standard("hold"),
                                "what comes after it"
                            ),
                        ]
                    )
                ),
                "a rate that changes in a straight line"
            ),
            Field("poisson", steady, "independent of one another"),
            Field(
                "spike",
                .record(
                    Record(
                        fields: [
                            Field("clients", .count(1...100_000_000), .required, "how many"),
                            Field("over", .duration(), .required, "in how long"),
                        ]
                    )
                ),
                "many at once"
            ),
            Field(
                "trace",
                .either([
                    .scalar(.file),
                    .list(of: .record(traceEntry)),
                ]),
                "a CSV file of when, until and who, from this file's folder"
            ),
        ],
        exactlyOneOf: [["constant", "ramp", "poisson", "spike", "trace"]],
        unsupported: [("daily", "a `trace` or several ramps say the same")]
    )

    static let traceEntry = Record(
        fields: [
            Field("when", .durationOrZero, .required, "when a client comes"),
            Field("until", .duration(), "when it goes"),
            Field("who", .count(0...100_000_000), "which client of the population it is"),
        ]
    )

    private static let steady = Shape.either([
        .scalar(.rate),
        .record(
            Record(
                fields: [
                    Field("rate", .scalar(.rate), .required, "the rate"),
                    Field("for", .duration(), "how long; to the end unless said"),
                ]
            )
        ),
    ])

    static let fault = Record(
        fields: [
            Field(
                "kind",
                .keyword(FaultKind.allCases.map(\.rawValue), noun: "kind of fault"),
                "what goes wrong; the fault's own name unless said"
            ),
            Field("at", .durationOrZero, .required, "when it starts"),
            Field("for", .duration(), "how long it lasts"),
            Field(
                "path",
                .either([.scalar(.reference(.paths)), .list(of: .scalar(.reference(.paths)), least: 1)]),
                "the path or paths it happens on"
            ),
            Field("loss", loss, "the loss while it lasts"),
            Field("share", .percent(), "the share of the clients that it meets"),
            Field("population", .scalar(.reference(.populations)), "whose clients move, or change their certificates"),
            Field("to", .scalar(.reference(.paths)), "the path that clients move to"),
            Field("over", .duration(), "within which time they move, each at a moment of its own; at once unless said"),
            Field(
                "sources",
                .list(of: .scalar(.prefix), least: 1),
                "their addresses there; more of the population's own unless said"
            ),
            Field("gateway", .scalar(.reference(.gateways)), "the gateway it happens to"),
            Field("after", .duration(), "how much later each packet comes again that is caught on its way"),
            Field("down", .duration(), "how long the gateway is down"),
            Field("keeps-state", .scalar(.boolean), "whether the gateway comes back with its SAs"),
        ] + rolloverFields
    )

    static let flood = Record(
        fields: [
            Field(
                "kind",
                .keyword(Workload.Flood.Kind.allCases.map(\.rawValue), noun: "kind of flood"),
                "what is sent; the flood's own name unless said"
            ),
            Field("gateway", .scalar(.reference(.gateways)), .required, "the gateway it goes to"),
            Field("at", .durationOrZero, .required, "when it starts"),
            Field("for", .duration(), .required, "how long it lasts"),
            Field("rate", .scalar(.rate), .required, "packets per time"),
            Field(
                "sources",
                .list(of: .scalar(.prefix), least: 1),
                .required,
                "the addresses it pretends to come from"
            ),
        ]
    )
}

/// A kind of fault, and which keys say more of it.
enum FaultKind: String, CaseIterable {
    case lossBurst = "loss-burst"
    case pathDown = "path-down"
    case natFlush = "nat-flush"
    case natRebind = "nat-rebind"
    case move
    case restart
    case radiusOutage = "radius-outage"
    case certificateRollover = "certificate-rollover"
    case replay

    /// The keys that this kind needs, beside `at`.
    var required: [String] {
        switch self {
        case .lossBurst: ["path", "for", "loss"]
        case .pathDown: ["path", "for"]
        case .natFlush, .natRebind: ["path"]
        case .move: ["population", "to"]
        case .restart: ["gateway", "down"]
        case .radiusOutage: ["gateway", "for"]
        case .certificateRollover: ["gateway", "authorities"]
        case .replay: ["path", "for", "after"]
        }
    }

    /// The keys that this kind may have beside those.
    var optional: [String] {
        switch self {
        case .natRebind, .replay: ["share"]
        case .move: ["share", "over", "sources"]
        case .restart: ["keeps-state"]
        case .certificateRollover: ["certificates", "keeps-old", "population", "share", "client-certificates"]
        default: []
        }
    }
}
