/// The shape of a cost table, which is JSON, and so YAML as well.
enum CostTableSchema {
    static let root = Record(
        fields: [
            Field("schema", .keyword([CostTableFile.schema], noun: "schema"), .required, "the version of this schema"),
            Field("name", .scalar(.text), .required, "what was measured"),
            Field(
                "provenance",
                .record(
                    Record(
                        fields: [
                            Field("source", .scalar(.text), .required, "where the numbers come from"),
                            Field(
                                "kind",
                                .keyword(CostTableFile.Provenance.Kind.allCases.map(\.rawValue), noun: "provenance"),
                                .required,
                                "estimate or measured"
                            ),
                        ]
                    )
                ),
                .required,
                "where the numbers come from"
            ),
            Field(
                "valid-range",
                .record(
                    Record(
                        fields: [
                            Field("active-sas", range, .required, "IKE SAs, from and to"),
                            Field("set-ups-per-second", range, .required, "set-ups per second, from and to"),
                        ]
                    )
                ),
                .required,
                "inside of what it was fitted"
            ),
            Field(
                "operations",
                .record(
                    Record(
                        fields: CostTableFile.Operation.allCases.map {
                            Field($0.rawValue, .record(cost), .required, "the cost of one")
                        }
                    )
                ),
                .required,
                "the cost of each operation"
            ),
            Field(
                "key-exchanges",
                .named(of: .record(cost), noun: "key exchange", least: 1),
                .required,
                "a key pair and its agreement, by strongSwan's keyword"
            ),
            Field(
                "signatures",
                .record(
                    Record(
                        fields: [
                            Field("sign", .record(cost), .required, "the gateway signs"),
                            Field(
                                "verify",
                                .record(cost),
                                .required,
                                "it checks a client's certificates and signature"
                            ),
                        ]
                    )
                ),
                "what is added to IKE_AUTH with certificates: nothing unless said"
            ),
            Field("eap", .record(cost), "an IKE_AUTH that carries EAP: what `informational` costs unless said"),
        ]
    )

    private static let cost = Record(
        fields: [
            Field("base-ns", .count(0...1_000_000_000_000), .required, "nanoseconds of a core"),
            Field(
                "per-active-sa-ps",
                .count(0...1_000_000_000_000),
                .standard("0"),
                "picoseconds more for each IKE SA that there is"
            ),
            Field("interval-ns", range, "the 95 % interval of the base"),
        ]
    )

    private static let range = Shape.list(of: .count(0...1_000_000_000_000), least: 2)
}
