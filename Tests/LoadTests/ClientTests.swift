import IKEWire
import IKEv2
import Load
import Primitives
import Testing

@Suite("A client")
struct ClientTests {
    private static let patient = ReconnectPolicy(
        causes: [.timeout, .delete, .refused],
        waits: [.seconds(10), .seconds(20)],
        jitter: .zero,
        giveUpAfter: 3
    )

    @Test("connects, and its latency counts from the moment when it was due")
    func connects() {
        var world = ClientWorld(reconnect: .never)
        world.run(for: .seconds(5))
        #expect(world.isIdle == true)
        world.arrive(dueBefore: .milliseconds(500))
        #expect(world.isAttempting && world.isWanted && !world.isUp)
        world.run(for: .seconds(1))
        #expect(world.isUp && !world.isAttempting && !world.isLost)
        #expect(world.total(.offered) == 1 && world.total(.established) == 1 && world.total(.failed) == 0)
        #expect(world.total(.up) == 1 && world.total(.wanted) == 1)
        // Two exchanges of 20 ms each, begun half a second late.
        #expect(world.latencies(.handshake) == [.milliseconds(540)])
    }

    @Test("whose gateway is silent fails by timeout, waits longer each time, and gives up")
    func givesUp() {
        var world = ClientWorld(reconnect: Self.patient)
        world.isGatewayDown = true
        world.arrive()
        world.run(for: .minutes(5))
        // An attempt of 2 s, then 10 s, an attempt of 2 s, then 20 s, and a last attempt.
        #expect(world.attempts == [0, 12, 34].map { .zero + .seconds($0) })
        #expect(world.failures.map(\.reason) == ["timeout", "timeout", "timeout"])
        #expect(world.failures.map(\.second) == [2, 14, 36])
        #expect(world.total(.offered) == 3 && world.total(.failed) == 3 && world.total(.up) == 0)
        #expect(world.total(.retransmitted) == 3)
        // It would still have a tunnel, so that those who gave up count against the gateway's availability.
        #expect(world.total(.wanted) == 1 && !world.isLost && !world.isAttempting)
    }

    @Test("that succeeds begins to count its failures anew")
    func countsFailuresInARow() {
        var world = ClientWorld(reconnect: Self.patient)
        world.isGatewayDown = true
        world.arrive()
        world.run(for: .seconds(20))
        world.isGatewayDown = false
        world.run(for: .seconds(20))
        #expect(world.isUp && world.attempts.count == 3)
        world.deleteFromGateway()
        world.run(for: .seconds(1))
        #expect(!world.isUp && world.total(.up) == 0)
        world.run(for: .seconds(10))
        #expect(world.isUp && world.attempts.count == 4)
        #expect(world.attempts[3] - world.attempts[2] < .seconds(20), "it waits as after a first failure")
        #expect(world.total(.established) == 2 && world.total(.failed) == 2)
    }

    @Test("with another key is refused, and does not come back unless its policy says so")
    func isRefused() {
        var world = ClientWorld(reconnect: Self.patient, client: { $0.preSharedKey = Array("another".utf8) })
        world.arrive()
        world.run(for: .minutes(5))
        #expect(world.failures.map(\.reason) == ["authentication-failed"])
        #expect(world.attempts.count == 1 && !world.hasEndpoint)
    }

    @Test("whose Child SA is refused has failed for that reason, and deletes the IKE SA")
    func childIsRefused() {
        var world = ClientWorld(
            reconnect: Self.patient,
            client: { $0.remoteSelectors = [TrafficSelector(IPPrefix("192.168.0.0/16")!)] }
        )
        world.arrive()
        world.run(for: .seconds(5))
        #expect(world.failures.map(\.reason) == ["refused:TS_UNACCEPTABLE"])
        #expect(!world.hasEndpoint && world.total(.established) == 0 && world.total(.up) == 0)
        world.run(for: .seconds(10))
        #expect(world.attempts.count == 2, "it comes again as after any refusal")
    }

    @Test("two of whose Child SAs are refused has failed for the first reason, whatever becomes of the other one")
    func childrenAreRefused() throws {
        let proposals = try ["aes256gcm12-ecp384", "aes128gcm16-x25519"].map {
            try Proposal(notation: $0, protocolID: .esp)
        }
        var world = ClientWorld(
            reconnect: .never,
            client: { values in
                values.childProposals = proposals
                values.additionalChildren = 1
                values.remoteSelectors = [TrafficSelector(IPPrefix("192.168.0.0/16")!)]
                values.lifeCycle.childless = .required
                values.lifeCycle.windowSize = 2
            },
            gateway: { values in
                values.childProposals = [proposals[1]]
                values.lifeCycle.childless = .accepted
                values.lifeCycle.windowSize = 2
            }
        )
        // The second request is sent again, and answered by INVALID_KE_PAYLOAD when the first one has failed for good.
        world.lostMessage = 5
        world.arrive()
        world.run(for: .seconds(5))
        // Two of either kind, and the first one once more.
        #expect(world.story.count { $0.contains("<--") && $0.contains("refusal") } == 5, "\(world.story)")
        #expect(world.failures.map(\.reason) == ["refused:TS_UNACCEPTABLE"])
        #expect(world.hasEndpoint == false)
    }

    @Test("leaves for good when its stay is over")
    func leaves() {
        var world = ClientWorld(reconnect: Self.patient)
        world.arrive(leavingAfter: .minutes(1))
        world.run(for: .seconds(59))
        #expect(world.isUp == true)
        world.run(for: .minutes(5))
        #expect(world.isIdle && world.attempts.count == 1)
        #expect(world.total(.wanted) == 0 && world.total(.up) == 0 && world.total(.failed) == 0)
        world.arrive()
        world.run(for: .seconds(1))
        #expect(world.isUp && world.total(.offered) == 2)
    }

    @Test("that leaves in the middle of an attempt wants nothing any more")
    func leavesEarly() {
        var world = ClientWorld(reconnect: Self.patient)
        world.arrive()
        world.run(for: .milliseconds(5))
        world.leave()
        world.run(for: .minutes(5))
        #expect(world.isIdle && !world.isUp && world.attempts.count == 1)
        #expect(world.total(.wanted) == 0 && world.total(.up) == 0)
    }

    @Test("whose IKE SA ends at its hard lifetime, or by the gateway's hand, has lost it for that reason")
    func losesItsTunnel() {
        var world = ClientWorld(
            reconnect: ReconnectPolicy(
                causes: [.expired, .delete],
                waits: [.seconds(10)],
                jitter: .zero,
                giveUpAfter: 2
            ),
            client: { $0.ikeLifetime = Lifetime(rekey: nil, hard: .seconds(40)) }
        )
        world.arrive()
        world.run(for: .seconds(45))
        #expect(world.lost.map(\.reason) == ["expired"] && world.lost.map(\.second) == [40])
        world.run(for: .seconds(10))
        #expect(world.isUp == true)
        world.deleteFromGateway()
        world.run(for: .seconds(15))
        #expect(world.lost.map(\.reason) == ["expired", "deleted-by-peer"])
        #expect(world.isUp && world.total(.lost) == 2 && world.total(.failed) == 0 && world.total(.up) == 1)
        world.leave()
        world.run(for: .seconds(1))
        #expect(!world.isUp && world.total(.lost) == 2, "what it deletes itself is not lost")
    }

    @Test("rekeys, and both kinds are counted when they begin and when they are done, from when they were due")
    func rekeys() {
        var world = ClientWorld(
            reconnect: .never,
            client: {
                $0.childLifetime = Lifetime(rekey: .seconds(40))
                $0.ikeLifetime = Lifetime(rekey: .seconds(100))
            }
        )
        world.arrive()
        world.run(for: .seconds(130))
        #expect(world.total(.childRekeyStarted) == 3 && world.total(.childRekeyed) == 3)
        #expect(world.total(.ikeRekeyStarted) == 1 && world.total(.ikeRekeyed) == 1)
        #expect(world.latencies(.childRekey) == [Duration](repeating: .milliseconds(20), count: 3))
        #expect(world.latencies(.ikeRekey) == [.milliseconds(20)])
        #expect(world.isUp && world.total(.up) == 1 && world.total(.failed) == 0)
    }
}
