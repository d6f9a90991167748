package import Primitives
package import Workload

/// The packets of one client's share of a traffic, one way: when each is due, and how long it is.
package struct PacketFlow {
    package enum Direction: UInt32, Sendable, BitwiseCopyable, CaseIterable {
        case up, down
    }

    /// What every packet asks a flow for, apart from it: a copy of a flow counts references to its sizes.
    struct Face: BitwiseCopyable {
        /// Names the flow in its packets.
        let mark: UInt32
        let direction: Direction
        /// Whose its packets are in a tally.
        let subject: Int
        let form: FlowForm
        /// After so many packets a dummy follows; 0: none does.
        fileprivate let dummies: UInt64

        /// Whether whoever sends a packet sends a dummy behind it.
        func isFollowedByDummy(_ number: UInt64) -> Bool { dummies > 0 && number % dummies == 0 }
    }

    let face: Face
    private let stream: Workload.Traffic.Stream
    private let pattern: Workload.Traffic.Pattern
    private let bursts: Workload.Traffic.Bursts?
    /// When the burst ends that the flow is in; for ever without bursts.
    private var burstEnd = Instant.never
    let isEchoed: Bool
    /// Where its even spacing begins.
    private var start = Instant.zero
    private var sinceStart: UInt64 = 0
    private(set) var isRunning = false
    /// The number of the last packet; they are counted on when it begins again.
    package private(set) var number: UInt64 = 0
    /// When the next packet is; meaningful while the flow runs.
    package private(set) var due = Instant.never
    private var chance: RandomStream

    package init?(_ workload: Workload, traffic: Int, _ direction: Direction, client: UInt64, seed: UInt64) {
        let values = workload.traffic[traffic]
        guard let stream = direction == .up ? values.up : values.down else { return nil }
        let mark = Self.mark(traffic: traffic, direction)
        self.stream = stream
        pattern = values.pattern
        bursts = values.bursts
        isEchoed = values.isEchoed
        let content: FlowForm.Content =
            switch values.content {
            case .udp: .udp(port: values.isEchoed ? Self.echoPort : Self.discardPort)
            case .icmp: .icmp(identifier: UInt16(traffic))
            }
        face = Face(
            mark: mark,
            direction: direction,
            subject: workload.subject(ofFlow: mark),
            form: FlowForm(content: content, target: values.target, padding: values.padding),
            dummies: UInt64(values.dummies)
        )
        let name = StableName.hash(
            of: StableName.hash(of: "traffic." + values.name),
            client,
            UInt64(direction.rawValue)
        )
        chance = RandomStream(seed: seed, entity: name, purpose: .traffic)
    }

    /// RFC 862 and RFC 863.
    private static let echoPort: UInt16 = 7
    private static let discardPort: UInt16 = 9

    var traffic: Int { Int(face.mark >> 1) }
    var mark: UInt32 { face.mark }
    var direction: Direction { face.direction }
    var subject: Int { face.subject }
    var form: FlowForm { face.form }

    static func mark(traffic: Int, _ direction: Direction) -> UInt32 { UInt32(traffic) << 1 | direction.rawValue }

    /// Begins, or begins again; the time of its first packet.
    package mutating func begin(at now: Instant) -> Instant {
        isRunning = true
        sinceStart = 0
        let interval = interval(before: 1)
        start = now + (interval > .zero ? chance.duration(upTo: interval) : .zero)
        due = pattern == .poisson ? now + gap() : start
        if let bursts { burstEnd = due + draw(bursts.burst) }
        return due
    }

    mutating func end() { isRunning = false }

    /// Takes the packet that is due: its number and its length. The next one is due at the time that comes with it.
    package mutating func next() -> (number: UInt64, byteCount: Int, following: Instant) {
        number += 1
        sinceStart += 1
        due = pattern == .poisson ? due + gap() : start + interval(before: sinceStart)
        if let bursts, due >= burstEnd { beginBurst(bursts) }
        return (number, drawByteCount(), due)
    }

    /// The next burst begins with a packet, as each does.
    private mutating func beginBurst(_ bursts: Workload.Traffic.Bursts) {
        start = burstEnd + draw(bursts.pause)
        sinceStart = 0
        due = start
        burstEnd = start + draw(bursts.burst)
    }

    private mutating func draw(_ mean: Duration) -> Duration {
        max(.nanoseconds(1), DurationDistribution(.exponential(mean: mean)).draw(from: &chance))
    }

    /// How long so many packets take, exactly.
    func interval(before count: UInt64) -> Duration {
        let product = UInt64(stream.packets.per.nanoseconds).multipliedFullWidth(by: count)
        return .nanoseconds(Int64(clamping: stream.packets.count.dividingFullWidth(product).quotient))
    }

    /// How many packets are due in a time.
    func count(in time: Duration) -> UInt64 {
        let product = stream.packets.count.multipliedFullWidth(by: UInt64(time.nanoseconds))
        return UInt64(stream.packets.per.nanoseconds).dividingFullWidth(product).quotient
    }

    private mutating func gap() -> Duration {
        draw(interval(before: 1))
    }

    private mutating func drawByteCount() -> Int {
        switch stream.size {
        case .fixed(let byteCount): return byteCount
        case .imix:
            switch chance.below(12) {
            case 0..<7: return 72
            case 7..<11: return 576
            default: return 1_400
            }
        case .uniform(let from, let to): return from + Int(chance.below(UInt64(to - from + 1)))
        case .mix(let shares):
            var place = Int(chance.below(UInt64(stream.size.sum.count)))
            for share in shares {
                if place < share.weight { return share.byteCount }
                place -= share.weight
            }
            preconditionFailure("a draw is below the sum of all weights")
        }
    }
}
