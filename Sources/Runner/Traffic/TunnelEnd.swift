import BasicContainers
import ESP
import IKECrypto
import IKEWire
import IKEv2
import Primitives

/// What one end of a tunnel seals and opens packets by: the Child SAs of its IKE SAs with one peer.
///
/// Over a rekey the old Child SA and its successor receive side by side. Who began the rekey sends on the successor at
/// once; the other end does so when a packet has come on it, or when the old one is gone (RFC 7296 section 2.8).
struct TunnelEnd: ~Copyable {
    private var senders = UniqueArray<Sender>()
    private(set) var database = SADatabase()

    /// An outbound SA, and whom its packets are from and to.
    ///
    /// Not private: a debug build names this type in other files, where it destroys an array of it.
    struct Sender: ~Copyable {
        /// What its Child SA receives.
        let inbound: ChildSPI
        var sa: OutboundSA
        let ends: InnerEnds?
        var isReady: Bool
    }

    /// Whether there is a Child SA to send on.
    var canSend: Bool { senders.count > 0 }

    /// Takes over the Child SAs as they are by now.
    mutating func follow(_ sas: (_ body: (borrowing ChildSA) -> Void) -> Void) {
        var present: [ChildSPI] = []
        sas { child in
            present.append(child.inbound)
            if !database.contains(child.inbound) { install(child) }
        }
        var index = 0
        while index < senders.count {
            if present.contains(senders[index].inbound) {
                index += 1
            } else {
                _ = database.remove(senders[index].inbound)
                _ = senders.remove(at: index)
            }
        }
        if senders.count > 0, sender == nil { senders[senders.count - 1].isReady = true }
    }

    private mutating func install(_ child: borrowing ChildSA) {
        let pair = SAPair(
            inbound: child.inbound,
            outbound: child.outbound,
            mode: child.isTransport ? .transport : .tunnel,
            algorithms: PacketAlgorithms(child.suite),
            keys: child.keys,
            isExchangeInitiator: child.isExchangeInitiator,
            windowSize: Self.windowSize
        )
        senders.append(
            Sender(
                inbound: child.inbound,
                sa: pair.install(in: &database),
                ends: InnerEnds(child),
                isReady: child.isExchangeInitiator
            )
        )
    }

    /// The place of the latest SA that may be sent on.
    private var sender: Int? {
        var found: Int?
        for index in 0..<senders.count where senders[index].isReady { found = index }
        return found
    }

    /// Seals a packet with so much data behind its headers; nil where there is nothing to send it with.
    mutating func seal(
        _ mark: FlowMark,
        byteCount: Int,
        into buffer: inout [UInt8],
        _ cryptography: borrowing Cryptography
    ) -> Int? {
        guard let index = sender, let ends = senders[index].ends else { return nil }
        let packet = InnerPacket(source: ends.own, destination: ends.peer, content: Self.content)
        let isTransport = senders[index].sa.mode == .transport
        let offset = senders[index].sa.payloadOffset
        let headers = packet.headerByteCount
        let dataByteCount = max(byteCount - headers, FlowMark.byteCount)
        let payloadByteCount = dataByteCount + (isTransport ? InnerPacket.transportHeaderByteCount : headers)
        let needed = senders[index].sa.packetByteCount(payloadByteCount: payloadByteCount)
        if buffer.count < needed { buffer.append(contentsOf: repeatElement(0, count: needed - buffer.count)) }
        var span = buffer.mutableSpan
        // SAFETY: any octets are an integer.
        var octets = unsafe span.mutableBytes
        let start = offset + payloadByteCount - dataByteCount
        var data = octets._mutatingExtracting(start..<start + dataByteCount)
        mark.write(into: &data)
        // The buffer has what was sealed before.
        for index in FlowMark.byteCount..<dataByteCount { data.storeBytes(of: 0, toByteOffset: index, as: UInt8.self) }
        var payload = octets._mutatingExtracting(offset..<offset + payloadByteCount)
        if isTransport {
            packet.writeTransport(into: &payload)
        } else {
            _ = packet.write(into: &payload, dataByteCount: dataByteCount)
        }
        let next = isTransport ? packet.transport : packet.family
        // A Child SA whose numbers are used up sends no more; its rekey was due long before.
        return try? senders[index].sa.seal(&octets, payloadByteCount: payloadByteCount, next: next, cryptography)
    }

    /// Opens a packet and reads its mark.
    mutating func open(
        _ octets: inout [UInt8],
        from spi: ChildSPI,
        _ cryptography: borrowing Cryptography
    ) throws(PacketDrop) -> FlowMark {
        var span = octets.mutableSpan
        // SAFETY: as above.
        var packet = unsafe span.mutableBytes
        let received = try database.open(&packet, cryptography)
        for index in 0..<senders.count where senders[index].inbound == spi { senders[index].isReady = true }
        let payload = packet.bytes.extracting(received.payload)
        let mark: FlowMark?
        switch received.next {
        case .ipv4, .ipv6:
            let inner = try? InnerPacket.decode(payload)
            mark = inner.flatMap { try? FlowMark(decoding: payload.extracting($0.data)) }
        default:
            mark = try? FlowMark(decoding: payload.extracting(droppingFirst: InnerPacket.transportHeaderByteCount))
        }
        guard let mark else { throw .malformed }
        return mark
    }

    private static let windowSize = 64
    /// The discard protocol (RFC 863).
    private static let content = InnerPacket.Content.udp(sourcePort: 9, destinationPort: 9)
}

/// Whom a Child SA's packets are from and to: the first addresses of its selectors that go together.
struct InnerEnds {
    let own: IPAddress
    let peer: IPAddress

    init?(_ child: borrowing ChildSA) {
        for own in child.localSelectors {
            for peer in child.remoteSelectors where own.startAddress.isIPv4 == peer.startAddress.isIPv4 {
                self.own = Self.host(of: own)
                self.peer = Self.host(of: peer)
                return
            }
        }
        return nil
    }

    /// The first address of a range that a host can have: the one behind the network's own.
    private static func host(of selector: TrafficSelector) -> IPAddress {
        let (start, end) = (selector.startAddress, selector.endAddress)
        guard start != end else { return start }
        return start.isIPv4 ? IPAddress(v4: start.v4 + 1) : IPAddress(high: start.high, low: start.low + 1)
    }
}
