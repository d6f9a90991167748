import IKECrypto
import IKEWire
import IKEv2
import Primitives
import Testing

/// RFC 7296 sections 2.1 to 2.4.
@Suite("A request is sent until it is answered")
struct RetransmissionTests {
    @Test("IKE_SA_INIT: at 4, 11.2, 24.16 s and so on, and is given up after 165 s")
    func followsSchedule() {
        tell { network in
            network.fate = { _ in .isLost }
            network.run(for: .minutes(10))
            let times = network.wire.map { $0.sentAt.nanoseconds / 1_000_000 }
            #expect(times == [0, 4_000, 11_200, 24_160, 47_488, 89_478])
            #expect(network.ends(.initiator) == [.timeout])
            let end = network.trajectory.compactMap { step in
                if case .reported(let at, _, .closed) = step { at } else { nil }
            }
            #expect(end.map { $0.nanoseconds / 1_000_000 } == [165_061])
            // A retransmission is the same message, octet by octet.
            #expect(Set(network.wire.map(\.octets)).count == 1)
            #expect(network.wire.map(\.note.isRetransmission) == [false, true, true, true, true, true])
        }
    }

    @Test(
        "in every exchange",
        arguments: [IKESA.Command.createChild, .rekeyChildren, .rekeyIKE, .checkLiveness, .delete]
    )
    func givesUp(_ command: IKESA.Command) {
        tellEstablished(responder: .gateway { $0.liveness = .seconds(1) }) { network in
            network.fate = { _ in .isLost }
            network.command(command, at: .initiator)
            network.run(for: .minutes(10))
            #expect(network.story.count { $0.hasPrefix("-->") } == 6)
            #expect(network.ends(.initiator) == [command == .delete ? .deletedHere : .timeout])
        }
    }

    @Test("whichever message of the first exchanges is lost", arguments: 0..<4)
    func establishes(_ lost: Int) {
        tell { network in
            var count = 0
            network.fate = { _ in
                defer { count += 1 }
                return count == lost ? .isLost : .arrives
            }
            network.run(for: .seconds(10))
            #expect(network.children(of: .initiator).count == 1)
            #expect(network.count(.initiator) { if case .retransmitted = $0 { true } else { false } } == 1)
            // A lost answer is given again from memory.
            let isAnswerLost = lost % 2 == 1
            #expect(network.count(.responder) { $0 == .answeredAgain } == (isAnswerLost ? 1 : 0))
        }
    }

    @Test("and messages that come twice change nothing")
    func survivesDuplicates() {
        tell { network in
            network.fate = { _ in .arrivesTwice }
            network.run(for: .seconds(1))
            for command in [IKESA.Command.createChild, .rekeyChildren, .rekeyIKE, .checkLiveness] {
                network.command(command, at: .initiator)
                network.run(for: .seconds(20))
                network.command(command, at: .responder)
                network.run(for: .seconds(20))
            }
            #expect(network.children(of: .initiator).count == 3)
            #expect(network.children(of: .initiator).allSatisfy { $0.status == .active })
            network.command(.delete, at: .initiator)
            network.run(for: .seconds(1))
        }
    }

    @Test("and what is outside of the window is dropped")
    func keepsWindow() {
        let network = Network.established()
        for _ in 0..<3 {
            network.command(.checkLiveness, at: .initiator)
            network.run(for: .seconds(1))
        }
        let path = network.summary(of: .responder)!.path
        var header = network.nextRequest(.informational, from: .initiator)
        let expected = header.messageID.rawValue
        network.forgetStory()
        for id in [0, expected - 2, expected + 1, expected + 1000, .max - 1, .max] {
            for flags in [Header.Flags.initiator, [.initiator, .response]] {
                header.messageID = MessageID(rawValue: id)
                header.flags = flags
                network.receive(network.sealed(header, ForgedPayloads()), over: path, at: .responder)
            }
        }
        #expect(network.story == [])
        #expect(network.reports[1].allSatisfy { $0 == .dropped })
        #expect(network.reports[1].count == 12)
        network.checkInvariants()
    }

    @Test("and a repeated request is answered only if its ICV is right, where it comes from, without following it")
    func answersAgain() {
        tellEstablished { network in
            network.command(.checkLiveness, at: .initiator)
            network.run(for: .seconds(1))
            let request = network.wire[network.wire.count - 2]
            var elsewhere = request.path
            elsewhere.remote.port = 9
            var forged = request.message
            forged[forged.count - 1] ^= 1
            network.forgetStory()
            network.receive(forged, over: elsewhere, at: .responder)
            #expect(network.reports[1] == [.dropped])
            network.forgetStory()
            network.receive(request.message, over: elsewhere, at: .responder)
            #expect(network.reports[1] == [.answeredAgain])
            #expect(network.wire.last?.path.local == elsewhere.remote)
            #expect(network.summary(of: .responder)?.path.remote == request.path.remote)
            // What was sent to nowhere is not part of the story.
            network.flights = []
        }
    }

    @Test("and message IDs do not wrap: the IKE SA ends before", arguments: Side.allCases)
    func endsBeforeWrap(_ side: Side) {
        let network = Network.established()
        let change = UInt32.max - 16
        network.skipMessageIDs(to: change)
        network.command(.checkLiveness, at: side)
        network.run(for: .seconds(5))
        #expect(network.ends(side) == [.expired])
        #expect(network.ends(side.other).count == 1)
        network.checkInvariants()
    }

    @Test(
        "by presets that are made of a first wait, a factor and a number of tries",
        arguments: [
            (RetransmissionSchedule.strongSwan, [4_000, 7_200, 12_960, 23_328, 41_990, 75_582]),
            (
                RetransmissionSchedule(first: .milliseconds(500), factorPerMille: 2000, tries: 4),
                [500, 1000, 2000, 4000, 8000]
            ),
            (
                RetransmissionSchedule(first: .seconds(1), factorPerMille: 2000, tries: 4, limit: .seconds(3)),
                [1000, 2000, 3000, 3000, 3000]
            ),
        ]
    )
    func presets(_ schedule: RetransmissionSchedule, _ milliseconds: [Int64]) {
        #expect(schedule.waits.map { $0.nanoseconds / 1_000_000 } == milliseconds)
    }
}
