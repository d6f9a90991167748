import Gateway
import IKECrypto
import IKEWire
import IKEv2
import Primitives
import Testing

@Suite("Fragments at a front desk")
struct FragmentPriceTests {
    @Test("cost a look each, and with the one that makes the message whole the exchange")
    func pays() {
        var desk = DeskUnderTest()
        desk.report(0, 1, .halfOpened)
        for number in [2, 1, 3] as [UInt8] { desk.request(10, 1, .ikeAuth, 1, fragment: (number, 3)) }
        #expect(desk.run(until: 5_000) == ["1011 1 handle", "1012 1 handle", "1212 1 handle"])
    }

    @Test("of the peer's answer, too")
    func paysForAnswers() {
        var desk = DeskUnderTest()
        desk.report(0, 1, .established)
        for number in [1, 2] as [UInt8] {
            desk.request(10, 1, .rekeyIKE, 0, keyExchange: .curve25519, fragment: (number, 2), isResponse: true)
        }
        // A look; then 45 and half of a key exchange.
        #expect(desk.run(until: 5_000) == ["1011 1 handle", "1106 1 handle"])
    }

    @Test("that come twice or again are not paid as a message, and the answered one is answered upon the first")
    func knowsRepetitions() {
        var desk = DeskUnderTest()
        desk.report(0, 1, .established)
        for number in [1, 1, 2, 2] as [UInt8] { desk.request(10, 1, .createChild, 1, fragment: (number, 2)) }
        // Two looks, the exchange, and a look at what is in work.
        #expect(
            desk.run(until: 5_000) == [
                "1011 1 handle", "1012 1 drop(inWork)", "1013 1 handle", "1163 1 handle",
            ]
        )
        for number in [1, 2] as [UInt8] { desk.request(6_000, 1, .createChild, 1, fragment: (number, 2)) }
        #expect(desk.run(until: 9_000) == ["7030 1 handle", "7031 1 handle"])
        desk.request(10_000, 1, .createChild, 0, fragment: (1, 2))
        #expect(desk.run(until: 19_000) == ["11001 1 drop(old)"])
    }

    @Test("of overlapping requests are paid with the one that makes each message whole, in whatever order they come")
    func paysForOverlapping() {
        var desk = DeskUnderTest { $0.windowSize = 3 }
        desk.report(0, 1, .established)
        for (id, number) in [(1, 1), (2, 1), (2, 2), (1, 2)] as [(UInt32, UInt8)] {
            desk.request(10, 1, .createChild, id, fragment: (number, 2))
        }
        #expect(
            desk.run(until: 5_000) == ["1011 1 handle", "1012 1 handle", "1162 1 handle", "1312 1 handle"]
        )
        // What comes again is a look and, with the first one, the answer from memory.
        var again = PacketNote(.createChild, isResponse: false)
        (again.isRetransmission, again.fragmentTotal) = (true, 2)
        for number in [1, 2] as [UInt8] {
            again.fragmentNumber = number
            desk.arrive(6_000, 1, .createChildSA, 1, again, spi: DeskUnderTest.spi(1))
        }
        #expect(desk.run(until: 9_000) == ["7030 1 handle", "7031 1 handle"])
    }

    @Test("of more messages than the window is wide make the oldest forgotten")
    func forgetsOldest() {
        var desk = DeskUnderTest { $0.windowSize = 2 }
        desk.report(0, 1, .established)
        for (id, number) in [(1, 1), (2, 1), (3, 1), (1, 2), (3, 2)] as [(UInt32, UInt8)] {
            desk.request(10, 1, .createChild, id, fragment: (number, 2))
        }
        #expect(
            desk.run(until: 5_000) == [
                "1011 1 handle", "1012 1 handle", "1013 1 handle", "1014 1 handle", "1164 1 handle",
            ]
        )
    }

    @Test("of which some were lost when the gateway went down are all wanted again")
    func forgetsWhatWasLost() {
        var desk = DeskUnderTest {
            $0.restarts = RestartSchedule([
                .init(down: DeskUnderTest.at(2_000), up: DeskUnderTest.at(3_000), keepsState: true)
            ])
        }
        desk.report(0, 1, .established)
        desk.request(1_500, 1, .createChild, 1, fragment: (1, 2))
        #expect(desk.run(until: 2_900) == ["2501 1 drop(down)"])
        for number in [2, 1] as [UInt8] { desk.request(4_000, 1, .createChild, 1, fragment: (number, 2)) }
        #expect(desk.run(until: 9_000) == ["5001 1 handle", "5151 1 handle"])
    }
}
