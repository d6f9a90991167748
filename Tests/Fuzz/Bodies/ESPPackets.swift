import ESP
import IKECrypto
import IKEWire
import Primitives

/// Takes any octets as what comes to port 4500, as the plaintext of an authentic packet, and as an inner packet.
///
/// The first octet chooses algorithms and mode. No octets as they are pass for a packet, since nobody knows the keys;
/// as plaintext they are delivered by the rules of RFC 4303 or not at all. What is read as an inner packet is written
/// again as it was, but for what hosts choose in an IP header.
package func fuzzESP(_ input: [UInt8]) {
    guard let choice = input.first else { return }
    let octets = Array(input.dropFirst())
    let algorithms = allAlgorithms[Int(choice >> 1) % allAlgorithms.count]
    let mode: ESPMode = choice & 1 == 0 ? .tunnel : .transport
    checkForged(octets, algorithms, mode, unsafe cryptography)
    checkPlaintext(octets, algorithms, mode, unsafe cryptography)
    checkInner(octets)
}

// SAFETY: a target is called on one thread.
nonisolated(unsafe) private let cryptography: Cryptography = {
    let seed = [UInt8](repeating: 0, count: 32)
    guard let cryptography = try? Cryptography(backend: .modelled, seed: seed.rawSpan) else {
        preconditionFailure("libcrypto has what it always has")
    }
    return cryptography
}()

private let allAlgorithms: [PacketAlgorithms] = [false, true].flatMap { usesESN in
    [
        PacketAlgorithms(cipher: .aesGCM128, integrity: nil, usesESN: usesESN),
        PacketAlgorithms(cipher: .aesGCM8With128, integrity: nil, usesESN: usesESN),
        PacketAlgorithms(cipher: .chaCha20Poly1305, integrity: nil, usesESN: usesESN, hasImplicitIV: true),
        PacketAlgorithms(cipher: .aesCBC128, integrity: .hmacSHA1, usesESN: usesESN),
        PacketAlgorithms(cipher: .aesCBC256, integrity: .hmacSHA512, usesESN: usesESN),
    ]
}

private func checkForged(
    _ octets: [UInt8],
    _ algorithms: PacketAlgorithms,
    _ mode: ESPMode,
    _ cryptography: borrowing Cryptography
) {
    guard octets.count >= 8, case .esp(let spi) = EncapsulatedKind(octets.rawSpan) else { return }
    var receiver = inbound(spi, algorithms, mode)
    let isDelivered = opened(octets, &receiver, cryptography) != nil
    precondition(!isDelivered && receiver.highest == .zero, "nobody knows the keys")
    precondition(receiver.drops.total == 1, "what is dropped is counted")
}

private func checkPlaintext(
    _ octets: [UInt8],
    _ algorithms: PacketAlgorithms,
    _ mode: ESPMode,
    _ cryptography: borrowing Cryptography
) {
    // Whole blocks, by octets in front.
    let block = algorithms.blockByteCount
    let missing = octets.isEmpty ? block : (block - octets.count % block) % block
    let plaintext = [UInt8](repeating: 0x45, count: missing) + octets
    let spi = ChildSPI.first
    var packet: [UInt8] = [0, 0, 1, 0, 0, 0, 0, 1] + [UInt8](repeating: 0, count: algorithms.ivByteCount)
    packet += plaintext + [UInt8](repeating: 0, count: algorithms.icvByteCount)
    let (encryption, integrity) = keys(algorithms)
    var protection = PacketProtection(
        algorithms,
        .outbound,
        encryptionKey: SecretBytes(copying: encryption.rawSpan),
        integrityKey: SecretBytes(copying: integrity.rawSpan)
    )
    var span = packet.mutableSpan
    var bytes = unsafe span.mutableBytes
    protection.seal(&bytes, number: 1, cryptography)
    var receiver = inbound(spi, algorithms, mode)
    let received = opened(packet, &receiver, cryptography)
    precondition(receiver.highest.rawValue == 1, "an authentic packet has come, delivered or not")
    precondition(receiver.drops[.badICV] == 0, "an authentic packet is authentic")
    guard let received else { return }
    let padLength = Int(plaintext[plaintext.count - 2])
    precondition(mode.carries(received.next) && received.next.rawValue == plaintext.last, "an SA keeps to its mode")
    precondition(received.payload.count <= plaintext.count - 2 - padLength, "padding is never delivered")
    precondition(receiver.usage.octets == UInt64(received.payload.count), "what is delivered is counted")
}

private func checkInner(_ octets: [UInt8]) {
    guard let decoded = try? InnerPacket.decode(octets.rawSpan) else { return }
    let start = decoded.packet.ipHeaderByteCount
    var again = octets
    var span = again.mutableSpan
    var bytes = unsafe span.mutableBytes
    let byteCount = decoded.packet.write(into: &bytes, dataByteCount: decoded.data.count)
    precondition(byteCount == octets.count && again[start...] == octets[start...], "what is read is written as it was")
    _ = try? FlowMark(decoding: octets.rawSpan.extracting(decoded.data))
}

private func opened(
    _ packet: [UInt8],
    _ receiver: inout InboundSA,
    _ cryptography: borrowing Cryptography
) -> ReceivedPacket? {
    var packet = packet
    var span = packet.mutableSpan
    var bytes = unsafe span.mutableBytes
    return try? receiver.open(&bytes, cryptography)
}

private func inbound(_ spi: ChildSPI, _ algorithms: PacketAlgorithms, _ mode: ESPMode) -> InboundSA {
    let (encryption, integrity) = keys(algorithms)
    return InboundSA(
        spi: spi,
        mode: mode,
        algorithms: algorithms,
        encryptionKey: SecretBytes(copying: encryption.rawSpan),
        integrityKey: SecretBytes(copying: integrity.rawSpan),
        windowSize: 64
    )
}

private func keys(_ algorithms: PacketAlgorithms) -> (encryption: [UInt8], integrity: [UInt8]) {
    (
        [UInt8](repeating: 0x5A, count: algorithms.cipher.keyByteCount),
        [UInt8](repeating: 0xA5, count: algorithms.integrity?.keyByteCount ?? 0)
    )
}
