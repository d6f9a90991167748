import GatewayRig
import IKEWire
import IKEv2
import Metrics
import Primitives
import Results
import Runner
import Synchronization
import Testing
import Workload

@Suite("A live run against strongSwan", .serialized)
struct LiveRunTests {
    @Test("one initiator establishes, and the gateway lists the same SPIs; at the end it has deleted its IKE SA")
    func establishesOne() throws {
        let gateway = try RealGateway.start()
        let listed = Mutex<[ListedIKESA]>([])
        var options = LiveOptions()
        options.beforeDrain = { _ in listed.withLock { $0 = (try? gateway.associations()) ?? [] } }
        let workload = try LiveWorkload().validated()
        let chosen = options
        let result = try gateway.rig.inside { try LiveRun(workload, options: chosen).run() }

        let ours = try #require(result.associations.first)
        let theirs = try #require(listed.withLock { $0 }.first)
        #expect(result.associations.count == 1)
        #expect(ours.state == .established)
        #expect(theirs.state == "ESTABLISHED")
        #expect(theirs.remoteIdentity == "user00001@example.org")
        #expect(theirs.remoteIdentity == ours.identity)
        #expect(theirs.remoteAddress == "\(ours.source)")
        #expect(theirs.initiatorSPI == ours.spis.initiator.rawValue)
        #expect(theirs.responderSPI == ours.spis.responder.rawValue)
        #expect(theirs.children.map(\.inboundSPI) == ours.children.map(\.outbound.rawValue))
        #expect(theirs.children.map(\.outboundSPI) == ours.children.map(\.inbound.rawValue))

        let measured = try #require(result.measurements.first)
        #expect(measured.counter(.handshakeEstablished).total == 1)
        #expect(measured.counter(.handshakeFailed).total == 0)
        #expect(measured.latency(.handshakeLatency).count == 1)
        #expect(try gateway.associations() == [])
        #expect(result.leftBehind == 0)
    }

    @Test(
        "1,000 initiators establish, rekey three Child SAs and one IKE SA each, and delete, on a clean and a lossy path",
        arguments: [LossyPath(loss: "0%"), LossyPath(loss: "2%")]
    )
    func establishesThousand(_ path: LossyPath) throws {
        let gateway = try RealGateway.start(knobs: ["CHILD_REKEY": "1h", "MOBIKE": "no"])
        let count = 1_000
        // The last third rekey is due 5.5 s before the end, four tries of a message; the first fourth 2 s after it.
        let workload = try LiveWorkload(
            count: count,
            rate: "400/s",
            duration: "38s",
            ike: "{ rekey: 25s, over: 30s, jitter: 0% }",
            child: "{ rekey: 10s, over: 30s, jitter: 0% }",
            // The gateway forgets whose Delete it has answered: if that answer is lost, the end waits for all of these.
            retransmission: "{ first: 500ms, factor: 1.5, tries: 6 }",
            path: "{ one-way-delay: 1ms, loss: { random: \(path.loss) } }"
        ).validated()
        let listed = Mutex<[ListedIKESA]>([])
        var options = LiveOptions()
        options.beforeDrain = { _ in listed.withLock { $0 = (try? gateway.associations()) ?? [] } }
        let chosen = options
        let (result, events) = try gateway.rig.inside {
            var events: [UInt32: ClientEvents] = [:]
            let end = Instant.zero + workload.run.duration
            let sinks = RunSinks(event: { if $0.time <= end { events[$0.client, default: ClientEvents()].note($0) } })
            let result = try LiveRun(workload, options: chosen).run(sinks: sinks)
            return (result, events)
        }

        let measured = try #require(result.measurements.first)
        #expect(measured.counter(.handshakeEstablished).total == UInt64(count))
        #expect(measured.counter(.handshakeFailed).byReason == [])
        #expect(measured.counter(.childRekeyFailed).byReason == [])
        #expect(measured.counter(.ikeRekeyFailed).byReason == [])
        #expect(events.count == count)
        #expect(Dictionary(grouping: events.values) { $0 }.mapValues(\.count) == [ClientEvents(3, 1): count])
        if path.isLossy { #expect(measured.counter(.retransmissions).total > 0) }

        let ours = Set(result.associations.filter { $0.state == .established }.map(Pair.init))
        let theirs = Set(listed.withLock { $0 }.filter { $0.state == "ESTABLISHED" }.map(Pair.init))
        #expect(ours.count == count)
        #expect(ours.subtracting(theirs) == [])
        #expect(theirs.subtracting(ours) == [])
        #expect(result.leftBehind == 0)
        #expect(try gateway.associations() == [])
    }
}

/// A path by its loss.
struct LossyPath: CustomTestStringConvertible {
    let loss: String
    var isLossy: Bool { loss != "0%" }

    var testDescription: String { "loss of \(loss)" }
}

/// How often a client's SAs were rekeyed.
struct ClientEvents: Hashable, Sendable {
    private var childRekeys = 0
    private var ikeRekeys = 0

    init(_ childRekeys: Int = 0, _ ikeRekeys: Int = 0) {
        self.childRekeys = childRekeys
        self.ikeRekeys = ikeRekeys
    }

    mutating func note(_ event: RunSinks.Event) {
        if event.name == "child-rekeyed" { childRekeys += 1 }
        if event.name == "ike-rekeyed" { ikeRekeys += 1 }
    }
}

/// An IKE SA and its Child SA by their SPIs, the Child SA's as the gateway sees them.
struct Pair: Hashable {
    let initiator: UInt64
    let responder: UInt64
    let children: [[UInt32]]

    init(_ association: LiveAssociation) {
        initiator = association.spis.initiator.rawValue
        responder = association.spis.responder.rawValue
        children = association.children.map { [$0.outbound.rawValue, $0.inbound.rawValue] }
    }

    init(_ listed: ListedIKESA) {
        initiator = listed.initiatorSPI
        responder = listed.responderSPI
        children = listed.children.filter { $0.state == "INSTALLED" }.map { [$0.inboundSPI, $0.outboundSPI] }
    }
}
