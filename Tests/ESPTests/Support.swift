import ESP
import IKECrypto
import IKEWire
import Primitives
import Testing

/// The octets of a hexadecimal text; white space does not count.
func hex(_ text: String) -> [UInt8] { try! Hexadecimal.decode(text) }

func cryptography(
    _ backend: CryptoBackend = .openSSL,
    packets: PacketLibrary? = nil
) throws -> Cryptography {
    let seed = [UInt8](0..<32)
    return try Cryptography(backend: backend, seed: seed.rawSpan, packets: packets)
}

/// Who computes a test's packets.
struct Maker: Sendable, CustomTestStringConvertible {
    let backend: CryptoBackend
    let packets: PacketLibrary

    /// Each library that this machine has, and the model.
    static let all =
        PacketLibrary.here.map { Maker(backend: .openSSL, packets: $0) }
        + [Maker(backend: .modelled, packets: .openSSL)]

    var testDescription: String { backend == .modelled ? "modelled" : "\(packets)" }
}

extension PacketAlgorithms {
    /// Everything that can be negotiated, with and without ESN, and what RFC 8750 adds.
    static let all: [PacketAlgorithms] = [false, true].flatMap { usesESN in
        Cipher.allCases.flatMap { cipher -> [PacketAlgorithms] in
            guard cipher.isAEAD else {
                return IntegrityAlgorithm.allCases.map {
                    PacketAlgorithms(cipher: cipher, integrity: $0, usesESN: usesESN)
                }
            }
            let explicit = PacketAlgorithms(cipher: cipher, integrity: nil, usesESN: usesESN)
            guard cipher.icvByteCount == 16 else { return [explicit] }
            return [
                explicit,
                PacketAlgorithms(cipher: cipher, integrity: nil, usesESN: usesESN, hasImplicitIV: true),
            ]
        }
    }

    /// One of each kind.
    static let some: [PacketAlgorithms] = [false, true].flatMap { usesESN in
        [
            PacketAlgorithms(cipher: .aesGCM128, integrity: nil, usesESN: usesESN),
            PacketAlgorithms(cipher: .chaCha20Poly1305, integrity: nil, usesESN: usesESN, hasImplicitIV: true),
            PacketAlgorithms(cipher: .aesCBC256, integrity: .hmacSHA256, usesESN: usesESN),
        ]
    }
}

/// Both ends of one direction, with the same keys.
struct Direction: ~Copyable {
    var sender: OutboundSA
    var receiver: InboundSA
    let cryptography: Cryptography

    static let spi = ChildSPI(rawValue: 0xC0FF_EE01)

    init(
        _ algorithms: PacketAlgorithms,
        mode: ESPMode = .tunnel,
        windowSize: Int = 64,
        number: UInt64 = 0,
        backend: CryptoBackend = .openSSL,
        packets: PacketLibrary? = nil,
        encryptionKey: [UInt8]? = nil,
        integrityKey: [UInt8]? = nil
    ) throws {
        let encryption = encryptionKey ?? (0..<algorithms.cipher.keyByteCount).map { UInt8(0x40 + $0) }
        let integrity = integrityKey ?? (0..<(algorithms.integrity?.keyByteCount ?? 0)).map { UInt8(0x80 + $0) }
        let encryptionSecret = SecretBytes(copying: encryption.rawSpan)
        let integritySecret = SecretBytes(copying: integrity.rawSpan)
        sender = OutboundSA(
            spi: Self.spi,
            mode: mode,
            algorithms: algorithms,
            encryptionKey: encryptionSecret,
            integrityKey: integritySecret,
            number: SequenceNumber(rawValue: number)
        )
        receiver = InboundSA(
            spi: Self.spi,
            mode: mode,
            algorithms: algorithms,
            encryptionKey: encryptionSecret,
            integrityKey: integritySecret,
            windowSize: windowSize,
            highest: SequenceNumber(rawValue: number)
        )
        cryptography = try ESPTests.cryptography(backend, packets: packets)
    }

    /// A packet of a payload.
    mutating func seal(_ payload: [UInt8], _ next: IPProtocol, paddedTo byteCount: Int = 0) throws -> [UInt8] {
        let offset = sender.payloadOffset
        let room = sender.packetByteCount(payloadByteCount: max(payload.count, byteCount))
        var buffer = [UInt8](repeating: 0xEE, count: room + 3)
        buffer.replaceSubrange(offset..<offset + payload.count, with: payload)
        let count = try buffer.withMutableBytes { bytes throws(SealingError) in
            try sender.seal(
                &bytes,
                payloadByteCount: payload.count,
                next: next,
                paddedByteCount: byteCount,
                cryptography
            )
        }
        precondition(count == room, "a packet is as long as it was said to be")
        precondition(buffer[room...] == [0xEE, 0xEE, 0xEE], "nothing is written behind a packet")
        return [UInt8](buffer[..<count])
    }

    /// Why no packet can be made of a payload, or nil where one is.
    mutating func refusal(_ payload: [UInt8], _ next: IPProtocol) -> SealingError? {
        do {
            _ = try seal(payload, next)
            return nil
        } catch {
            return error as? SealingError
        }
    }

    /// What is delivered of a packet.
    mutating func open(_ packet: [UInt8]) throws(PacketDrop) -> (payload: [UInt8], received: ReceivedPacket) {
        var packet = packet
        let received = try packet.withMutableBytes { bytes throws(PacketDrop) in
            try receiver.open(&bytes, cryptography)
        }
        return ([UInt8](packet[received.payload]), received)
    }

    /// Why a packet is not delivered, or nil where it is.
    mutating func drop(_ packet: [UInt8]) -> PacketDrop? {
        do throws(PacketDrop) {
            _ = try open(packet)
            return nil
        } catch {
            return error
        }
    }
}

extension [UInt8] {
    mutating func withMutableBytes<Result, Failure: Error>(
        _ body: (inout MutableRawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        var span = mutableSpan
        var bytes = unsafe span.mutableBytes
        return try body(&bytes)
    }
}

/// A payload that a mode carries and that tells its length, of at least as many octets as its header has.
func payload(_ byteCount: Int, _ next: IPProtocol) -> [UInt8] {
    var octets = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 3) }
    func patch(_ value: Int, at offset: Int) {
        octets[offset] = UInt8(value >> 8)
        octets[offset + 1] = UInt8(value & 0xFF)
    }
    switch next {
    case .ipv4:
        octets[0] = 0x45
        patch(byteCount, at: 2)
    case .ipv6:
        octets[0] = 0x60
        patch(byteCount - 40, at: 4)
    case .udp: patch(byteCount, at: 4)
    default: break
    }
    return octets
}
