import ESP
import IKECrypto
import IKEWire
import Primitives
import Testing

/// Packets come again, out of order and forged; a plain set of numbers says what may be delivered.
@Suite("Of packets that come again, out of order or forged")
struct ReplayTests {
    struct Story: Sendable, CustomTestStringConvertible {
        var windowSize: Int
        var usesESN: Bool
        var backend: CryptoBackend

        var testDescription: String { "window \(windowSize), \(usesESN ? "ESN" : "no ESN"), \(backend)" }

        /// With ESN across the border of the lower half.
        var first: UInt64 { usesESN ? 1 << 32 - 20_000 : 0 }
    }

    static let stories = WindowTests.sizes.flatMap { size in
        [false, true].flatMap { usesESN in
            [CryptoBackend.openSSL, .modelled].map { Story(windowSize: size, usesESN: usesESN, backend: $0) }
        }
    }

    #if DEBUG
        private static let count = 2_000
    #else
        private static let count = 100_000
    #endif

    @Test("none is accepted twice, none forged is accepted, none in the window is lost", arguments: stories)
    func holds(_ story: Story) throws {
        var rig = try ReplayRig(story)
        for _ in 0..<Self.count { try rig.step() }
        let tally = rig.tally
        #expect(tally.wrong == 0)
        #expect(tally.delivered > Self.count / 5 && tally.repeated > Self.count / 5 && tally.forged > Self.count / 5)
        #expect(tally.reordered > Self.count / 20)
        #expect(rig.direction.receiver.usage.packets == UInt64(tally.delivered))
        let drops = rig.direction.receiver.drops
        #expect(drops.total == UInt64(tally.repeated + tally.forged + tally.late))
        #if !DEBUG
            #expect(tally.late > 0)
            #expect(!story.usesESN || rig.direction.receiver.highest.high == 1)
        #endif
    }
}

private struct ReplayRig: ~Copyable {
    struct Tally {
        var delivered = 0
        var repeated = 0
        var forged = 0
        /// Genuine, new, and left of the window.
        var late = 0
        /// Delivered behind a later one.
        var reordered = 0
        /// What the receiver and the reference do not agree on.
        var wrong = 0
    }

    struct Packet {
        var number: UInt64
        var octets: [UInt8]
    }

    let story: ReplayTests.Story
    var direction: Direction
    var reference: ReferenceWindow
    var tally = Tally()
    private var attacker: Direction
    private var stream: RandomStream
    /// On its way.
    private var pool: [Packet] = []
    /// What came, for those who repeat it.
    private var history: [Packet] = []
    private var oldest = 0
    private var came: Set<UInt64> = []

    init(_ story: ReplayTests.Story) throws {
        let algorithms = PacketAlgorithms(cipher: .aesGCM128, integrity: nil, usesESN: story.usesESN)
        let direction = try Direction(
            algorithms,
            mode: .transport,
            windowSize: story.windowSize,
            number: story.first,
            backend: story.backend
        )
        let attacker = try Direction(
            algorithms,
            mode: .transport,
            number: story.first + 500,
            backend: story.backend,
            encryptionKey: [UInt8](repeating: 9, count: 20)
        )
        self.story = story
        self.direction = direction
        self.attacker = attacker
        reference = ReferenceWindow(size: story.windowSize, highest: story.first)
        stream = RandomStream(seed: 11, entity: UInt64(story.windowSize), purpose: .test)
    }

    mutating func step() throws {
        switch stream.below(100) {
        case 0..<45: try deliver()
        case 45..<73 where !history.isEmpty: judge(history[Int(stream.below(UInt64(history.count)))])
        default: try forge()
        }
        if stream.below(4_000) == 0 {
            // A gap, wider than the window at times.
            for _ in 0..<stream.below(UInt64(2 * story.windowSize)) { _ = try next() }
        }
    }

    /// One of the packets on their way arrives, which need not be the first.
    private mutating func deliver() throws {
        while pool.count <= story.windowSize / 3 { pool.append(try next()) }
        let index = Int(stream.below(UInt64(pool.count)))
        pool.swapAt(index, pool.count - 1)
        let packet = pool.removeLast()
        judge(packet)
        if history.count < 3 * story.windowSize {
            history.append(packet)
        } else {
            history[oldest] = packet
            oldest = (oldest + 1) % history.count
        }
    }

    private mutating func next() throws -> Packet {
        let octets = try direction.seal([8, 0, 1, 2, 3], .icmp)
        return Packet(number: direction.sender.number.rawValue, octets: octets)
    }

    private mutating func judge(_ packet: Packet) {
        let place = reference.place(of: packet.number, first: story.first)
        let reason = direction.drop(packet.octets)
        defer { came.insert(packet.number) }
        switch place {
        case .new:
            tally.delivered += 1
            if packet.number < reference.highest { tally.reordered += 1 }
            reference.enter(packet.number)
            if reason != nil { tally.wrong += 1 }
        case .replayed:
            tally.repeated += 1
            if reason != .replayed { tally.wrong += 1 }
        case .tooOld:
            if came.contains(packet.number) {
                tally.repeated += 1
            } else {
                tally.late += 1
            }
            // With ESN it is taken for a number to the right, under which its ICV is wrong.
            if reason != (story.usesESN ? .badICV : .tooOld) { tally.wrong += 1 }
        }
    }

    /// A changed copy, a packet of somebody else's keys, or anything.
    private mutating func forge() throws {
        var octets: [UInt8]
        switch stream.below(3) {
        case 0:
            octets = try attacker.seal([8, 0, 1, 2, 3], .icmp)
        case 1 where !pool.isEmpty:
            octets = pool[Int(stream.below(UInt64(pool.count)))].octets
            let bit = 32 + Int(stream.below(UInt64(octets.count * 8 - 32)))
            octets[bit / 8] ^= 1 << UInt8(bit % 8)
        default:
            octets = Array([0xC0, 0xFF, 0xEE, 0x01])
            for _ in 0..<36 { octets.append(UInt8(truncatingIfNeeded: stream.next())) }
        }
        tally.forged += 1
        let highest = direction.receiver.highest
        if direction.drop(octets) == nil || direction.receiver.highest != highest { tally.wrong += 1 }
    }
}
