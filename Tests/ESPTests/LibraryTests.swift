import ESP
import IKECrypto
import IKEWire
import Primitives
import Testing

extension PacketLibrary {
    /// Those that this machine has. What is not among them `LibraryTests.isHere` names, or fails for.
    static let here = PacketLibrary.allCases.filter { $0 == .openSSL || IPsecMB.absence == nil }
}

@Suite("Either library of packets")
struct LibraryTests {
    @Test("is here where the processor can have it")
    func isHere() {
        #if arch(x86_64)
            switch IPsecMB.absence {
            case .none:
                #expect(PacketLibrary.here == [.openSSL, .ipsecMB])
                #expect(IPsecMB.version.hasPrefix("libipsec-mb \(IPsecMB.neededVersion.prefix(2))"))
                #expect(!IPsecMB.instructions.isEmpty)
            case .noInstructions?: print("left out: libipsec-mb, since this processor has no AES instructions")
            case let absence?: Issue.record("libipsec-mb is \(absence); `scripts/install test` installs it")
            }
        #else
            #expect(PacketLibrary.here == [.openSSL] && IPsecMB.absence == .notBuilt)
            print("left out: libipsec-mb, which is for x86-64")
        #endif
    }

    @Test("is chosen where it is faster, packet by packet", arguments: PacketAlgorithms.all)
    func isChosen(_ algorithms: PacketAlgorithms) {
        guard IPsecMB.absence == nil else {
            #expect(PacketLibrary.faster(algorithms, .inbound) == .openSSL)
            return
        }
        let outbound = PacketLibrary.faster(algorithms, .outbound)
        let inbound = PacketLibrary.faster(algorithms, .inbound)
        switch algorithms.integrity {
        case nil: #expect(outbound == .ipsecMB && inbound == .ipsecMB)
        case .hmacSHA1, .hmacSHA256:
            #expect(outbound == .openSSL && inbound == (IPsecMB.hasSHA ? .ipsecMB : .openSSL))
        case .hmacSHA384, .hmacSHA512: #expect(outbound == .openSSL && inbound == .openSSL)
        }
    }

    #if DEBUG
        /// Every length at which padding or a block could differ, and some of the others.
        private static let lengths =
            Array(0...160) + Array(stride(from: 161, to: 8_980, by: 61)) + Array(8_980...9_000)
        private static let bodyByteCounts = [16, 48, 1_408]
    #else
        private static let lengths = Array(0...9_000)
        private static let bodyByteCounts = [16, 48, 272, 1_408, 9_008]
    #endif

    /// Of any octets, as a transport mode payload may be.
    private static let octets = (0..<9_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }

    @Test("seals the same octets as the other, and opens what the other has sealed", arguments: PacketAlgorithms.all)
    func agree(_ algorithms: PacketAlgorithms) throws {
        guard PacketLibrary.here.count == 2 else { return }
        let number: UInt64 = algorithms.usesESN ? 7 << 32 : 0
        var one = try Direction(algorithms, mode: .transport, number: number, packets: .openSSL)
        var other = try Direction(algorithms, mode: .transport, number: number, packets: .ipsecMB)
        for byteCount in Self.lengths {
            let payload = Array(Self.octets[..<byteCount])
            let packet = try one.seal(payload, .icmp)
            // Looked at without #expect, which takes much longer than what it would look at.
            guard try other.seal(payload, .icmp) == packet, try other.open(packet).payload == payload,
                try one.open(packet).payload == payload
            else {
                Issue.record("\(byteCount) octets differ")
                return
            }
        }
        #expect(one.sender.usage == other.receiver.usage && one.receiver.drops.total == 0)
        #expect(one.sender.usage.packets == UInt64(Self.lengths.count))
    }

    @Test(
        "refuses a packet with any bit changed, and leaves nothing of its plaintext",
        arguments: PacketAlgorithms.all,
        PacketLibrary.here
    )
    func refuse(_ algorithms: PacketAlgorithms, _ library: PacketLibrary) throws {
        let crypto = try cryptography(packets: library)
        var ends = Ends(algorithms)
        for bodyByteCount in Self.bodyByteCounts {
            let number = UInt64(bodyByteCount)
            let plaintext = (0..<bodyByteCount).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 1) }
            let packet = ends.seal(plaintext, number, crypto)
            let nothing = [UInt8](repeating: 0, count: bodyByteCount)
            let start = 8 + algorithms.ivByteCount
            let body = start..<start + bodyByteCount
            for bit in Self.bits(packet.count, body) {
                // With ESN an AEAD cipher covers the number that the receiver knows, not the packet's half of it.
                if algorithms.usesESN && algorithms.cipher.isAEAD && (32..<64).contains(bit) { continue }
                var changed = packet
                changed[bit / 8] ^= 1 << UInt8(bit % 8)
                var opened = changed
                let isOpened = ends.open(&opened, number, crypto)
                let isLeft = opened[body] != changed[body] && Array(opened[body]) != nothing
                guard !isOpened, !isLeft else {
                    Issue.record("bit \(bit) of \(bodyByteCount) octets: \(isOpened ? "opened" : "plaintext")")
                    return
                }
            }
            var opened = packet
            let isOpened = ends.open(&opened, number, crypto)
            #expect(isOpened && Array(opened[body]) == plaintext)
        }
    }

    /// Every bit of what stands around the body and, where that is long, of some of its octets.
    private static func bits(_ byteCount: Int, _ body: Range<Int>) -> [Int] {
        let step = body.count > 300 ? body.count / 17 : 1
        let octets = Array(0..<body.lowerBound) + Array(stride(from: body.lowerBound, to: body.upperBound, by: step))
        return (octets + Array(body.upperBound - 1..<byteCount)).flatMap { octet in (0..<8).map { octet * 8 + $0 } }
    }
}

/// Both ends of one direction, without SAs around them.
private struct Ends: ~Copyable {
    let algorithms: PacketAlgorithms
    var sender: PacketProtection
    var receiver: PacketProtection

    init(_ algorithms: PacketAlgorithms) {
        let octets = (0..<algorithms.cipher.keyByteCount).map { UInt8($0) }
        let encryptionKey = SecretBytes(copying: octets.rawSpan)
        let integrityKey = SecretBytes(count: algorithms.integrity?.keyByteCount ?? 0)
        self.algorithms = algorithms
        sender = PacketProtection(
            algorithms,
            .outbound,
            encryptionKey: encryptionKey,
            integrityKey: integrityKey
        )
        receiver = PacketProtection(
            algorithms,
            .inbound,
            encryptionKey: encryptionKey,
            integrityKey: integrityKey
        )
    }

    mutating func seal(_ plaintext: [UInt8], _ number: UInt64, _ crypto: borrowing Cryptography) -> [UInt8] {
        var packet: [UInt8] = [1, 2, 3, 4, 0, 0, UInt8(number >> 8), UInt8(number & 0xFF)]
        packet += [UInt8](repeating: 5, count: algorithms.ivByteCount) + plaintext
        packet += [UInt8](repeating: 0, count: algorithms.icvByteCount)
        packet.withMutableBytes { sender.seal(&$0, number: number, crypto) }
        return packet
    }

    mutating func open(_ packet: inout [UInt8], _ number: UInt64, _ crypto: borrowing Cryptography) -> Bool {
        packet.withMutableBytes { receiver.open(&$0, number: number, crypto) }
    }
}
