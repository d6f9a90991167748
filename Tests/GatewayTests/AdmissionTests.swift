import Gateway
import IKECrypto
import IKEWire
import IKEv2
import Primitives
import Testing

@Suite("A front desk's admission")
struct AdmissionTests {
    @Test("a packet is handled at the end of its job and F: arrival 10, price 100 + 100 for its key exchange")
    func handles() {
        var desk = DeskUnderTest()
        desk.saInit(10, 7)
        #expect(desk.run(until: 5_000) == ["1210 7 handle"])
        #expect(desk.desk.metrics.busyNanoseconds(.ikeSAInit) == 200_000)
        #expect(desk.desk.halfOpenCount == 1)
    }

    @Test("a request is priced by its exchange, by what is in it and by its key exchange")
    func prices() {
        let table: [(Operation, Bool, Int64)] = [
            (.ikeAuth, false, 200), (.createChild, false, 150), (.createChild, true, 250), (.rekeyChild, true, 250),
            (.rekeyIKE, true, 260), (.liveness, false, 50), (.informational, false, 50), (.delete, false, 70),
        ]
        for (operation, hasKeyExchange, price) in table {
            var desk = DeskUnderTest()
            desk.report(0, 7, .halfOpened)
            desk.request(10, 7, operation, 1, keyExchange: hasKeyExchange ? .curve25519 : nil)
            #expect(desk.run(until: 5_000) == ["\(1_010 + price) 7 handle"], "\(operation)")
        }
    }

    @Test("IKE_AUTH costs more by the signature that the gateway checks, and by the one that it makes")
    func signatures() {
        for (isSigned, signs, price) in [
            (false, false, 200), (true, false, 230), (false, true, 270), (true, true, 300),
        ] {
            var desk = DeskUnderTest { settings in
                settings.costs.verification = Cost(baseNanoseconds: 30_000)
                settings.costs.signature = Cost(baseNanoseconds: 70_000)
                settings.signs = signs
            }
            desk.report(0, 7, .halfOpened)
            var note = PacketNote(.ikeAuth, isResponse: false)
            note.isSigned = isSigned
            desk.arrive(10, 7, .ikeAuth, 1, note, spi: DeskUnderTest.spi(7))
            #expect(desk.run(until: 5_000) == ["\(1_010 + price) 7 handle"])
        }
    }

    @Test("the response to a request of the gateway's own costs its price and the second half of a key exchange")
    func responses() {
        var desk = DeskUnderTest()
        desk.report(0, 7, .established)
        let note = PacketNote(.rekeyChild, isResponse: true, keyExchange: .curve25519)
        desk.arrive(10, 7, .createChildSA, 0, note, spi: DeskUnderTest.spi(7))
        #expect(desk.run(until: 5_000) == ["1105 7 handle"])
        #expect(desk.desk.metrics.jobs(.ownResponse) == 1)
    }

    @Test("what a gateway refuses in IKE_SA_INIT costs a refusal, and no key exchange")
    func refusedKeyExchange() {
        var desk = DeskUnderTest { $0.keyExchanges = [.ecp384] }
        desk.saInit(0, 7)
        desk.saInit(0, 8, keyExchange: nil)
        #expect(desk.run(until: 5_000) == ["1005 7 handle", "1010 8 handle"])
    }

    @Test("what goes no further is dropped with its reason, at the price of looking at it")
    func discards() {
        var desk = DeskUnderTest()
        desk.report(0, 7, .established)
        desk.request(100, 8, .liveness, 1)
        desk.request(200, 9, .liveness, 1, spi: DeskUnderTest.spi(7))
        desk.arrive(300, 7, .ikeSAInit, 0, PacketNote(.ikeSAInit, isResponse: true), spi: .zero)
        desk.arrive(400, 7, .ikeSessionResume, 2, PacketNote(.ikeAuth, isResponse: false), spi: DeskUnderTest.spi(7))
        desk.arrive(500, 7, .informational, 0, PacketNote(.natKeepalive, isResponse: false), spi: .zero)
        // Its sender says that it is something else than its header: nobody will find a use for it.
        desk.arrive(600, 7, .createChildSA, 3, PacketNote(.ikeAuth, isResponse: false), spi: DeskUnderTest.spi(7))
        #expect(
            desk.run(until: 5_000) == [
                "1101 8 drop(unknownSPI)", "1201 9 drop(forged)",
                "1301 7 drop(useless)", "1401 7 drop(useless)",
                "1500 7 drop(keepalive)", "1601 7 handle",
            ]
        )
        #expect(desk.desk.metrics.dropped(.useless) == 2)
    }

    @Test("another client's SPI is of no use, wherever its home is, and an unknown one goes by what its sender says")
    func routing() {
        var desk = DeskUnderTest()
        desk.report(0, 7, .established)
        desk.request(10, 8, .liveness, 1, spi: DeskUnderTest.spi(7))
        desk.request(20, 8, .liveness, 1, shard: 2, spi: DeskUnderTest.spi(7))
        desk.request(100, 7, .liveness, 2, spi: IKESPI(rawValue: 4_711))
        #expect(desk.run(until: 5_000) == ["1011 8 drop(forged)", "1021 8 drop(forged)", "1150 7 handle"])
    }

    @Test("the receive queue holds so many packets and so many octets, and a packet for a free core needs no room")
    func queueLimits() {
        var packets = DeskUnderTest { $0.queuePackets = 1 }
        for client in 1...3 as ClosedRange<UInt32> { packets.saInit(Int64(client), client) }
        #expect(
            packets.run(until: 5_000) == [
                "1003 3 drop(queueFull)", "1201 1 handle", "1401 2 handle",
            ]
        )
        var octets = DeskUnderTest { $0.queueByteCount = 700 }
        octets.saInit(1, 1, byteCount: 5_000)
        octets.saInit(2, 2, byteCount: 400)
        octets.saInit(3, 3, byteCount: 400)
        octets.saInit(4, 4, byteCount: 300)
        #expect(
            octets.run(until: 5_000) == [
                "1003 3 drop(queueFull)", "1201 1 handle", "1401 2 handle", "1601 4 handle",
            ]
        )
    }
}

@Suite("A front desk's defence against half-open IKE SAs")
struct HalfOpenTests {
    @Test("from the third on a cookie is demanded; who brings one pays for its check and has it checked")
    func cookies() {
        var desk = DeskUnderTest { $0.halfOpen.cookiesAbove = 2 }
        desk.saInit(0, 1)
        desk.saInit(300, 2)
        desk.saInit(600, 3)
        desk.saInit(900, 3, cookie: true)
        // The first two are through: no cookie is needed any more.
        desk.report(1_500, 1, .established)
        desk.report(1_500, 2, .established)
        desk.saInit(1_600, 4)
        #expect(
            desk.run(until: 5_000) == [
                "1200 1 handle", "1500 2 handle", "1620 3 demandCookie", "2110 3 handleIfCookieIsTrue", "2800 4 handle",
            ]
        )
        #expect(desk.desk.metrics.cookiesDemanded == 1)
        #expect(desk.desk.metrics.peakHalfOpen == 3)
        #expect(desk.desk.metrics.peakActiveSAs == 2)
    }

    @Test("a cookie demand keeps no state: what comes then without a cookie gets another one")
    func statelessDemand() {
        var desk = DeskUnderTest { $0.halfOpen.cookiesAbove = 0 }
        desk.saInit(0, 1)
        desk.saInit(100, 1)
        #expect(desk.run(until: 5_000) == ["1020 1 demandCookie", "1120 1 demandCookie"])
        #expect(desk.desk.halfOpenCount == 0)
    }

    @Test("cookies are demanded for a while after the threshold is not reached any more")
    func calmDown() {
        var desk = DeskUnderTest {
            $0.halfOpen.cookiesAbove = 1
            $0.halfOpen.cookieCalmDown = .milliseconds(10)
        }
        desk.saInit(0, 1)
        desk.saInit(1_000, 2)
        desk.report(2_000, 1, .ended)
        desk.saInit(10_999, 3)
        desk.saInit(11_000, 4)
        #expect(
            desk.run(until: 20_000)
                == ["1200 1 handle", "2020 2 demandCookie", "12019 3 demandCookie", "12219 4 handle"]
        )
    }

    @Test("the limits of one address and of all are apart, and a refused packet costs a refusal")
    func limits() {
        var desk = DeskUnderTest {
            $0.halfOpen.cookiesAbovePerSource = 1
            $0.halfOpen.refuseAbovePerSource = 2
            $0.halfOpen.refuseAbove = 3
        }
        desk.saInit(0, 1, from: "198.51.100.1")
        desk.saInit(1_000, 2, from: "198.51.100.1")
        desk.saInit(2_000, 3, from: "198.51.100.1", cookie: true)
        desk.saInit(3_000, 4, from: "198.51.100.1", cookie: true)
        desk.saInit(4_000, 5, from: "2001:db8::1")
        desk.saInit(5_000, 6, from: "2001:db8::2")
        #expect(
            desk.run(until: 9_000) == [
                "1200 1 handle", "2020 2 demandCookie", "3210 3 handleIfCookieIsTrue",
                "4015 4 drop(tooManyHalfOpenOfSource)", "5200 5 handle",
                "6005 6 drop(tooManyHalfOpen)",
            ]
        )
    }

    @Test("an end of any kind makes room again", arguments: [HalfReport.Transition.established, .ended, .refused])
    func room(transition: HalfReport.Transition) {
        var desk = DeskUnderTest { $0.halfOpen.refuseAbovePerSource = 1 }
        desk.saInit(0, 1, from: "2001:db8::1")
        desk.report(2_000, 1, transition)
        desk.saInit(3_000, 2, from: "2001:db8::1")
        #expect(desk.run(until: 9_000) == ["1200 1 handle", "4200 2 handle"])
    }
}

@Suite("A front desk's memory of requests")
struct RetransmissionTests {
    @Test("IKE_SA_INIT that comes again is dropped while the first is in work, and answered from memory after that")
    func saInit() {
        var desk = DeskUnderTest()
        desk.saInit(0, 7)
        desk.saInit(150, 7)
        desk.saInit(300, 7)
        #expect(
            desk.run(until: 5_000) == ["1200 7 handle", "1201 7 drop(inWork)", "1330 7 handle"]
        )
        #expect(desk.desk.metrics.jobs(.retransmissionAnswered) == 1)
        #expect(desk.desk.halfOpenCount == 1)
    }

    @Test("a request of an IKE SA: new, in work, answered, old")
    func requests() {
        var desk = DeskUnderTest()
        desk.report(0, 7, .established)
        desk.request(100, 7, .createChild, 4)
        desk.request(200, 7, .createChild, 4)
        desk.request(300, 7, .createChild, 4)
        desk.request(400, 7, .liveness, 3)
        desk.request(500, 7, .liveness, 5)
        #expect(
            desk.run(until: 5_000) == [
                "1250 7 handle", "1251 7 drop(inWork)", "1330 7 handle",
                "1401 7 drop(old)", "1550 7 handle",
            ]
        )
    }

    @Test("a rekeyed IKE SA counts its requests from 0 again, and the old one's still find the half")
    func rekeyed() {
        var desk = DeskUnderTest()
        desk.report(0, 7, .established)
        desk.request(100, 7, .rekeyIKE, 5, keyExchange: .curve25519)
        desk.report(500, 7, spi: IKESPI(rawValue: 99))
        desk.request(600, 7, .liveness, 0, spi: IKESPI(rawValue: 99))
        desk.request(700, 7, .delete, 6)
        desk.request(800, 7, .liveness, 0, spi: IKESPI(rawValue: 99))
        #expect(desk.run(until: 5_000) == ["1360 7 handle", "1650 7 handle", "1770 7 handle", "1830 7 handle"])
        #expect(desk.desk.activeSACount == 1)
    }
}
