import IKEWire
import Primitives

extension WarningCheck {
    /// ML-KEM's values, which a packet may be too small for.
    mutating func checkLongKeyExchanges() {
        for population in workload.populations {
            let profile = workload.profiles[population.profile]
            for (index, text) in profile.proposals.ike.enumerated() {
                let place = "profiles.\(profile.name).proposals.ike.\(index)"
                for word in text.split(separator: "-").map(String.init) {
                    guard let transform = try? Proposal.transform(named: word),
                        let value = Self.valueByteCount(transform.id)
                    else { continue }
                    if transform.type == .keyExchange {
                        checkAlone(word, value + 220, population, at: place)
                    } else if transform.type.additionalKeyExchange != nil {
                        checkAdditional(word, value + 110, population, profile, at: place)
                    }
                }
            }
        }
    }

    /// RFC 7383 does not fragment IKE_SA_INIT.
    private mutating func checkAlone(
        _ word: String,
        _ byteCount: Int,
        _ population: Workload.Population,
        at place: String
    ) {
        let fate: String
        switch carriage(of: byteCount, population) {
        case .whole: fate = "the paths here carry it whole"
        case .fragmented(let path): fate = "it goes over \(path) in IP fragments, which many firewalls drop"
        case .dropped(let path): fate = "\(path) drops it, and no set-up succeeds there"
        }
        warn(
            place,
            "`\(word)` makes IKE_SA_INIT about \(byteCount) bytes long, and RFC 7383 does not fragment it: "
                + "\(fate); `x25519-ke1_\(word)` sends it in IKE_INTERMEDIATE"
        )
    }

    /// IKE_INTERMEDIATE goes in fragments where both ends take them.
    private mutating func checkAdditional(
        _ word: String,
        _ byteCount: Int,
        _ population: Workload.Population,
        _ profile: Workload.Profile,
        at place: String
    ) {
        let gateway = workload.gateways[population.gateway]
        guard profile.fragmentation == .never || gateway.policy.fragmentation == .never else { return }
        let fate: String
        switch carriage(of: byteCount, population) {
        case .whole: return
        case .fragmented(let path): fate = "goes over \(path) in IP fragments"
        case .dropped(let path): fate = "is dropped by \(path)"
        }
        warn(
            place,
            "`\(word)` makes IKE_INTERMEDIATE about \(byteCount) bytes long, which \(fate); write `fragmentation` in "
                + "profiles.\(profile.name) and gateways.\(gateway.name).policy"
        )
    }

    private enum Carriage {
        case whole
        case fragmented(String)
        case dropped(String)
    }

    /// What becomes of a packet on the worst of a population's paths.
    private func carriage(of byteCount: Int, _ population: Workload.Population) -> Carriage {
        var worst = Carriage.whole
        for share in population.paths where workload.paths.indices.contains(share.path) {
            let path = workload.paths[share.path]
            guard byteCount > path.mtu?.byteCount ?? Self.ethernetByteCount else { continue }
            if path.mtu?.overMTU == .drop { return .dropped(path.name) }
            worst = .fragmented(path.name)
        }
        return worst
    }

    /// The longer of both ends' values (FIPS 203 section 8).
    private static func valueByteCount(_ id: UInt16) -> Int? {
        switch KeyExchangeID(rawValue: id) {
        case .mlKEM768: 1184
        case .mlKEM1024: 1568
        default: nil
        }
    }

    private static let ethernetByteCount = 1500
}
