import IKEWire
import IKEv2
import Primitives

// What ESP packets are on the wire: in UDP, or by themselves, without ports.
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

    /// A link counts a UDP header, which ESP by itself does not have.
    static func payloadByteCount(_ byteCount: Int, _ way: Path) -> Int {
        way.isEncapsulated ? byteCount : byteCount - 8
    }
}

extension PacketStore {
    /// Says what has been written, and which way it goes.
    mutating func fill(_ handle: UInt32, byteCount: Int, over path: Path) {
        fill(
            handle,
            byteCount: byteCount,
            from: path.local,
            to: path.remote,
            isEncapsulated: path.isEncapsulated
        )
    }
}
