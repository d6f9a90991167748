extension CostTableFile {
    /// What a key exchange costs, and where that was taken from another method's price.
    package struct Price: Hashable, Sendable {
        package var cost: Cost
        package var scale: Scale?
    }

    /// A multiple of another key exchange's price.
    package struct Scale: Hashable, Sendable, CustomStringConvertible {
        package var method: String
        package var percent: Int64

        package var description: String {
            let hundredths = String(percent % 100)
            let fraction = String(repeating: "0", count: 2 - hundredths.count) + hundredths
            return "\(percent / 100).\(fraction) times that of \(method)"
        }
    }

    /// The table's own price for a key exchange, or else a multiple of one that it has; nil where it has neither.
    package func price(ofKeyExchange method: String) -> Price? {
        if let cost = cost(ofKeyExchange: method) { return Price(cost: cost) }
        guard let scale = Self.scales.first(where: { $0.method == method })?.scale,
            let cost = cost(ofKeyExchange: scale.method)
        else { return nil }
        let scaled = Cost(
            baseNanoseconds: cost.baseNanoseconds * scale.percent / 100,
            perActiveSAPicoseconds: cost.perActiveSAPicoseconds
        )
        return Price(cost: scaled, scale: scale)
    }

    /// A key pair and its agreement in OpenSSL 3.0.19 on x86-64, the least CPU time of some hundred, against those of
    /// the method named beside it. P-384 and P-192 have no code of their own there, and the others do.
    ///
    /// ML-KEM is BoringSSL's: a responder's encapsulation, against P-256's key pair and agreement.
    private static let scales: [(method: String, scale: Scale)] = [
        ("modp4096", Scale(method: "modp3072", percent: 173)),
        ("ecp521", Scale(method: "ecp384", percent: 30)),
        ("x448", Scale(method: "x25519", percent: 573)),
        ("modp2048s256", Scale(method: "modp2048", percent: 144)),
        ("ecp192", Scale(method: "ecp256", percent: 694)),
        ("mlkem768", Scale(method: "ecp256", percent: 54)),
        ("mlkem1024", Scale(method: "ecp256", percent: 78)),
    ]
}
