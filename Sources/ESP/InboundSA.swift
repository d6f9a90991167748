package import IKECrypto
package import IKEWire
import Primitives

/// A packet that has passed every check.
package struct ReceivedPacket: Hashable, Sendable {
    /// Where its payload stands in the octets that came.
    package let payload: Range<Int>
    /// How many octets of TFC padding stand behind the payload (RFC 4303 section 2.7).
    package let tfcByteCount: Int
    /// What the payload is.
    package let next: IPProtocol
    package let number: SequenceNumber
}

/// The SA that this end receives on.
package struct InboundSA: ~Copyable {
    /// Names the SA at this end.
    package let spi: ChildSPI
    package let mode: ESPMode
    /// What was delivered.
    package private(set) var usage = Usage()
    /// What was not.
    package private(set) var drops = DropTally()
    private let form: PacketForm
    private var window: AntiReplayWindow
    private var protection: PacketProtection

    /// - Parameters:
    ///   - windowSize: How many numbers the anti-replay window is wide: a power of two from 32 to 4096.
    ///   - highest: The number of the last packet before; anything but 0 is for tests.
    package init(
        spi: ChildSPI,
        mode: ESPMode,
        algorithms: PacketAlgorithms,
        encryptionKey: borrowing SecretBytes,
        integrityKey: borrowing SecretBytes,
        windowSize: Int,
        highest: SequenceNumber = .zero
    ) {
        precondition(spi.rawValue != 0, "an SPI is not 0")
        self.spi = spi
        self.mode = mode
        form = PacketForm(algorithms)
        window = AntiReplayWindow(size: windowSize, highest: highest)
        protection = PacketProtection(
            algorithms,
            .inbound,
            encryptionKey: encryptionKey,
            integrityKey: integrityKey
        )
    }

    package var algorithms: PacketAlgorithms { protection.algorithms }

    /// The highest sequence number that came in an authentic packet.
    package var highest: SequenceNumber { window.highest }

    /// Checks and decrypts a packet in place, and says where its payload stands.
    ///
    /// What is not delivered is counted, and its octets must not be read. A packet's number is looked up before the
    /// work of its ICV, and entered behind it (RFC 4303 section 3.4.3): what is forged moves no window.
    package mutating func open(
        _ packet: inout MutableRawSpan,
        _ cryptography: borrowing Cryptography
    ) throws(PacketDrop) -> ReceivedPacket {
        do throws(PacketDrop) {
            let received = try check(&packet, cryptography)
            usage.count(received.payload.count)
            return received
        } catch {
            drops.count(error)
            throw error
        }
    }

    @inline(__always)
    private mutating func check(
        _ packet: inout MutableRawSpan,
        _ cryptography: borrowing Cryptography
    ) throws(PacketDrop) -> ReceivedPacket {
        let start = form.bodyOffset
        let paddedByteCount = packet.byteCount - form.fixedByteCount
        guard paddedByteCount > 0, form.fillsBlocks(paddedByteCount) else { throw .malformed }
        guard packet.bytes.bigEndianWord(at: 0) == spi.rawValue else { throw .unknownSPI }
        let low = packet.bytes.bigEndianWord(at: 4)
        let number: SequenceNumber
        if form.usesESN {
            guard let whole = window.number(low: low) else { throw .tooOld }
            number = whole
        } else {
            number = SequenceNumber(rawValue: UInt64(low))
        }
        switch window.place(of: number) {
        case .new: break
        case .replayed: throw .replayed
        case .tooOld: throw .tooOld
        }
        guard protection.open(&packet, number: number.rawValue, cryptography) else { throw .badICV }
        window.enter(number)
        let payload = try ESPTrailer.read(packet.bytes.extracting(start..<start + paddedByteCount), mode: mode)
        return ReceivedPacket(
            payload: start..<start + payload.payloadByteCount,
            tfcByteCount: payload.tfcByteCount,
            next: payload.next,
            number: number
        )
    }
}

extension RawSpan {
    /// The four octets at an offset, most significant first.
    @inline(__always)
    func bigEndianWord(at offset: Int) -> UInt32 {
        precondition(offset >= 0 && offset + 4 <= byteCount, "an index is within the bytes")
        // SAFETY: just checked; any octets are an integer.
        return UInt32(bigEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
}
