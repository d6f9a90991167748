import EAP
import IKECrypto
import Primitives
import Testing

@Suite("EAP's negotiation")
struct NegotiationTests {
    static let password = Conversation.password

    /// What both ends can do, in their order, and what is said.
    struct Meeting: Sendable, CustomTestStringConvertible {
        let credentials: [EAPCredential]
        let methods: [EAPMethodOffer]
        let story: String
        let method: EAPType?

        var testDescription: String {
            "\(credentials.map(\.type)) meet \(methods.map(\.type))"
        }
    }

    static let meetings = [
        Meeting(
            credentials: [.md5Challenge(password: password)],
            methods: [.mschapv2, .gtc, .md5Challenge],
            story: "<- identity -> identity <- mschapv2 -> nak <- md5 -> md5 <- success",
            method: .md5Challenge
        ),
        Meeting(
            credentials: [.gtc(password: password), .md5Challenge(password: password)],
            methods: [.mschapv2, .md5Challenge, .gtc],
            story: "<- identity -> identity <- mschapv2 -> nak <- md5 -> md5 <- success",
            method: .md5Challenge
        ),
        Meeting(
            credentials: [.gtc(password: password)],
            methods: [.mschapv2, .md5Challenge],
            story: "<- identity -> identity <- mschapv2 -> nak <- failure",
            method: nil
        ),
        Meeting(
            credentials: [],
            methods: [.md5Challenge],
            story: "<- identity -> identity <- md5 -> nak <- failure",
            method: nil
        ),
    ]

    @Test("comes to the first method of the authenticator that the peer can do", arguments: meetings)
    func meets(_ meeting: Meeting) throws {
        var talk = try Conversation(meeting.credentials, meeting.methods)
        talk.run()
        #expect(talk.story == meeting.story)
        if let method = meeting.method {
            #expect(talk.peerEnding == .succeeded(method, msk: []))
        } else {
            #expect(talk.peerEnding == .failed(.noCommonMethod))
        }
        #expect(talk.authenticatorEnding == talk.peerEnding)
    }

    @Test("refuses an Expanded Type by an Expanded Nak that names what the peer can do")
    func expandedNak() throws {
        var talk = try Conversation([.gtc(password: Self.password)], [.gtc])
        let answer = talk.toPeer(hex("01 05 000c fe 00372a 00000001")).answer
        #expect(answer == hex("02 05 0014 fe 000000 00000003 fe 000000 00000006"))
    }

    @Test("takes no Nak once the peer has answered the method")
    func lateNak() throws {
        var talk = try Conversation([.mschapv2(password: Self.password)], [.mschapv2, .gtc])
        let identity = talk.toPeer(talk.begin()).answer
        let response = talk.toPeer(talk.toAuthenticator(identity).request).answer
        let success = talk.toAuthenticator(response).request
        let nak = talk.toAuthenticator([2, success[1], 0, 6, 3, 6]).saying
        #expect(nak == .dropped(.unexpected))
        talk.run(from: success)
        #expect(talk.peerEnding == talk.authenticatorEnding)
    }

    @Test("answers a Notification and goes on")
    func notification() throws {
        var talk = try Conversation([.gtc(password: Self.password)], [.gtc])
        let identity = talk.toPeer(talk.begin()).answer
        let notified = talk.toPeer(hex("01 63 0007 02 6869")).answer
        #expect(notified == hex("02 63 0005 02"))
        talk.run(from: talk.toAuthenticator(identity).request)
        #expect(talk.peerEnding == .succeeded(.gtc, msk: []))
    }

    @Test("ends when the authenticator never does")
    func endless() throws {
        var talk = try Conversation([.gtc(password: Self.password)], [.gtc])
        var saying = Saying.replied
        var identifier: UInt8 = 0
        while saying == .replied {
            identifier &+= 1
            saying = talk.toPeer([1, identifier, 0, 5, 2]).saying
        }
        #expect(saying == .ended(.failed(.tooManyRounds)))
        #expect(identifier == 97)
    }

    @Test("leaves IKEv2 no method alone but those that RFC 5998 allows")
    func safeAlone() {
        let all: [EAPType] = [.md5Challenge, .gtc, .mschapv2, .tls]
        #expect(all.filter(EAPType.safeAlone.contains) == [.tls])
        #expect(all.filter(\.derivesKey) == [.mschapv2, .tls])
    }
}
