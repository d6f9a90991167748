import Primitives

/// Takes UDP datagrams out of captured frames, and joins IP fragments (RFC 791, RFC 8200 section 4.5).
///
/// It waits for a bounded number of datagrams, each for a bounded time of the capture; checksums are not looked at,
/// since a capture at the sender shows what its network card has still to fill in.
package struct DatagramAssembler: Sendable {
    private var pending: [Pending] = []
    /// Datagrams that were given up, until somebody takes them.
    private var lost: [LostDatagram] = []

    package init() {}

    package mutating func take(_ frame: CapturedFrame) -> CapturedContent {
        let bytes = frame.bytes.rawSpan
        switch LinkLayer.content(of: bytes, linkType: frame.linkType) {
        case .unknownLinkType: return .unknownLinkType
        case .other: return .other
        case .internet(let offset):
            guard let packet = try? IPPacket(bytes.extracting(offset..<bytes.byteCount)) else { return .other }
            expire(at: frame.timestamp)
            return packet.fragment == nil ? whole(packet, at: frame.timestamp) : piece(packet, at: frame.timestamp)
        }
    }

    /// The datagrams that were given up since it was last asked.
    package mutating func takeLost() -> [LostDatagram] {
        defer { lost = [] }
        return lost
    }

    /// Gives up everything that is still waited for.
    package mutating func finish() {
        while !pending.isEmpty { giveUp(0) }
    }

    private static let mostPending = 256
    /// RFC 1122 section 3.3.2 wants 60 s at most, Linux waits for 30 s.
    private static let patience: UInt64 = 30_000_000_000
}

extension DatagramAssembler {
    private struct Pending: Sendable {
        var source: IPAddress
        var destination: IPAddress
        var identification: UInt32
        var ipProtocol: UInt8
        var lastTime: UInt64
        var pieces: [Piece] = []
        /// How long the whole is; known once the last piece is there.
        var byteCount: Int?
        var packetCount = 0
        var isCut = false

        var heldByteCount: Int { pieces.reduce(0) { $0 + $1.bytes.count } }
    }

    private struct Piece: Sendable {
        var offset: Int
        var bytes: [UInt8]
    }

    private func whole(_ packet: borrowing IPPacket, at time: UInt64) -> CapturedContent {
        let bytes = packet.payload.copied()
        let content = TransportContent(bytes, packet.ipProtocol, packet.source, packet.destination)
        return content.value(at: time, packetByteCount: packet.byteCount, packetCount: 1, isCut: packet.isCut)
    }

    private mutating func piece(_ packet: borrowing IPPacket, at time: UInt64) -> CapturedContent {
        guard let fragment = packet.fragment else { return .other }
        let index = place(of: packet, fragment, at: time)
        var datagram = pending[index]
        datagram.lastTime = time
        datagram.packetCount += 1
        if packet.isCut { datagram.isCut = true }
        let end = fragment.offset + packet.payload.byteCount
        let isKnown = datagram.pieces.contains { $0.offset == fragment.offset }
        let overlaps = datagram.pieces.contains { $0.offset < end && fragment.offset < $0.offset + $0.bytes.count }
        guard end <= 65_535, isKnown || !overlaps else {
            pending.remove(at: index)
            return .other
        }
        if !isKnown {
            datagram.pieces.append(Piece(offset: fragment.offset, bytes: packet.payload.copied()))
            if !fragment.moreFollow { datagram.byteCount = end }
        }
        guard datagram.byteCount == datagram.heldByteCount else {
            pending[index] = datagram
            return .fragment
        }
        pending.remove(at: index)
        let bytes = datagram.pieces.sorted { $0.offset < $1.offset }.flatMap(\.bytes)
        let content = TransportContent(bytes, datagram.ipProtocol, datagram.source, datagram.destination)
        return content.value(
            at: time,
            packetByteCount: bytes.count + packet.headerByteCount,
            packetCount: datagram.packetCount,
            isCut: datagram.isCut
        )
    }

    private mutating func place(of packet: borrowing IPPacket, _ fragment: IPPacket.Fragment, at time: UInt64) -> Int {
        let (source, destination, ipProtocol) = (packet.source, packet.destination, packet.ipProtocol)
        let known = pending.firstIndex {
            $0.identification == fragment.identification && $0.source == source && $0.destination == destination
                && $0.ipProtocol == ipProtocol
        }
        if let known { return known }
        if pending.count == Self.mostPending { giveUp(0) }
        pending.append(
            Pending(
                source: source,
                destination: destination,
                identification: fragment.identification,
                ipProtocol: ipProtocol,
                lastTime: time
            )
        )
        return pending.count - 1
    }

    private mutating func expire(at time: UInt64) {
        while let first = pending.first, time > first.lastTime, time - first.lastTime > Self.patience { giveUp(0) }
    }

    private mutating func giveUp(_ index: Int) {
        let datagram = pending.remove(at: index)
        guard datagram.ipProtocol == TransportContent.udp, lost.count < Self.mostPending else { return }
        let first = datagram.pieces.first { $0.offset == 0 && $0.bytes.count >= 4 }?.bytes
        lost.append(
            LostDatagram(
                timestamp: datagram.lastTime,
                source: datagram.source,
                destination: datagram.destination,
                ports: first.map {
                    LostDatagram.Ports(
                        source: UInt16($0[0]) << 8 | UInt16($0[1]),
                        destination: UInt16($0[2]) << 8 | UInt16($0[3])
                    )
                },
                packetCount: datagram.packetCount
            )
        )
    }
}
