import IKECrypto
import IKEWire
import IKEv2
import Primitives
import Testing

/// Who counts rekeys has to hear of those, too, that the end of an IKE SA cuts short.
@Suite("A rekey whose IKE SA ends before it is answered has failed, and says why")
struct RekeyFailureTests {
    /// How an IKE SA ends whose rekey waits for its answer.
    enum Ending: CaseIterable {
        case silence, deletion, invalidSyntax, brokenAnswer, brokenRequest

        var reason: CloseReason {
            switch self {
            case .silence: .timeout
            case .deletion: .deletedByPeer
            case .invalidSyntax: .refused(.invalidSyntax)
            case .brokenAnswer: .malformedAnswer
            case .brokenRequest: .malformedRequest
            }
        }
    }

    private func end(_ network: Network, _ ending: Ending, _ command: IKESA.Command) {
        network.fate = { $0.from == .responder ? .isHeld : .arrives }
        if ending == .silence || ending == .deletion { network.fate = { _ in .isLost } }
        network.command(command, at: .initiator)
        network.run(for: .seconds(1))
        switch ending {
        case .silence: network.run(for: .minutes(10))
        case .deletion:
            network.fate = { _ in .arrives }
            network.command(.delete, at: .responder)
            network.run(for: .seconds(1))
        case .invalidSyntax, .brokenAnswer:
            let answer = network.held[0]
            let other = network.resealed(answer.message) { payloads in
                if ending == .invalidSyntax {
                    payloads = ForgedPayloads()
                    payloads.appendNotify(.invalidSyntax)
                } else {
                    payloads.removing(.nonce)
                }
            }
            network.receive(other, over: answer.path, at: .initiator)
        case .brokenRequest:
            let request = network.forgedRequest(.ikeAuth, from: .responder) { _ in }
            network.receive(request, over: network.summary(of: .initiator)!.path, at: .initiator)
        }
    }

    @Test("be it of a Child SA", arguments: Ending.allCases)
    func ofChild(_ ending: Ending) {
        let network = Network.established()
        let child = network.children(of: .initiator)[0].inbound
        end(network, ending, .rekeyChildren)
        let news = network.news(.initiator)
        #expect(news.count { $0 == .childRekeyFailed(child, ending.reason) } == 1, "\(news)")
        #expect(network.count(.initiator) { if case .childRekeyFailed = $0 { true } else { false } } == 1)
    }

    @Test("or of the IKE SA", arguments: Ending.allCases)
    func ofIKESA(_ ending: Ending) {
        let network = Network.established()
        let spis = network.summary(of: .initiator)!.spis
        end(network, ending, .rekeyIKE)
        let news = network.news(.initiator)
        #expect(news.count { $0 == .ikeRekeyFailed(spis, ending.reason) } == 1, "\(news)")
        #expect(network.count(.initiator) { if case .ikeRekeyFailed = $0 { true } else { false } } == 1)
    }

    @Test("but not where it is this end that has had enough", arguments: [IKESA.Command.rekeyChildren, .checkLiveness])
    func leaves(_ command: IKESA.Command) {
        let network = Network.established()
        network.fate = { _ in .isLost }
        network.command(command, at: .initiator)
        network.run(for: .seconds(1))
        network.command(.delete, at: .initiator)
        network.run(for: .minutes(10))
        #expect(network.ends(.initiator) == [.deletedHere])
        #expect(network.count(.initiator) { if case .childRekeyFailed = $0 { true } else { false } } == 0)
    }
}
