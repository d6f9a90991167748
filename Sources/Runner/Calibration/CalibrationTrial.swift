import Primitives
import Workload

/// One measured run against the gateway: some clients come at a rate, each does one thing, and they go.
///
/// The path's one-way delay is what keeps the exchanges apart. With 1.5 s each way and clients that come for 2 s, all
/// IKE_SA_INIT requests reach the gateway between 1.5 s and 3.5 s, all IKE_AUTH requests between 4.5 s and 6.5 s, and
/// so on: the CPU time in between belongs to one kind of exchange alone, at any rate.
package struct CalibrationTrial: Hashable, Sendable {
    package enum Exchange: String, CaseIterable, Hashable, Sendable {
        /// IKE_SA_INIT with a proposal that the gateway does not accept.
        case refused = "a refused IKE_SA_INIT"
        case setUp = "set-up"
        /// The Child SA is rekeyed without a key exchange, and its predecessor deleted.
        case childRekey = "Child SA rekey"
        case childRekeyWithKeyExchange = "Child SA rekey with a key exchange"
        case ikeRekey = "IKE SA rekey"
        case liveness = "liveness check"

        /// Those that are measured with the first key exchange.
        package static let measured = allCases.filter { $0 != .setUp }

        /// How the command line calls it.
        package var keyword: String {
            switch self {
            case .refused: "refused"
            case .setUp: "set-up"
            case .childRekey: "child-rekey"
            case .childRekeyWithKeyExchange: "child-rekey-ke"
            case .ikeRekey: "ike-rekey"
            case .liveness: "liveness"
            }
        }
    }

    package var exchange: Exchange
    package var clientsPerSecond: Int
    /// strongSwan's keyword.
    package var keyExchange: String

    package init(_ exchange: Exchange, clientsPerSecond: Int, keyExchange: String) {
        self.exchange = exchange
        self.clientsPerSecond = clientsPerSecond
        self.keyExchange = keyExchange
    }

    package var clientCount: Int { clientsPerSecond * Int(Self.arrivalSeconds) }

    package var label: String { "\(exchange.rawValue), \(keyExchange), \(clientsPerSecond)/s" }

    /// From an SA's start to what the trial asks of it, such that nobody does it twice.
    var lifetimeSeconds: Int {
        switch exchange {
        case .refused, .setUp: 0
        case .liveness: 3
        case .ikeRekey: 5
        case .childRekey, .childRekeyWithKeyExchange: 10
        }
    }

    /// A stretch of the trial that holds all of one kind of exchange, in whole seconds of the run.
    struct Stretch {
        var name: String
        var seconds: Range<Int>
        /// What each client makes the gateway do.
        var work: [WorkSample.Count]
        /// The share of the clients that are active while the work is done, on average.
        var activeShare: Double
    }

    var stretches: [Stretch] {
        let isFirst = [WorkSample.Count(.operation(.ikeSAInit), 1)]
        switch exchange {
        case .refused:
            let work = [WorkSample.Count(.operation(.refuse), 1)]
            return [Stretch(name: "IKE_SA_INIT", seconds: 1..<4, work: work, activeShare: 0)]
        case .setUp:
            // Whether a gateway agrees on the key in IKE_SA_INIT or puts it off to IKE_AUTH is its own affair, and
            // strongSwan puts it off: the two are one stretch, or a costly key exchange would be priced as IKE_AUTH.
            let work = isFirst + [.init(.keyExchange(keyExchange), 1), .init(.operation(.ikeAuthPSK), 1)]
            return [Stretch(name: "set-up", seconds: 1..<7, work: work, activeShare: 0.5)]
        case .childRekey, .childRekeyWithKeyExchange, .ikeRekey, .liveness:
            let start = 7 + lifetimeSeconds
            // The key pair in one, the agreement in the other: about the same work on an elliptic curve.
            let half = WorkSample.Count(.keyExchange(keyExchange), 0.5)
            let auth = [WorkSample.Count(.operation(.ikeAuthPSK), 1), half]
            return [
                Stretch(name: "IKE_SA_INIT", seconds: 1..<4, work: isFirst + [half], activeShare: 0),
                Stretch(name: "IKE_AUTH", seconds: 4..<7, work: auth, activeShare: 0.5),
                Stretch(name: "idle", seconds: 7..<start, work: [], activeShare: 1),
                Stretch(
                    name: exchange.rawValue,
                    seconds: start..<endSecond,
                    work: asked.map { WorkSample.Count($0, 1) },
                    activeShare: 1
                ),
            ]
        }
    }

    /// What each client asks the gateway once it is established.
    ///
    /// The Delete of a rekeyed IKE SA tears no Child SA down, and is an INFORMATIONAL exchange like any other.
    private var asked: [PricedWork] {
        switch exchange {
        case .refused, .setUp: []
        case .childRekey: [.operation(.createChildSA), .operation(.delete)]
        case .childRekeyWithKeyExchange: [.operation(.createChildSA), .keyExchange(keyExchange), .operation(.delete)]
        case .ikeRekey: [.operation(.rekeyIKESA), .keyExchange(keyExchange), .operation(.informational)]
        case .liveness: [.operation(.informational)]
        }
    }

    /// When everything was answered. strongSwan keeps a rekeyed Child SA for 5 s after its Delete.
    var endSecond: Int {
        switch exchange {
        case .refused: 4
        case .setUp: 7
        case .liveness: 10 + lifetimeSeconds
        case .ikeRekey: 13 + lifetimeSeconds
        case .childRekey, .childRekeyWithKeyExchange: 18 + lifetimeSeconds
        }
    }

    /// How long clients come.
    static var arrivalSeconds: Int64 { 2 }
    static var oneWayDelay: Duration { .milliseconds(1_500) }
}

extension CalibrationTrial {
    /// The trial as a workload: the first population of another one, with the trial's load, path and lifetimes.
    ///
    /// - Parameter refusedProposal: what IKE_SA_INIT offers to be refused.
    func workload(from template: Workload, refusedProposal: String?) -> Workload {
        var workload = template.reduced(to: clientCount, oneWayDelay: Self.oneWayDelay)
        workload.name = "calibration"
        workload.run.duration = .seconds(Int64(endSecond))
        workload.arrivals[0].pattern = .constant(
            rate: Workload.Rate(count: UInt64(clientsPerSecond), per: .seconds(1)),
            lasting: .seconds(Self.arrivalSeconds)
        )
        let lifetime = Duration.seconds(Int64(lifetimeSeconds))
        var profile = workload.profiles[1]
        profile.proposals.ike = [profile.proposals.ike[0].withKeyExchange(keyExchange)]
        profile.proposals.child = [profile.proposals.child[0].withKeyExchange(keyExchange)]
        switch exchange {
        case .refused: profile.proposals.ike = refusedProposal.map { [$0] } ?? profile.proposals.ike
        case .setUp: break
        case .childRekey:
            profile.proposals.child = [profile.proposals.child[0].withKeyExchange(nil)]
            profile.lifetimes.child.rekey = lifetime
        case .childRekeyWithKeyExchange: profile.lifetimes.child.rekey = lifetime
        case .ikeRekey: profile.lifetimes.ike.rekey = lifetime
        case .liveness: profile.liveness = lifetime
        }
        workload.profiles[1] = profile
        return workload
    }
}

extension Workload {
    /// The first population alone, on a path that only delays, with nothing to happen but its arrivals.
    ///
    /// It becomes the second one. Before it stands a single client that never arrives: as that one the canary sings,
    /// with proposals that the gateway accepts and on a path that does not delay.
    func reduced(to clientCount: Int, oneWayDelay: Duration) -> Workload {
        var workload = self
        var canary = populations[0]
        canary.name = "canary"
        canary.count = 1
        canary.paths = [canary.paths[0]]
        canary.paths[0].share = .one
        let quiet = profiles[canary.profile].quiet
        let wire = paths[canary.paths[0].path].delayingOnly(.microseconds(100))
        canary.profile = 0
        canary.paths[0].path = 0
        var population = canary
        population.name = populations[0].name == "canary" ? "clients" : populations[0].name
        population.count = clientCount
        population.firstIdentity += 1
        population.profile = 1
        population.paths[0].path = 1
        workload.populations = [canary, population]
        workload.profiles = [quiet, quiet]
        workload.profiles[0].name = "canary"
        workload.paths = [wire, wire.delayingOnly(oneWayDelay)]
        workload.paths[0].name = "canary"
        workload.arrivals = [arrivals.first { $0.population == 0 } ?? arrivals[0]]
        workload.arrivals[0].population = 1
        workload.arrivals[0].start = .zero
        workload.arrivals[0].stay = nil
        workload.faults = []
        workload.floods = []
        workload.steadyState = []
        workload.thresholds = []
        workload.run.warmUp = .zero
        return workload
    }
}

extension Workload.Path {
    func delayingOnly(_ oneWayDelay: Duration) -> Workload.Path {
        var path = self
        path.delay.perClient.shape = .constant(oneWayDelay)
        path.delay.perClient.minimum = oneWayDelay
        path.delay.perClient.maximum = nil
        path.delay.jitter = nil
        path.delay.keepsOrder = true
        path.loss = .none
        path.duplication = .zero
        path.reordering = nil
        path.bandwidth = nil
        path.nat = nil
        return path
    }
}

extension Workload.Profile {
    /// The profile without anything that it would do of its own accord once it is established.
    var quiet: Workload.Profile {
        var profile = self
        profile.lifetimes.ike.rekey = nil
        profile.lifetimes.ike.jitter = .zero
        profile.lifetimes.child.rekey = nil
        profile.lifetimes.child.jitter = .zero
        profile.retransmission.waits = [.seconds(60)]
        profile.reconnect.after = []
        profile.liveness = nil
        profile.natKeepalive = nil
        profile.children = 1
        return profile
    }
}

extension String {
    /// A proposal in strongSwan's notation with another key exchange, or with none.
    func withKeyExchange(_ method: String?) -> String {
        let words = CalibrationTrial.keyExchanges + CalibrationTrial.aliases
        let kept = split(separator: "-").map(String.init).filter { !words.contains($0) }
        return (kept + (method.map { [$0] } ?? [])).joined(separator: "-")
    }
}

extension CalibrationTrial {
    /// Those that are measured unless others are named, by strongSwan's keyword.
    package static let usualKeyExchanges = ["x25519", "ecp256", "ecp384", "modp2048", "modp3072"]

    /// Those that can be measured.
    package static let keyExchanges =
        usualKeyExchanges + ["modp4096", "ecp521", "x448", "modp2048s256", "ecp192"]

    /// Other words for some of them.
    fileprivate static let aliases = ["curve25519", "curve448"]
}
