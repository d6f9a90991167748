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
    private let isGateway: Bool
    private let volume: VolumeLifetime?
    /// The Child SAs whose soft lifetime in packets or octets has ended, for the driver to take.
    private var spent: [ChildSPI] = []
    /// When the last authentic packet came, and when the last one left.
    var heardAt = Instant.zero
    var sentAt = Instant.zero

    init(isGateway: Bool, volume: VolumeLifetime?) {
        self.isGateway = isGateway
        self.volume = volume
    }

    /// An outbound SA, and whom its packets are from and to.
    ///
    /// Not private: a debug build names this type in other files, where it destroys an array of it.
    struct Sender: ~Copyable {
        /// What its Child SA receives.
        let inbound: ChildSPI
        var sa: OutboundSA
        let ends: InnerEnds
        var isReady: Bool
        /// What it carries in either direction before it is spent; nil for as much as there is, or if it is spent.
        var volume: Lifetime.Volume?
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
                ends: InnerEnds(child, isGateway: isGateway),
                isReady: child.isExchangeInitiator,
                volume: volume?.drawn(for: child.inbound)
            )
        )
    }

    /// The next Child SA that has carried what it may.
    mutating func takeSpent() -> ChildSPI? { spent.popLast() }

    /// Looks how much a Child SA has carried.
    private mutating func note(_ used: Usage, of index: Int) {
        guard let volume = senders[index].volume, used.packets >= volume.packets || used.octets >= volume.octets else {
            return
        }
        senders[index].volume = nil
        spent.append(senders[index].inbound)
    }

    /// The place of the latest SA that may be sent on.
    private var sender: Int? {
        var found: Int?
        for index in 0..<senders.count where senders[index].isReady { found = index }
        return found
    }

    /// Seals a packet of a flow; nil where there is nothing to send it with.
    mutating func seal(
        _ mark: FlowMark,
        _ form: FlowForm,
        byteCount: Int,
        into buffer: inout [UInt8],
        _ cryptography: borrowing Cryptography
    ) -> Int? {
        guard let index = sender, let packet = senders[index].ends.packet(form, mark.number) else { return nil }
        return seal(mark, in: packet, byteCount: byteCount, by: index, into: &buffer, cryptography)
    }

    /// Seals a packet of a flow from an end that is known by a packet that came from the other.
    mutating func seal(
        _ mark: FlowMark,
        in packet: InnerPacket,
        byteCount: Int,
        into buffer: inout [UInt8],
        _ cryptography: borrowing Cryptography
    ) -> Int? {
        sender.flatMap { seal(mark, in: packet, byteCount: byteCount, by: $0, into: &buffer, cryptography) }
    }

    /// Seals a message that is of no flow.
    mutating func seal(
        _ message: [UInt8],
        in packet: InnerPacket,
        into buffer: inout [UInt8],
        _ cryptography: borrowing Cryptography
    ) -> Int? {
        guard let index = sender else { return nil }
        return seal(packet, dataByteCount: message.count, by: index, into: &buffer, cryptography) { data in
            for (place, octet) in message.enumerated() {
                data.storeBytes(of: octet, toByteOffset: place, as: UInt8.self)
            }
        }
    }

    /// Seals a message that is of no flow, to where a flow's packets go.
    mutating func seal(
        _ message: [UInt8],
        _ form: FlowForm,
        into buffer: inout [UInt8],
        _ cryptography: borrowing Cryptography
    ) -> Int? {
        guard let index = sender, let packet = senders[index].ends.packet(form, 0) else { return nil }
        return seal(message, in: packet, into: &buffer, cryptography)
    }

    private mutating func seal(
        _ mark: FlowMark,
        in packet: InnerPacket,
        byteCount: Int,
        by index: Int,
        into buffer: inout [UInt8],
        _ cryptography: borrowing Cryptography
    ) -> Int? {
        let dataByteCount = max(byteCount - packet.headerByteCount, FlowMark.byteCount)
        let filled = FlowMark.byteCount
        return seal(
            packet,
            dataByteCount: dataByteCount,
            filledByteCount: filled,
            by: index,
            into: &buffer,
            cryptography
        ) { data in
            mark.write(into: &data)
            // The buffer has what was sealed before.
            unsafe data.withUnsafeMutableBytes { data in
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: data[FlowMark.byteCount...])
                unsafe _ = rest.initializeMemory(as: UInt8.self, repeating: 0)
            }
        }
    }

    @inline(__always)
    private mutating func seal(
        _ packet: InnerPacket,
        dataByteCount: Int,
        filledByteCount: Int? = nil,
        by index: Int,
        into buffer: inout [UInt8],
        _ cryptography: borrowing Cryptography,
        write: (inout MutableRawSpan) -> Void
    ) -> Int? {
        let isTransport = senders[index].sa.mode == .transport
        let offset = senders[index].sa.payloadOffset
        let headers = packet.headerByteCount
        let payloadByteCount = dataByteCount + (isTransport ? InnerPacket.transportHeaderByteCount : headers)
        let needed = senders[index].sa.packetByteCount(payloadByteCount: payloadByteCount)
        if buffer.count < needed { buffer.append(contentsOf: repeatElement(0, count: needed - buffer.count)) }
        var span = buffer.mutableSpan
        // SAFETY: any octets are an integer.
        var octets = unsafe span.mutableBytes
        let start = offset + payloadByteCount - dataByteCount
        var data = octets._mutatingExtracting(start..<start + dataByteCount)
        write(&data)
        var payload = octets._mutatingExtracting(offset..<offset + payloadByteCount)
        if isTransport {
            packet.writeTransport(into: &payload, filledByteCount: filledByteCount)
        } else {
            _ = packet.write(into: &payload, dataByteCount: dataByteCount, filledByteCount: filledByteCount)
        }
        let next = isTransport ? packet.transport : packet.family
        // A Child SA whose numbers are used up sends no more; its rekey was due long before.
        let sealed = try? senders[index].sa.seal(&octets, payloadByteCount: payloadByteCount, next: next, cryptography)
        note(senders[index].sa.usage, of: index)
        return sealed
    }

    /// A packet that was opened in place.
    struct Opened {
        /// Nil for what is of no flow of ours.
        let mark: FlowMark?
        /// What it is; nil where its checksum is over addresses that a NAT has changed (RFC 3948 section 3.1.2).
        let packet: InnerPacket?
        fileprivate let payload: Range<Int>
        /// Where its data stands, behind all headers.
        let data: Range<Int>
    }

    /// Opens a packet and reads its mark, if it has one.
    ///
    /// - Parameter byteCount: how much of the octets it is: all unless said.
    mutating func open(
        _ octets: inout [UInt8],
        byteCount: Int? = nil,
        from spi: ChildSPI,
        _ cryptography: borrowing Cryptography
    ) throws(PacketDrop) -> Opened {
        var span = octets.mutableSpan
        // SAFETY: as above.
        var bytes = unsafe span.mutableBytes
        var packet = bytes._mutatingExtracting(first: byteCount ?? bytes.byteCount)
        let received = try database.open(&packet, cryptography)
        let index = place(of: spi)
        senders[index].isReady = true
        if senders[index].volume != nil, let used = database.with(spi, { $0.usage }) { note(used, of: index) }
        let payload = packet.bytes.extracting(received.payload)
        let inner: InnerPacket?
        let data: Range<Int>
        switch received.next {
        case .ipv4, .ipv6:
            guard let decoded = try? InnerPacket.decode(payload) else { throw .malformed }
            inner = decoded.packet
            data = decoded.data
        default:
            inner = senders[index].ends.received(payload, received.next)
            guard payload.byteCount >= InnerPacket.transportHeaderByteCount else { throw .malformed }
            data = InnerPacket.transportHeaderByteCount..<payload.byteCount
        }
        let start = received.payload.lowerBound
        return Opened(
            mark: try? FlowMark(decoding: payload.extracting(data)),
            packet: inner,
            payload: received.payload,
            data: start + data.lowerBound..<start + data.upperBound
        )
    }

    /// Seals the answer to a packet in its place, by the latest Child SA; nil where it gets none.
    ///
    /// A host behind a gateway does so: it sends back what was sent to it.
    mutating func answer(
        _ opened: Opened,
        in octets: inout [UInt8],
        from spi: ChildSPI,
        _ cryptography: borrowing Cryptography
    ) -> Int? {
        guard let reply = opened.packet?.reply else { return nil }
        if case .echoRequest = reply.content { return nil }
        var index = place(of: spi)
        // In its place there is room for what has the same algorithms, and so the same offsets.
        if let latest = sender, senders[latest].sa.algorithms == senders[index].sa.algorithms,
            senders[latest].sa.mode == senders[index].sa.mode
        {
            index = latest
        }
        let isTransport = senders[index].sa.mode == .transport
        var span = octets.mutableSpan
        // SAFETY: as above.
        var packet = unsafe span.mutableBytes
        var payload = packet._mutatingExtracting(opened.payload)
        if isTransport {
            reply.writeTransport(into: &payload)
        } else {
            _ = reply.write(into: &payload, dataByteCount: payload.byteCount - reply.headerByteCount)
        }
        let sealed = try? senders[index].sa.seal(
            &packet,
            payloadByteCount: opened.payload.count,
            next: isTransport ? reply.transport : reply.family,
            cryptography
        )
        note(senders[index].sa.usage, of: index)
        return sealed
    }

    /// The place of the pair of SAs that receives under an SPI.
    private func place(of spi: ChildSPI) -> Int {
        for index in 0..<senders.count where senders[index].inbound == spi { return index }
        preconditionFailure("an SA that receives has one that sends")
    }

    private static let windowSize = 64
}

/// What the packets of a flow are, but for what tells one from another.
struct FlowForm: Hashable, Sendable, BitwiseCopyable {
    enum Content: Hashable, Sendable, BitwiseCopyable {
        case udp(port: UInt16)
        case icmp(identifier: UInt16)
    }

    var content: Content
    /// The address behind the gateway, where the workload names one.
    var target: IPAddress?
}

/// Whom a Child SA's packets are from and to: by family, the first addresses of its selectors that go together.
struct InnerEnds {
    private var pairs: [(own: IPAddress, peer: IPAddress)] = []
    private let isGateway: Bool

    init(_ child: borrowing ChildSA, isGateway: Bool) {
        self.isGateway = isGateway
        for own in child.localSelectors {
            for peer in child.remoteSelectors where own.startAddress.isIPv4 == peer.startAddress.isIPv4 {
                guard !pairs.contains(where: { $0.own.isIPv4 == own.startAddress.isIPv4 }) else { continue }
                pairs.append((Self.host(of: own), Self.host(of: peer)))
            }
        }
    }

    /// A packet of a flow from this end; nil where no selectors are of its family.
    func packet(_ form: FlowForm, _ number: UInt64) -> InnerPacket? {
        let target = form.target
        guard var (own, peer) = pairs.first(where: { target == nil || $0.own.isIPv4 == target?.isIPv4 }) else {
            return nil
        }
        if let target { if isGateway { own = target } else { peer = target } }
        let content: InnerPacket.Content =
            switch form.content {
            case .udp(let port): .udp(sourcePort: port, destinationPort: port)
            case .icmp(let identifier):
                .echoRequest(identifier: identifier, number: UInt16(truncatingIfNeeded: number))
            }
        return InnerPacket(source: own, destination: peer, content: content)
    }

    /// What came in transport mode.
    fileprivate func received(_ message: RawSpan, _ next: IPProtocol) -> InnerPacket? {
        guard let (own, peer) = pairs.first else { return nil }
        return try? InnerPacket.decodeTransport(message, next, source: peer, destination: own)
    }

    /// The first address of a range that a host can have: the one behind the network's own.
    private static func host(of selector: TrafficSelector) -> IPAddress {
        let (start, end) = (selector.startAddress, selector.endAddress)
        guard start != end else { return start }
        return start.isIPv4 ? IPAddress(v4: start.v4 + 1) : IPAddress(high: start.high, low: start.low + 1)
    }
}
