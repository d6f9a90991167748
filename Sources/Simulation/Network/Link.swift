package import Primitives

/// A way through the network as all its clients share it: what happens to a packet, without whose packet it is.
///
/// A fault changes these values at its instant, and changes them back: `isUp`, or `loss`.
package struct Link: ~Copyable, Sendable {
    /// The run's seed.
    package var seed: UInt64
    package var latency: Latency
    package var loss: Loss
    package var duplication: Probability
    package var reordering: Reordering?
    /// The rate of each flow's own link, or of the one that all share, see `Flow.enter`.
    package var bandwidth: Bandwidth?
    package var mtu: MTU?
    package var isUp = true

    package init(
        seed: UInt64,
        latency: Latency,
        loss: Loss = .none,
        duplication: Probability = .zero,
        reordering: Reordering? = nil,
        bandwidth: Bandwidth? = nil,
        mtu: MTU? = nil
    ) {
        self.seed = seed
        self.latency = latency
        self.loss = loss
        self.duplication = duplication
        self.reordering = reordering
        self.bandwidth = bandwidth
        self.mtu = mtu
    }

    /// What becomes of one datagram.
    package enum Outcome: Hashable, Sendable, BitwiseCopyable {
        case arrives(Instant)
        /// Duplicated on the way; the copies arrive in either order.
        case arrivesTwice(Instant, Instant)
        case dropped(DropReason)
    }

    /// A datagram that is at a link which many flows share.
    package struct Passage: Hashable, Sendable, BitwiseCopyable {
        /// What the link has to send, with all headers up to IP's.
        package let byteCount: Int
        /// The number of its first IP packet in its flow.
        fileprivate let packet: UInt64
        fileprivate let isLost: Bool
    }

    /// Whether a datagram comes to a link that many flows share.
    package enum Entrance: Hashable, Sendable, BitwiseCopyable {
        case waits(Passage)
        case dropped(DropReason)
    }

    package enum DropReason: UInt8, Error, Hashable, Sendable, BitwiseCopyable, CaseIterable {
        case pathDown
        case overMTU
        case queueFull
        case lost
    }
}

/// One client's packets in one direction over a link: what the link must remember of them, in 40 bytes.
///
/// Every IP packet has a number, and each of its draws is that number's of the flow's stream for that purpose: a
/// changed parameter, or a fault, shifts no other draw.
package struct Flow: Hashable, Sendable, BitwiseCopyable {
    package enum Direction: UInt64, Hashable, Sendable {
        case toGateway
        case toClient
    }

    /// The stable name of the client's flow in this direction.
    package let name: UInt64
    /// The part of the delay that the client drew for both directions.
    package let clientDelay: Duration
    /// How many IP packets there were, above the bit that says whether a Gilbert-Elliott loss is in its bad state.
    private var counted: UInt64 = 0
    private var lastArrival = Instant.zero
    private var transmitter = Bandwidth.Transmitter()

    /// How many IP packets there were.
    package private(set) var packetCount: UInt64 {
        get { counted >> 1 }
        set { counted = newValue << 1 | counted & 1 }
    }

    private var isBad: Bool {
        get { counted & 1 != 0 }
        set { counted = counted & ~1 | (newValue ? 1 : 0) }
    }

    package init(client: UInt64, direction: Direction, over link: borrowing Link) {
        name = StableName.hash(of: client, direction.rawValue)
        var stream = RandomStream(seed: link.seed, entity: client, purpose: .clientDelay)
        clientDelay = link.latency.perClient.draw(from: &stream)
    }

    /// Sends a UDP payload of so many bytes; calls come in the order of `now`.
    package mutating func send(
        payloadByteCount: Int,
        isIPv4: Bool,
        at now: Instant,
        over link: borrowing Link
    ) -> Link.Outcome {
        let first = packetCount
        let byteCount: Int
        do throws(Link.DropReason) {
            byteCount = try begin(payloadByteCount, isIPv4: isIPv4, link)
        } catch {
            return .dropped(error)
        }
        var departure = now
        if let bandwidth = link.bandwidth {
            guard let sent = transmitter.send(byteCount: byteCount, at: now, over: bandwidth) else {
                return .dropped(.queueFull)
            }
            departure = sent
        }
        if loses(from: first, link) { return .dropped(.lost) }
        return outcome(of: first, departing: departure, link)
    }

    /// Brings a UDP payload of so many bytes to a link that many flows share; calls come in the order of sending.
    ///
    /// That it gets lost behind the link is decided here, where its turn among the flow's packets is known: it takes
    /// the link's time all the same.
    package mutating func enter(
        payloadByteCount: Int,
        isIPv4: Bool,
        over link: borrowing Link
    ) -> Link.Entrance {
        let first = packetCount
        do throws(Link.DropReason) {
            let byteCount = try begin(payloadByteCount, isIPv4: isIPv4, link)
            return .waits(Link.Passage(byteCount: byteCount, packet: first, isLost: loses(from: first, link)))
        } catch {
            return .dropped(error)
        }
    }

    /// Sends on what has left a link that many flows share; calls come in the order in which they entered.
    package mutating func leave(
        _ passage: Link.Passage,
        at departure: Instant,
        over link: borrowing Link
    ) -> Link.Outcome {
        passage.isLost ? .dropped(.lost) : outcome(of: passage.packet, departing: departure, link)
    }

    /// Numbers the IP packets of a UDP payload, and tells how many octets they are.
    @inline(__always)
    private mutating func begin(
        _ payloadByteCount: Int,
        isIPv4: Bool,
        _ link: borrowing Link
    ) throws(Link.DropReason) -> Int {
        guard let shape = MTU.shape(of: payloadByteCount, isIPv4: isIPv4, limit: link.mtu) else {
            packetCount += 1
            throw .overMTU
        }
        packetCount += UInt64(shape.packetCount)
        guard link.isUp else { throw .pathDown }
        return shape.byteCount
    }

    /// Each fragment meets the loss, also those behind one that is lost.
    @inline(__always)
    private mutating func loses(from first: UInt64, _ link: borrowing Link) -> Bool {
        var isLost = false
        for packet in first..<packetCount where loses(packet, link) { isLost = true }
        return isLost
    }

    @inline(__always)
    private mutating func outcome(
        of first: UInt64,
        departing departure: Instant,
        _ link: borrowing Link
    ) -> Link.Outcome {
        let arrival = arrival(of: first, departing: departure, .packetDelay, link)
        guard link.duplication > .zero, chance(link.duplication, .duplication, first, link.seed) else {
            return .arrives(arrival)
        }
        return .arrivesTwice(arrival, self.arrival(of: first, departing: departure, .duplicateDelay, link))
    }

    private mutating func loses(_ packet: UInt64, _ link: borrowing Link) -> Bool {
        switch link.loss {
        case .none:
            return false
        case .random(let probability):
            return chance(probability, .drop, packet, link.seed)
        case .gilbertElliott(let toBad, let toGood, let inGood, let inBad):
            if chance(isBad ? toGood : toBad, .lossState, packet, link.seed) { isBad.toggle() }
            return chance(isBad ? inBad : inGood, .drop, packet, link.seed)
        }
    }

    private mutating func arrival(
        of packet: UInt64,
        departing departure: Instant,
        _ purpose: Purpose,
        _ link: borrowing Link
    ) -> Instant {
        var arrival = departure + clientDelay
        if let jitter = link.latency.perPacket {
            var stream = RandomStream(seed: link.seed, entity: name, purpose: purpose, drawCount: packet)
            arrival += jitter.draw(from: &stream)
        }
        if let reordering = link.reordering, chance(reordering.share, .reordering, packet, link.seed) {
            return arrival + reordering.extraDelay
        }
        if link.latency.keepsOrder {
            arrival = max(arrival, lastArrival)
            lastArrival = arrival
        }
        return arrival
    }

    private func chance(_ probability: Probability, _ purpose: Purpose, _ packet: UInt64, _ seed: UInt64) -> Bool {
        var stream = RandomStream(seed: seed, entity: name, purpose: purpose, drawCount: packet)
        return stream.chance(probability)
    }
}
