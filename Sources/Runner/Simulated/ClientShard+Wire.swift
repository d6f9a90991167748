import BasicContainers
import IKEWire
import IKEv2
import Primitives
import Simulation

// What goes between a client and its gateway; ESP packets in UDP, or by themselves, without ports.
extension ClientShard {
    /// A packet's SPI; nil for what is no ESP packet. ESP by itself has no ports: both are 0.
    static func childSPI(of packet: borrowing PacketStore.Packet) -> ChildSPI? {
        guard packet.isEncapsulated || packet.source.port == 0,
            case .esp(let spi) = EncapsulatedKind(packet.octets)
        else { return nil }
        return spi
    }

    static func wire(from source: UDPEndpoint, to remote: UDPEndpoint, _ way: Path) -> Path {
        guard !way.isEncapsulated else { return Path(local: source, remote: remote, isEncapsulated: true) }
        return Path(
            local: UDPEndpoint(address: source.address, port: 0),
            remote: UDPEndpoint(address: remote.address, port: 0),
            isEncapsulated: false
        )
    }

    /// Puts a datagram on the line between a client's NAT and its gateway; what becomes of it is the path's to say.
    ///
    /// A flow is taken out of its client for that, since the link beside it is the shard's, too.
    ///
    /// - Parameter content: what it is; a link that is shared keeps it.
    /// - Returns: nil where a link that is shared has still to say what becomes of it.
    mutating func travel(
        _ local: Int,
        _ direction: Flow.Direction,
        payloadByteCount: Int,
        isIPv4: Bool,
        _ content: @autoclosure () -> DatagramAtLink.Content
    ) -> Link.Outcome? {
        let link = clients[local].path
        if let part = terms.sharedLinks[link] {
            return enter(part, local, direction, payloadByteCount: payloadByteCount, isIPv4: isIPv4, content())
        }
        var flow = flow(local, direction)
        let outcome = flow.send(
            payloadByteCount: payloadByteCount,
            isIPv4: isIPv4,
            at: turn.now,
            over: links[link]
        )
        setFlow(local, direction, flow)
        return outcome
    }

    /// The same of a sealed packet; why it gets no further, if it does not.
    mutating func travel(
        _ local: Int,
        _ direction: Flow.Direction,
        _ handle: UInt32,
        byteCount: Int,
        _ way: Path
    ) -> String? {
        let kind = direction == .toGateway ? ShardEvent.packet : .deliver
        let outcome = travel(
            local,
            direction,
            payloadByteCount: Self.payloadByteCount(byteCount, way),
            isIPv4: way.remote.address.isIPv4,
            .packet(handle, kind)
        )
        guard let outcome else { return nil }
        return leave(outcome, local, handle, kind)
    }

    /// A link counts a UDP header, which ESP by itself does not have.
    private static func payloadByteCount(_ byteCount: Int, _ way: Path) -> Int {
        way.isEncapsulated ? byteCount : byteCount - 8
    }
}

extension PacketStore {
    /// Says what has been written, and which way it goes.
    mutating func fill(_ handle: UInt32, byteCount: Int, _ subject: Int, over path: Path) {
        fill(
            handle,
            byteCount: byteCount,
            from: path.local,
            to: path.remote,
            isEncapsulated: path.isEncapsulated,
            subject: UInt16(subject)
        )
    }
}
