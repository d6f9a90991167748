import IKECrypto
import IKEWire
import Primitives

/// The additional key exchanges of a chosen proposal (RFC 9370 section 2.2.1): one for each of the Transform Types
/// ADDKE1 to ADDKE7 that were offered, or NONE.
struct AdditionalKeyExchanges: Hashable, Sendable, BitwiseCopyable {
    /// An octet for each type, the method in it; the highest has a bit for each type that was offered.
    private var packed: UInt64 = 0

    /// Whether no exchange follows.
    var isEmpty: Bool { packed << 8 == 0 }

    /// How many transforms name them in an answer.
    var transformCount: Int { (packed >> 56).nonzeroBitCount }

    /// The methods in the order of their exchanges.
    var methods: [KeyExchangeMethod] {
        (1...7).compactMap { number in KeyExchangeMethod(rawValue: id(number)).flatMap { isOffered(number) ? $0 : nil }
        }
    }

    /// Visits each type that was offered, with the number of its method, 0 for NONE.
    func forEachType(_ body: (TransformType, UInt16) -> Void) {
        for number in 1...7 where isOffered(number) { body(TransformType(rawValue: UInt8(5 + number)), id(number)) }
    }

    fileprivate func isOffered(_ number: Int) -> Bool { packed >> UInt64(55 + number) & 1 != 0 }

    fileprivate func id(_ number: Int) -> UInt16 { UInt16(packed >> UInt64(8 * number - 8) & 0xFF) }

    fileprivate func choosing(_ id: UInt16, _ number: Int) -> AdditionalKeyExchanges {
        var chosen = self
        chosen.packed |= UInt64(id) << UInt64(8 * number - 8) | 1 << UInt64(55 + number)
        return chosen
    }
}

/// Chooses the additional key exchanges of a proposal, no method twice (RFC 9370 section 2.2.1).
///
/// - Parameters:
///   - keyExchange: the method that comes first.
///   - isTaken: whether exchanges can follow at all; if not, all that is left is NONE.
/// - Returns: nil where the proposal is not acceptable.
func chooseAdditional(
    _ offer: borrowing RawProposal,
    _ allowed: [Transform],
    behind keyExchange: UInt16?,
    isTaken: Bool
) throws(DecodeError) -> AdditionalKeyExchanges? {
    var candidates = InlineArray<7, [UInt16]?>(repeating: nil)
    var transforms = offer.transforms
    while let transform = try transforms.next() {
        guard let number = transform.type.additionalKeyExchange else { continue }
        candidates[number - 1] = candidates[number - 1] ?? []
        guard !transform.hasUnknownAttributes, isAllowed(transform, allowed), isTaken || transform.id == 0,
            transform.id == 0 || KeyExchangeMethod(rawValue: transform.id) != nil
        else { continue }
        candidates[number - 1]?.append(transform.id)
    }
    for number in 1...7 where candidates[number - 1] == nil {
        guard isOptional(number, allowed) else { return nil }
    }
    return assign(candidates, from: 1, used: keyExchange.map { [$0] } ?? [], AdditionalKeyExchanges())
}

/// Whether a policy can do without an additional key exchange: absent and NONE are the same.
private func isOptional(_ number: Int, _ allowed: [Transform]) -> Bool {
    var isWanted = false
    for transform in allowed where transform.type.additionalKeyExchange == number {
        if transform.id == 0 { return true }
        isWanted = true
    }
    return !isWanted
}

/// The first choice of each type for which those behind it still have one.
private func assign(
    _ candidates: InlineArray<7, [UInt16]?>,
    from number: Int,
    used: [UInt16],
    _ chosen: AdditionalKeyExchanges
) -> AdditionalKeyExchanges? {
    guard number <= 7 else { return chosen }
    guard let ids = candidates[number - 1] else { return assign(candidates, from: number + 1, used: used, chosen) }
    for id in ids where id == 0 || !used.contains(id) {
        let rest = assign(candidates, from: number + 1, used: used + [id], chosen.choosing(id, number))
        if let rest { return rest }
    }
    return nil
}

extension [Proposal] {
    /// Whether a proposal names an additional key exchange.
    var offersAdditional: Bool {
        contains { $0.transforms.contains { $0.type.additionalKeyExchange != nil && $0.id != 0 } }
    }
}
