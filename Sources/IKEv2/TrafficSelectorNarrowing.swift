package import IKEWire
import Primitives

/// What both the offer and the policy allow, in the offer's order (RFC 7296 section 2.9).
///
/// Empty when they have nothing in common: TS_UNACCEPTABLE. An offer of very many pieces is narrowed to the first of
/// them. Where all of the policy is meant, its own array is the result, so that SAs share it.
package func narrow(_ offered: [TrafficSelector], to allowed: [TrafficSelector]) -> [TrafficSelector] {
    if offered == allowed { return allowed }
    var narrowed: [TrafficSelector] = []
    for offer in offered {
        for permit in allowed where narrowed.count < PeerPolicy.mostSelectors {
            guard let common = intersection(offer, permit), !narrowed.contains(common) else { continue }
            narrowed.append(common)
        }
    }
    return narrowed == allowed ? allowed : narrowed
}

/// Whether every selector of an answer lies within one that was offered.
package func isNarrowing(_ answer: [TrafficSelector], of offered: [TrafficSelector]) -> Bool {
    !answer.isEmpty && answer.allSatisfy { part in offered.contains { intersection($0, part) == part } }
}

private func intersection(_ one: TrafficSelector, _ other: TrafficSelector) -> TrafficSelector? {
    guard one.type == other.type else { return nil }
    // Protocol 0 stands for every protocol (RFC 7296 section 3.13.1).
    guard one.ipProtocol == other.ipProtocol || one.ipProtocol == 0 || other.ipProtocol == 0 else { return nil }
    let startPort = max(one.startPort, other.startPort)
    let endPort = min(one.endPort, other.endPort)
    let start = max(one.startAddress, other.startAddress)
    let end = min(one.endAddress, other.endAddress)
    guard startPort <= endPort, start <= end else { return nil }
    return TrafficSelector(
        type: one.type,
        ipProtocol: max(one.ipProtocol, other.ipProtocol),
        startPort: startPort,
        endPort: endPort,
        startAddress: start,
        endAddress: end
    )
}
