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
    private var tunnels: [UInt64: Tunnel] = [:]
    /// How many packets it has sent back.
    private(set) var answeredCount: UInt64 = 0
    /// How many packets were of a Child SA, and were dropped for what they are.
    private(set) var droppedCount: UInt64 = 0

    private final class Tunnel {
        var end = TunnelEnd(isGateway: true)
    }

    /// Takes an ESP packet, and puts the answer into its place; nil where there is none.
    mutating func answer(
        _ octets: inout [UInt8],
        from spi: ChildSPI,
        of owner: UInt64,
        _ fleet: borrowing ResponderFleet,
        _ cryptography: borrowing Cryptography
    ) -> Answer {
        let tunnel = tunnels[owner] ?? Tunnel()
        tunnels[owner] = tunnel
        if !tunnel.end.database.contains(spi) { tunnel.end.follow { body in fleet.forEachChild(of: owner, body) } }
        do throws(PacketDrop) {
            let opened = try tunnel.end.open(&octets, from: spi, cryptography)
            let sealed = tunnel.end.answer(opened, in: &octets, from: spi, cryptography)
            if sealed != nil { answeredCount += 1 }
            return .authentic(sealed)
        } catch {
            droppedCount += 1
            return .dropped
        }
    }

    enum Answer {
        /// The packet was its peer's; so long is what is to be sent back, if anything is.
        case authentic(Int?)
        case dropped
    }

    /// Forgets the tunnels of peers that have gone.
    mutating func prune(_ isThere: (UInt64) -> Bool) {
        for owner in tunnels.keys where !isThere(owner) { tunnels[owner] = nil }
    }
}
