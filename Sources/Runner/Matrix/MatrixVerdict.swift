import IKEWire

/// What became of one cell of the matrix.
package enum MatrixVerdict: Hashable, Sendable {
    case works
    /// The gateway said no as the RFCs let it: with which notify, and in which exchange.
    case refused(notify: String, exchange: String)
    /// The gateway did what the RFCs do not let it do, in words.
    case broken(String)
    /// Nobody tried, and why.
    case notTried(String)

    package enum Kind: String, CaseIterable, Sendable {
        case works, refused, broken
        case notTried = "not-tried"
    }

    package var kind: Kind {
        switch self {
        case .works: .works
        case .refused: .refused
        case .broken: .broken
        case .notTried: .notTried
        }
    }

    /// What there is to say beside the kind.
    package var text: String {
        switch self {
        case .works: ""
        case .refused(let notify, let exchange): "\(notify) in \(exchange)"
        case .broken(let text), .notTried(let text): text
        }
    }
}

/// A cell, what became of it, and how long its exchanges took.
package struct MatrixResult: Hashable, Sendable {
    package var cell: MatrixCell
    package var verdict: MatrixVerdict
    package var exchanges: [MatrixExchange] = []
    /// Why it was refused, where other cells show that; a refusal without any is not explained.
    package var explanations: [String] = []
    /// What the gateway's own log says of it, line by line, where there is a log.
    package var evidence: [String] = []

    package var explanation: String? { explanations.isEmpty ? nil : explanations.joined(separator: "; ") }

    /// From the request of IKE_SA_INIT to the response that set the IKE SA up.
    package var setUpTimes: [MatrixExchange] {
        exchanges.filter { $0.type == .ikeSAInit || $0.type == .ikeAuth }
    }
}
