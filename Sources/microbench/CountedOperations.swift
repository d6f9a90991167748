import ESP
import Glibc
import IKECrypto
import IKEWire
import IKEv2
import Primitives
import Simulation

/// An operation whose instructions are counted: `microbench count NAME TIMES` carries it out so many times and says
/// nothing.
///
/// The difference of two counts divided by that of the times is its price, and that of whatever it starts with drops
/// out (scripts/bench-gate). Cryptography is modelled: what a library computes is no business of ours, and depends on
/// the processor that it finds.
struct CountedOperation: Sendable {
    let name: String
    let carryOut: @Sendable (Int) -> Void
}

let countedOperations = [
    CountedOperation(name: "event-popped-and-pushed") { times in
        _ = hold(pending: 10_000, steps: times, spread: spreadDelay)
    },
    CountedOperation(name: "event-into-digest") { times in
        var digest = EntityDigest()
        for count in 0..<UInt64(times) {
            let order = EventOrder(time: Instant(nanoseconds: count * 1_000), class: 1, source: 7, count: count)
            digest.record(Event(order: order, target: 3, kind: 2, first: count))
        }
        precondition(digest.low != 0, "the work is not optimized away")
    },
    CountedOperation(name: "random-draw") { times in
        var stream = RandomStream(seed: 1, entity: 2, purpose: .packetDelay)
        var sum: UInt64 = 0
        for _ in 0..<times { sum &+= stream.next() }
        precondition(sum != 0, "the work is not optimized away")
    },
    CountedOperation(name: "packet-over-link") { times in
        let lognormal = DurationDistribution(.lognormal(median: .milliseconds(40), sigmaMillionths: 400_000))
        let exponential = DurationDistribution(.exponential(mean: .milliseconds(3)))
        var link = Link(seed: 1, latency: Latency(perClient: lognormal, perPacket: exponential))
        link.loss = .gilbertElliott(toBad: .percent(1), toGood: .percent(30), inGood: .zero, inBad: .one)
        var flow = Flow(client: 3, direction: .toGateway, over: link)
        var now = Instant.zero
        var sum: UInt64 = 0
        for _ in 0..<times {
            now += .microseconds(100)
            if case .arrives(let arrival) = flow.send(payloadByteCount: 300, isIPv4: true, at: now, over: link) {
                sum &+= arrival.nanoseconds
            }
        }
        precondition(sum != 0, "packets arrive")
    },
    CountedOperation(name: "spi-looked-up") { times in
        var table = SPITable(minimumCapacity: 100_000)
        for number in 1...100_000 as ClosedRange<UInt64> {
            _ = table.insert(number, for: number &* 0x9E37_79B9_7F4A_7C15)
        }
        var sum: UInt64 = 0
        for number in 0..<UInt64(times) { sum &+= table[(1 + number % 100_000) &* 0x9E37_79B9_7F4A_7C15] ?? 0 }
        precondition(sum != 0, "what was put in is found")
    },
    CountedOperation(name: "ike-sa-init-encoded") { times in
        let request = Request()
        var writer = ByteWriter(capacity: 1500)
        for _ in 0..<times {
            writer.removeAll()
            request.encode(into: &writer)
        }
    },
    CountedOperation(name: "ike-sa-init-decoded") { times in
        var writer = ByteWriter(capacity: 1500)
        Request().encode(into: &writer)
        let datagram = writer.bytes
        var sum = 0
        for _ in 0..<times { sum &+= (try? Request.decode(datagram.rawSpan)) ?? 0 }
        precondition(sum > 0, "what was encoded decodes")
    },
    CountedOperation(name: "handshake") { times in
        var pair = EndpointPair(backend: .modelled)
        for number in 0..<UInt32(times) { pair.handshake(number) }
    },
    exchange("ike-rekeyed", .rekeyIKE),
    exchange("child-rekeyed", .rekeyChildren),
    exchange("liveness-checked", .checkLiveness),
    CountedOperation(name: "esp-sealed-and-opened") { times in
        guard let modelled = try? Cryptography(backend: .modelled, seed: [UInt8](0..<32).rawSpan) else {
            preconditionFailure("what is modelled needs no library")
        }
        var batch = PacketBatch(gcm, 1400)
        for number in 0..<times {
            batch.seal(number % PacketBatch.count, modelled)
            batch.open(number % PacketBatch.count, modelled)
        }
    },
]

private func exchange(_ name: String, _ command: IKESA.Command) -> CountedOperation {
    CountedOperation(name: name) { times in
        var pair = EndpointPair(backend: .modelled)
        pair.handshake(0)
        for _ in 0..<times { pair.exchange(command) }
    }
}

/// `count` names the operations; `count NAME TIMES` carries one out.
func countOperation(_ arguments: ArraySlice<String>) {
    guard let name = arguments.first else {
        for operation in countedOperations { print(operation.name) }
        return
    }
    guard arguments.count == 2, let operation = countedOperations.first(where: { $0.name == name }),
        let times = arguments.last.flatMap({ Int($0) }), times > 0
    else {
        print("usage: microbench count [NAME TIMES]; without a name it says which there are")
        exit(64)
    }
    operation.carryOut(times)
}
