import IKEWire
import IKEv2
import Load
import Primitives
import Testing

/// RFC 7296 section 2.8.3, RFC 4478.
@Suite("A client reauthenticates")
struct ReauthenticationTests {
    private static let patient = ReconnectPolicy(
        causes: [.timeout, .delete],
        waits: [.seconds(10)],
        jitter: .zero,
        giveUpAfter: nil
    )

    private static func world(
        _ order: Reauthentication.Order?,
        gateway: (inout PeerPolicy.Values) -> Void = { _ in },
        client: (inout PeerPolicy.Values) -> Void = { _ in }
    ) -> ClientWorld {
        var world = ClientWorld(
            reconnect: patient,
            client: { values in
                values.lifeCycle.reauthentication = order.map { Reauthentication($0, every: .seconds(60)) }
                client(&values)
            },
            gateway: gateway
        )
        world.arrive()
        world.run(for: .seconds(1))
        world.forgetStory()
        return world
    }

    @Test("break before make: the old IKE SA is deleted, then there is a new one, and none between")
    func breakBeforeMake() {
        var world = Self.world(.breakBeforeMake)
        world.run(for: .seconds(59) + .milliseconds(45))
        // The Delete was sent at 60.04 s.
        #expect(world.isUp == true)
        world.run(for: .milliseconds(20))
        #expect(world.isUp == false)
        world.run(for: .seconds(1))
        #expect(
            world.story == [
                "--> 1 delete", "<-- 1 delete", "--> 2 ikeSAInit", "<-- 2 ikeSAInit", "--> 2 ikeAuth", "<-- 2 ikeAuth",
            ]
        )
        #expect(world.isUp == true)
        #expect(world.total(.reauthenticationStarted) == 1 && world.total(.reauthenticated) == 1)
        #expect(world.latencies(.reauthentication) == [.milliseconds(60)])
        #expect(world.total(.offered) == 1 && world.total(.established) == 1 && world.total(.failed) == 0)
        #expect(world.total(.up) == 1)
    }

    @Test("make before break: the old IKE SA is deleted when there is a new one, and the client is never without")
    func makeBeforeBreak() {
        var world = Self.world(.makeBeforeBreak)
        var isAlwaysUp = true
        for _ in 0..<200 {
            world.run(for: .seconds(1))
            isAlwaysUp = isAlwaysUp && world.isUp
        }
        #expect(isAlwaysUp)
        let lines = (1...3).flatMap { old in
            [
                "--> \(old + 1) ikeSAInit", "<-- \(old + 1) ikeSAInit", "--> \(old + 1) ikeAuth",
                "<-- \(old + 1) ikeAuth", "--> \(old) delete", "<-- \(old) delete",
            ]
        }
        #expect(world.story == lines)
        #expect(world.total(.reauthenticationStarted) == 3 && world.total(.reauthenticated) == 3)
        #expect(world.latencies(.reauthentication) == [Duration](repeating: .milliseconds(40), count: 3))
        // Nobody ever counted it as down.
        #expect(world.downs == 0 && world.total(.up) == 1 && world.total(.offered) == 1)
        #expect(world.associationCount == 1)
    }

    @Test("make before break: where the new one fails, the old one stays, and the client tries again later")
    func keepsOld() {
        var world = Self.world(.makeBeforeBreak)
        world.loses = { $0.operation == .ikeSAInit }
        world.run(for: .seconds(65))
        // Two sendings, a second each.
        #expect(world.isUp && !world.isAttempting)
        #expect(world.failures.map(\.kind) == [.reauthenticationFailed])
        #expect(world.failures.map(\.reason) == ["timeout"])
        world.loses = { _ in false }
        world.run(for: .seconds(20))
        #expect(world.isUp && world.total(.reauthenticated) == 1 && world.downs == 0)
        #expect(world.story.suffix(2) == ["--> 1 delete", "<-- 1 delete"])
        #expect(world.story.contains("--> 3 ikeAuth"))
        // And what is kept is still the first attempt's, whose messages say so.
        world.loses = { $0.operation == .ikeSAInit }
        world.run(for: .seconds(62))
        world.forgetStory()
        world.leave()
        world.run(for: .seconds(1))
        #expect(world.story.first == "--> 3 delete")
        #expect(world.isIdle && world.total(.up) == 0)
    }

    @Test("make before break: what comes after an old IKE SA that was kept has a name of its own")
    func namesNext() {
        var world = Self.world(.makeBeforeBreak)
        world.loses = { $0.operation == .ikeSAInit }
        world.run(for: .seconds(62))
        #expect(world.failures.map(\.kind) == [.reauthenticationFailed])
        world.loses = { _ in false }
        world.forgetStory()
        world.deleteFromGateway()
        world.run(for: .seconds(20))
        #expect(world.isUp == true)
        #expect(
            world.story == [
                "<-- 1 delete", "--> 1 delete", "--> 3 ikeSAInit", "<-- 2 ikeSAInit", "--> 3 ikeAuth", "<-- 2 ikeAuth",
            ]
        )
    }

    @Test("make before break: an old IKE SA that rekeys meanwhile is deleted all the same")
    func rekeysMeanwhile() {
        var world = Self.world(.makeBeforeBreak) { _ in
        } client: {
            $0.ikeLifetime = Lifetime(rekey: .seconds(60))
        }
        world.run(for: .seconds(65))
        #expect(world.isUp && world.total(.reauthenticated) == 1 && world.downs == 0)
        #expect(world.associationCount == 1)
    }

    @Test(
        "and a client that leaves meanwhile deletes both",
        arguments: [Reauthentication.Order.breakBeforeMake, .makeBeforeBreak]
    )
    func leaves(_ order: Reauthentication.Order) {
        for milliseconds in stride(from: 40 as Int64, through: 100, by: 7) {
            var world = Self.world(order)
            world.run(for: .seconds(59) + .milliseconds(milliseconds))
            world.leave()
            // A half-open IKE SA is forgotten by then, too.
            world.run(for: .seconds(40))
            #expect(world.isIdle && world.total(.up) == 0 && world.total(.wanted) == 0)
            #expect(world.associationCount == 0)
            let ends = world.total(.reauthenticated) + world.total(.reauthenticationFailed)
            #expect(world.total(.reauthenticationStarted) == ends)
        }
    }

    @Test("and not if it has left when that is due, though its Delete is still under way")
    func staysAway() {
        for order in [Reauthentication.Order.breakBeforeMake, .makeBeforeBreak] {
            var world = Self.world(order)
            world.run(for: .seconds(59) + .milliseconds(25))
            world.leave()
            world.run(for: .seconds(5))
            #expect(world.story == ["--> 1 delete", "<-- 1 delete"])
            #expect(world.isIdle && world.total(.up) == 0 && world.total(.reauthenticationStarted) == 0)
        }
    }

    @Test(
        "and answers what comes for an IKE SA that it has no more, if its policy says so",
        arguments: [0, 5] as [UInt32]
    )
    func refusesUnknown(limit: UInt32) {
        var world = Self.world(nil) {
            $0.liveness = .seconds(5)
        } client: {
            $0.lifeCycle.unknownSPIAnswers = limit
        }
        // Its Delete is lost: the gateway goes on asking.
        world.loses = { $0.operation == .delete }
        world.leave()
        world.run(for: .seconds(3))
        world.forgetStory()
        world.run(for: .seconds(4))
        #expect(world.hasEndpoint == false)
        #expect(world.story.contains("<-- 1 liveness"))
        #expect(world.story.contains("--> 1 refusal") == (limit > 0))
    }

    @Test("when the gateway asks for it by AUTH_LIFETIME, a tenth of the time before it is over")
    func obeysLifetime() {
        for order in [nil, Reauthentication.Order.makeBeforeBreak] {
            var world = Self.world(order) { $0.lifeCycle.authenticationLifetime = .seconds(40) }
            world.run(for: .seconds(34))
            #expect(world.attempts.count == 1)
            world.run(for: .seconds(2))
            #expect(world.attempts.count == 2 && world.isUp)
            world.run(for: .minutes(5))
            #expect(world.total(.reauthenticated) == 9)
            #expect(world.failures == [])
        }
    }
}
