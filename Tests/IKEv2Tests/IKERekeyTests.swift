import IKECrypto
import IKEWire
import IKEv2
import Primitives
import Testing

/// RFC 7296 sections 1.3.2, 2.8, 2.8.2, 2.18 and 2.25.2.
@Suite("An IKE SA is rekeyed")
struct IKERekeyTests {
    private static func hasRekeyed(_ report: Report) -> Bool {
        if case .ikeRekeyed = report { true } else { false }
    }

    @Test("by either end, and the new one has the Child SAs", arguments: Side.allCases)
    func rekeys(_ side: Side) {
        tellEstablished(initiator: .client { $0.additionalChildren = 1 }) { network in
            network.forgetStory()
            let old = network.summary(of: side)!
            network.command(.rekeyIKE, at: side)
            network.run(for: .seconds(1))
            expectStory(
                network,
                from: side,
                """
                --> HDR, SK {SA, Ni, KEi}
                <-- HDR, SK {SA, Nr, KEr}
                --> HDR, SK {D}
                <-- HDR, SK {}
                """
            )
            let new = network.summary(of: side)!
            #expect(new.spis != old.spis)
            #expect(new.children.map(\.inbound) == old.children.map(\.inbound))
            #expect(network.ends(side) == [.rekeyed])
            #expect(network.ends(side.other) == [.rekeyed])
            #expect(network.count(of: side) == 1)
            #expect(network.count(of: side.other) == 1)
            // What follows goes under the new keys, from message ID 0 on.
            network.forgetStory()
            network.command(.checkLiveness, at: .initiator)
            network.run(for: .seconds(1))
            expectStory(network, "--> HDR', SK {}\n<-- HDR', SK {}")
        }
    }

    @Test("again and again, from both ends in turn")
    func rekeysRepeatedly() {
        tellEstablished { network in
            for round in 0..<20 {
                network.command(.rekeyIKE, at: round % 2 == 0 ? .initiator : .responder)
                network.run(for: .seconds(1))
                network.command(.rekeyChildren, at: round % 3 == 0 ? .initiator : .responder)
                network.run(for: .seconds(10))
            }
            #expect(network.count(.initiator, Self.hasRekeyed) == 20)
            #expect(network.count(of: .initiator) == 1)
            #expect(network.children(of: .initiator).count == 1)
        }
    }

    @Test("with the key exchange method that the peer wants", arguments: Side.allCases)
    func retriesKeyExchange(_ side: Side) {
        let many = { (values: inout PeerPolicy.Values) in
            values.ikeProposals = .ike("aes128gcm16-prfsha256-x25519-ecp256")
        }
        tellEstablished(initiator: .client(many), responder: .gateway(many)) { network in
            let one = { (values: inout PeerPolicy.Values) in values.ikeProposals = .ike("aes128gcm16-prfsha256-ecp256")
            }
            network.policies[side.other.rawValue] = side == .initiator ? .gateway(one) : .client(one)
            network.command(.rekeyIKE, at: side)
            network.run(for: .seconds(1))
            expectStory(
                network,
                from: side,
                """
                --> HDR, SK {SA, Ni, KEi}
                <-- HDR, SK {N(INVALID_KE_PAYLOAD)}
                --> HDR, SK {SA, Ni, KEi}
                <-- HDR, SK {SA, Nr, KEr}
                --> HDR, SK {D}
                <-- HDR, SK {}
                """
            )
            #expect(network.summary(of: side)?.suite.keyExchange == .ecp256)
        }
    }

    @Test("with another PRF, whose old one makes the keys")
    func changesPRF() {
        let other = { (values: inout PeerPolicy.Values) in values.ikeProposals = .ike("aes256gcm16-prfsha384-x25519") }
        tellEstablished { network in
            network.policies = [.client(other), .gateway(other)]
            network.command(.rekeyIKE, at: .initiator)
            network.run(for: .seconds(1))
            #expect(network.summary(of: .initiator)?.suite.prf == .hmacSHA384)
            network.command(.rekeyChildren, at: .responder)
            network.run(for: .seconds(10))
            #expect(network.children(of: .initiator).count == 1)
        }
    }

    @Test("or not, if the peer refuses, and goes on as it was")
    func isRefused() {
        tellEstablished { network in
            network.policies[1] = .gateway { $0.ikeProposals = .ike("aes256gcm16-prfsha384-x25519") }
            let spis = network.summary(of: .initiator)!.spis
            network.command(.rekeyIKE, at: .initiator)
            network.run(for: .seconds(1))
            expectStory(network, "--> HDR, SK {SA, Ni, KEi}\n<-- HDR, SK {N(NO_PROPOSAL_CHOSEN)}")
            #expect(network.news(.initiator) == [.ikeRekeyFailed(spis, .refused(.noProposalChosen))])
        }
    }

    private static let bothRequests = """
        --> HDR, SK {SA, Ni, KEi}
        <-- HDR, SK {SA, Ni, KEi}
        <-- HDR, SK {SA, Nr, KEr}
        --> HDR, SK {SA, Nr, KEr}

        """

    @Test("by both ends at once: the one with the lowest nonce is deleted by its maker, the old one by the other end")
    func bothNotice() {
        var winners: [Side] = []
        for seed in ChildCollisionTests.seeds {
            tellEstablished(initiator: .client { $0.additionalChildren = 1 }, seed: seed) { network in
                network.command(.rekeyIKE, at: .initiator)
                network.command(.rekeyIKE, at: .responder)
                network.run(for: .seconds(1))
                let wins = network.withCurrent(of: .initiator) { $0.withChannel { $0.isInitiator } }!!
                let winner: Side = wins ? .initiator : .responder
                winners.append(winner)
                // The second IKE SA stays, the third one is redundant.
                let own = winner == .initiator ? ["<--", "''", "-->"] : ["-->", "''", "<--"]
                let old = winner == .initiator ? ["-->", "", "<--"] : ["<--", "", "-->"]
                let deletions = winner == .initiator ? [old, own] : [own, old]
                let story =
                    Self.bothRequests + deletions.map { "\($0[0]) HDR\($0[1]), SK {D}\n" }.joined()
                    + deletions.map { "\($0[2]) HDR\($0[1]), SK {}\n" }.joined()
                expectStory(network, story)
                for side in Side.allCases {
                    #expect(network.count(of: side) == 1)
                    #expect(network.count(side, Self.hasRekeyed) == 1)
                    #expect(Set(network.ends(side)) == [.rekeyed, .redundant])
                }
                #expect(network.children(of: .initiator).count == 2)
            }
        }
        #expect(winners.contains(.initiator))
        #expect(winners.contains(.responder))
    }

    @Test("by both ends, one of which has finished before it hears of the other's request")
    func oneNotices() {
        for seed in ChildCollisionTests.seeds {
            tellEstablished(seed: seed) { network in
                network.fate = { $0.from == .initiator && !$0.note.isResponse ? .isHeld : .arrives }
                network.command(.rekeyIKE, at: .initiator)
                network.fate = { _ in .arrives }
                network.command(.rekeyIKE, at: .responder)
                network.run(for: .milliseconds(25))
                // RFC 7296 section 2.8.2: it is about to be deleted.
                network.release()
                network.run(for: .seconds(1))
                expectStory(
                    network,
                    """
                    --> HDR, SK {SA, Ni, KEi} (held)
                    <-- HDR, SK {SA, Ni, KEi}
                    --> HDR, SK {SA, Nr, KEr}
                    <-- HDR, SK {D}
                    <-- HDR, SK {N(TEMPORARY_FAILURE)}
                    --> HDR, SK {}
                    """
                )
                let wins = network.withCurrent(of: .responder) { $0.withChannel { $0.isInitiator } }!!
                #expect(wins)
                #expect(network.count(of: .initiator) == 1)
                #expect(network.count(of: .responder) == 1)
            }
        }
    }

    @Test("by both ends, and the refusal of one arrives before the Delete of the other")
    func refusalOvertakesDelete() {
        tellEstablished { network in
            network.fate = { $0.from == .initiator && !$0.note.isResponse ? .isHeld : .arrives }
            network.command(.rekeyIKE, at: .initiator)
            // The Delete of an IKE SA that a rekey has replaced is noted as what it costs: nothing is torn down.
            network.fate = { $0.note.operation == .informational ? .isDelayed(.milliseconds(100)) : .arrives }
            network.command(.rekeyIKE, at: .responder)
            network.run(for: .milliseconds(25))
            network.release()
            network.run(for: .milliseconds(15))
            #expect(network.situation(of: .initiator) == "established")
            #expect(network.count(of: .initiator) == 2)
            network.run(for: .seconds(1))
            #expect(network.count(of: .initiator) == 1)
            #expect(network.count(.initiator, Self.hasRekeyed) == 1)
        }
    }

    @Test("by both ends, with any one message lost", arguments: 0..<8)
    func survivesLoss(_ lost: Int) {
        for seed in ChildCollisionTests.seeds {
            tellEstablished(initiator: .client { $0.additionalChildren = 1 }, seed: seed) { network in
                var count = 0
                network.fate = { _ in
                    defer { count += 1 }
                    return count == lost ? .isLost : .arrives
                }
                network.command(.rekeyIKE, at: .initiator)
                network.command(.rekeyIKE, at: .responder)
                network.run(for: .seconds(200))
                #expect(network.children(of: .initiator).count == 2)
                for side in Side.allCases { #expect(network.count(of: side) == 1) }
            }
        }
    }

    @Test("while the other end changes a Child SA: TEMPORARY_FAILURE, and a later retry", arguments: Side.allCases)
    func meetsChildExchange(_ side: Side) {
        for command in [IKESA.Command.createChild, .rekeyChildren] {
            tellEstablished { network in
                network.command(.rekeyIKE, at: side)
                network.command(command, at: side.other)
                network.run(for: .milliseconds(100))
                let child = command == .createChild ? "SA, Ni, TSi, TSr" : "N(REKEY_SA), SA, Ni, TSi, TSr"
                expectStory(
                    network,
                    from: side,
                    """
                    --> HDR, SK {SA, Ni, KEi}
                    <-- HDR, SK {\(child)}
                    <-- HDR, SK {N(TEMPORARY_FAILURE)}
                    --> HDR, SK {N(TEMPORARY_FAILURE)}
                    """
                )
                // Both try again after 5 to 10 seconds.
                network.run(for: .seconds(60))
                #expect(network.count(side, Self.hasRekeyed) == 1)
                #expect(network.children(of: side).count == (command == .createChild ? 2 : 1))
                #expect(network.children(of: side).allSatisfy { $0.status == .active })
            }
        }
    }

    @Test("while the other end deletes a Child SA: that is answered, the rekey comes later")
    func meetsChildDelete() {
        let mortal = PeerPolicy.gateway { $0.childLifetime = Lifetime(rekey: nil, hard: .seconds(10)) }
        tellEstablished(initiator: .client { $0.additionalChildren = 1 }, responder: mortal) { network in
            network.run(until: .zero + .seconds(10) + .milliseconds(21))
            network.forgetStory()
            network.command(.rekeyIKE, at: .initiator)
            network.run(for: .milliseconds(100))
            #expect(network.story.contains("<-- HDR, SK {N(TEMPORARY_FAILURE)}"))
            network.run(for: .seconds(60))
            #expect(network.count(.initiator, Self.hasRekeyed) == 1)
            #expect(network.children(of: .initiator).isEmpty)
        }
    }

    @Test("but TEMPORARY_FAILURE for minutes ends the IKE SA")
    func isOutOfStep() {
        // A responder that never comes to the end of its own exchange.
        let network = Network.established(initiator: .client { $0.retryLimit = .minutes(2) })
        network.fate = { flight in
            flight.from == .responder && flight.note.operation == .createChild && !flight.note.isResponse
                ? .isLost : .arrives
        }
        network.policies[1] = .gateway { values in
            values.retransmission = RetransmissionSchedule(waits: [.minutes(60)])
        }
        network.command(.createChild, at: .responder)
        network.forgetStory()
        network.command(.rekeyIKE, at: .initiator)
        network.run(for: .minutes(10))
        #expect(network.ends(.initiator) == [.refused(.temporaryFailure)])
        #expect(network.now >= .zero + .minutes(2))
        let refusals = network.story.count { $0.contains("TEMPORARY_FAILURE") }
        #expect((12...26).contains(refusals))
    }
}
