import ESP
import Gateway
import IKECrypto
import IKEWire
import IKEv2
import Primitives
import UDPTransport

/// What is behind our responder: a host at every address, which sends back what it gets, UDP datagrams and ICMP echo
/// requests (RFC 862, RFC 792, RFC 4443 section 4.2), and is the other end of one-way flows at the port of the discard
/// protocol (RFC 863).
///
/// A peer has an end of its tunnel here from its first packet on, so that peers that send none cost nothing.
struct EchoHost: ~Copyable {
    private var tunnels = SlotTable<Tunnel>()
    private var byOwner = SPITable()
    /// How many packets it has sent back.
    private(set) var answeredCount: UInt64 = 0
    /// How many packets of one-way flows have come, and how many it has sent of them.
    private(set) var sunkCount: UInt64 = 0
    private(set) var orderedCount: UInt64 = 0
    /// How many packets of a Child SA were dropped for what they are.
    private(set) var drops = DropTally()
    private var sink: FlowSink<Peer>
    private var buffer: [UInt8] = []

    /// Where packets of a one-way flow go: whose tunnel, and an inner packet but for its data.
    private struct Peer: Hashable {
        var owner: UInt64
        var packet: InnerPacket
    }

    /// Not private: a debug build names it in other files.
    struct Tunnel: ~Copyable {
        let owner: UInt64
        var end: TunnelEnd
        /// What the Child SAs receive that it goes by.
        var childSPIs: [ChildSPI] = []
    }

    private let lifetime: Lifetime
    private let seed: UInt64
    private let windowSize: Int

    /// - Parameters:
    ///   - lifetime: of Child SAs, of which the volume counts here.
    ///   - seed: for its jitter.
    ///   - windowSize: of its anti-replay windows.
    init(_ lifetime: Lifetime, seed: UInt64, windowSize: Int, clock: MonotonicClock) {
        self.lifetime = lifetime
        self.seed = seed
        self.windowSize = windowSize
        sink = FlowSink(clock: clock)
    }

    /// Takes an ESP packet, and has what answers it sent; false where it is not its peer's.
    mutating func take(
        _ octets: inout [UInt8],
        from spi: ChildSPI,
        of owner: UInt64,
        _ fleet: borrowing ResponderFleet,
        _ turn: borrowing Turn,
        send: (ArraySlice<UInt8>) -> Void
    ) -> Bool {
        let id = followed(owner, fleet)
        do throws(PacketDrop) {
            let opened = try tunnels[id].end.open(&octets, from: spi, turn.cryptography)
            if let packet = opened.packet, case .udp(_, Self.discardPort) = packet.content {
                sink(octets, opened, Peer(owner: owner, packet: packet.reply), id, turn, send)
            } else if let sealed = tunnels[id].end.answer(opened, in: &octets, from: spi, turn.cryptography) {
                answeredCount += 1
                send(octets[..<sealed])
            }
            return true
        } catch {
            drops.count(error)
            return error == .dummy
        }
    }

    /// Takes a packet of a one-way flow, or a poll of its sender.
    private mutating func sink(
        _ octets: [UInt8],
        _ opened: TunnelEnd.Opened,
        _ peer: Peer,
        _ id: SlotID,
        _ turn: borrowing Turn,
        _ send: (ArraySlice<UInt8>) -> Void
    ) {
        if let mark = opened.mark {
            sunkCount += 1
            return sink.take(mark, from: peer, at: turn.now)
        }
        guard let poll = try? FlowPoll(decoding: octets.rawSpan.extracting(opened.data)) else { return }
        // Whoever pads what he asks is answered alike.
        let looking = opened.data.count + peer.packet.headerByteCount + opened.tfcByteCount
        let padding = opened.tfcByteCount > 0 ? looking : 0
        for answer in sink.answer(poll, from: peer, at: turn.now) {
            var writer = ByteWriter()
            answer.write(into: &writer)
            guard
                let sealed = tunnels[id].end.seal(
                    writer.bytes,
                    in: peer.packet,
                    padding: padding,
                    into: &buffer,
                    turn.cryptography
                )
            else { return }
            send(buffer[..<sealed])
        }
    }

    /// When the next packet is due that was ordered.
    var due: Instant { mutating get { sink.due } }

    /// Seals the packets that are due, each for its peer.
    mutating func sendDue(
        _ fleet: borrowing ResponderFleet,
        _ turn: borrowing Turn,
        send: (_ owner: UInt64, ArraySlice<UInt8>) -> Void
    ) {
        while let packet = sink.takeDue(at: turn.now) {
            let owner = packet.peer.owner
            guard fleet.hasPeer(owner) else { continue }
            let id = followed(owner, fleet)
            guard
                let sealed = tunnels[id].end.seal(
                    packet.mark,
                    in: packet.peer.packet,
                    byteCount: packet.byteCount,
                    into: &buffer,
                    turn.cryptography
                )
            else { continue }
            orderedCount += 1
            send(owner, buffer[..<sealed])
        }
    }

    /// The end of a peer's tunnel, with the Child SAs that there are now.
    ///
    /// A new one is sent on before anything has come on it, where the rekey began here (RFC 7296 section 2.8).
    private mutating func followed(_ owner: UInt64, _ fleet: borrowing ResponderFleet) -> SlotID {
        let id = tunnel(of: owner)
        let present = fleet.childSPIs(of: owner)
        if present != tunnels[id].childSPIs {
            tunnels[id].childSPIs = present
            tunnels[id].end.follow { body in fleet.forEachChild(of: owner, body) }
        }
        return id
    }

    private static var discardPort: UInt16 { 9 }

    /// The next Child SA of a peer that has carried what it may.
    mutating func takeSpent(of owner: UInt64) -> ChildSPI? {
        byOwner[Self.key(of: owner)].flatMap { tunnels[SlotID(packed: $0)].end.takeSpent() }
    }

    private mutating func tunnel(of owner: UInt64) -> SlotID {
        if let known = byOwner[Self.key(of: owner)] { return SlotID(packed: known) }
        let volume = VolumeLifetime(lifetime, seed: seed, entity: owner)
        let end = TunnelEnd(isGateway: true, volume: volume, windowSize: windowSize)
        let id = tunnels.insert(Tunnel(owner: owner, end: end))
        byOwner.update(id.packed, for: Self.key(of: owner))
        return id
    }

    /// A key is not 0, which the first owner may be.
    private static func key(of owner: UInt64) -> UInt64 { owner + 1 }

    /// Forgets the tunnels of peers that have gone, and flows that nobody asks about.
    mutating func prune(at now: Instant, _ isThere: (UInt64) -> Bool) {
        sink.prune(at: now)
        for index in 0..<tunnels.indexLimit {
            guard let id = tunnels.id(at: index), !isThere(tunnels[id].owner) else { continue }
            byOwner.remove(Self.key(of: tunnels[id].owner))
            _ = tunnels.remove(id)
        }
    }
}
