import ESP
import IKECrypto
import IKEWire
import Primitives

/// Packets that one end seals and another opens, again and again.
@safe
struct PacketBatch: ~Copyable {
    static let count = 64
    static let rounds = 100

    let payloadByteCount: Int
    let packetByteCount: Int
    var sender: OutboundSA
    var receiver = SADatabase()
    let buffer: UnsafeMutableRawPointer

    init(_ algorithms: PacketAlgorithms, _ payloadByteCount: Int) {
        let encryptionKey = SecretBytes(count: algorithms.cipher.keyByteCount)
        let integrityKey = SecretBytes(count: algorithms.integrity?.keyByteCount ?? 0)
        self.payloadByteCount = payloadByteCount
        let sender = OutboundSA(
            spi: .first,
            mode: .tunnel,
            algorithms: algorithms,
            encryptionKey: encryptionKey,
            integrityKey: integrityKey
        )
        let inbound = InboundSA(
            spi: .first,
            mode: .tunnel,
            algorithms: algorithms,
            encryptionKey: encryptionKey,
            integrityKey: integrityKey,
            windowSize: 64
        )
        receiver.insert(inbound)
        packetByteCount = sender.packetByteCount(payloadByteCount: payloadByteCount)
        let byteCount = Self.count * packetByteCount
        unsafe buffer = .allocate(byteCount: byteCount, alignment: 64)
        unsafe buffer.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        for index in 0..<Self.count {
            let start = unsafe buffer + index * packetByteCount + sender.payloadOffset
            unsafe start.storeBytes(of: 0x45, as: UInt8.self)
            unsafe start.storeBytes(of: UInt16(payloadByteCount).bigEndian, toByteOffset: 2, as: UInt16.self)
        }
        self.sender = sender
    }

    deinit { unsafe buffer.deallocate() }

    mutating func price(_ crypto: borrowing Cryptography) -> ESPPrice {
        var price = ESPPrice()
        for _ in 0..<7 { price.lower(to: round(crypto)) }
        return price
    }

    mutating func round(_ crypto: borrowing Cryptography) -> ESPPrice {
        var (sealing, opening) = (UInt64(0), UInt64(0))
        for _ in 0..<Self.rounds {
            let start = Stopwatch()
            for index in 0..<Self.count { seal(index, crypto) }
            sealing += start.nanoseconds
            let middle = Stopwatch()
            for index in 0..<Self.count { open(index, crypto) }
            opening += middle.nanoseconds
        }
        let count = Double(Self.rounds * Self.count)
        return ESPPrice(seal: Double(sealing) / count, open: Double(opening) / count)
    }

    mutating func seal(_ index: Int, _ crypto: borrowing Cryptography) {
        // SAFETY: the buffer is the batch's alone.
        var packet = unsafe MutableRawSpan(_unsafeStart: buffer + index * packetByteCount, byteCount: packetByteCount)
        do throws(SealingError) {
            _ = try sender.seal(&packet, payloadByteCount: payloadByteCount, next: .ipv4, crypto)
        } catch {
            preconditionFailure("a benchmark ends before its sequence numbers")
        }
    }

    mutating func open(_ index: Int, _ crypto: borrowing Cryptography) {
        // SAFETY: the buffer is the batch's alone.
        var packet = unsafe MutableRawSpan(_unsafeStart: buffer + index * packetByteCount, byteCount: packetByteCount)
        do throws(PacketDrop) {
            let received = try receiver.open(&packet, crypto)
            precondition(received.payload.count == payloadByteCount, "a payload comes back whole")
        } catch {
            preconditionFailure("what was sealed opens")
        }
    }
}
