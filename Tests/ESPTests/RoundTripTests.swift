import ESP
import IKECrypto
import IKEWire
import Primitives
import Testing

@Suite("ESP packets")
struct RoundTripTests {
    #if DEBUG
        /// Every length at which padding or a block could differ, and every 13th of the others.
        private static let lengths = Array(0...160) + Array(stride(from: 161, to: 1484, by: 13)) + Array(1484...1500)
    #else
        private static let lengths = Array(0...1500)
    #endif

    @Test("come back as they were, of any length, in both modes", arguments: PacketAlgorithms.all)
    func comeBack(_ algorithms: PacketAlgorithms) throws {
        // What carries a payload of any length, and the shortest that it can have.
        let kinds: [(ESPMode, IPProtocol, Int)] = [
            (.tunnel, .ipv4, 20), (.tunnel, .ipv6, 40), (.transport, .udp, 8), (.transport, .icmp, 0),
        ]
        for (mode, next, least) in kinds {
            var direction = try Direction(algorithms, mode: mode)
            var modelled = try Direction(algorithms, mode: mode, backend: .modelled)
            var octets: UInt64 = 0
            var packets: UInt64 = 0
            for byteCount in Self.lengths where byteCount >= least {
                let payload = payload(byteCount, next)
                let packet = try direction.seal(payload, next)
                let header = 8 + algorithms.ivByteCount
                let padded = packet.count - header - algorithms.icvByteCount
                #expect(padded % algorithms.blockByteCount == 0 && padded - byteCount - 2 < algorithms.blockByteCount)
                let opened = try direction.open(packet)
                #expect(opened.payload == payload && opened.received.next == next)
                packets += 1
                octets += UInt64(byteCount)
                #expect(opened.received.number.rawValue == packets)
                #expect(direction.drop(packet) == .replayed)
                // Modelled packets look the same and fail the same.
                let other = try modelled.seal(payload, next)
                #expect(other.count == packet.count && other[..<8] == packet[..<8])
                #expect(try modelled.open(other).payload == payload)
                #expect(modelled.drop(other) == .replayed)
            }
            for usage in [direction.sender.usage, direction.receiver.usage, modelled.receiver.usage] {
                #expect(usage.packets == packets && usage.octets == octets)
            }
        }
    }

    @Test("cut at any place are refused", arguments: PacketAlgorithms.all, Maker.all)
    func cut(_ algorithms: PacketAlgorithms, _ maker: Maker) throws {
        var direction = try Direction(algorithms, backend: maker.backend, packets: maker.packets)
        let packet = try direction.seal(payload(60, .ipv4), .ipv4)
        for byteCount in 0..<packet.count {
            let reason = direction.drop(Array(packet[..<byteCount]))
            #expect(reason == .malformed || reason == .badICV)
        }
        #expect(direction.receiver.highest == .zero)
        #expect(direction.receiver.drops.total == UInt64(packet.count))
        #expect(direction.drop(packet) == nil)
    }

    @Test("with any bit changed are refused", arguments: PacketAlgorithms.all, Maker.all)
    func changed(_ algorithms: PacketAlgorithms, _ maker: Maker) throws {
        var direction = try Direction(algorithms, backend: maker.backend, packets: maker.packets)
        let packet = try direction.seal(payload(44, .ipv4), .ipv4)
        for bit in 0..<packet.count * 8 {
            var other = packet
            other[bit / 8] ^= 1 << UInt8(bit % 8)
            // A changed SPI is another SA's; a changed number is checked under that number.
            #expect(direction.drop(other) == (bit < 32 ? .unknownSPI : bit == 56 ? .tooOld : .badICV))
        }
        #expect(direction.receiver.highest == .zero)
        #expect(direction.drop(packet) == nil)
    }

    @Test("sealed under other keys, or without the right upper half of the number, are refused")
    func otherKeys() throws {
        for maker in Maker.all {
            for algorithms in PacketAlgorithms.all {
                let keyByteCount = algorithms.cipher.keyByteCount
                var other = try Direction(
                    algorithms,
                    backend: maker.backend,
                    packets: maker.packets,
                    encryptionKey: [UInt8](repeating: 1, count: keyByteCount),
                    integrityKey: [UInt8](repeating: 2, count: algorithms.integrity?.keyByteCount ?? 0)
                )
                var direction = try Direction(algorithms, backend: maker.backend, packets: maker.packets)
                #expect(direction.drop(try other.seal(payload(60, .ipv4), .ipv4)) == .badICV)
                guard algorithms.usesESN else { continue }
                var later = try Direction(algorithms, number: 7 << 32, backend: maker.backend, packets: maker.packets)
                #expect(direction.drop(try later.seal(payload(60, .ipv4), .ipv4)) == .badICV)
            }
        }
    }

    @Test("have IVs that never repeat, and with AES-CBC cannot be predicted", arguments: PacketAlgorithms.all)
    func differ(_ algorithms: PacketAlgorithms) throws {
        guard !algorithms.hasImplicitIV else { return }
        var direction = try Direction(algorithms)
        var ivs: Set<[UInt8]> = []
        for number in 1...64 as ClosedRange<UInt8> {
            let packet = try direction.seal(payload(60, .ipv4), .ipv4)
            let iv = Array(packet[8..<8 + algorithms.ivByteCount])
            #expect(ivs.insert(iv).inserted)
            let counter = [UInt8](repeating: 0, count: iv.count - 1) + [number]
            #expect((iv == counter) == algorithms.cipher.isAEAD)
        }
    }

    @Test("with TFC padding look longer, and are delivered without it", arguments: PacketAlgorithms.some)
    func padded(_ algorithms: PacketAlgorithms) throws {
        for (mode, next) in [(ESPMode.tunnel, IPProtocol.ipv4), (.tunnel, .ipv6), (.transport, .udp)] {
            var direction = try Direction(algorithms, mode: mode)
            let plain = payload(60, next)
            for looking in [60, 61, 100, 1_400] {
                let packet = try direction.seal(plain, next, paddedTo: looking)
                #expect(packet.count == direction.sender.packetByteCount(payloadByteCount: looking))
                #expect(try direction.open(packet).payload == plain)
            }
            #expect(direction.sender.usage.octets == 4 * 60)
        }
    }

    @Test("that are dummies are dropped, counted, and move the window", arguments: PacketAlgorithms.some)
    func dummies(_ algorithms: PacketAlgorithms) throws {
        for mode in ESPMode.allCases {
            var direction = try Direction(algorithms, mode: mode)
            let packet = try direction.seal([1, 2, 3], .none)
            #expect(direction.drop(packet) == .dummy)
            #expect(direction.drop(packet) == .replayed)
            #expect(direction.receiver.drops[.dummy] == 1 && direction.receiver.drops[.replayed] == 1)
            #expect(direction.receiver.highest.rawValue == 1 && direction.receiver.usage == Usage())
        }
    }
}
