package import IKECrypto
package import IKEWire
import Primitives

/// The SAs that one end receives on, by SPI (RFC 4301 section 4.4.2).
///
/// Over a rekey the old SA and its successor stand here side by side (RFC 7296 section 2.8), each with its own window,
/// until the driver takes the old one out.
package struct SADatabase: ~Copyable {
    private var table = SPITable()
    private var slots = SlotTable<InboundSA>()
    /// What no SA has counted: packets of unknown SPIs, and those too short to have one.
    package private(set) var drops = DropTally()

    package init() {}

    package var count: Int { slots.count }

    package func contains(_ spi: ChildSPI) -> Bool { table[UInt64(spi.rawValue)] != nil }

    /// Adds an SA; its SPI is not that of another, since this end chose both.
    package mutating func insert(_ sa: consuming InboundSA) {
        let spi = sa.spi
        let id = slots.insert(sa)
        let isNew = table.insert(id.packed, for: UInt64(spi.rawValue))
        precondition(isNew, "an SPI names one SA")
    }

    /// Takes an SA out, whose keys end with it.
    package mutating func remove(_ spi: ChildSPI) -> InboundSA? {
        guard let packed = table.remove(UInt64(spi.rawValue)) else { return nil }
        return slots.remove(SlotID(packed: packed))
    }

    /// Lends an SA.
    package borrowing func with<Result>(_ spi: ChildSPI, _ body: (borrowing InboundSA) -> Result) -> Result? {
        guard let packed = table[UInt64(spi.rawValue)] else { return nil }
        return body(slots[SlotID(packed: packed)])
    }

    /// Gives a packet to the SA that its SPI names.
    package mutating func open(
        _ packet: inout MutableRawSpan,
        _ cryptography: borrowing Cryptography
    ) throws(PacketDrop) -> ReceivedPacket {
        guard packet.byteCount >= PacketForm.headerByteCount else { throw dropped(.malformed) }
        let spi = packet.bytes.bigEndianWord(at: 0)
        guard let packed = table[UInt64(spi)] else { throw dropped(.unknownSPI) }
        return try slots[SlotID(packed: packed)].open(&packet, cryptography)
    }

    private mutating func dropped(_ reason: PacketDrop) -> PacketDrop {
        drops.count(reason)
        return reason
    }
}

/// Both SAs of a Child SA, as one end has them (RFC 7296 section 2.17).
package struct SAPair: ~Copyable {
    package var outbound: OutboundSA
    package var inbound: InboundSA

    /// - Parameters:
    ///   - inbound: The SPI that the peer sends to.
    ///   - outbound: The SPI that this end sends to.
    ///   - isExchangeInitiator: Whether this end sends with the keys of the initiator of the exchange that made them.
    ///   - windowSize: How many numbers the anti-replay window is wide: a power of two from 32 to 4096.
    ///   - number: That of the last packet before, either way; anything but 0 is for tests.
    package init(
        inbound: ChildSPI,
        outbound: ChildSPI,
        mode: ESPMode,
        algorithms: PacketAlgorithms,
        keys: borrowing ChildKeys,
        isExchangeInitiator: Bool,
        windowSize: Int,
        number: SequenceNumber = .zero
    ) {
        if isExchangeInitiator {
            self.outbound = OutboundSA(
                spi: outbound,
                mode: mode,
                algorithms: algorithms,
                encryptionKey: keys.initiatorEncryption,
                integrityKey: keys.initiatorIntegrity,
                number: number
            )
            self.inbound = InboundSA(
                spi: inbound,
                mode: mode,
                algorithms: algorithms,
                encryptionKey: keys.responderEncryption,
                integrityKey: keys.responderIntegrity,
                windowSize: windowSize,
                highest: number
            )
        } else {
            self.outbound = OutboundSA(
                spi: outbound,
                mode: mode,
                algorithms: algorithms,
                encryptionKey: keys.responderEncryption,
                integrityKey: keys.responderIntegrity,
                number: number
            )
            self.inbound = InboundSA(
                spi: inbound,
                mode: mode,
                algorithms: algorithms,
                encryptionKey: keys.initiatorEncryption,
                integrityKey: keys.initiatorIntegrity,
                windowSize: windowSize,
                highest: number
            )
        }
    }

    /// Gives both SAs away, the inbound one into a database.
    package consuming func install(in database: inout SADatabase) -> OutboundSA {
        database.insert(inbound)
        return outbound
    }
}
