import ESP
import IKECrypto
import IKEWire
import Primitives

/// What an ESP packet costs both ends, beside the bare calls of the library that computes it, in one run.
///
/// Both work on as many packets. An end counts sequence numbers, pads, writes headers, finds the SA by its SPI, checks
/// and moves the anti-replay window and counts octets; the bare calls do nothing else than AES-128-GCM with a key for
/// each direction.
func benchmarkESP() {
    let seed = [UInt8](0..<32)
    do throws(CryptoError) {
        let real = try Cryptography(backend: .openSSL, seed: seed.rawSpan, packets: .openSSL)
        let modelled = try Cryptography(backend: .modelled, seed: seed.rawSpan)
        for byteCount in [64, 512, 1400] {
            priceBesideBareCalls(BareOpenSSL.self, byteCount, real, of: "")
            if IPsecMB.absence == nil {
                let faster = try Cryptography(backend: .openSSL, seed: seed.rawSpan, packets: .ipsecMB)
                priceBesideBareCalls(BareIPsecMB.self, byteCount, faster, of: "libipsec-mb ")
            }
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
            for byteCount in algorithms.cipher.isAEAD ? [1400] : [64, 512, 1400] {
                price(algorithms, byteCount, real, of: "")
                guard IPsecMB.absence == nil else { continue }
                let faster = try Cryptography(backend: .openSSL, seed: seed.rawSpan, packets: .ipsecMB)
                price(algorithms, byteCount, faster, of: "libipsec-mb ")
            }
        }
    } catch {
        preconditionFailure("libcrypto has every algorithm")
    }
}

private func price(
    _ algorithms: PacketAlgorithms,
    _ byteCount: Int,
    _ crypto: borrowing Cryptography,
    of library: String
) {
    var batch = PacketBatch(algorithms, byteCount)
    let price = batch.price(crypto)
    let esn = algorithms.usesESN ? " ESN" : ""
    let integrity = algorithms.integrity.map { " \($0)" } ?? ""
    let name = "\(library)ESP of \(algorithms.cipher)\(integrity)\(esn), \(byteCount) B"
    printFigure("\(name), seal", price.seal, "ns")
    printFigure("\(name), open", price.open, "ns")
}

let gcm = PacketAlgorithms(cipher: .aesGCM128, integrity: nil, usesESN: false)

private let others = [
    PacketAlgorithms(cipher: .aesGCM128, integrity: nil, usesESN: true),
    PacketAlgorithms(cipher: .aesGCM256, integrity: nil, usesESN: false),
    PacketAlgorithms(cipher: .chaCha20Poly1305, integrity: nil, usesESN: false),
    PacketAlgorithms(cipher: .aesCBC128, integrity: .hmacSHA256, usesESN: false),
    PacketAlgorithms(cipher: .aesCBC256, integrity: .hmacSHA512, usesESN: false),
]

/// Rounds of one and the other in turn, so that both meet the same neighbours.
private func priceBesideBareCalls<Calls: BareESPCalls & ~Copyable>(
    _ calls: Calls.Type,
    _ byteCount: Int,
    _ crypto: borrowing Cryptography,
    of library: String
) {
    var batch = PacketBatch(gcm, byteCount)
    var bare = BareESPBatch<Calls>(byteCount)
    var price = ESPPrice()
    var barePrice = ESPPrice()
    for _ in 0..<40 {
        barePrice.lower(to: bare.round())
        price.lower(to: batch.round(crypto))
    }
    printFigure("\(library)bare AES-128-GCM seal, \(byteCount) B", barePrice.seal, "ns")
    printFigure("\(library)bare AES-128-GCM open, \(byteCount) B", barePrice.open, "ns")
    printFigure("\(library)ESP seal, \(byteCount) B", price.seal, "ns")
    printFigure("\(library)ESP open, \(byteCount) B", price.open, "ns")
    printFigure("\(library)ESP both ends, \(byteCount) B", 1e6 / price.both, "k packets/s")
    printFigure("\(library)ESP of the bare rate, \(byteCount) B", 100 * barePrice.both / price.both, "%")
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
    var price = ESPPrice()
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
        price.lower(to: ESPPrice(seal: Double(written) / 20_000, open: Double(reading.nanoseconds) / 20_000))
    }
    precondition(sum > 0, "packets are numbered")
    printFigure("inner packet written, \(byteCount) B", price.seal, "ns")
    printFigure("inner packet read, \(byteCount) B", price.open, "ns")
}
