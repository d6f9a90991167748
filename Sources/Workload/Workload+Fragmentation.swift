import Primitives

extension Workload {
    /// Whether an end takes and sends IKE messages in fragments (RFC 7383), and how large the packets are that carry
    /// them.
    package enum Fragmentation: Hashable, Sendable {
        case never
        /// 576 bytes over IPv4 and 1,280 over IPv6, which every path carries (RFC 7383 section 2.5.1).
        case standard
        /// The smallest MTU of the paths between the profile's clients, or the gateway, and their peers.
        case pathMTU(Int)
        /// IP packets of this many bytes.
        case size(Int)
    }
}

extension Workload.Fragmentation {
    /// As workloads write it.
    var text: String {
        switch self {
        case .never: "never"
        case .standard: "standard"
        case .pathMTU: "path-mtu"
        case .size(let byteCount): "\(byteCount)"
        }
    }

    /// With fewer bytes a packet's headers leave no room for a part of a message, whatever the cipher.
    static let sizes = 160...65_535
    static let words = ["standard", "path-mtu", "never"]
}

extension YAMLValue {
    /// A map with one more key where it says something, so that what has no fragments resolves as ever.
    func adding(_ fragmentation: Workload.Fragmentation) -> YAMLValue {
        guard fragmentation != .never, case .map(let entries) = self else { return self }
        return .map(entries + [("fragmentation", .plain(fragmentation.text))])
    }
}

extension WorkloadReader {
    /// Reads what profiles and gateways say of it, once it is known which paths lead to whom.
    mutating func readFragmentation(
        into profiles: inout [Workload.Profile],
        _ gateways: inout [Workload.Gateway],
        _ populations: [Workload.Population],
        _ paths: [Workload.Path]
    ) {
        func mtus(_ isMeant: (Workload.Population) -> Bool) -> [Int] {
            populations.filter(isMeant).flatMap(\.paths).compactMap { share in
                paths.indices.contains(share.path) ? paths[share.path].mtu?.byteCount : nil
            }
        }
        for (index, entry) in root.views("profiles").enumerated() {
            profiles[index].fragmentation = fragmentation(entry.view, mtus { $0.profile == index })
        }
        for (index, entry) in root.views("gateways").enumerated() {
            gateways[index].policy.fragmentation = fragmentation(
                entry.view.view("policy"),
                mtus { $0.gateway == index }
            )
        }
    }

    private mutating func fragmentation(_ view: RecordView, _ mtus: [Int]) -> Workload.Fragmentation {
        switch view.text("fragmentation") {
        case "never", "": return .never
        case "standard": return .standard
        case "path-mtu":
            if let smallest = mtus.min() { return .pathMTU(smallest) }
            fail(
                view.mark("fragmentation"),
                "no path that leads here has an `mtu`",
                "write one in the path, or `standard` here"
            )
            return .standard
        default: return .size(view.count("fragmentation"))
        }
    }
}

extension WarningCheck {
    /// Fragments are sent only where both ends have said that they take them (RFC 7383 section 2.3).
    mutating func checkFragmentation(_ profile: Workload.Profile, _ gateway: Workload.Gateway) {
        guard profile.fragmentation != .never, gateway.policy.fragmentation == .never, gateway.simulated != nil else {
            return
        }
        warn(
            "profiles.\(profile.name).fragmentation",
            "the policy of \(gateway.name) has no `fragmentation`: messages are sent whole"
        )
    }
}
