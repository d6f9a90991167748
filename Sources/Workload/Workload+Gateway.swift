package import Primitives

extension Workload {
    /// A gateway: who it says it is, how it is configured, and how it is met in either world.
    package struct Gateway: Hashable, Sendable {
        package var name: String
        /// The identity that it shows in IKE_AUTH (IDr).
        package var identity: String
        package var policy: Policy
        /// The model for virtual time, or nil if the gateway is met in real time only.
        package var simulated: SimulatedGateway?
        /// Where it is in real time; empty if it exists in virtual time only.
        package var realAddresses: [IPAddress]
    }

    /// The gateway's own configuration: both ends rekey, so it shapes the storm.
    package struct Policy: Hashable, Sendable {
        package var authentication: Authentication
        package var proposals: Proposals
        package var lifetimes: Lifetimes
        package var halfOpen: HalfOpen
        /// Where INTERNAL_IP4_ADDRESS and INTERNAL_IP6_ADDRESS come from; empty refuses such requests.
        package var pool: [IPPrefix]
        /// What a client that asks for name servers is given.
        package var nameServers: [IPAddress]
        /// What a client that asks for subnets is given.
        package var subnets: [IPPrefix]
        /// How long an IKE SA is silent before the gateway asks whether the peer is alive; nil never asks.
        package var liveness: Duration?
        package var retransmission: Retransmission
        package var fragmentation = Fragmentation.never
        package var lifeCycle = LifeCyclePolicy()
        package var mobility = Mobility()
        /// Who decides about EAP; nil: the gateway itself.
        package var radius: RADIUS?
        /// What it narrows the initiator's traffic selectors for its own side to (RFC 7296 section 2.9).
        package var trafficSelectors: [IPPrefix]
        /// Whether it agrees to transport mode, between its outer address and the client's.
        package var mode = Mode.tunnel
        package var replayWindow = ReplayWindow()
    }

    /// Proposals in strongSwan's notation, in order of preference.
    package struct Proposals: Hashable, Sendable {
        package var ike: [String]
        package var child: [String]

        package init(ike: [String], child: [String]) {
            self.ike = ike
            self.child = child
        }
    }

    package struct Lifetimes: Hashable, Sendable {
        package var ike: Lifetime
        package var child: Lifetime
    }

    /// When an SA is rekeyed, and when it ends if that did not happen.
    package struct Lifetime: Hashable, Sendable {
        /// The soft lifetime before jitter; nil never rekeys.
        package var rekey: Duration?
        /// The share of `rekey` by which it is brought forward at random, as strongSwan's rand_time.
        package var jitter: Probability
        /// From `rekey` to the hard lifetime, at which the SA is deleted.
        package var over: Duration
        /// How many packets a Child SA carries in one direction before it is rekeyed, before jitter; nil: any number.
        package var packets: UInt64?
        /// How many octets of inner packets, likewise.
        package var bytes: UInt64?

        package init(
            rekey: Duration?,
            jitter: Probability,
            over: Duration,
            packets: UInt64? = nil,
            bytes: UInt64? = nil
        ) {
            self.rekey = rekey
            self.jitter = jitter
            self.over = over
            self.packets = packets
            self.bytes = bytes
        }

        /// Whether use makes a rekey due.
        package var hasVolume: Bool { packets != nil || bytes != nil }

        /// The hard lifetime, or nil if the SA does not expire.
        package var hard: Duration? { rekey.map { $0 + over } }
    }

    /// How a gateway defends itself against half-open IKE SAs; nil switches a limit off.
    package struct HalfOpen: Hashable, Sendable {
        /// Above this many in total, IKE_SA_INIT needs a cookie (RFC 7296 section 2.6).
        package var cookiesAbove: Int?
        package var cookiesAbovePerSource: Int?
        /// Above this many of one address, IKE_SA_INIT is dropped.
        package var refuseAbovePerSource: Int?
        /// Above this many in total, IKE_SA_INIT is dropped.
        package var refuseAbove: Int?
        /// A half-open IKE SA is forgotten after this.
        package var timeout: Duration
    }

    /// The model of a gateway in virtual time.
    package struct SimulatedGateway: Hashable, Sendable {
        /// The name of the model, for reports.
        package var model: String
        package var cores: Int
        /// The share of each job's time that only one core at a time can spend.
        package var serialShare: Probability
        package var costs: CostTableFile
        /// What any message between a shard and the front desk takes, exactly.
        package var internalLatency: Duration
        package var queuePackets: Int
        package var queueByteCount: Int
        /// Its outer addresses in virtual time: one of each family that its clients use.
        package var addresses: [IPAddress]
        /// Its own address behind a NAT that lets everything through; nil without one.
        package var behindNAT: IPAddress?
        /// What does its work on ESP; nil: that takes no time.
        package var esp: ESPPool?
    }
}
