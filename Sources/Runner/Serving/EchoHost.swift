import ESP
import Gateway
import IKECrypto
import IKEWire
import IKEv2
import Primitives

/// What is behind our responder: a host at every address, which sends back what it gets, UDP datagrams and ICMP echo
/// requests (RFC 862, RFC 792, RFC 4443 section 4.2).
///
/// A peer has an end of its tunnel here from its first packet on, so that peers that send none cost nothing.
struct EchoHost: ~Copyable {
    private var tunnels = SlotTable<Tunnel>()
    private var byOwner = SPITable()
    /// How many packets it has sent back.
    private(set) var answeredCount: UInt64 = 0
    /// How many packets were of a Child SA, and were dropped for what they are.
    private(set) var droppedCount: UInt64 = 0

    /// Not private: a debug build names it in other files.
    struct Tunnel: ~Copyable {
        let owner: UInt64
        var end: TunnelEnd
        /// What the Child SAs receive that it goes by.
        var childSPIs: [ChildSPI] = []
    }

    private let lifetime: Lifetime
    private let seed: UInt64

    /// - Parameters:
    ///   - lifetime: of Child SAs, of which the volume counts here.
    ///   - seed: for its jitter.
    init(_ lifetime: Lifetime, seed: UInt64) {
        self.lifetime = lifetime
        self.seed = seed
    }

    /// Takes an ESP packet, and puts the answer into its place; nil where there is none.
    mutating func answer(
        _ octets: inout [UInt8],
        from spi: ChildSPI,
        of owner: UInt64,
        _ fleet: borrowing ResponderFleet,
        _ cryptography: borrowing Cryptography
    ) -> Answer {
        let id = tunnel(of: owner)
        // A new one is sent on before anything has come on it, where the rekey began here (RFC 7296 section 2.8).
        let present = fleet.childSPIs(of: owner)
        if present != tunnels[id].childSPIs {
            tunnels[id].childSPIs = present
            tunnels[id].end.follow { body in fleet.forEachChild(of: owner, body) }
        }
        do throws(PacketDrop) {
            let opened = try tunnels[id].end.open(&octets, from: spi, cryptography)
            let sealed = tunnels[id].end.answer(opened, in: &octets, from: spi, cryptography)
            if sealed != nil { answeredCount += 1 }
            return .authentic(sealed)
        } catch {
            droppedCount += 1
            return .dropped
        }
    }

    /// The next Child SA of a peer that has carried what it may.
    mutating func takeSpent(of owner: UInt64) -> ChildSPI? {
        byOwner[Self.key(of: owner)].flatMap { tunnels[SlotID(packed: $0)].end.takeSpent() }
    }

    private mutating func tunnel(of owner: UInt64) -> SlotID {
        if let known = byOwner[Self.key(of: owner)] { return SlotID(packed: known) }
        let volume = VolumeLifetime(lifetime, seed: seed, entity: owner)
        let id = tunnels.insert(Tunnel(owner: owner, end: TunnelEnd(isGateway: true, volume: volume)))
        byOwner.update(id.packed, for: Self.key(of: owner))
        return id
    }

    /// A key is not 0, which the first owner may be.
    private static func key(of owner: UInt64) -> UInt64 { owner + 1 }

    enum Answer {
        /// The packet was its peer's; so long is what is to be sent back, if anything is.
        case authentic(Int?)
        case dropped
    }

    /// Forgets the tunnels of peers that have gone.
    mutating func prune(_ isThere: (UInt64) -> Bool) {
        for index in 0..<tunnels.indexLimit {
            guard let id = tunnels.id(at: index), !isThere(tunnels[id].owner) else { continue }
            byOwner.remove(Self.key(of: tunnels[id].owner))
            _ = tunnels.remove(id)
        }
    }
}
