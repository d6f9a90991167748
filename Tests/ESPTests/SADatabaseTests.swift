import ESP
import IKECrypto
import IKEWire
import Primitives
import Testing

@Suite("The SAs of one end")
struct SADatabaseTests {
    @Test(
        "receive side by side over a rekey, until the old one is taken out",
        arguments: [.openSSL, .modelled] as [CryptoBackend]
    )
    func rekeys(_ backend: CryptoBackend) throws {
        let here = try End(backend, isInitiator: true)
        let there = try End(backend, isInitiator: false)
        here.install(1)
        there.install(1)
        let first = try here.seal(1)
        let second = try here.seal(1)
        #expect(there.drop(first) == nil)
        // The other direction has keys of its own.
        let answer = try there.seal(1)
        #expect(here.drop(answer) == nil)

        here.install(2)
        let early = try here.seal(2)
        #expect(there.drop(early) == .unknownSPI)
        there.install(2)
        #expect(there.count == 2)
        let third = try here.seal(2)
        #expect(there.drop(third) == nil && there.drop(second) == nil && there.drop(first) == .replayed)
        #expect(there.delivered(1) == 2 && there.delivered(2) == 1)

        #expect(there.remove(1) && !there.remove(1))
        #expect(there.drop(second) == .unknownSPI && there.drop(third) == .replayed)
        #expect(there.drop([1, 2, 3, 4, 5, 6, 7]) == .malformed)
        #expect(there.drops[.unknownSPI] == 2 && there.drops[.malformed] == 1 && there.drops.total == 3)
        #expect(there.delivered(1) == nil && there.count == 1)
    }
}

/// One end of Child SAs that are numbered.
private final class End {
    private let cryptography: Cryptography
    private let isInitiator: Bool
    private var database = SADatabase()
    private var outbound = SlotTable<OutboundSA>()
    private var ids: [SlotID] = []

    init(_ backend: CryptoBackend, isInitiator: Bool) throws {
        cryptography = try ESPTests.cryptography(backend)
        self.isInitiator = isInitiator
    }

    var count: Int { database.count }

    var drops: DropTally { database.drops }

    func install(_ number: UInt8) {
        let suite = ChildSuite(cipher: .aesGCM256, integrity: nil, keyExchange: nil, usesESN: true)
        let keys = cryptography.deriveChildKeys(
            suite,
            prf: .hmacSHA256,
            sk_d: SecretBytes(count: 32),
            ni: [number].rawSpan,
            nr: [number].rawSpan
        )
        let pair = SAPair(
            inbound: spi(number, ofInitiator: isInitiator),
            outbound: spi(number, ofInitiator: !isInitiator),
            mode: .tunnel,
            algorithms: PacketAlgorithms(suite),
            keys: keys,
            isExchangeInitiator: isInitiator,
            windowSize: 64
        )
        ids.append(outbound.insert(pair.install(in: &database)))
    }

    func seal(_ number: UInt8) throws -> [UInt8] {
        let id = ids[Int(number) - 1]
        let start = outbound[id].payloadOffset
        var buffer = [UInt8](repeating: 0, count: outbound[id].packetByteCount(payloadByteCount: 60))
        buffer.replaceSubrange(start..<start + 60, with: payload(60, .ipv4))
        _ = try buffer.withMutableBytes { bytes throws(SealingError) in
            try outbound[id].seal(&bytes, payloadByteCount: 60, next: .ipv4, cryptography)
        }
        return buffer
    }

    func drop(_ packet: [UInt8]) -> PacketDrop? {
        var packet = packet
        do throws(PacketDrop) {
            _ = try packet.withMutableBytes { bytes throws(PacketDrop) in try database.open(&bytes, cryptography) }
            return nil
        } catch {
            return error
        }
    }

    /// How many packets an SA has delivered, or nil where it has gone.
    func delivered(_ number: UInt8) -> UInt64? {
        database.with(spi(number, ofInitiator: isInitiator)) { $0.usage.packets }
    }

    func remove(_ number: UInt8) -> Bool {
        let spi = spi(number, ofInitiator: isInitiator)
        guard database.contains(spi) else { return false }
        _ = database.remove(spi)
        return true
    }

    private func spi(_ number: UInt8, ofInitiator: Bool) -> ChildSPI {
        ChildSPI(rawValue: (ofInitiator ? 0x1000 : 0x2000) + UInt32(number))
    }
}
