import IKEv2
import Load
import Primitives
import Testing

/// RFC 7296 sections 2.8.3 and 2.25: a reauthentication beside every other exchange that changes SAs, from either end.
@Suite("A client reauthenticates while an end changes SAs")
struct ReauthenticationCollisionTests {
    @Test(
        "whichever message is lost, both ends have the same one IKE SA when all is quiet",
        arguments: ReauthenticationCollision.all
    )
    func agree(_ collision: ReauthenticationCollision) {
        let messageCount = collision.tell(losing: nil)
        for lost in 0..<messageCount { collision.tell(losing: lost) }
    }

    @Test("which is 724 stories")
    func isComplete() {
        #expect(ReauthenticationCollision.all.count == 2 * 5 * (2 * 4 + 1))
        var count = 0
        for collision in ReauthenticationCollision.all { count += 1 + collision.tell(losing: nil) }
        #expect(count == 724)
    }
}

/// What goes on while a client reauthenticates.
struct ReauthenticationCollision: CustomTestStringConvertible {
    enum Act: String, CaseIterable {
        case rekeysChild = "rekeys the Child SA"
        case rekeysIKE = "rekeys the IKE SA"
        case deletesChild = "deletes the Child SA"
        case deletesIKE = "deletes the IKE SA"
        /// By AUTH_LIFETIME (RFC 4478).
        case wantsReauthentication = "wants a reauthentication"
    }

    let order: Reauthentication.Order
    let act: Act
    let isOfGateway: Bool
    /// When the act is, counted from the reauthentication on; a message takes 10 ms.
    let offset: Duration

    static let all = [Reauthentication.Order.breakBeforeMake, .makeBeforeBreak].flatMap { order in
        Act.allCases.flatMap { act in
            (act == .wantsReauthentication ? [true] : [true, false]).flatMap { isOfGateway in
                [-25, -15, 0, 15, 25].map { milliseconds in
                    ReauthenticationCollision(
                        order: order,
                        act: act,
                        isOfGateway: isOfGateway,
                        offset: .milliseconds(milliseconds)
                    )
                }
            }
        }
    }

    var testDescription: String { "\(order), the \(isOfGateway ? "gateway" : "client") \(act.rawValue), \(offset)" }

    /// - Returns: how many messages there were.
    @discardableResult
    func tell(losing lost: Int?) -> Int {
        // The client is up at 40 ms, and reauthenticates 60 s later.
        let moment = Duration.seconds(60) + .milliseconds(40) + offset
        var world = ClientWorld(reconnect: Self.patient) { values in
            values.lifeCycle.reauthentication = Reauthentication(order, every: .seconds(60))
            values.overlap = .zero
            if act == .deletesChild, !isOfGateway {
                values.childLifetime = Lifetime(rekey: nil, hard: moment - .milliseconds(40))
            }
        } gateway: { values in
            values.overlap = .zero
            values.retransmission = RetransmissionSchedule(waits: [.seconds(1), .seconds(1)])
            if act == .deletesChild, isOfGateway {
                values.childLifetime = Lifetime(rekey: nil, hard: moment - .milliseconds(30))
            }
            if act == .wantsReauthentication {
                values.lifeCycle.authenticationLifetime = (moment - .milliseconds(40)) * 10 / 9
            }
        }
        world.arrive()
        world.run(for: .seconds(59))
        world.forgetStory()
        world.lostMessage = lost
        world.run(for: moment - .seconds(59))
        switch act {
        case .rekeysChild: world.command(.rekeyChildren, atGateway: isOfGateway)
        case .rekeysIKE: world.command(.rekeyIKE, atGateway: isOfGateway)
        case .deletesIKE: if isOfGateway { world.command(.delete, atGateway: true) } else { world.leave() }
        case .deletesChild, .wantsReauthentication: break
        }
        // A half-open IKE SA is forgotten by then, and the next reauthentication is not yet due.
        world.run(for: .seconds(110) - moment)
        let count = world.story.count
        expectQuiet(world)
        return count
    }

    private func expectQuiet(_ world: borrowing ClientWorld) {
        let story = ([testDescription] + world.story).joined(separator: "\n")
        let ends = [world.associations(atGateway: false), world.associations(atGateway: true)]
        #expect(ends[0] == ends[1], "\(story)")
        // A client that deletes its IKE SA leaves.
        let count: Int32 = act == .deletesIKE && !isOfGateway ? 0 : 1
        #expect(ends[0].count == count && ends[0].allSatisfy { $0.hasSuffix("]") }, "\(ends)\n\(story)")
        #expect(world.isUp == (count == 1) && !world.isAttempting && !world.isLost, "\(story)")
        #expect(world.total(.up) == count && world.total(.wanted) == count, "\(story)")
        let finished = world.total(.reauthenticated) + world.total(.reauthenticationFailed)
        #expect(world.total(.reauthenticationStarted) == finished, "\(story)")
    }

    private static let patient = ReconnectPolicy(
        causes: [.timeout, .delete, .expired],
        waits: [.seconds(5)],
        jitter: .zero,
        giveUpAfter: nil
    )
}
