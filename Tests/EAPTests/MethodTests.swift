import EAP
import IKECrypto
import Primitives
import Testing

@Suite("EAP methods with a password")
struct MethodTests {
    /// A method at both ends, and whether a key comes of it.
    struct Method: Sendable, CustomTestStringConvertible {
        let offer: EAPMethodOffer
        let credential: @Sendable ([UInt8]) -> EAPCredential
        let story: String
        let refusal: String
        let peerFailure: EAPFailure

        var testDescription: String { offer.type.description }
    }

    static let methods = [
        Method(
            offer: .md5Challenge,
            credential: { .md5Challenge(password: $0) },
            story: "<- identity -> identity <- md5 -> md5 <- success",
            refusal: "<- identity -> identity <- md5 -> md5 <- failure",
            peerFailure: .rejected
        ),
        Method(
            offer: .gtc,
            credential: { .gtc(password: $0) },
            story: "<- identity -> identity <- gtc -> gtc <- success",
            refusal: "<- identity -> identity <- gtc -> gtc <- failure",
            peerFailure: .rejected
        ),
        Method(
            offer: .mschapv2,
            credential: { .mschapv2(password: $0) },
            story: "<- identity -> identity <- mschapv2 -> mschapv2 <- mschapv2 -> mschapv2 <- success",
            refusal: "<- identity -> identity <- mschapv2 -> mschapv2 <- mschapv2 -> mschapv2 <- failure",
            peerFailure: .mschapv2(error: 691)
        ),
    ]

    @Test("succeed with the right password, and both ends have the same key", arguments: methods)
    func succeeds(_ method: Method) throws {
        var talk = try Conversation([method.credential(Conversation.password)], [method.offer])
        talk.run()
        #expect(talk.story == method.story)
        guard case .succeeded(let type, let msk) = talk.peerEnding else {
            Issue.record("the peer has not succeeded: \(talk.peerEnding)")
            return
        }
        #expect(type == method.offer.type)
        #expect(msk.count == (type.derivesKey ? 64 : 0))
        #expect(talk.authenticatorEnding == talk.peerEnding)
        #expect(talk.authenticator.peerIdentity == Conversation.name)
    }

    @Test("fail with a wrong password, and each end knows why as far as it can", arguments: methods)
    func refuses(_ method: Method) throws {
        var talk = try Conversation([method.credential(utf8("wrong"))], [method.offer])
        talk.run()
        #expect(talk.story == method.refusal)
        #expect(talk.authenticatorEnding == .failed(.wrongPassword))
        #expect(talk.peerEnding == .failed(method.peerFailure))
    }

    @Test("fail for a name that nobody has, whatever the password", arguments: methods)
    func refusesStrangers(_ method: Method) throws {
        for password in [Conversation.password, []] {
            var talk = try Conversation([method.credential(password)], [method.offer], password: nil)
            talk.run()
            #expect(talk.authenticatorEnding == .failed(.wrongPassword))
        }
    }

    @Test("begin without a question when the carrier knows who the peer is", arguments: methods)
    func knowsIdentity(_ method: Method) throws {
        var talk = try Conversation(
            [method.credential(Conversation.password)],
            [method.offer],
            identity: Conversation.name
        )
        talk.run()
        #expect("<- identity -> identity " + talk.story == method.story)
        #expect(talk.authenticatorEnding == talk.peerEnding)
    }

    @Test("give other challenges, and so other keys, with another seed")
    func seeds() throws {
        var endings: [Ending] = []
        for seed: UInt8 in [1, 1, 2] {
            var talk = try Conversation([.mschapv2(password: Conversation.password)], [.mschapv2], seed: seed)
            talk.run()
            endings.append(talk.peerEnding)
        }
        #expect(endings[0] == endings[1])
        #expect(endings[0] != endings[2])
    }

    @Test("are the same octets whichever backend computes IKE's cryptography", arguments: methods)
    func backends(_ method: Method) throws {
        let credentials = [method.credential(Conversation.password)]
        var real = try Conversation(credentials, [method.offer], backend: .openSSL)
        var modelled = try Conversation(credentials, [method.offer], backend: .modelled)
        real.run()
        modelled.run()
        let isSame = real.packets == modelled.packets
        #expect(isSame)
        #expect(real.peerEnding == modelled.peerEnding)
    }

    @Test("of an authenticator that does not know the password are not believed by an MSCHAPv2 peer")
    func mutualAuthentication() throws {
        var talk = try Conversation([.mschapv2(password: Conversation.password)], [.mschapv2])
        let identity = talk.toPeer(talk.begin()).answer
        let response = talk.toPeer(talk.toAuthenticator(identity).request).answer
        var success = talk.toAuthenticator(response).request
        // The last digit of S=.
        success[9 + 41] ^= 1
        let verdict = talk.toPeer(success).saying
        #expect(verdict == .ended(.failed(.authenticatorNotGenuine)))
    }

    @Test("do not succeed before they have come to their end", arguments: methods)
    func earlySuccess(_ method: Method) throws {
        var talk = try Conversation([method.credential(Conversation.password)], [method.offer])
        let request = talk.begin()
        let identifier = request[1]
        let early = talk.toPeer([3, identifier, 0, 4]).saying
        #expect(early == .dropped(.unexpected))
        let identity = talk.toPeer(request).answer
        let afterIdentity = talk.toPeer([3, identifier, 0, 4]).saying
        #expect(afterIdentity == .dropped(.unexpected))
        talk.run(from: talk.toAuthenticator(identity).request)
        #expect(talk.peerEnding == talk.authenticatorEnding)
    }
}

@Suite("MS-CHAP version 2")
struct MSCHAPv2Tests {
    static let exchange = MSCHAPv2.Exchange(
        authenticatorChallenge: hex("5B5D7C7D7B3F2F3E3C2C602132262628"),
        peerChallenge: hex("21402324255E262A28295F2B3A337C7E"),
        name: utf8("User")
    )

    @Test("computes what RFC 2759 section 9.2 has", arguments: ["User", "DOMAIN\\User"])
    func rfc2759(name: String) throws {
        let crypto = try cryptography()
        let exchange = MSCHAPv2.Exchange(
            authenticatorChallenge: Self.exchange.authenticatorChallenge,
            peerChallenge: Self.exchange.peerChallenge,
            name: utf8(name)
        )
        let hash = MSCHAPv2.passwordHash(utf8("clientPass"), crypto)
        #expect(hash.bytes.copied() == hex("44EBBA8D5312B8D611474411F56989AE"))
        let response = MSCHAPv2.ntResponse(exchange, passwordHash: hash, crypto)
        #expect(response == hex("82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF"))
        let proof = MSCHAPv2.authenticatorResponse(exchange, ntResponse: response, passwordHash: hash, crypto)
        #expect(proof == hex("407A5589115FD0D6209F510FE9C04566932CDA56"))
    }

    @Test("derives the keys of RFC 3079 section 3.5.3")
    func rfc3079() throws {
        let crypto = try cryptography()
        let hash = MSCHAPv2.passwordHash(utf8("clientPass"), crypto)
        let response = hex("82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF")
        let masterKey = MSCHAPv2.masterKey(ntResponse: response, passwordHash: hash, crypto)
        #expect(masterKey.bytes.copied() == hex("FDECE3717A8C838CB388E527AE3CDD31"))
        // What the server sends with is what the client receives with.
        let sent = MSCHAPv2.startKey(masterKey, peerSends: false, crypto)
        #expect(sent.bytes.copied() == hex("8B7CDC149B993A1BA118CB153F56DCCB"))
        let received = MSCHAPv2.startKey(masterKey, peerSends: true, crypto)
        let msk = MSCHAPv2.msk(ntResponse: response, passwordHash: hash, crypto)
        #expect(
            msk.bytes.copied()
                == received.bytes.copied() + sent.bytes.copied() + [UInt8](repeating: 0, count: 32)
        )
    }
}
