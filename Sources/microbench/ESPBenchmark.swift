import COpenSSL
import ESP
import IKECrypto
import IKEWire
import Primitives

/// What an ESP packet costs both ends, beside the bare calls of libcrypto that it is made of, in one run.
///
/// Both work on the same batch of packets. An end counts sequence numbers, pads, writes headers, finds the SA by its
/// SPI, checks and moves the anti-replay window and counts octets; the bare calls do nothing else than AES-128-GCM with
/// a context for each direction.
func benchmarkESP() {
    let seed = [UInt8](0..<32)
    do throws(CryptoError) {
        let real = try Cryptography(backend: .openSSL, seed: seed.rawSpan)
        let modelled = try Cryptography(backend: .modelled, seed: seed.rawSpan)
        for byteCount in [64, 512, 1400] {
            priceBesideBareCalls(byteCount, real)
            priceRekeyed(byteCount, real)
            var batch = PacketBatch(gcm, byteCount)
            let price = batch.price(modelled)
            printFigure("modelled ESP seal, \(byteCount) B", price.seal, "ns")
            printFigure("modelled ESP open, \(byteCount) B", price.open, "ns")
            printFigure("modelled ESP both ends, \(byteCount) B", 1e6 / price.both, "k packets/s")
            priceInnerPacket(byteCount)
        }
        printFigure("an outbound SA, inline", Double(MemoryLayout<OutboundSA>.stride), "octets")
        printFigure("an inbound SA, inline", Double(MemoryLayout<InboundSA>.stride), "octets")
        for algorithms in others {
            var batch = PacketBatch(algorithms, 1400)
            let price = batch.price(real)
            let name = "\(algorithms.cipher)\(algorithms.integrity.map { " \($0)" } ?? "")"
            printFigure("ESP seal, \(name), 1400 B", price.seal, "ns")
            printFigure("ESP open, \(name), 1400 B", price.open, "ns")
        }
    } catch {
        preconditionFailure("libcrypto has every algorithm")
    }
}

private let gcm = PacketAlgorithms(cipher: .aesGCM128, integrity: nil, usesESN: false)

private let others = [
    PacketAlgorithms(cipher: .aesGCM128, integrity: nil, usesESN: true),
    PacketAlgorithms(cipher: .aesGCM256, integrity: nil, usesESN: false),
    PacketAlgorithms(cipher: .chaCha20Poly1305, integrity: nil, usesESN: false),
    PacketAlgorithms(cipher: .aesCBC128, integrity: .hmacSHA256, usesESN: false),
]

private struct Price {
    var seal = Double.infinity
    var open = Double.infinity

    var both: Double { seal + open }

    /// The least of both, each by itself.
    mutating func lower(to other: Price) {
        seal = min(seal, other.seal)
        open = min(open, other.open)
    }
}

/// Rounds of one and the other in turn, so that both meet the same neighbours.
private func priceBesideBareCalls(_ byteCount: Int, _ crypto: borrowing Cryptography) {
    var batch = PacketBatch(gcm, byteCount)
    var bare = BareBatch(byteCount)
    var price = Price()
    var barePrice = Price()
    for _ in 0..<40 {
        barePrice.lower(to: bare.round())
        price.lower(to: batch.round(crypto))
    }
    printFigure("bare AES-128-GCM seal, \(byteCount) B", barePrice.seal, "ns")
    printFigure("bare AES-128-GCM open, \(byteCount) B", barePrice.open, "ns")
    printFigure("ESP seal, \(byteCount) B", price.seal, "ns")
    printFigure("ESP open, \(byteCount) B", price.open, "ns")
    printFigure("ESP of the bare calls' rate, \(byteCount) B", 100 * barePrice.both / price.both, "%")
}

/// The same cipher with one context that is given a key for each packet.
private func priceRekeyed(_ byteCount: Int, _ crypto: borrowing Cryptography) {
    let key = SecretBytes(count: Cipher.aesGCM128.keyByteCount)
    let none = SecretBytes()
    var message = [UInt8](repeating: 0, count: 16 + byteCount + 16)
    var least = Double.infinity
    for _ in 0..<5 {
        let watch = Stopwatch()
        for _ in 0..<20_000 {
            var span = message.mutableSpan
            var bytes = unsafe span.mutableBytes
            crypto.seal(
                &bytes,
                bodyOffset: 8,
                cipher: .aesGCM128,
                integrity: nil,
                encryptionKey: key,
                integrityKey: none
            )
        }
        least = min(least, Double(watch.nanoseconds) / 20_000)
    }
    printFigure("AES-128-GCM seal, re-keyed, \(byteCount) B", least, "ns")
}

/// An inner packet with its mark and checksums, written and read.
private func priceInnerPacket(_ byteCount: Int) {
    let address = IPAddress(v4: 0x0A00_0001)
    let inner = InnerPacket(
        source: address,
        destination: address,
        content: .udp(sourcePort: 7, destinationPort: 9)
    )
    let start = inner.headerByteCount
    var packet = [UInt8](repeating: 0, count: byteCount)
    var price = Price()
    var sum: UInt64 = 0
    for _ in 0..<5 {
        let writing = Stopwatch()
        for number in 0..<20_000 as Range<UInt64> {
            var span = packet.mutableSpan
            var bytes = unsafe span.mutableBytes
            var data = bytes._mutatingExtracting(start..<byteCount)
            FlowMark(flow: 1, number: number, time: .zero).write(into: &data)
            _ = inner.write(into: &bytes, dataByteCount: byteCount - start)
        }
        let written = writing.nanoseconds
        let reading = Stopwatch()
        for _ in 0..<20_000 {
            guard let decoded = try? InnerPacket.decode(packet.rawSpan),
                let mark = try? FlowMark(decoding: packet.rawSpan.extracting(decoded.data))
            else { preconditionFailure("what was written is read") }
            sum &+= mark.number
        }
        price.lower(to: Price(seal: Double(written) / 20_000, open: Double(reading.nanoseconds) / 20_000))
    }
    precondition(sum > 0, "packets are numbered")
    printFigure("inner packet written, \(byteCount) B", price.seal, "ns")
    printFigure("inner packet read, \(byteCount) B", price.open, "ns")
}

/// Packets that one end seals and another opens, again and again.
private struct PacketBatch: ~Copyable {
    static let count = 64
    static let rounds = 100

    let payloadByteCount: Int
    let packetByteCount: Int
    var sender: OutboundSA
    var receiver = SADatabase()
    var buffer: [UInt8]

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
        buffer = [UInt8](repeating: 0, count: Self.count * packetByteCount)
        for index in 0..<Self.count {
            let start = index * packetByteCount + sender.payloadOffset
            buffer[start] = 0x45
            buffer[start + 2] = UInt8(payloadByteCount >> 8)
            buffer[start + 3] = UInt8(payloadByteCount & 0xFF)
        }
        self.sender = sender
    }

    mutating func price(_ crypto: borrowing Cryptography) -> Price {
        var price = Price()
        for _ in 0..<7 { price.lower(to: round(crypto)) }
        return price
    }

    mutating func round(_ crypto: borrowing Cryptography) -> Price {
        var (sealing, opening) = (UInt64(0), UInt64(0))
        for _ in 0..<Self.rounds {
            let start = Stopwatch()
            seal(crypto)
            sealing += start.nanoseconds
            let middle = Stopwatch()
            open(crypto)
            opening += middle.nanoseconds
        }
        let count = Double(Self.rounds * Self.count)
        return Price(seal: Double(sealing) / count, open: Double(opening) / count)
    }

    private mutating func seal(_ crypto: borrowing Cryptography) {
        for index in 0..<Self.count {
            Self.seal(index, of: &buffer, packetByteCount, payloadByteCount, &sender, crypto)
        }
    }

    private static func seal(
        _ index: Int,
        of buffer: inout [UInt8],
        _ packetByteCount: Int,
        _ payloadByteCount: Int,
        _ sender: inout OutboundSA,
        _ crypto: borrowing Cryptography
    ) {
        let start = index * packetByteCount
        var span = buffer.mutableSpan
        var bytes = unsafe span.mutableBytes
        var packet = bytes._mutatingExtracting(start..<start + packetByteCount)
        do throws(SealingError) {
            _ = try sender.seal(&packet, payloadByteCount: payloadByteCount, next: .ipv4, crypto)
        } catch {
            preconditionFailure("a benchmark ends before its sequence numbers")
        }
    }

    private mutating func open(_ crypto: borrowing Cryptography) {
        for index in 0..<Self.count {
            Self.open(index, of: &buffer, packetByteCount, payloadByteCount, &receiver, crypto)
        }
    }

    private static func open(
        _ index: Int,
        of buffer: inout [UInt8],
        _ packetByteCount: Int,
        _ payloadByteCount: Int,
        _ receiver: inout SADatabase,
        _ crypto: borrowing Cryptography
    ) {
        let start = index * packetByteCount
        var span = buffer.mutableSpan
        var bytes = unsafe span.mutableBytes
        var packet = bytes._mutatingExtracting(start..<start + packetByteCount)
        do throws(PacketDrop) {
            let received = try receiver.open(&packet, crypto)
            precondition(received.payload.count == payloadByteCount, "a payload comes back whole")
        } catch {
            preconditionFailure("what was sealed opens")
        }
    }
}

/// The bare calls: a context for each direction, keyed once, that are given a nonce for each packet.
@safe
private struct BareBatch: ~Copyable {
    let byteCount: Int
    private let stride: Int
    private let buffer: UnsafeMutablePointer<UInt8>
    private let sealing: OpaquePointer
    private let opening: OpaquePointer
    private var number: UInt64 = 0

    init(_ byteCount: Int) {
        self.byteCount = byteCount
        stride = 16 + byteCount + 16
        unsafe buffer = .allocate(capacity: PacketBatch.count * stride)
        unsafe buffer.initialize(repeating: 0, count: PacketBatch.count * stride)
        guard let algorithm = unsafe EVP_CIPHER_fetch(nil, "AES-128-GCM", nil),
            let sealing = unsafe EVP_CIPHER_CTX_new(), let opening = unsafe EVP_CIPHER_CTX_new()
        else { preconditionFailure("libcrypto has AES-128-GCM") }
        let key = [UInt8](repeating: 0, count: 16)
        unsafe EVP_CipherInit_ex(sealing, algorithm, nil, key, nil, 1)
        unsafe EVP_CipherInit_ex(opening, algorithm, nil, key, nil, 0)
        unsafe EVP_CIPHER_free(algorithm)
        unsafe self.sealing = sealing
        unsafe self.opening = opening
    }

    deinit {
        unsafe EVP_CIPHER_CTX_free(sealing)
        unsafe EVP_CIPHER_CTX_free(opening)
        unsafe buffer.deallocate()
    }

    mutating func round() -> Price {
        var (sealingTime, openingTime) = (UInt64(0), UInt64(0))
        for _ in 0..<PacketBatch.rounds {
            let first = number
            let start = Stopwatch()
            for index in 0..<PacketBatch.count {
                number += 1
                unsafe run(sealing, index, number, encrypts: 1)
            }
            sealingTime += start.nanoseconds
            let middle = Stopwatch()
            for index in 0..<PacketBatch.count {
                unsafe run(opening, index, first + UInt64(index) + 1, encrypts: 0)
            }
            openingTime += middle.nanoseconds
        }
        let count = Double(PacketBatch.rounds * PacketBatch.count)
        return Price(seal: Double(sealingTime) / count, open: Double(openingTime) / count)
    }

    private func run(_ context: OpaquePointer, _ index: Int, _ number: UInt64, encrypts: Int32) {
        let packet = unsafe buffer + index * stride
        let body = unsafe packet + 16
        let tag = unsafe body + byteCount
        var nonce = (UInt32(0), UInt32(truncatingIfNeeded: number), UInt32(0))
        var written: Int32 = 0
        var isDone = unsafe withUnsafeBytes(of: &nonce) {
            unsafe EVP_CipherInit_ex(
                context,
                nil,
                nil,
                nil,
                $0.baseAddress?.assumingMemoryBound(to: UInt8.self),
                encrypts
            ) == 1
        }
        isDone = unsafe isDone && EVP_CipherUpdate(context, nil, &written, packet, 8) == 1
        if encrypts == 0 { isDone = unsafe isDone && cossl_set_tag(context, tag, 16) == 1 }
        isDone =
            unsafe isDone && EVP_CipherUpdate(context, body, &written, body, Int32(byteCount)) == 1
            && EVP_CipherFinal_ex(context, tag, &written) == 1
        if encrypts == 1 { isDone = unsafe isDone && cossl_get_tag(context, tag, 16) == 1 }
        precondition(isDone, "libcrypto seals and opens")
    }
}
