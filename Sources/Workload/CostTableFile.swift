import Primitives

/// A cost table as a file: what each operation of a gateway costs one of its cores.
package struct CostTableFile: Hashable, Sendable {
    package var name: String
    package var provenance: Provenance
    package var validRange: ValidRange
    /// One cost for each operation, in the order of `Operation`.
    package var operations: [Cost]
    package var keyExchanges: [KeyExchangeCost]
    /// What is added to IKE_AUTH; nil where the table does not say, which is nothing.
    package var signatures: SignatureCosts?
    /// A round of EAP; nil where the table does not say, which is that of an INFORMATIONAL exchange.
    package var eap: Cost?

    package static var schema: String { "ikestorm-cost-table/1" }

    package subscript(operation: Operation) -> Cost { operations[operation.index] }

    /// The cost of a key pair and its agreement, by strongSwan's keyword for the method: `x25519`, `modp2048`.
    package func cost(ofKeyExchange method: String) -> Cost? {
        keyExchanges.first { $0.method == method }?.cost
    }

    /// The table's name in results: the same for the same numbers, however they were written.
    package var fingerprint: String {
        let digits = String(StableName.hash(of: json()), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Where the numbers come from.
    package struct Provenance: Hashable, Sendable {
        package var source: String
        package var kind: Kind

        package enum Kind: String, CaseIterable, Hashable, Sendable {
            case estimate
            case measured
        }
    }

    /// Inside of what the table was fitted; a prediction outside of it has to say so.
    package struct ValidRange: Hashable, Sendable {
        package var activeSAs: ClosedRange<Int>
        package var setUpsPerSecond: ClosedRange<Int>
    }

    /// What one operation costs: a base, and more for each SA that the gateway already has.
    package struct Cost: Hashable, Sendable {
        package var baseNanoseconds: Int64
        package var perActiveSAPicoseconds: Int64
        /// The 95 % interval of the base, where it was measured.
        package var interval: ClosedRange<Int64>?

        package init(baseNanoseconds: Int64, perActiveSAPicoseconds: Int64 = 0, interval: ClosedRange<Int64>? = nil) {
            self.baseNanoseconds = baseNanoseconds
            self.perActiveSAPicoseconds = perActiveSAPicoseconds
            self.interval = interval
        }
    }

    package struct SignatureCosts: Hashable, Sendable {
        /// The gateway signs.
        package var sign: Cost
        /// It checks a client's certificates and signature.
        package var verify: Cost
    }

    package struct KeyExchangeCost: Hashable, Sendable {
        package var method: String
        package var cost: Cost

        package init(method: String, cost: Cost) {
            self.method = method
            self.cost = cost
        }
    }

    /// A unit of the gateway's work. Key exchanges are priced apart and added.
    package enum Operation: String, CaseIterable, Hashable, Sendable {
        /// An IKE_SA_INIT request is answered, without its key exchange.
        case ikeSAInit = "ike-sa-init"
        /// A cookie that came with an IKE_SA_INIT request is checked.
        case cookieCheck = "cookie-check"
        /// An IKE_SA_INIT request is answered with a cookie demand.
        case cookieDemand = "cookie-demand"
        /// A packet is refused with an error notify.
        case refuse
        /// A packet is dropped once it is seen to be useless.
        case discard
        /// IKE_AUTH with PSK, its first Child SA included.
        case ikeAuthPSK = "ike-auth-psk"
        /// A CREATE_CHILD_SA request for a Child SA is answered.
        case createChildSA = "create-child-sa"
        /// A CREATE_CHILD_SA request that rekeys the IKE SA is answered.
        case rekeyIKESA = "rekey-ike-sa"
        /// An INFORMATIONAL request without a Delete is answered.
        case informational
        /// A Delete of a Child SA or of an IKE SA is answered, and what it deletes is torn down.
        case delete
        /// A retransmitted request is answered from memory.
        case retransmissionAnswered = "retransmission-answered"
        /// The gateway builds a request of its own.
        case ownRequest = "own-request"
        /// The gateway takes the response to a request of its own.
        case ownResponse = "own-response"
        /// The gateway sends a request of its own again.
        case ownRetransmission = "own-retransmission"
        /// A half-open IKE SA times out and is torn down.
        case halfOpenExpiry = "half-open-expiry"

        var index: Int { Self.allCases.firstIndex(of: self)! }
    }
}
