package import IKECrypto
import Primitives

/// A unit of a gateway's work; key exchanges are priced apart and added.
package enum PricedOperation: UInt8, Hashable, Sendable, BitwiseCopyable, CaseIterable {
    /// An IKE_SA_INIT request is answered, without its key exchange.
    case ikeSAInit
    /// A cookie that came with an IKE_SA_INIT request is checked.
    case cookieCheck
    /// An IKE_SA_INIT request is answered with a cookie demand.
    case cookieDemand
    /// A packet is refused.
    case refuse
    /// A packet is dropped once it is seen to be useless.
    case discard
    /// IKE_AUTH with PSK, its first Child SA included.
    case ikeAuthPSK
    /// A CREATE_CHILD_SA request for a Child SA is answered.
    case createChildSA
    /// A CREATE_CHILD_SA request that rekeys the IKE SA is answered.
    case rekeyIKESA
    /// An INFORMATIONAL request without a Delete is answered.
    case informational
    /// A Delete is answered, and what it deletes is torn down.
    case delete
    /// A retransmitted request is answered from memory.
    case retransmissionAnswered
    /// The gateway builds a request of its own.
    case ownRequest
    /// The gateway takes the response to a request of its own.
    case ownResponse
    /// The gateway sends a request of its own again.
    case ownRetransmission
    /// A half-open IKE SA times out and is torn down.
    case halfOpenExpiry
    /// An IKE_AUTH request that carries EAP, or asks for it, is answered.
    case eapRound
}

/// What an operation takes of one core: a base, and more for each SA that the gateway has.
package struct Cost: Hashable, Sendable, BitwiseCopyable {
    package var baseNanoseconds: Int64
    package var perActiveSAPicoseconds: Int64

    package init(baseNanoseconds: Int64, perActiveSAPicoseconds: Int64 = 0) {
        precondition(baseNanoseconds >= 0 && perActiveSAPicoseconds >= 0, "no work takes less than no time")
        self.baseNanoseconds = baseNanoseconds
        self.perActiveSAPicoseconds = perActiveSAPicoseconds
    }

    package static let zero = Cost(baseNanoseconds: 0)

    static func += (left: inout Cost, right: Cost) {
        left.baseNanoseconds += right.baseNanoseconds
        left.perActiveSAPicoseconds += right.perActiveSAPicoseconds
    }

    /// Half of it, rounded down.
    var half: Cost {
        Cost(baseNanoseconds: baseNanoseconds / 2, perActiveSAPicoseconds: perActiveSAPicoseconds / 2)
    }

    func duration(activeSAs: Int) -> Duration {
        .nanoseconds(baseNanoseconds + perActiveSAPicoseconds * Int64(activeSAs) / 1_000)
    }
}

/// What each operation and each key exchange costs a gateway; its numbers come from a file.
package struct CostTable: Sendable {
    private var operations: [Cost]
    private var keyExchanges: [Cost?]
    /// What a signature of the gateway's costs, and the check of a client's, on top of IKE_AUTH.
    package var signature = Cost.zero
    package var verification = Cost.zero

    /// - Parameters:
    ///   - operation: the price of each operation.
    ///   - keyExchange: the price of a key pair and its agreement, nil where the table does not know the method.
    package init(
        operation: (PricedOperation) -> Cost,
        keyExchange: (KeyExchangeMethod) -> Cost?
    ) {
        operations = PricedOperation.allCases.map(operation)
        keyExchanges = Array(repeating: nil, count: KeyExchangeMethod.allCases.count)
        for method in KeyExchangeMethod.allCases { keyExchanges[method.place] = keyExchange(method) }
    }

    package subscript(operation: PricedOperation) -> Cost { operations[Int(operation.rawValue)] }

    /// Whether a method has a price; who plans a run asks before it begins.
    package func knows(_ method: KeyExchangeMethod) -> Bool { keyExchanges[method.place] != nil }

    subscript(method: KeyExchangeMethod) -> Cost { self[keyExchangeAt: method.place] }

    subscript(keyExchangeAt place: Int) -> Cost {
        guard let cost = keyExchanges[place] else {
            preconditionFailure("the cost table has every key exchange of the run")
        }
        return cost
    }
}

extension KeyExchangeMethod {
    /// The method's index among all of them. It goes into digests, so that a new method gets a new place.
    var place: Int {
        switch self {
        case .modp2048: 0
        case .modp3072: 1
        case .ecp256: 2
        case .ecp384: 3
        case .curve25519: 4
        case .modp4096: 5
        case .ecp521: 6
        case .modp2048s256: 7
        case .ecp192: 8
        case .curve448: 9
        case .mlKEM768: 10
        case .mlKEM1024: 11
        }
    }
}
