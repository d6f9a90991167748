import Capture
import IKEWire
import Inspection
import Primitives
import Testing

@Suite("Without keys")
struct FindingTests {
    /// What passes, in the RFC's notation, and what is said about it.
    struct Case: CustomTestStringConvertible {
        var claim: String
        var outcome = Finding.Outcome.failed
        var cause: Finding.Cause?
        var words = ""
        var script: @Sendable (inout Wire) -> Void
        var testDescription: String { claim }
    }

    static let request = [Part.offer, Part.ke(), Part.nonce]
    static let answer = [Part.choice, Part.ke(), Part.nonce]

    static let cases = [
        Case(claim: "silence is no answer", cause: .noAnswer, words: "sent 3 times in 6.0 s, and nothing came back") {
            for time: UInt64 in [0, 2_000, 6_000] {
                $0.now = time
                $0.initial(request)
            }
        },
        Case(claim: "a request at the very end of a capture says nothing yet", outcome: .unknown) {
            $0.initial(request)
        },
        Case(claim: "an error of ICMP is passed on", cause: .noAnswer, words: "nothing listens on port 500 (ICMP)") {
            $0.initial(request)
            let sent = $0.frames[0].bytes
            var packet: [UInt8] = [0x45, 0, 0, UInt8(28 + 28), 0, 0, 0, 0, 64, 1, 0, 0, 192, 0, 2, 10, 192, 0, 2, 1]
            packet += [3, 3, 0, 0, 0, 0, 0, 0] + sent[..<28]
            $0.now = 9_000
            $0.initial(request)
            $0.raw(packet)
        },
        Case(claim: "a notify refuses", cause: .noCommonTransform, words: "aes256gcm16-prfsha384-x25519-ecp256") {
            $0.initial(request)
            $0.initial(response: true, [Part.notify(.noProposalChosen)])
        },
        Case(claim: "a key exchange is asked for in vain", cause: .keyExchangeRefused, words: "wants ECP_256") {
            $0.initial(request)
            $0.initial(response: true, [Part.notify(.invalidKEPayload, [0, 19])])
        },
        Case(
            claim: "a cookie that is not taken is asked for again",
            cause: .cookieRefused,
            words: "bound to the address"
        ) {
            let cookie = Part.notify(.cookie, [1, 2, 3, 4])
            $0.initial(request)
            $0.initial(response: true, [cookie])
            $0.initial([cookie] + request)
            $0.now = 900
            $0.initial(response: true, [Part.notify(.cookie, [5, 6, 7, 8])])
        },
        Case(
            claim: "a request after its answer has not got it",
            cause: .answerLost,
            words: "after the answer has passed"
        ) {
            $0.initial(request)
            $0.initial(response: true, answer)
            $0.now = 2_000
            $0.initial(request)
        },
        Case(
            claim: "an initiator may stop half-way",
            cause: .initiatorSilent,
            words: "chose aes256gcm16-prfsha384-x25519"
        ) {
            $0.initial(request)
            $0.initial(response: true, answer)
            $0.now = 20_000
            $0.packet([0xFF], fromGateway: false)
        },
        Case(claim: "a short answer to IKE_AUTH is a refusal", cause: .unread, words: "room for a notify or two") {
            $0.initial(request)
            $0.initial(response: true, answer)
            $0.send(.ikeAuth, 1, [Part.encrypted(240)])
            $0.send(.ikeAuth, 1, response: true, [Part.encrypted(33)])
        },
        Case(claim: "a long answer to IKE_AUTH is an IKE SA", outcome: .established) {
            $0.initial(request)
            $0.initial(response: true, answer)
            $0.send(.ikeAuth, 1, [Part.encrypted(240)])
            $0.send(.ikeAuth, 1, response: true, [Part.encrypted(220)])
        },
        Case(
            claim: "a fragment that never comes is missed",
            cause: .fragmentsLost,
            words: "Of them 2 is never in the capture"
        ) {
            $0.initial(request)
            $0.initial(response: true, answer)
            for time: UInt64 in [10, 2_000] {
                $0.now = time
                $0.send(.ikeAuth, 1, [Part.fragment(1, of: 3)])
                $0.send(.ikeAuth, 1, [Part.fragment(3, of: 3)])
            }
        },
        Case(
            claim: "a long request may be too long for the path",
            cause: .requestUnanswered,
            words: "The path may lose long"
        ) {
            $0.initial(request)
            $0.initial(response: true, answer)
            for time: UInt64 in [10, 2_000] {
                $0.now = time
                $0.send(.ikeAuth, 1, [Part.encrypted(1_400)])
            }
        },
        Case(
            claim: "a peer that goes away is missed",
            cause: .peerVanished,
            words: "INFORMATIONAL request 2 was sent twice"
        ) {
            $0.initial(request)
            $0.initial(response: true, answer)
            $0.send(.ikeAuth, 1, [Part.encrypted(240)])
            $0.send(.ikeAuth, 1, response: true, [Part.encrypted(220)])
            for time: UInt64 in [10_000, 12_000] {
                $0.now = time
                $0.send(.informational, 2, [Part.encrypted(29)])
            }
        },
        Case(claim: "a capture may begin in the middle", outcome: .established, words: "") {
            $0.send(.informational, 7, [Part.encrypted(29)])
            $0.send(.informational, 7, response: true, [Part.encrypted(29)])
        },
    ]

    @Test("what passes in the clear says it", arguments: cases)
    func judges(_ values: Case) throws {
        var wire = Wire()
        values.script(&wire)
        let report = try Explained(frames: wire.frames).report
        #expect(report.negotiations.count == 1)
        let finding = try #require(report.negotiations.first?.finding)
        #expect(finding.outcome == values.outcome)
        #expect(finding.cause == values.cause)
        #expect(finding.reasons.joined(separator: " ").contains(values.words) || values.words.isEmpty, "\(finding)")
    }

    @Test("any port carries IKE, with and without the non-ESP marker", arguments: [false, true])
    func findsPorts(_ isEncapsulated: Bool) throws {
        var wire = Wire(client: "192.0.2.1:40000", gateway: "192.0.2.10:1500")
        wire.isEncapsulated = isEncapsulated
        wire.initial(Self.request)
        wire.initial(response: true, Self.answer)
        // What only resembles IKE is not taken for it: the length is not the datagram's.
        wire.packet([UInt8](repeating: 0x22, count: 64), fromGateway: false)
        let report = try Explained(frames: wire.frames).report
        #expect(report.tally.messages == 2)
        #expect(report.tally.others == 1)
        #expect(report.negotiations.map(\.ikeProposal) == ["aes256gcm16-prfsha384-x25519"])
    }

    @Test("an offer is held against what the responder is known to take")
    func comparesOffers() throws {
        var wire = Wire()
        wire.initial([Part.sa("aes128gcm16-prfsha384-modp2048"), Part.ke(.modp2048), Part.nonce])
        wire.initial(response: true, [Part.notify(.noProposalChosen)])
        let accepted = try Proposal(notation: "aes256gcm16-prfsha384-x25519", protocolID: .ike)
        let reasons = try Explained(frames: wire.frames, accepted: [accepted]).report.negotiations[0].finding.reasons
        #expect(
            reasons.last == "They have nothing in common in encryption ENCR_AES_GCM_16 with 128 bits against "
                + "ENCR_AES_GCM_16 with 256 bits and key exchange MODP_2048 against CURVE_25519."
        )
    }

    @Test("a capture may step back in time")
    func stepsBack() throws {
        var wire = Wire()
        for time: UInt64 in [60_000, 20_000, 0, 40_000] {
            wire.now = time
            wire.initial(Self.request)
            wire.initial(spi: 2, Self.request)
            wire.initial(spi: 2, response: true, Self.answer)
            wire.client = "192.0.2.1:\(501 + time)"
        }
        let report = try Explained(frames: wire.frames).report
        #expect(report.count == 2)
        #expect(report.lines(shown: 2).count > 10)
    }

    @Test("a datagram that the capture has cut is counted, not guessed")
    func countsCuts() throws {
        var wire = Wire()
        wire.initial(Self.request, cutTo: 96)
        let report = try Explained(frames: wire.frames).report
        #expect(report.tally.cut == 1)
        #expect(report.count == 0)
        #expect(report.lines(shown: 1).contains { $0.text.contains("cut by the capture's snap length") })
    }
}

@Suite("A capture of any length")
struct BoundTests {
    @Test("is followed within bounds, and nothing is left uncounted")
    func bounds() throws {
        var wire = Wire()
        for number: UInt64 in 1...2_000 {
            wire.now = number * 100
            wire.initial(spi: number, FindingTests.request)
            wire.now += 50
            wire.initial(spi: number, FindingTests.request)
            if number % 10 == 0 { wire.initial(spi: number, response: true, [Part.notify(.noProposalChosen)]) }
        }
        let report = try Explained(frames: wire.frames, capacity: 64).report
        #expect(report.negotiations.count <= 64)
        #expect(report.count == 2_000)
        #expect(report.count(.failed) == 2_000)
        let refused = report.dropped.filter { $0.cause == .noCommonTransform }.reduce(0) { $0 + $1.count }
        let kept = report.negotiations.count { $0.finding.cause == .noCommonTransform }
        #expect(refused + kept == 200)
    }

    @Test("has the beginning and the end of a long negotiation")
    func keepsEnds() throws {
        var wire = Wire()
        wire.initial(FindingTests.request)
        wire.initial(response: true, FindingTests.answer)
        for number: UInt32 in 1...500 {
            wire.now += 10
            wire.send(.informational, number, [Part.encrypted(29)])
            wire.send(.informational, number, response: true, [Part.encrypted(29)])
        }
        let timeline = try Explained(frames: wire.frames).report.negotiations[0].timeline
        #expect(timeline.first.count == 32)
        #expect(timeline.last.count == 32)
        #expect(timeline.omittedCount == 1_002 - 64)
        guard case .message(let last)? = timeline.last.last?.event else {
            Issue.record("a message comes last")
            return
        }
        #expect(last.messageID.rawValue == 500)
    }
}
