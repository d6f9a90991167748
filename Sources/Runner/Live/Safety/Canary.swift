import Load
import Metrics
import Primitives
import Results
import UDPTransport
import Workload

/// One handshake with each gateway before any load, at each address that clients go to: it has to be the gateway that
/// the workload names.
struct Canary {
    private let workload: Workload
    private let targets: [LiveTarget]
    private let options: LiveOptions

    init(_ workload: Workload, targets: [LiveTarget], options: LiveOptions) {
        self.workload = workload
        self.targets = targets
        self.options = options
    }

    /// Sets an IKE SA up with each gateway, as the first client of its first population, and deletes it again.
    ///
    /// - Throws: `LiveError` when a gateway does not answer, or is another one.
    func sing() throws(LiveError) {
        for (index, target) in targets.enumerated() {
            guard let population = workload.populations.firstIndex(where: { $0.gateway == index }) else { continue }
            for (place, address) in target.addresses.enumerated() { try sing(population, target.at(address), place) }
        }
    }

    /// - Parameter place: which of the gateway's addresses the target is.
    private func sing(_ population: Int, _ target: LiveTarget, _ place: Int) throws(LiveError) {
        var canaryOptions = LiveOptions()
        canaryOptions.sources = options.sources
        canaryOptions.interrupt = options.interrupt
        canaryOptions.folder = options.folder
        canaryOptions.drainLimit = .seconds(5)
        let alone = lone(population)
        var reached = targets
        reached[alone.populations[0].gateway] = target
        var plan = try LivePlan(alone, options: canaryOptions, targets: reached, secrets: .drawn())
        plan.arrivals = [[LivePlan.Arrival(at: .zero, local: 0, until: .never)]]
        let coordinator = LiveCoordinator(
            plan,
            part: "canary-\(alone.populations[0].gateway)" + (place == 0 ? "" : "-\(place)"),
            options: canaryOptions,
            sinks: RunSinks()
        ) { _ in }
        let result = try coordinator.run(allowance: Allowance(target.prefixes)) { collector in
            collector.total(.established) > 0 || collector.total(.failed) > 0
        }
        guard let measured = result.measurements.first, measured.counter(.handshakeEstablished).total == 0 else {
            return
        }
        guard result.interruption == .none else { return }
        let reason = measured.counter(.handshakeFailed).byReason.first?.name ?? "timeout"
        guard reason != "timeout" else { throw unreachable(target, result) }
        throw .canaryFailed(target: "\(target)", problem: explain(reason, alone))
    }

    private func unreachable(_ target: LiveTarget, _ result: LiveResult) -> LiveError {
        if let error = result.touched.errors.keys.min() {
            return .unreachable(target: "\(target)", problem: SystemError.text(error))
        }
        let sent = result.touched.targets.first?.sent ?? 0
        let received = result.touched.targets.first?.received ?? 0
        if received > 0 {
            return .unreachable(target: "\(target)", problem: "it answered IKE_SA_INIT, but not IKE_AUTH")
        }
        return .unreachable(target: "\(target)", problem: "no answer to IKE_SA_INIT, which was sent \(sent) times")
    }

    private func explain(_ reason: String, _ alone: Workload) -> String {
        let identity = alone.gateways[alone.populations[0].gateway].identity
        switch reason {
        case "wrong-identity": return "it does not call itself \(identity), as the workload does"
        case "untrusted-certificate": return "its certificate is of no authority that the workload believes"
        case "expired-certificate": return "its certificate, or one that vouches for it, is not valid now"
        case "certificate-of-another": return "its certificate is not that of \(identity)"
        case "authentication-failed":
            if alone.profiles[alone.populations[0].profile].authentication.credentials != nil {
                return "it does not believe this client's certificate, or does not sign with its own (\(reason))"
            }
            return "it does not know the pre-shared key that the workload has for \(identity)"
        case "refused:AUTHENTICATION_FAILED":
            return "it knows nobody called \(identity) for this client, or another pre-shared key (\(reason))"
        case _ where reason.hasPrefix("eap-"): return "EAP did not succeed (\(reason))"
        default: return reason
        }
    }

    /// The workload with one client, who does nothing but connect, on a path that loses nothing.
    private func lone(_ population: Int) -> Workload {
        var alone = workload
        var first = workload.populations[population]
        first.count = 1
        first.profile = 0
        first.paths = [first.paths[0]]
        first.paths[0].path = 0
        first.paths[0].share = .percent(100)
        var profile = workload.profiles[workload.populations[population].profile]
        profile.reconnect.after = []
        profile.children = 1
        // What it sends goes the way of those that come after it.
        if workload.traffic.contains(where: { $0.population == population }) {
            profile.mobility.forcesEncapsulation = true
        }
        profile.retransmission.waits = Self.waits
        var path = workload.paths[workload.populations[population].paths[0].path]
        path.loss = .none
        path.duplication = .zero
        path.nat = nil
        alone.profiles = [profile]
        alone.paths = [path]
        alone.populations = [first]
        alone.traffic = []
        alone.faults = []
        alone.floods = []
        alone.steadyState = []
        alone.thresholds = []
        alone.safety.abortWhen = []
        alone.safety.setUpsAtMost = nil
        alone.safety.halfOpenAtMost = nil
        alone.arrivals = []
        alone.run.duration = Self.waits.reduce(.seconds(2), +)
        alone.run.warmUp = .zero
        return alone
    }

    private static var waits: [Duration] { [500, 1_000, 2_000, 3_000, 3_000].map { .milliseconds($0) } }
}
