import ESP
import IKECrypto
import IKEWire
import Primitives
import Testing

@Suite("SAs")
struct SATests {
    @Test("end behind their last number, which nothing wraps", arguments: PacketAlgorithms.some)
    func exhausts(_ algorithms: PacketAlgorithms) throws {
        let last = algorithms.usesESN ? UInt64.max : UInt64(UInt32.max)
        for backend in [CryptoBackend.openSSL, .modelled] {
            var direction = try Direction(algorithms, number: last - 3, backend: backend)
            for remaining in [2, 1, 0] as [UInt64] {
                let packet = try direction.seal(payload(40, .ipv4), .ipv4)
                #expect(direction.sender.remainingCount == remaining)
                #expect(try direction.open(packet).received.number.rawValue == last - remaining)
            }
            for _ in 0..<3 {
                let refused = direction.refusal(payload(40, .ipv4), .ipv4)
                #expect(refused == .sequenceNumbersExhausted)
            }
            #expect(direction.sender.number.rawValue == last && direction.sender.usage.packets == 3)
        }
    }

    @Test("wipe their keys where they lie when the last number has been sent", arguments: PacketAlgorithms.some)
    func wipes(_ algorithms: PacketAlgorithms) throws {
        let crypto = try cryptography()
        let encryptionKey = (0..<algorithms.cipher.keyByteCount).map { UInt8(0x40 + $0) }
        let integrityKey = (0..<(algorithms.integrity?.keyByteCount ?? 0)).map { UInt8(0x90 + $0) }
        let place = UnsafeMutablePointer<OutboundSA>.allocate(capacity: 1)
        defer { unsafe place.deallocate() }
        let memory = unsafe UnsafeRawBufferPointer(start: place, count: MemoryLayout<OutboundSA>.size)
        unsafe place.initialize(
            to: OutboundSA(
                spi: .first,
                mode: .tunnel,
                algorithms: algorithms,
                encryptionKey: SecretBytes(copying: encryptionKey.rawSpan),
                integrityKey: SecretBytes(copying: integrityKey.rawSpan),
                number: SequenceNumber(rawValue: SequenceNumber.last(usesESN: algorithms.usesESN).rawValue - 1)
            )
        )
        #expect(unsafe contains(encryptionKey, in: memory) && contains(integrityKey, in: memory))
        var buffer = [UInt8](repeating: 0, count: 200)
        for isLast in [false, true] {
            let refused = buffer.withMutableBytes { bytes -> Bool in
                (try? unsafe place.pointee.seal(&bytes, payloadByteCount: 40, next: .none, crypto)) == nil
            }
            #expect(refused == isLast)
        }
        #expect(unsafe !contains(encryptionKey, in: memory))
        #expect(unsafe integrityKey.isEmpty || !contains(integrityKey, in: memory))
        unsafe place.deinitialize(count: 1)
    }

    private func contains(_ octets: [UInt8], in memory: UnsafeRawBufferPointer) -> Bool {
        octets.isEmpty
            || (0...memory.count - octets.count).contains { start in
                unsafe memory[start..<start + octets.count].elementsEqual(octets)
            }
    }

    @Test("with ESN go on over the border of the lower half, which packets do not show")
    func crosses() throws {
        for algorithms in PacketAlgorithms.all where algorithms.usesESN {
            for border in [1 << 32, 9 << 32] as [UInt64] {
                var direction = try Direction(algorithms, windowSize: 32, number: border - 20)
                var packets: [[UInt8]] = []
                for _ in 0..<40 { packets.append(try direction.seal(payload(40, .ipv4), .ipv4)) }
                // The later ones first, so that the window spans the border when the earlier ones come.
                for index in stride(from: 39, through: 10, by: -1) {
                    let number = try direction.open(packets[index]).received.number.rawValue
                    #expect(number == border - 19 + UInt64(index))
                }
                #expect(packets[18][4..<8] == [0xFF, 0xFF, 0xFF, 0xFF] && packets[19][4..<8] == [0, 0, 0, 0])
                for index in 10..<40 { #expect(direction.drop(packets[index]) == .replayed) }
            }
        }
    }

    @Test("refuse authentic packets whose padding, next header or inner length is wrong")
    func refuses() throws {
        let ipv4 = payload(28, .ipv4)
        var longer = ipv4
        longer[3] = 29
        var shorter = ipv4
        shorter[3] = 19
        var other = ipv4
        other[0] = 0x65
        var udp = payload(8, .udp)
        udp[5] = 7
        let cases: [(ESPMode, [UInt8], PacketDrop?)] = [
            (.tunnel, ipv4 + [1, 2, 2, 4], nil),
            (.tunnel, ipv4 + [1, 1, 2, 4], .badPadding),
            (.tunnel, ipv4 + [0, 0, 2, 4], .badPadding),
            (.tunnel, ipv4 + [1, 2, 31, 4], .badPadding),
            (.tunnel, ipv4 + [1, 2, 255, 4], .badPadding),
            // Padding of 30: all of the plaintext, and no payload is left.
            (.tunnel, (1...30).map { UInt8($0) } + [30, 4], .malformed),
            (.transport, (1...30).map { UInt8($0) } + [30, 1], nil),
            (.transport, (1...30).map { UInt8($0) } + [31, 1], .badPadding),
            // More padding than is needed is allowed.
            (.tunnel, ipv4 + [1, 2, 3, 4, 5, 6, 6, 4], nil),
            (.tunnel, ipv4 + [1, 2, 3, 4, 4, 6, 6, 4], .badPadding),
            (.tunnel, ipv4 + [1, 2, 2, 59], .dummy),
            (.tunnel, ipv4 + [1, 1, 2, 59], .badPadding),
            (.tunnel, ipv4 + [1, 2, 2, 17], .unknownNextHeader),
            (.tunnel, ipv4 + [1, 2, 2, 0], .unknownNextHeader),
            (.transport, ipv4 + [1, 2, 2, 4], .unknownNextHeader),
            (.tunnel, longer + [1, 2, 2, 4], .malformed),
            (.tunnel, shorter + [1, 2, 2, 4], .malformed),
            (.tunnel, other + [1, 2, 2, 4], .malformed),
            (.tunnel, ipv4 + [1, 2, 2, 41], .malformed),
            (.tunnel, payload(40, .ipv6) + [1, 2, 2, 41], nil),
            (.transport, udp + [1, 2, 2, 17], .malformed),
            (.transport, payload(8, .udp) + [1, 2, 2, 17], nil),
        ]
        for (mode, plaintext, expected) in cases {
            for backend in [CryptoBackend.openSSL, .modelled] {
                let algorithms = PacketAlgorithms(cipher: .aesGCM128, integrity: nil, usesESN: false)
                var direction = try Direction(algorithms, mode: mode, backend: backend)
                let packet = try authentic(plaintext, algorithms, direction.cryptography)
                #expect(direction.drop(packet) == expected, "\(plaintext)")
                // What is authentic has come, delivered or not.
                #expect(direction.receiver.highest.rawValue == 1 && direction.drop(packet) == .replayed)
                #expect(direction.receiver.drops.total == (expected == nil ? 1 : 2))
            }
        }
    }

    @Test("refuse ciphertext that does not fill words or blocks", arguments: PacketAlgorithms.some)
    func blocks(_ algorithms: PacketAlgorithms) throws {
        var direction = try Direction(algorithms)
        let least = 8 + algorithms.ivByteCount + algorithms.icvByteCount
        for byteCount in 0..<least + 64 {
            let packet = [0xC0, 0xFF, 0xEE, 0x01, 0, 0, 0, 1] + [UInt8](repeating: 0, count: max(0, byteCount - 8))
            let fills = byteCount > least && (byteCount - least) % algorithms.blockByteCount == 0
            #expect(direction.drop(Array(packet[..<byteCount])) == (fills ? .badICV : .malformed))
        }
    }

    private func authentic(
        _ plaintext: [UInt8],
        _ algorithms: PacketAlgorithms,
        _ cryptography: borrowing Cryptography
    ) throws -> [UInt8] {
        let key = [UInt8](0x40..<0x54)
        var protection = PacketProtection(
            algorithms,
            .outbound,
            encryptionKey: SecretBytes(copying: key.rawSpan),
            integrityKey: SecretBytes()
        )
        var packet: [UInt8] = [0xC0, 0xFF, 0xEE, 0x01, 0, 0, 0, 1] + [0, 0, 0, 0, 0, 0, 0, 1]
        packet += plaintext + [UInt8](repeating: 0, count: 16)
        packet.withMutableBytes { protection.seal(&$0, number: 1, cryptography) }
        return packet
    }
}
