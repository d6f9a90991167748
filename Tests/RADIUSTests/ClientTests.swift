import Foundation
import IKECrypto
import Primitives
import RADIUS
import Testing

@Suite("The RADIUS client")
struct ClientTests {
    @Test(
        "takes the answer of the server that it asked",
        arguments: [
            (RADIUSCode.accessAccept, RADIUSAnswer.Verdict.accept), (.accessReject, .reject),
            (.accessChallenge, .challenge),
        ]
    )
    func answers(code: RADIUSCode, verdict: RADIUSAnswer.Verdict) throws {
        let test = try ClientUnderTest()
        let request = try #require(test.send())
        #expect(request.server == ClientUnderTest.first)
        #expect(test.receive(try ServerDouble(code: code).answer(to: request.octets)) == .success(verdict))
        #expect(test.inFlightCount == 0)
        #expect(test.deadline == .never)
    }

    @Test("sends again by its schedule, turns to the next server, and gives up when nobody answers")
    func schedule() throws {
        let test = try ClientUnderTest()
        let request = try #require(test.send())
        #expect(test.step() == "1s to 192.0.2.1:1812")
        #expect(test.output.datagrams[0].octets == request.octets)
        #expect(test.step() == "3s to 192.0.2.2:1812")
        let other = test.output.datagrams[0].octets
        // Another server is another request, under another authenticator.
        #expect(other[4..<20] != request.octets[4..<20])
        #expect(test.step() == "4s to 192.0.2.2:1812")
        #expect(test.step() == "6s timeout")
        #expect(test.inFlightCount == 0)
        #expect(test.deadline == .never)
        let counters = test.counters
        #expect(counters.retransmissions == 2 && counters.failovers == 1 && counters.timeouts == 1)
    }

    @Test("gives up at its own deadline, whatever is left of the schedule")
    func deadline() throws {
        let test = try ClientUnderTest(giveUpAfter: .milliseconds(3500))
        _ = test.send()
        #expect(test.step() == "1s to 192.0.2.1:1812")
        #expect(test.step() == "3s to 192.0.2.2:1812")
        #expect(test.step() == "3.5s timeout")
        #expect(test.deadline == .never)
    }

    @Test("asks a silent server last until its time is over")
    func deadServer() throws {
        let test = try ClientUnderTest()
        _ = test.send()
        for _ in 0..<2 { _ = test.step() }
        #expect(
            test.receive(try ServerDouble().answer(to: test.output.datagrams[0].octets), from: ClientUnderTest.second)
                == .success(.accept)
        )
        #expect(test.send()?.server == ClientUnderTest.second)
        test.now += .seconds(60)
        #expect(test.send()?.server == ClientUnderTest.first)
    }

    @Test("stays with the one server that knows the conversation, and echoes its State")
    func conversation() throws {
        let test = try ClientUnderTest()
        var conversation = RADIUSConversation(userName: utf8("user"), callingStationID: utf8("192.0.2.7"))
        let first = try #require(test.send(conversation.request([2, 0, 0, 5, 1])))
        let challenge = try ServerDouble(code: .accessChallenge, state: utf8("state")).answer(to: first.octets)
        switch test.client.receive(
            challenge.rawSpan,
            from: first.server,
            on: first.sourcePort,
            at: test.now,
            cryptography: test.crypto
        ) {
        case .answer(let answer): conversation.take(answer)
        case .dropped(let reason): Issue.record("\(reason)")
        }
        let second = try #require(test.send(conversation.request([2, 1, 0, 5, 4])))
        let packet = try RADIUSPacket(second.octets.rawSpan)
        #expect(packet.first(.state)?.copied() == utf8("state"))
        #expect(packet.first(.callingStationID)?.copied() == utf8("192.0.2.7"))
        #expect(packet.first(.nasIdentifier)?.copied() == utf8("gw"))
        #expect(packet.first(.nasIPAddress)?.copied() == [10, 0, 0, 1])
        #expect(test.step() == "1s to 192.0.2.1:1812")
        #expect(test.step() == "3s timeout")
    }

    @Test("takes no answer twice")
    func duplicates() throws {
        let test = try ClientUnderTest()
        let request = try #require(test.send())
        let answer = try ServerDouble().answer(to: request.octets)
        #expect(test.receive(answer) == .success(.accept))
        #expect(test.receive(answer) == .failure(Drop(reason: .notAwaited)))
        #expect(test.counters.stray == 1)
    }

    @Test("drops what is forged, and still takes the genuine answer")
    func forgeries() throws {
        let test = try ClientUnderTest()
        let request = try #require(test.send())
        let forged = Drop(reason: .forged)
        #expect(test.receive(try ServerDouble(secret: utf8("guess")).answer(to: request.octets)) == .failure(forged))
        let bare = try ServerDouble(hasMessageAuthenticator: false).answer(to: request.octets)
        #expect(test.receive(bare) == .failure(forged))
        let genuine = try ServerDouble().answer(to: request.octets)
        for bit in 0..<8 * genuine.count {
            var changed = genuine
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: Drop.self) { try test.receive(changed).get() }
        }
        let elsewhere = UDPEndpoint(address: IPAddress(v4: 0xC000_0203), port: 1812)
        #expect(test.receive(genuine, from: elsewhere) == .failure(Drop(reason: .unknownServer)))
        #expect(test.receive(genuine, on: 1) == .failure(Drop(reason: .unknownServer)))
        #expect(test.receive(genuine, from: ClientUnderTest.second) == .failure(Drop(reason: .notAwaited)))
        #expect(
            test.receive(try ServerDouble(code: .accessRequest).answer(to: request.octets))
                == .failure(Drop(reason: .unexpectedCode))
        )
        #expect(test.receive(genuine) == .success(.accept))
    }

    @Test("has 256 requests in flight between a port and a server, and says when there is no room", arguments: 1...3)
    func identifiers(portCount: Int) throws {
        let ports = (0..<portCount).map { UInt16(40_000 + $0) }
        let test = try ClientUnderTest(servers: [ClientUnderTest.first], ports: ports)
        var seen = [Int](repeating: 0, count: 256 * portCount)
        for owner in 0..<256 * portCount {
            let datagram = try #require(test.send(owner: UInt64(owner)))
            seen[Int(datagram.sourcePort - 40_000) * 256 + Int(datagram.octets[1])] += 1
        }
        #expect(seen.allSatisfy { $0 == 1 })
        #expect(test.send() == nil)
        #expect(test.counters.refusals == 1)
    }

    @Test("refuses what does not fit a packet")
    func tooLong() throws {
        let test = try ClientUnderTest()
        let long = AccessRequest(userName: utf8("user"), eapMessage: [UInt8](repeating: 0, count: 4096))
        let isSent = test.send(long) != nil
        #expect(!isSent)
        let name = AccessRequest(userName: [UInt8](repeating: 0x61, count: 254), eapMessage: [])
        let isNamed = test.send(name) != nil
        #expect(!isNamed)
        #expect(test.inFlightCount == 0)
    }

    @Test("ends every request once, whatever is lost, and forgets it")
    func swarm() throws {
        let seed = ProcessInfo.processInfo.environment["SEED"].flatMap(UInt64.init) ?? 3579
        var chance = RandomStream(seed: seed, entity: 1, purpose: .test)
        let test = try ClientUnderTest(ports: [40_000, 40_001])
        var endings = [Int](repeating: 0, count: 2_000)
        var onTheWay: [(at: Instant, RADIUSOutput.Datagram)] = []
        var next = 0
        while next < endings.count || test.inFlightCount > 0 {
            test.output.removeAll()
            if next < endings.count, chance.below(2) == 0 {
                let request = AccessRequest(userName: utf8("user-\(next)"), eapMessage: [2, 0, 0, 5, 1])
                let isRefused =
                    test.client.send(
                        request,
                        owner: UInt64(next),
                        at: test.now,
                        cryptography: test.crypto,
                        into: &test.output
                    ) != nil
                if isRefused { endings[next] += 1 }
                next += 1
            } else if !onTheWay.isEmpty {
                let (_, datagram) = onTheWay.remove(at: Int(chance.below(UInt64(onTheWay.count))))
                let answer = try ServerDouble().answer(to: datagram.octets)
                switch test.client.receive(
                    answer.rawSpan,
                    from: datagram.server,
                    on: datagram.sourcePort,
                    at: test.now,
                    cryptography: test.crypto
                ) {
                case .answer(let answer): endings[Int(answer.owner)] += 1
                case .dropped(let reason): #expect(reason == .notAwaited || reason == .forged)
                }
            } else if test.deadline != .never {
                test.now = max(test.now, test.deadline)
            }
            test.now += .milliseconds(Int64(chance.below(60)))
            test.client.advance(to: test.now, cryptography: test.crypto, into: &test.output)
            for failure in test.output.failures { endings[Int(failure.owner)] += 1 }
            for datagram in test.output.datagrams where chance.below(3) > 0 { onTheWay.append((test.now, datagram)) }
        }
        #expect(endings.allSatisfy { $0 == 1 }, "SEED=\(seed)")
        #expect(test.deadline == .never)
        let counters = test.counters
        #expect(counters.accepts + counters.timeouts + counters.refusals == endings.count)
        #expect(counters.accepts > 500, "\(counters)")
        #expect(counters.retransmissions > 100 && counters.failovers > 10, "\(counters)")
    }
}
