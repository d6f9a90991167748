import GatewayRig
import IKEWire
import IKEv2
import Metrics
import Results
import Runner
import Synchronization
import Testing

@Suite("A live run against strongSwan")
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
}
