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
    private let windowSize: Int
    private let number: SequenceNumber
    /// The Child SAs whose soft lifetime in packets or octets has ended, or whose numbers soon will, for the driver.
    private var spent: [ChildSPI] = []
    /// When the last authentic packet came, and when the last one left.
    var heardAt = Instant.zero
    var sentAt = Instant.zero

    /// - Parameters:
    ///   - windowSize: How many numbers its anti-replay windows are wide: a power of two from 32 to 4096.
    ///   - number: What its SAs begin behind; anything but 0 is for tests.
    init(isGateway: Bool, volume: VolumeLifetime?, windowSize: Int, behind number: SequenceNumber = .zero) {
        self.isGateway = isGateway
        self.volume = volume
        self.windowSize = windowSize
        self.number = number
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
        /// What it carries in either direction before it is spent; once it is, as much as there is.
        var limit: Lifetime.Volume
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
            windowSize: windowSize,
            number: number
        )
        let outbound = pair.install(in: &database)
        let limit = limit(of: outbound, child.inbound)
        senders.append(
            Sender(
                inbound: child.inbound,
                sa: outbound,
                ends: InnerEnds(child, isGateway: isGateway),
                isReady: child.isExchangeInitiator,
                limit: limit
            )
        )
    }

    /// What a Child SA carries before it is spent: by its lifetime, but never so much that its numbers could end before
    /// its rekey is done (RFC 4303 section 3.3.3).
    private func limit(of sa: borrowing OutboundSA, _ inbound: ChildSPI) -> Lifetime.Volume {
        var limit = volume?.drawn(for: inbound) ?? Lifetime.Volume()
        let remaining = sa.remainingCount
        limit.packets = min(limit.packets, remaining - min(remaining, Self.reservedNumbers))
        return limit
    }

    /// The next Child SA that has carried what it may.
    mutating func takeSpent() -> ChildSPI? { spent.popLast() }

    /// Looks how much a Child SA has carried.
    private mutating func note(_ used: Usage, of index: Int) {
        let limit = senders[index].limit
        guard used.packets >= limit.packets || used.octets >= limit.octets else { return }
        senders[index].limit = Lifetime.Volume()
        spent.append(senders[index].inbound)
    }

    /// The place of the latest SA that may be sent on.
    private var sender: Int? {
        var found: Int?
        for index in 0..<senders.count where senders[index].isReady { found = index }
        return found
    }

    /// Seals a packet of a flow; nil where there is nothing to send it with.
    ///
    /// - Parameter mark: Nil for a dummy that looks like the others, which the other end drops (RFC 4303 section 2.6).
    mutating func seal(
        _ mark: FlowMark?,
        _ form: FlowForm,
        byteCount: Int,
        into buffer: inout [UInt8],
        _ cryptography: borrowing Cryptography
    ) -> Int? {
        guard let index = sender, let packet = senders[index].ends.packet(form, mark?.number ?? 0) else {
            return nil
        }
        let padding = form.padding
        return seal(mark, in: packet, byteCount: byteCount, padding, by: index, into: &buffer, cryptography)
    }

    /// Seals a packet of a flow from an end that is known by a packet that came from the other.
    ///
    /// - Parameter padding: How long it is to look at least, the inner IP header included.
    mutating func seal(
        _ mark: FlowMark?,
        in packet: InnerPacket,
        byteCount: Int,
        padding: Int = 0,
        into buffer: inout [UInt8],
        _ cryptography: borrowing Cryptography
    ) -> Int? {
        guard let index = sender else { return nil }
        return seal(mark, in: packet, byteCount: byteCount, padding, by: index, into: &buffer, cryptography)
    }

    /// Seals a message that is of no flow.
    mutating func seal(
        _ message: [UInt8],
        in packet: InnerPacket,
        padding: Int = 0,
        into buffer: inout [UInt8],
        _ cryptography: borrowing Cryptography
    ) -> Int? {
        guard let index = sender else { return nil }
        return seal(packet, dataByteCount: message.count, padding, by: index, into: &buffer, cryptography) { data in
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
        return seal(message, in: packet, padding: form.padding, into: &buffer, cryptography)
    }

    private mutating func seal(
        _ mark: FlowMark?,
        in packet: InnerPacket,
        byteCount: Int,
        _ padding: Int,
        by index: Int,
        into buffer: inout [UInt8],
        _ cryptography: borrowing Cryptography
    ) -> Int? {
        // Whatever a dummy holds is padding, so that none follows it.
        let byteCount = mark == nil ? max(byteCount, padding) : byteCount
        let dataByteCount = max(byteCount - packet.headerByteCount, FlowMark.byteCount)
        let filled = FlowMark.byteCount
        return seal(
            packet,
            dataByteCount: dataByteCount,
            filledByteCount: filled,
            padding,
            isDummy: mark == nil,
            by: index,
            into: &buffer,
            cryptography
        ) { data in
            mark?.write(into: &data)
            // The buffer has what was sealed before.
            unsafe data.withUnsafeMutableBytes { data in
                let filled = mark == nil ? 0 : FlowMark.byteCount
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: data[filled...])
                unsafe _ = rest.initializeMemory(as: UInt8.self, repeating: 0)
            }
        }
    }

    @inline(__always)
    private mutating func seal(
        _ packet: InnerPacket,
        dataByteCount: Int,
        filledByteCount: Int? = nil,
        _ padding: Int,
        isDummy: Bool = false,
        by index: Int,
        into buffer: inout [UInt8],
        _ cryptography: borrowing Cryptography,
        write: (inout MutableRawSpan) -> Void
    ) -> Int? {
        let isTransport = senders[index].sa.mode == .transport
        let offset = senders[index].sa.payloadOffset
        let headers = packet.headerByteCount
        let payloadByteCount = dataByteCount + (isTransport ? InnerPacket.transportHeaderByteCount : headers)
        let paddedByteCount = payloadByteCount + max(0, padding - headers - dataByteCount)
        let needed = senders[index].sa.packetByteCount(payloadByteCount: paddedByteCount)
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
        let next = isDummy ? .none : isTransport ? packet.transport : packet.family
        // A Child SA whose numbers are used up sends no more; its rekey was due long before.
        let sealed = try? senders[index].sa.seal(
            &octets,
            payloadByteCount: payloadByteCount,
            next: next,
            paddedByteCount: paddedByteCount,
            cryptography
        )
        note(senders[index].sa.usage, of: index)
        return sealed
    }

    /// A packet that was opened in place.
    struct Opened {
        /// Nil for what is of no flow of ours.
        let mark: FlowMark?
        /// What it is; nil where its checksum is over addresses that a NAT has changed (RFC 3948 section 3.1.2).
        let packet: InnerPacket?
        /// How many octets of TFC padding were behind it; what answers it has as many.
        let tfcByteCount: Int
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
        let received: ReceivedPacket
        do throws(PacketDrop) {
            received = try database.open(&packet, cryptography)
        } catch {
            // A dummy is as authentic as what is no dummy.
            if error == .dummy { senders[place(of: spi)].isReady = true }
            throw error
        }
        let index = place(of: spi)
        senders[index].isReady = true
        if volume != nil, let used = database.with(spi, { $0.usage }) { note(used, of: index) }
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
            tfcByteCount: received.tfcByteCount,
            payload: received.payload,
            data: start + data.lowerBound..<start + data.upperBound
        )
    }

    /// Seals the answer to a packet in its place, by the latest Child SA; nil where it gets none.
    ///
    /// A host behind a gateway does so: it sends back what was sent to it, and its gateway pads it as that was padded.
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
            paddedByteCount: opened.payload.count + opened.tfcByteCount,
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

    /// How many numbers are left when a rekey is due: a minute and more of a million packets a second.
    private static let reservedNumbers: UInt64 = 1 << 26
}
