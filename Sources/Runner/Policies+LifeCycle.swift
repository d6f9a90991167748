import IKEv2
import Primitives
import Workload

extension LifeCyclePolicy {
    init(_ profile: Workload.LifeCycle) {
        self.init()
        sendsInitialContact = profile.initialContact
        windowSize = UInt32(profile.windowSize)
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

    init(_ policy: Workload.LifeCyclePolicy) {
        self.init()
        obeysInitialContact = policy.obeysInitialContact
        authenticationLifetime = policy.authenticationLifetime
        windowSize = UInt32(policy.windowSize)
        unknownSPIAnswers = UInt32(policy.unknownSPIAnswers)
        childless = policy.acceptsChildless ? .accepted : .never
        refusedChildRekeys = policy.refusedChildRekeys
    }
}
