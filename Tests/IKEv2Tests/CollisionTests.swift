import IKEWire
import IKEv2
import Primitives
import Testing

/// RFC 7296 sections 2.8.1, 2.8.2 and 2.25: every pair of exchanges that change SAs, one from either end.
@Suite("Both ends change SAs at once")
struct CollisionTests {
    @Test("whichever message is lost, they agree when all is quiet, and nothing is left over", arguments: Collision.all)
    func agree(_ collision: Collision) {
        for variant in Collision.variants {
            let messageCount = collision.tell(variant)
            for lost in 0..<messageCount { collision.tell(variant, .isLost, of: lost) }
        }
    }

    @Test("whichever message is late, or comes twice, likewise", arguments: Collision.all)
    func agreeInDisorder(_ collision: Collision) {
        let messageCount = collision.tell(Collision.variants[0])
        for index in 0..<messageCount {
            collision.tell(Collision.variants[0], .isDelayed(.milliseconds(35)), of: index)
            collision.tell(Collision.variants[0], .arrivesTwice, of: index)
        }
    }

    @Test("which is 2,290 stories with losses, in which either end has the lowest nonce")
    func isComplete() {
        #expect(Collision.all.count == 4 * 4 * 5)
        var count = 0
        for collision in Collision.all {
            for variant in Collision.variants { count += 1 + collision.tell(variant) }
        }
        #expect(count == 2_290)
        let winners = Collision.variants.map { variant in
            let network = Network.established(seed: variant.seed)
            for side in Side.allCases { network.command(.rekeyChildren, at: side) }
            network.run(for: .minutes(1))
            return network.children(of: .initiator).map(\.isExchangeInitiator)
        }
        #expect(winners.contains([true]) && winners.contains([false]))
    }
}

/// What either end does to the SAs, and when.
struct Collision: CustomTestStringConvertible {
    enum Act: String, CaseIterable {
        case rekeysChild = "rekeys the Child SA"
        case rekeysIKE = "rekeys the IKE SA"
        case deletesChild = "deletes the Child SA"
        case deletesIKE = "deletes the IKE SA"
    }

    /// When the responder begins, in milliseconds after the initiator; a message takes 10.
    enum Order: Int64, CaseIterable {
        /// Its request has been answered before the initiator begins.
        case longFirst = -25
        /// Its request has arrived.
        case first = -15
        case crossing = 0
        /// The initiator's request has arrived.
        case second = 15
        /// The initiator's request has been answered.
        case longSecond = 25
    }

    struct Variant {
        let seed: UInt8
        /// How long a Child SA lives on after its rekey.
        let overlap: Duration
        /// How many requests each end takes at once (RFC 7296 section 2.3).
        var windowSize: UInt32 = 1
        var childCount = 1
    }

    let initiator: Act
    let responder: Act
    let order: Order

    static let all = Act.allCases.flatMap { initiator in
        Act.allCases.flatMap { responder in
            Order.allCases.map { Collision(initiator: initiator, responder: responder, order: $0) }
        }
    }

    static let variants = [
        Variant(seed: 1, overlap: .zero), Variant(seed: 2, overlap: .zero), Variant(seed: 3, overlap: .seconds(5)),
        Variant(seed: 1, overlap: .zero, windowSize: 4, childCount: 2),
    ]

    var testDescription: String {
        "the initiator \(initiator.rawValue), the responder \(responder.rawValue) (\(order))"
    }

    private func act(of side: Side) -> Act { side == .initiator ? initiator : responder }

    private func does(_ act: Act) -> Bool { initiator == act || responder == act }

    private func moment(of side: Side) -> Instant {
        let lead = side == .initiator ? -order.rawValue : order.rawValue
        return .zero + .seconds(10) + .milliseconds(max(0, lead))
    }
}

extension Collision {
    /// Tells it with another fate for one of its messages.
    ///
    /// - Returns: how many messages there were.
    @discardableResult
    func tell(_ variant: Variant, _ fate: Network.Fate = .arrives, of index: Int? = nil) -> Int {
        let plain = { (values: inout PeerPolicy.Values) in
            values.overlap = variant.overlap
            values.lifeCycle.windowSize = variant.windowSize
        }
        var count = 0
        IKEv2Tests.tell(
            initiator: .client { values in
                plain(&values)
                values.childLifetime = lifetime(of: .initiator, installed: .milliseconds(40))
                values.additionalChildren = variant.childCount - 1
            },
            responder: .gateway { values in
                plain(&values)
                values.childLifetime = lifetime(of: .responder, installed: .milliseconds(30))
            },
            seed: variant.seed
        ) { network in
            network.run(for: .milliseconds(100))
            network.forgetStory()
            // It is these Child SAs alone whose lifetime ends.
            network.policies = [.client(plain), .gateway(plain)]
            count = 0
            network.fate = { _ in
                defer { count += 1 }
                return count == index ? fate : .arrives
            }
            let old = network.summary(of: .initiator)!
            act(network)
            network.fate = { _ in .arrives }
            expectQuiet(network, since: old, variant)
            if index == nil { expectMore(network, variant) }
        }
        return count
    }

    /// The hard lifetime ends when the Child SA is to be deleted.
    private func lifetime(of side: Side, installed: Duration) -> Lifetime {
        guard act(of: side) == .deletesChild else { return Lifetime(rekey: nil) }
        return Lifetime(rekey: nil, hard: moment(of: side) - (.zero + installed))
    }

    private func act(_ network: Network) {
        let sides: [Side] = order.rawValue < 0 ? [.responder, .initiator] : [.initiator, .responder]
        for side in sides {
            network.run(until: moment(of: side))
            switch act(of: side) {
            case .rekeysChild: network.command(.rekeyChildren, at: side)
            case .rekeysIKE: network.command(.rekeyIKE, at: side)
            case .deletesChild: break
            case .deletesIKE: network.command(.delete, at: side)
            }
        }
        network.run(for: .minutes(10))
    }

    /// Nothing goes on any more, both ends have what was wanted, and can go on from there.
    private func expectQuiet(_ network: Network, since old: Summary, _ variant: Variant) {
        let story = (["\(testDescription), \(variant)"] + network.story).joined(separator: "\n")
        let isGone = does(.deletesIKE)
        for side in Side.allCases {
            #expect(network.deadline(of: side) == .never, "\(story)")
            #expect(network.count(of: side) == (isGone ? 0 : 1), "\(story)")
            let reasons: [CloseReason] = [.rekeyed, .redundant] + (isGone ? [.deletedHere, .deletedByPeer] : [])
            #expect(network.ends(side).allSatisfy { reasons.contains($0) }, "\(story)")
        }
        guard !isGone, let new = network.summary(of: .initiator) else { return }
        #expect(Side.allCases.map { network.situation(of: $0) } == ["established", "established"], "\(story)")
        #expect((new.spis != old.spis) == does(.rekeysIKE), "\(story)")
        // Whether a Delete ends an old Child SA or its successor depends on which was first.
        let least = does(.deletesChild) ? 0 : variant.childCount
        let most = does(.deletesChild) && !does(.rekeysChild) ? 0 : variant.childCount
        #expect((least...most).contains(new.children.count), "\(story)")
        let kept = new.children.filter { child in old.children.contains { $0.inbound == child.inbound } }
        #expect(kept.count == (does(.rekeysChild) ? 0 : new.children.count), "\(story)")
        for side in Side.allCases {
            #expect(network.children(of: side).allSatisfy { $0.status == .active }, "\(story)")
            network.forgetStory()
            network.command(.checkLiveness, at: side)
            network.run(for: .seconds(1))
            #expect(network.news(side) == [.alive], "\(story)")
        }
    }

    /// Either end can rekey what there is.
    private func expectMore(_ network: Network, _ variant: Variant) {
        guard !does(.deletesIKE) else { return }
        for side in Side.allCases {
            network.forgetStory()
            network.command(.rekeyIKE, at: side)
            network.command(.rekeyChildren, at: side)
            network.run(for: .minutes(1))
            // Each is followed by a Delete, and that of the IKE SA by what both ends say of their windows.
            let exchangeCount = 2 + 2 * network.children(of: side).count + (variant.windowSize > 1 ? 2 : 0)
            #expect(network.story.count == 2 * exchangeCount, "\(testDescription): \(network.story)")
            #expect(network.count(of: side) == 1)
        }
    }
}
