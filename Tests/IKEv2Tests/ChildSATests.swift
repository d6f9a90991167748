import IKECrypto
import IKEWire
import IKEv2
import Primitives
import Testing

@Suite("A Child SA")
struct ChildSATests {
    @Test("is created beside the first one by either end", arguments: Side.allCases)
    func creates(_ side: Side) {
        tellEstablished { network in
            network.command(.createChild, at: side)
            network.run(for: .seconds(1))
            expectStory(
                network,
                from: side,
                """
                --> HDR, SK {SA, Ni, TSi, TSr}
                <-- HDR, SK {SA, Nr, TSi, TSr}
                """
            )
            #expect(network.children(of: .initiator).count == 2)
            // The address that was assigned is all that the initiator may use.
            let own = [TrafficSelector(IPPrefix("10.128.0.7/32")!)]
            #expect(network.children(of: .initiator).map(\.localSelectors) == [own, own])
        }
    }

    @Test("is made as often as the policy wants beyond the first one")
    func createsAdditional() {
        tell(initiator: .client { $0.additionalChildren = 3 }) { network in
            network.run(for: .seconds(1))
            #expect(network.children(of: .initiator).count == 4)
            #expect(network.children(of: .responder).count == 4)
        }
    }

    @Test("has a key exchange of its own where the policy wants one", arguments: Side.allCases)
    func exchangesKeys(_ side: Side) {
        let proposal = { (values: inout PeerPolicy.Values) in values.childProposals = .esp("aes128gcm16-x25519") }
        tellEstablished(initiator: .client(proposal), responder: .gateway(proposal)) { network in
            network.command(.createChild, at: side)
            network.run(for: .seconds(1))
            network.command(.rekeyChildren, at: side)
            network.run(for: .seconds(1))
            expectStory(
                network,
                from: side,
                """
                --> HDR, SK {SA, Ni, KEi, TSi, TSr}
                <-- HDR, SK {SA, Nr, KEr, TSi, TSr}
                --> HDR, SK {N(REKEY_SA), SA, Ni, KEi, TSi, TSr}
                <-- HDR, SK {SA, Nr, KEr, TSi, TSr}
                --> HDR, SK {N(REKEY_SA), SA, Ni, KEi, TSi, TSr}
                <-- HDR, SK {SA, Nr, KEr, TSi, TSr}
                """
            )
            network.run(for: .seconds(10))
            // The first one came without, since IKE_AUTH has no KE payload.
            #expect(network.children(of: .initiator).map(\.suite.keyExchange) == [.curve25519, .curve25519])
        }
    }

    @Test("is asked for again with the key exchange method that the peer wants", arguments: Side.allCases)
    func retriesKeyExchange(_ side: Side) {
        let many = { (values: inout PeerPolicy.Values) in values.childProposals = .esp("aes128gcm16-x25519-ecp256") }
        let one = { (values: inout PeerPolicy.Values) in values.childProposals = .esp("aes128gcm16-ecp256") }
        tellEstablished(
            initiator: .client(side == .initiator ? many : one),
            responder: .gateway(side == .initiator ? one : many)
        ) { network in
            network.command(.rekeyChildren, at: side)
            network.run(for: .seconds(10))
            expectStory(
                network,
                from: side,
                """
                --> HDR, SK {N(REKEY_SA), SA, Ni, KEi, TSi, TSr}
                <-- HDR, SK {N(INVALID_KE_PAYLOAD)}
                --> HDR, SK {N(REKEY_SA), SA, Ni, KEi, TSi, TSr}
                <-- HDR, SK {SA, Nr, KEr, TSi, TSr}
                --> HDR, SK {D(ESP)}
                <-- HDR, SK {D(ESP)}
                """
            )
            #expect(network.children(of: side).map(\.suite.keyExchange) == [.ecp256])
        }
    }

    @Test("is rekeyed by either end, and the old one stays for the overlap", arguments: Side.allCases)
    func rekeys(_ side: Side) {
        tellEstablished { network in
            let old = network.children(of: side)[0].inbound
            network.command(.rekeyChildren, at: side)
            network.run(for: .seconds(4))
            #expect(network.children(of: side).map(\.status) == [.superseded, .active])
            #expect(network.children(of: side.other).map(\.status) == [.superseded, .active])
            network.run(for: .seconds(2))
            expectStory(
                network,
                from: side,
                """
                --> HDR, SK {N(REKEY_SA), SA, Ni, TSi, TSr}
                <-- HDR, SK {SA, Nr, TSi, TSr}
                --> HDR, SK {D(ESP)}
                <-- HDR, SK {D(ESP)}
                """
            )
            let new = network.children(of: side)
            #expect(new.map(\.status) == [.active])
            #expect(network.reports[side.rawValue].contains(.childDeleted(inbound: old)))
            #expect(new[0].localSelectors.count == 1)
            #expect(new[0].isExchangeInitiator)
        }
    }

    @Test("that the peer does not want is refused, and nothing changes", arguments: Side.allCases)
    func isRefused(_ side: Side) {
        let other = { (values: inout PeerPolicy.Values) in
            values.childProposals = .esp("aes128gcm16", "aes256gcm16")
        }
        tellEstablished(initiator: .client(other), responder: .gateway(other)) { network in
            // What the peer accepts changes while the IKE SA is up.
            let narrow = { (values: inout PeerPolicy.Values) in values.childProposals = .esp("aes192gcm16") }
            network.policies[side.other.rawValue] = side == .initiator ? .gateway(narrow) : .client(narrow)
            network.command(.createChild, at: side)
            network.command(.rekeyChildren, at: side)
            network.run(for: .seconds(1))
            expectStory(
                network,
                from: side,
                """
                --> HDR, SK {SA, Ni, TSi, TSr}
                <-- HDR, SK {N(NO_PROPOSAL_CHOSEN)}
                --> HDR, SK {N(REKEY_SA), SA, Ni, TSi, TSr}
                <-- HDR, SK {N(NO_PROPOSAL_CHOSEN)}
                """
            )
            let child = network.children(of: side)
            #expect(child.map(\.status) == [.active])
            #expect(
                network.news(side) == [
                    .childRefused(.noProposalChosen), .childRekeyFailed(child[0].inbound, .refused(.noProposalChosen)),
                ]
            )
        }
    }

    @Test("that the peer does not have any more is not rekeyed but made anew")
    func isNotFound() {
        let network = Network.established()
        let old = network.children(of: .initiator)[0]
        network.fate = { $0.note.operation == .rekeyChild && $0.note.isResponse ? .isHeld : .arrives }
        network.command(.rekeyChildren, at: .initiator)
        network.run(for: .seconds(1))
        // The answer is exchanged for the one of a responder that has lost the Child SA.
        let answer = network.held.removeFirst()
        let refusal = network.resealed(answer.message) { payloads in
            payloads = ForgedPayloads()
            payloads.append(.notify, [3, 4, 0, 44, 0, 0, 0, 1])
        }
        network.forgetStory()
        network.receive(refusal, over: answer.path, at: .initiator)
        network.run(for: .seconds(1))
        expectStory(network, "--> HDR, SK {SA, Ni, TSi, TSr}\n<-- HDR, SK {SA, Nr, TSi, TSr}")
        #expect(network.children(of: .initiator).map(\.status) == [.active])
        #expect(
            network.news(.initiator).prefix(2) == [
                .childRekeyFailed(old.inbound, .refused(.childSANotFound)), .childDeleted(inbound: old.inbound),
            ]
        )
    }

    @Test("that the other end will only know once it has an answer is rekeyed later, and both ends have the same")
    func isNotKnownYet() {
        tellEstablished { network in
            network.fate = { $0.from == .initiator && $0.note.isResponse ? .isHeld : .arrives }
            network.command(.rekeyChildren, at: .responder)
            network.run(for: .milliseconds(100))
            network.fate = { _ in .arrives }
            network.command(.rekeyChildren, at: .initiator)
            network.run(for: .milliseconds(100))
            expectStory(
                network,
                """
                <-- HDR, SK {N(REKEY_SA), SA, Ni, TSi, TSr}
                --> HDR, SK {SA, Nr, TSi, TSr} (held)
                --> HDR, SK {N(REKEY_SA), SA, Ni, TSi, TSr}
                <-- HDR, SK {N(TEMPORARY_FAILURE)}
                """
            )
            network.release()
            network.run(for: .seconds(60))
            #expect(network.children(of: .initiator).count == 1)
            #expect(network.children(of: .responder).count == 1)
            #expect(network.count(.initiator) { if case .childRekeyed = $0 { true } else { false } } == 2)
        }
    }

    @Test("beyond what the policy allows gets NO_ADDITIONAL_SAS")
    func isLimited() {
        tellEstablished(responder: .gateway { $0.childLimit = 3 }) { network in
            for _ in 0..<5 { network.command(.createChild, at: .initiator) }
            network.run(for: .seconds(1))
            #expect(network.children(of: .responder).count == 3)
            #expect(network.count(.initiator) { $0 == .childRefused(.noAdditionalSAs) } == 3)
            // Rekeys of those that exist go on.
            network.command(.rekeyChildren, at: .initiator)
            network.run(for: .seconds(10))
            #expect(network.count(.initiator) { if case .childRekeyed = $0 { true } else { false } } == 3)
            #expect(network.children(of: .responder).count == 3)
        }
    }

    @Test("carries what both ends allow")
    func narrows() {
        let wide = [TrafficSelector(IPPrefix("10.0.0.0/8")!), TrafficSelector(IPPrefix("192.168.0.0/16")!)]
        let gateway = [TrafficSelector(IPPrefix("10.200.0.0/16")!), TrafficSelector(IPPrefix("192.168.7.0/24")!)]
        tellEstablished(
            initiator: .client { $0.remoteSelectors = wide },
            responder: .gateway { $0.localSelectors = gateway }
        ) { network in
            #expect(network.children(of: .initiator)[0].remoteSelectors == gateway)
            network.command(.createChild, at: .initiator)
            network.command(.rekeyChildren, at: .initiator)
            network.run(for: .seconds(10))
            #expect(network.children(of: .initiator).map(\.remoteSelectors) == [gateway, gateway])
        }
    }
}
