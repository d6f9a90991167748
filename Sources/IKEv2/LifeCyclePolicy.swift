import IKEWire
package import Primitives

/// How an end's IKE SAs begin and end, beyond what every end has to do; all of it is off unless somebody asks for it.
package struct LifeCyclePolicy: Hashable, Sendable {
    /// Say in IKE_AUTH that this is the only IKE SA between the two identities (RFC 7296 section 2.4).
    package var sendsInitialContact = false
    /// Tell the driver who the peer is, so that it can delete the IKE SAs that INITIAL_CONTACT makes void.
    package var obeysInitialContact = false
    /// When a client makes its IKE SA anew, from IKE_SA_INIT on (RFC 7296 section 2.8.3). Nil: when it has to.
    package var reauthentication: Reauthentication?

    /// How long a responder believes in its peer before it has to authenticate again (RFC 4478). Nil: for ever.
    package var authenticationLifetime: Duration?

    /// Whether IKE_AUTH may make an IKE SA without a Child SA (RFC 6023).
    package var childless = Childless.never

    /// How many requests of IKE SAs that it does not have an end answers in a second (RFC 7296 section 2.21.4).
    package var unknownSPIAnswers: UInt32 = 0

    /// How many requests of the peer may be under way at once (RFC 7296 section 2.3).
    package var windowSize: UInt32 = 1

    /// Which share of the peer's rekeys of Child SAs a responder refuses by TS_UNACCEPTABLE, as one does whose own
    /// policy has changed (RFC 7296 section 2.9.2).
    package var refusedChildRekeys = Probability.zero

    package init() {}
}

/// What an end does about IKE_AUTH without a Child SA.
package enum Childless: Hashable, Sendable {
    case never
    /// A responder that says that it takes it.
    case accepted
    /// An initiator that does it with a responder that takes it.
    case preferred
    /// An initiator that does nothing else.
    case required
}

/// How often a client reauthenticates, and whether it is without an IKE SA meanwhile.
package struct Reauthentication: Hashable, Sendable {
    package enum Order: Hashable, Sendable {
        case breakBeforeMake
        case makeBeforeBreak
    }

    package var order: Order
    package var every: Duration
    /// The part of `every` that is drawn anew each time and taken off.
    package var jitter: Probability

    package init(_ order: Order, every: Duration, jitter: Probability = .zero) {
        self.order = order
        self.every = every
        self.jitter = jitter
    }
}

extension PeerPolicy {
    /// Whether IKE_AUTH says INITIAL_CONTACT: not for an IKE SA that comes beside another one.
    func isFirstContact(_ origin: Origin) -> Bool { values.lifeCycle.sendsInitialContact && !origin.isReplacement }
}

extension Contents {
    /// Who the initiator is, and whether it says that this is its only IKE SA; nil where nobody wants to know.
    func initiator(_ policy: PeerPolicy) -> Report? {
        guard policy.values.lifeCycle.obeysInitialContact else { return nil }
        let identity = StableName.hash(of: initiatorIdentification)
        return .peerIdentified(identity, isInitialContact: hasNotify(.initialContact))
    }
}
