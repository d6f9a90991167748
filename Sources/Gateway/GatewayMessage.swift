package import IKECrypto
package import IKEWire
package import IKEv2
package import Primitives
package import Simulation

/// Names the gateway's half of an IKE SA: whose it is, and the how-manieth attempt of that client.
///
/// A client never uses an attempt's number again.
package struct HalfID: Hashable, Sendable, BitwiseCopyable {
    package let client: UInt32
    package let attempt: UInt32

    package init(client: UInt32, attempt: UInt32) {
        precondition(client != .max, "a run has fewer than 2^32 - 1 clients")
        self.client = client
        self.attempt = attempt
    }

    /// Both halves in one word, for digests and events.
    package var packed: UInt64 { UInt64(client) << 32 | UInt64(attempt) }

    /// The same as a key of an `SPITable`, which is never 0.
    var key: UInt64 { packed + 1 }
}

/// What shards, front desks, shared NATs and shared links tell each other.
///
/// A desk is one part of the run and a shard another, so a message takes time: an arrival its path's delay, a report
/// and a completion the gateway's internal latency F, exactly.
package enum GatewayMessage: Sendable, BitwiseCopyable {
    /// Shard to desk: a packet reaches the gateway's network interface at the order's time.
    case arrival(PacketArrival)
    /// Shard to desk: an ESP packet is to be opened or sealed, and waits for a core of the pool; F later.
    case packet(ESPArrival)
    /// Shard to desk: what a half says after it was given something to handle; F later.
    case report(HalfReport)
    /// Desk to shard: a job is done; F after its end.
    case completion(JobCompletion)
    /// Shard to shared NAT: a subscriber wants ports, or gives them back.
    case portRequest(PortRequest)
    /// Shared NAT to shard: which ports it has.
    case portGrant(PortGrant)
    /// Shard to shared link: a datagram comes to it.
    case linkRequest(LinkRequest)
    /// Shared link to shard: when the datagram leaves it.
    case linkGrant(LinkGrant)

    package var order: EventOrder {
        switch self {
        case .arrival(let arrival): arrival.order
        case .packet(let packet): packet.order
        case .report(let report): report.order
        case .completion(let completion): completion.order
        case .portRequest(let request): request.order
        case .portGrant(let grant): grant.order
        case .linkRequest(let request): request.order
        case .linkGrant(let grant): grant.order
        }
    }

    package var half: HalfID {
        switch self {
        case .arrival(let arrival): arrival.half
        case .packet(let packet): HalfID(client: packet.client, attempt: 0)
        case .report(let report): report.half
        case .completion(let completion): completion.half
        case .portRequest(let request): HalfID(client: request.client, attempt: 0)
        case .portGrant(let grant): HalfID(client: grant.client, attempt: 0)
        case .linkRequest(let request): HalfID(client: request.client, attempt: 0)
        case .linkGrant(let grant): HalfID(client: grant.client, attempt: 0)
        }
    }

    package var client: UInt32 { half.client }
}

/// The classes of the events that gateways know, as they come in one nanosecond.
///
/// Within a class, whoever makes an order gives its own number as the source and counts what it sends.
package enum GatewayEventClass {
    /// A gateway goes down or comes up again: before anything else of that moment, at the desk and in the shards.
    package static let restart: UInt8 = 0
    package static let jobEnd: UInt8 = 1
    package static let report: UInt8 = 2
    package static let arrival: UInt8 = 3
    package static let booking: UInt8 = 4
    package static let completion: UInt8 = 5
}

/// A packet at the gateway's network interface: its header's fields, and where its octets are.
package struct PacketArrival: Sendable, BitwiseCopyable {
    package var order: EventOrder
    /// The half that the sender means; a known SPI of another one of the same client overrides it.
    package var half: HalfID
    /// The sender's home: the number of its part in the simulator.
    package var shard: UInt32
    /// The octets' handle in the home shard; it comes back in the completion, once for each arrival.
    package var packet: UInt32
    package var source: UDPEndpoint
    package var byteCount: UInt32
    package var exchange: ExchangeType
    package var messageID: MessageID
    package var isResponse: Bool
    /// The gateway's own SPI in the header; zero in the first IKE_SA_INIT.
    package var spi: IKESPI
    package var note: PacketNote

    package init(
        order: EventOrder,
        half: HalfID,
        shard: UInt32,
        packet: UInt32,
        source: UDPEndpoint,
        byteCount: UInt32,
        exchange: ExchangeType,
        messageID: MessageID,
        isResponse: Bool,
        spi: IKESPI,
        note: PacketNote
    ) {
        self.order = order
        self.half = half
        self.shard = shard
        self.packet = packet
        self.source = source
        self.byteCount = byteCount
        self.exchange = exchange
        self.messageID = messageID
        self.isResponse = isResponse
        self.spi = spi
        self.note = note
    }
}

/// An ESP packet that has come to the gateway, from outside or from behind it.
package struct ESPArrival: Sendable, BitwiseCopyable {
    package var order: EventOrder
    package var client: UInt32
    package var shard: UInt32
    /// What the home shard calls it; it comes back in the completion.
    package var packet: UInt32
    /// From outside of the ESP packet, from behind of the IP packet.
    package var byteCount: UInt32
    /// Whether it comes from behind the gateway, to be sealed.
    package var isFromBehind: Bool

    package init(
        order: EventOrder,
        client: UInt32,
        shard: UInt32,
        packet: UInt32,
        byteCount: UInt32,
        isFromBehind: Bool
    ) {
        self.order = order
        self.client = client
        self.shard = shard
        self.packet = packet
        self.byteCount = byteCount
        self.isFromBehind = isFromBehind
    }
}

/// A subscriber of a shared NAT asks for ports, or gives back those that it has.
package struct PortRequest: Sendable, BitwiseCopyable {
    package var order: EventOrder
    package var client: UInt32
    package var shard: UInt32
    /// What is given back; nil asks for a block.
    package var returned: PortBlock?

    package init(order: EventOrder, client: UInt32, shard: UInt32, returned: PortBlock?) {
        self.order = order
        self.client = client
        self.shard = shard
        self.returned = returned
    }
}

/// What a subscriber of a shared NAT gets: nothing where no block is left.
package struct PortGrant: Sendable, BitwiseCopyable {
    package var order: EventOrder
    package var client: UInt32
    package var block: PortBlock?

    package init(order: EventOrder, client: UInt32, block: PortBlock?) {
        self.order = order
        self.client = client
        self.block = block
    }
}

/// A datagram comes to a link that all clients of its path share; the datagram itself stays in its shard.
package struct LinkRequest: Sendable, BitwiseCopyable {
    package var order: EventOrder
    package var client: UInt32
    package var shard: UInt32
    /// The datagram's place in its shard.
    package var datagram: UInt32
    /// With all headers up to IP's.
    package var byteCount: UInt32
    /// Whether it goes to the gateway: a link has a queue for each direction.
    package var isToGateway: Bool

    package init(
        order: EventOrder,
        client: UInt32,
        shard: UInt32,
        datagram: UInt32,
        byteCount: UInt32,
        isToGateway: Bool
    ) {
        self.order = order
        self.client = client
        self.shard = shard
        self.datagram = datagram
        self.byteCount = byteCount
        self.isToGateway = isToGateway
    }
}

/// What a shared link does with a datagram.
package struct LinkGrant: Sendable, BitwiseCopyable {
    package var order: EventOrder
    package var client: UInt32
    package var datagram: UInt32
    /// When its last byte leaves the link; nil where the queue had no room for it.
    package var departure: Instant?

    package init(order: EventOrder, client: UInt32, datagram: UInt32, departure: Instant?) {
        self.order = order
        self.client = client
        self.datagram = datagram
        self.departure = departure
    }
}

/// What a half is after it has handled a packet or a timer: one report for each completion that it was given.
package struct HalfReport: Sendable, BitwiseCopyable {
    /// What has become of the half.
    package enum Transition: UInt8, Sendable, BitwiseCopyable {
        case none
        /// It answered IKE_SA_INIT and waits for IKE_AUTH.
        case halfOpened
        case established
        /// It is gone: deleted, expired, failed.
        case ended
        /// It refused IKE_SA_INIT and left no state.
        case refused
    }

    package var order: EventOrder
    package var half: HalfID
    /// The half's home: the number of its part in the simulator.
    package var shard: UInt32
    /// `RestartSchedule.bootCount` when the report was sent; the desk ignores a report from an earlier boot.
    package var boot: UInt32
    package var transition: Transition
    /// The gateway's SPI of the IKE SA in use, `.zero` while there is none; a rekey changes it.
    package var spi: IKESPI
    /// By how many the half has more Child SAs than at its last report; when it ended, all that it had are gone.
    package var childSAChange: Int16 = 0
    /// The half's next timer, `.never` for none; it takes the place of the one that was booked before.
    package var deadline = Instant.never
    /// Counts the half's bookings: greater than that of the last report whenever deadline or price changed, the first
    /// one 1. The completion of the timer carries it, so that the half knows a timer that is no longer wanted.
    package var generation: UInt32 = 0
    /// What the timer will do, for its price.
    package var operation = PricedOperation.ownRequest
    /// The key exchange of the request that the timer will begin, if it has one.
    package var keyExchange: KeyExchangeMethod?

    package init(
        order: EventOrder,
        half: HalfID,
        shard: UInt32,
        boot: UInt32,
        transition: Transition = .none,
        spi: IKESPI = .zero
    ) {
        self.order = order
        self.half = half
        self.shard = shard
        self.boot = boot
        self.transition = transition
        self.spi = spi
    }
}

/// What the home shard is to do with a packet or a timer, and when: at the order's time.
package struct JobCompletion: Sendable, BitwiseCopyable {
    package enum Action: Hashable, Sendable, BitwiseCopyable {
        /// The half takes the packet; an IKE_SA_INIT request whose half does not exist yet makes it.
        case handle
        /// The same, but nobody who decides about EAP has answered.
        case handleWithoutBackend
        /// The packet is an IKE_SA_INIT request whose cookie has to be true; if it is not, a new one is demanded and
        /// the half reports `refused`.
        case handleIfCookieIsTrue
        /// IKE_SA_INIT is answered with a cookie demand, without state and without a report.
        case demandCookie
        /// The sender is told that there is no such IKE SA, without a report.
        case refuseUnknown
        /// The packet goes no further; there is no report.
        case drop(DropReason)
        /// The half's timer of this generation is due: it advances. There is no packet.
        case timer(generation: UInt32)
        /// An ESP packet from outside has had its core.
        case openPacket
        /// A packet from behind has had its core; its place among those that wait is in the place of a handle.
        case sealPacket
        /// An ESP packet got no core.
        case losePacket(DropReason, isFromBehind: Bool)
    }

    package var order: EventOrder
    package var half: HalfID
    /// The packet's handle; 0 for a timer.
    package var packet: UInt32
    package var action: Action
    /// The inner addresses that IKE_AUTH may assign, none where the pools have none.
    package var lease = InnerAddresses()
}

/// Why a desk let a packet go no further.
package enum DropReason: UInt8, Hashable, Sendable, BitwiseCopyable, CaseIterable {
    /// The receive queue had no room.
    case queueFull
    /// The gateway was down, or went down before the packet was handled.
    case down
    /// Its address had too many half-open IKE SAs.
    case tooManyHalfOpenOfSource
    /// There were too many half-open IKE SAs.
    case tooManyHalfOpen
    /// The same request is in work already.
    case inWork
    /// A request whose message ID is older than the last one.
    case old
    /// No IKE SA has this SPI.
    case unknownSPI
    /// It came from a sender who is not the IKE SA's peer.
    case forged
    /// It opens nothing and belongs to nothing: a response to IKE_SA_INIT, an exchange that is unknown.
    case useless
    /// A NAT keepalive, which has done its work when it arrives (RFC 3948 section 4).
    case keepalive
}
