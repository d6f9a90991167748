import IKECrypto
package import IKEWire
package import Primitives

/// When an SA is rekeyed, and when it must be gone.
package struct Lifetime: Hashable, Sendable {
    /// The soft lifetime: a rekey starts at most this long after the SA was made. Nil: never.
    package var rekey: Duration?
    /// The part of `rekey` from which a random amount is taken off, so that SAs made together are not rekeyed together
    /// (RFC 7296 section 2.8).
    package var jitter: Probability
    /// The hard lifetime: the SA is deleted when it is reached. Nil: never.
    package var hard: Duration?
    /// By how much use a rekey of a Child SA is due; nil: by none. Drivers count, and say so by `endVolume`.
    package var volume: Volume?

    /// The soft lifetime of a Child SA in what either of its SAs carries, before `jitter` (RFC 4301 section 4.4.2.1).
    package struct Volume: Hashable, Sendable {
        package var packets: UInt64
        /// Of payloads, without what ESP adds.
        package var octets: UInt64

        package init(packets: UInt64 = .max, octets: UInt64 = .max) {
            self.packets = packets
            self.octets = octets
        }
    }

    package init(rekey: Duration?, jitter: Probability = .zero, hard: Duration? = nil, volume: Volume? = nil) {
        self.rekey = rekey
        self.jitter = jitter
        self.hard = hard
        self.volume = volume
    }

    package static let unlimited = Lifetime(rekey: nil)
}

/// What one kind of peer offers, accepts and does: the local configuration that RFC 4301 calls SPD and PAD.
///
/// One value serves every IKE SA of its kind; each worker has its own copy, so that counting references never crosses
/// a core.
package final class PeerPolicy: Sendable {
    package struct Values: Sendable {
        package var identity: IdentityTemplate
        /// Who the peer has to be; nil accepts anybody who knows the key.
        package var peerIdentity: IdentityTemplate?
        /// The key of all clients, where `authentication` has none of their own.
        package var preSharedKey: [UInt8]
        package var authentication = AuthenticationPolicy()
        package var ikeProposals: [Proposal]
        package var childProposals: [Proposal]
        /// What this side of a Child SA may carry; empty means the address that the peer assigned.
        package var localSelectors: [TrafficSelector]
        package var remoteSelectors: [TrafficSelector]
        /// In transport mode the selectors are the addresses of the two ends.
        package var childMode = ChildMode.tunnel
        /// Of which families to ask for an inner address by the Configuration payload (RFC 7296 section 2.19).
        package var requestedAddresses: AddressFamilies = .ipv4
        /// Ask for name servers of these families, too.
        package var requestsNameServers = false
        /// Ask for the subnets behind the gateway, too.
        package var requestsSubnets = false
        /// Refuse a peer that asks for no inner address.
        package var requiresAddressRequest = false
        /// What a peer that asks for name servers is given.
        package var nameServers: [IPAddress] = []
        /// What a peer that asks for subnets is given.
        package var subnets: [IPPrefix] = []
        /// Child SAs wanted beyond the one that IKE_AUTH makes.
        package var additionalChildren = 0
        package var ikeLifetime = Lifetime.unlimited
        package var childLifetime = Lifetime.unlimited
        package var retransmission = RetransmissionSchedule.strongSwan
        /// How large the fragments are that a long message is sent in; nil: fragments are neither sent nor taken, and
        /// the peer is not told that they could be (RFC 7383 section 2.3).
        package var fragmentation: FragmentSizes?
        /// Ask whether the peer is there after this long without a word from it. Nil: never.
        package var liveness: Duration?
        /// RFC 3948 section 4; nil: never.
        package var natKeepalive: Duration?
        /// Take part in MOBIKE, if the peer does; nil: no (RFC 4555).
        package var mobility: MobilityPolicy?
        /// Have everything go by UDP port 4500, as if a NAT had been found (RFC 7296 section 2.23).
        package var forcesEncapsulation = false
        /// How long a rekeyed Child SA stays beside its successor before it is deleted.
        package var overlap: Duration = .seconds(5)
        /// How long a responder waits for IKE_AUTH.
        package var halfOpenTimeout: Duration = .seconds(30)
        /// How long to wait after TEMPORARY_FAILURE, at least; up to twice as long is drawn (RFC 7296 section 2.25).
        package var retryWait: Duration = .seconds(5)
        /// How long TEMPORARY_FAILURE is borne before the IKE SA is closed (RFC 7296 section 2.25).
        package var retryLimit: Duration = .minutes(5)
        /// How many Child SAs of one IKE SA a peer may have before it gets NO_ADDITIONAL_SAS; while they are rekeyed,
        /// twice as many.
        package var childLimit = 16
        package var lifeCycle = LifeCyclePolicy()

        package init(
            identity: IdentityTemplate,
            preSharedKey: [UInt8],
            ikeProposals: [Proposal],
            childProposals: [Proposal],
            localSelectors: [TrafficSelector] = [],
            remoteSelectors: [TrafficSelector]
        ) {
            self.identity = identity
            self.preSharedKey = preSharedKey
            self.ikeProposals = ikeProposals
            self.childProposals = childProposals
            self.localSelectors = localSelectors
            self.remoteSelectors = remoteSelectors
        }
    }

    package let values: Values
    /// What is offered, as it stands in SA and TS payloads.
    let ikeOffer: Offer<IKESuite>
    let ikeRekeyOffer: Offer<IKESuite>
    let childOffer: Offer<ChildSuite>
    /// IKE_AUTH has no KE payload, so that its proposals name no method (RFC 7296 section 1.2).
    let firstChildOffer: Offer<ChildSuite>
    /// TSi: everything, where the address is the peer's to assign and to narrow to (RFC 7296 section 2.19).
    let localOffer: [TrafficSelector]
    let ikeMethod: KeyExchangeMethod
    /// Whether IKE_INTERMEDIATE can follow IKE_SA_INIT, for an additional key exchange (RFC 9370 section 2.2.1).
    let takesIntermediate: Bool
    let childMethod: KeyExchangeMethod?
    /// The hashes that SIGNATURE_HASH_ALGORITHMS names; nil where no end signs (RFC 7427 section 4).
    let signatureHashes: [UInt8]?
    /// The body of the peer's Identification payload, where it is the same for every client.
    let peerIdentification: [UInt8]?
    /// The body of this end's own, where it has no number in it.
    let ownIdentification: [UInt8]?

    package init(_ values: Values) {
        precondition(!values.ikeProposals.isEmpty, "a policy offers at least one IKE proposal")
        precondition(!values.childProposals.isEmpty, "a policy offers at least one Child proposal")
        precondition(values.localSelectors.count <= Self.mostSelectors, "a TS payload holds the local selectors")
        precondition(values.remoteSelectors.count <= Self.mostSelectors, "a TS payload holds the remote selectors")
        guard let method = values.ikeProposals.firstKeyExchange else {
            preconditionFailure("a policy's IKE proposals name a key exchange method that this build knows")
        }
        self.values = values
        ikeOffer = Offer(values.ikeProposals.numbered(), spiByteCount: 0)
        ikeRekeyOffer = Offer(values.ikeProposals.numbered(), spiByteCount: IKESPI.byteCount)
        childOffer = Offer(values.childProposals.numbered(), ignoringKeyExchange: false)
        firstChildOffer = Offer(values.childProposals.numbered(withoutKeyExchange: true), ignoringKeyExchange: true)
        localOffer = values.localSelectors.isEmpty ? .everything(of: values.requestedAddresses) : values.localSelectors
        ikeMethod = method
        takesIntermediate = values.ikeProposals.offersAdditional
        childMethod = values.childProposals.firstKeyExchange
        signatureHashes = values.authentication.signatureHashes
        peerIdentification = values.peerIdentity?.body(number: 0)
        ownIdentification = values.identity.isNumbered ? nil : values.identity.body(number: 0)
    }

    /// Whether an initiator goes to port 4500 although there is no NAT.
    var wantsEncapsulation: Bool { values.mobility != nil || values.forcesEncapsulation }

    /// The body of the Identification payload of the end with this number.
    func identification(number: UInt32) -> [UInt8] { ownIdentification ?? values.identity.body(number: number) }

    /// How many selectors one side of a Child SA may have.
    static let mostSelectors = 32
}
