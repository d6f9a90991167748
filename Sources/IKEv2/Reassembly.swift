package import IKEWire
import Primitives

/// The fragments of one message that have come so far, checked and decrypted (RFC 7383 section 2.6).
///
/// An IKE SA has at most one for each request that it expects and one for each response that it waits for, as many as
/// the windows are wide. It is gone when its message is whole, when the message comes in one piece, and with the IKE
/// SA; no timer ends it, since what it holds is bounded and was vouched for by its ICV.
package struct Reassembly: Sendable {
    private let exchange: ExchangeType
    private let total: Int
    private var firstType = PayloadType.none
    /// Each fragment's part of the payloads, nil until it has come.
    private var parts: [[UInt8]?]
    private var missingCount: Int
    private(set) var byteCount = 0

    /// What has become of a message by one more of its fragments.
    package enum Outcome: Hashable, Sendable {
        case incomplete
        case complete
        /// Together the fragments hold more than is taken.
        case tooLong
    }

    package init(of total: Int, _ exchange: ExchangeType) {
        precondition((1...FragmentPlace.mostFragments).contains(total), "a message has some fragments, not too many")
        self.exchange = exchange
        self.total = total
        parts = Array(repeating: nil, count: total)
        missingCount = total
    }

    /// Whether a fragment is worth its decryption: it is not here already, and does not contradict those that are.
    package func wants(_ place: FragmentPlace, _ exchange: ExchangeType) -> Bool {
        guard exchange == self.exchange else { return false }
        return place.total > total || (place.total == total && parts[place.number - 1] == nil)
    }

    /// Takes a fragment that it wants; one of more fragments than those that are here takes their place, since its
    /// sender has begun again with smaller ones.
    package mutating func add(_ place: FragmentPlace, first: PayloadType, _ part: [UInt8]) -> Outcome {
        if place.total > total { self = Reassembly(of: place.total, exchange) }
        precondition(parts[place.number - 1] == nil, "a fragment is taken once")
        guard byteCount + part.count <= Self.mostOctets else { return .tooLong }
        if place.number == 1 { firstType = first }
        byteCount += part.count
        missingCount -= 1
        parts[place.number - 1] = part
        return missingCount == 0 ? .complete : .incomplete
    }

    /// The payloads of the whole message, and the type of the first one.
    package consuming func joined() -> (first: PayloadType, payloads: [UInt8]) {
        precondition(missingCount == 0, "a message is joined when all its fragments are here")
        var payloads: [UInt8] = []
        payloads.reserveCapacity(byteCount)
        for part in parts { payloads += part ?? [] }
        return (firstType, payloads)
    }

    /// How much of one message an IKE SA keeps.
    package static let mostOctets = 65_536
}
