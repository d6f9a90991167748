import IKEv2
import Primitives
import Workload

extension LifeCyclePolicy {
    init(_ profile: Workload.LifeCycle, fragments: Workload.Fragmentation) {
        self.init()
        sendsInitialContact = profile.initialContact
        windowSize = Self.windowSize(profile.windowSize, fragments)
        unknownSPIAnswers = UInt32(profile.unknownSPIAnswers)
        childless =
            switch profile.childless {
            case .never: .never
            case .prefer: .preferred
            case .force: .required
            }
        reauthentication = profile.reauthentication.map { written in
            Reauthentication(
                written.order == .makeBeforeBreak ? .makeBeforeBreak : .breakBeforeMake,
                every: written.every,
                jitter: written.jitter
            )
        }
    }

    init(_ policy: Workload.LifeCyclePolicy, fragments: Workload.Fragmentation) {
        self.init()
        obeysInitialContact = policy.obeysInitialContact
        authenticationLifetime = policy.authenticationLifetime
        windowSize = Self.windowSize(policy.windowSize, fragments)
        unknownSPIAnswers = UInt32(policy.unknownSPIAnswers)
        childless = policy.acceptsChildless ? .accepted : .never
    }

    /// An end joins the fragments of one message at a time, so that messages that may come in fragments do not overlap.
    static func windowSize(_ wanted: Int, _ fragments: Workload.Fragmentation) -> UInt32 {
        fragments == .never ? UInt32(wanted) : 1
    }
}
