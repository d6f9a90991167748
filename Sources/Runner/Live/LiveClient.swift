import IKEv2
import Load
import Primitives
import Simulation

/// A client of a live run, with the way between it and the network.
struct LiveClient: ~Copyable {
    var client: Client
    var plan: ClientPlan
    var values: LivePlan.ClientValues
    var path: Int
    let gateway: Int
    /// Its gateway, at the address that the client goes to.
    var target: LiveTarget
    /// The NAT that the client sits behind, as its path says.
    var nat: NAT?
    /// Which slot each outer port of the NAT goes by, the newest last.
    var mappings: [Mapping] = []
    var up: Flow
    var down: Flow
    /// What flows through its tunnels.
    var traffic: Box<LiveTraffic>?
    /// Up to when the client knows what its packets say.
    var trafficNoted = Instant.zero
    /// What it is doing, as far as ceilings count it.
    var isConnecting = false
    var attemptsSeen: UInt32 = 0
    /// A ceiling holds its next attempt back, and that is counted.
    var isHeldBack = false
    /// It waits for an operation that is carried out with those of others.
    var isWaiting = false
    /// How often its Delete at the end of the run was sent again.
    var deleteRetries: UInt8 = 0

    struct Mapping: Hashable, Sendable {
        var outerPort: UInt16
        var innerPort: UInt16
        var slot: Int
    }

    /// The slot of an outer port; a port that is new gets the next slot.
    ///
    /// Every new port of a real NAT is a new source port here as well: that is all that the gateway sees of it.
    mutating func slot(of outerPort: UInt16, innerPort: UInt16) -> Int {
        if let index = mappings.lastIndex(where: { $0.outerPort == outerPort && $0.innerPort == innerPort }) {
            return mappings[index].slot
        }
        let earlier = mappings.reduce(0) { $0 + ($1.slot >= 2 ? 1 : 0) }
        let isFirst = !mappings.contains { $0.innerPort == innerPort }
        let slot =
            isFirst ? (innerPort == Self.encapsulatedPort ? 1 : 0) : 2 + earlier % Self.extraSlots
        if mappings.count >= Self.rememberedMappings { mappings.removeFirst() }
        mappings.append(Mapping(outerPort: outerPort, innerPort: innerPort, slot: slot))
        return slot
    }

    /// The outer port that stands behind a slot.
    func outerPort(ofSlot slot: Int, isEncapsulated: Bool) -> UInt16? {
        mappings.last { $0.slot == slot && ($0.innerPort == Self.encapsulatedPort) == isEncapsulated }?.outerPort
    }

    /// The ports behind the NAT, where they are those of RFC 7296.
    static var plainPort: UInt16 { 500 }
    static var encapsulatedPort: UInt16 { 4500 }
    /// The address behind the NAT.
    static var innerAddress: IPAddress { IPAddress(v4: 0xC0A8_0002) }
    private static var extraSlots: Int { 30 }
    private static var rememberedMappings: Int { 64 }
}
