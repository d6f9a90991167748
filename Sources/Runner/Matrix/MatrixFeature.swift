import Primitives
import Workload

/// What an end of an IKE SA can do beyond setting it up, asked for on a combination that works.
package enum MatrixFeature: String, CaseIterable, Hashable, Sendable {
    case childRekey = "Child SA rekey"
    case childRekeyWithKeyExchange = "Child SA rekey with a key exchange"
    case ikeRekey = "IKE SA rekey"
    case childless = "an IKE SA without a Child SA at first"
    case severalChildren = "a second Child SA"
    case liveness = "liveness check"
    case delete = "Delete"
    case fragmentation = "fragments"
    case encapsulation = "forced encapsulation"
    case natted = "a NAT in front of the client"
    case mobike = "MOBIKE"
    case breakBeforeMake = "reauthentication, break before make"
    case makeBeforeBreak = "reauthentication, make before break"

    /// Where it is written.
    package var standard: String {
        switch self {
        case .childRekey, .childRekeyWithKeyExchange: "RFC 7296 section 1.3.3"
        case .ikeRekey: "RFC 7296 section 1.3.2"
        case .childless: "RFC 6023"
        case .severalChildren: "RFC 7296 section 1.3.1"
        case .liveness: "RFC 7296 section 2.4"
        case .delete: "RFC 7296 section 1.4.1"
        case .fragmentation: "RFC 7383"
        case .encapsulation, .natted: "RFC 7296 section 2.23"
        case .mobike: "RFC 4555"
        case .breakBeforeMake, .makeBeforeBreak: "RFC 7296 section 2.8.3"
        }
    }

    /// What the client does differently from one that only sets its IKE SA up.
    func apply(to profile: inout Workload.Profile, keyExchange: String) {
        switch self {
        case .childRekey: profile.lifetimes.child.rekey = Self.age
        case .childRekeyWithKeyExchange:
            profile.lifetimes.child.rekey = Self.age
            profile.proposals.child = profile.proposals.child.map { $0.withKeyExchange(keyExchange) }
        case .ikeRekey: profile.lifetimes.ike.rekey = Self.age
        case .childless: profile.lifeCycle.childless = .force
        case .severalChildren: profile.children = 2
        case .liveness: profile.liveness = Self.age
        case .delete: break
        case .fragmentation: profile.fragmentation = .size(Self.fragmentByteCount)
        case .encapsulation: profile.mobility.forcesEncapsulation = true
        case .natted: profile.natKeepalive = Self.age
        case .mobike: profile.mobility.isMobile = true
        case .breakBeforeMake: profile.lifeCycle.reauthentication = Self.reauthentication(.breakBeforeMake)
        case .makeBeforeBreak: profile.lifeCycle.reauthentication = Self.reauthentication(.makeBeforeBreak)
        }
    }

    private static func reauthentication(
        _ order: Workload.Reauthentication.Order
    ) -> Workload.Reauthentication {
        Workload.Reauthentication(order: order, every: age, jitter: .zero)
    }

    /// From the IKE SA's start to what is asked for.
    static var age: Duration { .seconds(1) }
    /// So few that IKE_AUTH needs more than one (RFC 7383 section 2.5.1 counts the IP packet).
    private static var fragmentByteCount: Int { 200 }
}
