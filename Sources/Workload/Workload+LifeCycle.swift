package import Primitives

extension Workload {
    /// How a profile's clients begin and end IKE SAs, beyond their lifetimes.
    package struct LifeCycle: Hashable, Sendable {
        /// Whether they say INITIAL_CONTACT (RFC 7296 section 2.4).
        package var initialContact = false
        /// When they make their IKE SA anew (RFC 7296 section 2.8.3); nil: when the gateway asks for it.
        package var reauthentication: Reauthentication?

        /// Whether IKE_AUTH leaves the Child SA to CREATE_CHILD_SA (RFC 6023).
        package var childless = Childless.never

        package enum Childless: String, CaseIterable, Hashable, Sendable {
            case never
            /// With a gateway that takes it.
            case prefer
            /// Or else there is no IKE SA.
            case force
        }

        /// How many requests of IKE SAs that it does not have a client answers in a second (RFC 7296 section 2.21.4).
        package var unknownSPIAnswers = 0
        /// How many requests of the peer's it takes at once (RFC 7296 section 2.3).
        package var windowSize = 1

        package init() {}
    }

    package struct Reauthentication: Hashable, Sendable {
        package var order: Order
        package var every: Duration
        /// The share of `every` by which it is brought forward at random.
        package var jitter: Probability

        package init(order: Order, every: Duration, jitter: Probability) {
            self.order = order
            self.every = every
            self.jitter = jitter
        }

        package enum Order: String, CaseIterable, Hashable, Sendable {
            case breakBeforeMake = "break-before-make"
            case makeBeforeBreak = "make-before-break"
        }
    }

    /// What a gateway asks of its clients' IKE SAs, and takes from them.
    package struct LifeCyclePolicy: Hashable, Sendable {
        /// Whether it drops the IKE SAs that a client's INITIAL_CONTACT makes void.
        package var obeysInitialContact = true
        /// How long it believes in a client before that has to authenticate again (RFC 4478); nil: for ever.
        package var authenticationLifetime: Duration?
        /// Whether it takes IKE_AUTH without a Child SA (RFC 6023).
        package var acceptsChildless = false
        /// How many requests of IKE SAs that it does not have it answers in a second (RFC 7296 section 2.21.4).
        package var unknownSPIAnswers = 0
        /// How many requests of the peer's it takes at once (RFC 7296 section 2.3).
        package var windowSize = 1
        /// Which share of its clients' rekeys of Child SAs it refuses.
        package var refusedChildRekeys = Probability.zero

        package init() {}
    }
}

// What the keys are.
extension WorkloadSchema {
    static let lifeCycle =
        [
            Field(
                "initial-contact",
                .scalar(.boolean),
                .standard("false"),
                "whether IKE_AUTH says that there is no other IKE SA of the client"
            ),
            Field("reauthentication", reauthentication, .standard("never"), "when it makes its IKE SA anew"),
            Field(
                "childless",
                .keyword(Workload.LifeCycle.Childless.allCases.map(\.rawValue), noun: "way to begin"),
                .standard("never"),
                "whether it leaves the first Child SA to an exchange after IKE_AUTH"
            ),
        ] + answers

    static let lifeCyclePolicy =
        [
            Field(
                "initial-contact",
                .keyword(["obey", "ignore"], noun: "answer to INITIAL_CONTACT"),
                .standard("obey"),
                "whether a client that says it has no other IKE SA loses those that it has"
            ),
            Field(
                "authentication-lifetime",
                .duration(or: ["never"]),
                .standard("never"),
                "after how long a client has to authenticate again, which it is told"
            ),
            Field(
                "childless",
                .keyword(["allow", "never"], noun: "answer"),
                .standard("never"),
                "whether it takes IKE_AUTH without a Child SA"
            ),
            Field(
                "refused-child-rekeys",
                .percent(),
                .standard("0%"),
                "the share of its clients' rekeys of Child SAs that it refuses by TS_UNACCEPTABLE"
            ),
        ] + answers

    /// What either end says of what it takes.
    private static let answers = [
        Field(
            "unknown-spis",
            .count(1...1_000_000, or: ["never"]),
            .standard("never"),
            "how many requests of IKE SAs that it does not have it answers in a second"
        ),
        Field(
            "window",
            .count(1...256),
            .standard("1"),
            "how many requests it takes at once, and sends at once if it may"
        ),
    ]

    private static let reauthentication = Shape.either([
        .keyword(["never"], noun: "reauthentication"),
        .record(
            Record(
                fields: [
                    Field("every", .duration(), .required, "how old an IKE SA becomes at most, before jitter"),
                    Field("jitter", .percent(), .standard("10%"), "the share of it that is drawn and taken off"),
                    Field(
                        "order",
                        .keyword(Workload.Reauthentication.Order.allCases.map(\.rawValue), noun: "order"),
                        .standard("break-before-make"),
                        "whether the old IKE SA is deleted first, or when there is a new one"
                    ),
                ]
            )
        ),
    ])
}

// How they are read.
extension WorkloadReader {
    mutating func lifeCycle(_ view: RecordView) -> Workload.LifeCycle {
        var lifeCycle = Workload.LifeCycle()
        lifeCycle.initialContact = view.boolean("initial-contact")
        lifeCycle.windowSize = view.count("window")
        lifeCycle.unknownSPIAnswers = view.optionalCount("unknown-spis") ?? 0
        lifeCycle.childless = view.keyword("childless", or: .never)
        let written = view.view("reauthentication")
        if let every = written.optionalDuration("every") {
            if written.percent("jitter") == .one {
                fail(
                    written.mark("jitter"),
                    "a jitter of 100% reauthenticates as soon as the IKE SA is there",
                    "write less, such as 10%"
                )
            }
            lifeCycle.reauthentication = Workload.Reauthentication(
                order: written.keyword("order", or: .breakBeforeMake),
                every: every,
                jitter: written.percent("jitter")
            )
        }
        return lifeCycle
    }

    func lifeCyclePolicy(_ view: RecordView) -> Workload.LifeCyclePolicy {
        var policy = Workload.LifeCyclePolicy()
        policy.obeysInitialContact = view.text("initial-contact") == "obey"
        policy.authenticationLifetime = view.optionalDuration("authentication-lifetime")
        policy.windowSize = view.count("window")
        policy.unknownSPIAnswers = view.optionalCount("unknown-spis") ?? 0
        policy.acceptsChildless = view.text("childless") == "allow"
        policy.refusedChildRekeys = view.percent("refused-child-rekeys")
        return policy
    }
}

// How they are written: what nobody asked for is left out, so that older workloads resolve as ever.
extension YAMLValue {
    func adding(_ lifeCycle: Workload.LifeCycle) -> YAMLValue {
        var entries: [(key: String, value: YAMLValue)] = []
        if lifeCycle.initialContact { entries.append(("initial-contact", .plain("true"))) }
        if let reauthentication = lifeCycle.reauthentication {
            let inner: [(key: String, value: YAMLValue)] = [
                ("every", .plain(reauthentication.every)), ("jitter", .plain(reauthentication.jitter)),
                ("order", .plain(reauthentication.order.rawValue)),
            ]
            entries.append(("reauthentication", .map(inner)))
        }
        if lifeCycle.unknownSPIAnswers > 0 { entries.append(("unknown-spis", .plain(lifeCycle.unknownSPIAnswers))) }
        if lifeCycle.windowSize > 1 { entries.append(("window", .plain(lifeCycle.windowSize))) }
        if lifeCycle.childless != .never { entries.append(("childless", .plain(lifeCycle.childless.rawValue))) }
        return adding(entries)
    }

    func adding(_ policy: Workload.LifeCyclePolicy) -> YAMLValue {
        var entries: [(key: String, value: YAMLValue)] = []
        if !policy.obeysInitialContact { entries.append(("initial-contact", .plain("ignore"))) }
        if let lifetime = policy.authenticationLifetime {
            entries.append(("authentication-lifetime", .plain(lifetime)))
        }
        if policy.unknownSPIAnswers > 0 { entries.append(("unknown-spis", .plain(policy.unknownSPIAnswers))) }
        if policy.windowSize > 1 { entries.append(("window", .plain(policy.windowSize))) }
        if policy.acceptsChildless { entries.append(("childless", .plain("allow"))) }
        if policy.refusedChildRekeys > .zero {
            entries.append(("refused-child-rekeys", .plain(policy.refusedChildRekeys)))
        }
        return adding(entries)
    }

    private func adding(_ more: [(key: String, value: YAMLValue)]) -> YAMLValue {
        guard case .map(let entries) = self else { return self }
        return .map(entries + more)
    }
}
