extension WorkloadSchema {
    static let authentication = Record(
        fields: [
            Field("psk", .scalar(.text), "the pre-shared key of all clients"),
            Field(
                "psk-derived",
                .scalar(.text),
                "a secret: each client's key is the HMAC-SHA-256 of its identity under it, in hexadecimal digits"
            ),
            Field("psk-file", .scalar(.file), "a CSV file with the columns identity and psk"),
            Field(
                "certificates",
                .scalar(.file),
                "a PEM file: a private key, its certificate and the intermediate ones, for each client in turn"
            ),
            Field("authorities", .scalar(.file), "a PEM file: the certificates of the authorities that are believed"),
            Field(
                "signatures",
                .list(
                    of: .keyword(Workload.SignatureName.allCases.map(\.rawValue), noun: "signature"),
                    least: 1
                ),
                "what is signed with and taken, best first: everything but rsa-sha1 unless said"
            ),
            Field(
                "eap",
                .record(eap),
                "how clients show by EAP who they are; what stands beside it is the gateway's own proof"
            ),
        ],
        unsupported: ["certificate", "rsa", "ecdsa", "ed25519", "pubkey"].map {
            ($0, "`certificates` names a file of private keys and certificates")
        }
    )

    static let identityFile = Record(
        fields: [Field("file", .scalar(.file), .required, "a CSV file whose first column is the clients' identities")]
    )
}
