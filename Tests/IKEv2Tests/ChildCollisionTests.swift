import IKECrypto
import IKEWire
import IKEv2
import Primitives
import Testing

/// RFC 7296 sections 2.8.1 and 2.25.1.
@Suite("Both ends change the same Child SA at once")
struct ChildCollisionTests {
    /// Seeds among which either end has the lowest nonce.
    static let seeds: ClosedRange<UInt8> = 1...8

    private static let bothRequests = """
        --> HDR, SK {N(REKEY_SA), SA, Ni, TSi, TSr}
        <-- HDR, SK {N(REKEY_SA), SA, Ni, TSi, TSr}
        <-- HDR, SK {SA, Nr, TSi, TSr}
        --> HDR, SK {SA, Nr, TSi, TSr}

        """

    @Test("both notice: the end that used the lowest nonce deletes what it made, the other one the old Child SA")
    func bothNotice() {
        var winners: [Side] = []
        for seed in Self.seeds {
            tellEstablished(seed: seed) { network in
                network.command(.rekeyChildren, at: .initiator)
                network.command(.rekeyChildren, at: .responder)
                network.run(for: .milliseconds(25))
                #expect(network.children(of: .initiator).count == 3)
                network.run(for: .seconds(10))
                let child = network.children(of: .initiator)
                #expect(child.map(\.status) == [.active])
                let winner: Side = child[0].isExchangeInitiator ? .initiator : .responder
                winners.append(winner)
                expectStory(
                    network,
                    Self.bothRequests
                        + (winner == .initiator
                            ? """
                            <-- HDR, SK {D(ESP)}
                            --> HDR, SK {D(ESP)}
                            --> HDR, SK {D(ESP)}
                            <-- HDR, SK {D(ESP)}
                            """
                            : """
                            --> HDR, SK {D(ESP)}
                            <-- HDR, SK {D(ESP)}
                            <-- HDR, SK {D(ESP)}
                            --> HDR, SK {D(ESP)}
                            """)
                )
                for side in Side.allCases {
                    #expect(network.count(side) { if case .childRekeyed = $0 { true } else { false } } == 2)
                    #expect(network.count(side) { if case .childDeleted = $0 { true } else { false } } == 2)
                }
            }
        }
        #expect(winners.contains(.initiator))
        #expect(winners.contains(.responder))
    }

    @Test("with key exchanges of their own", arguments: seeds)
    func bothNoticeWithKeyExchange(_ seed: UInt8) {
        let proposal = { (values: inout PeerPolicy.Values) in values.childProposals = .esp("aes128gcm16-x25519") }
        tellEstablished(initiator: .client(proposal), responder: .gateway(proposal), seed: seed) { network in
            network.command(.rekeyChildren, at: .initiator)
            network.command(.rekeyChildren, at: .responder)
            network.run(for: .seconds(10))
            #expect(network.children(of: .initiator).map(\.status) == [.active])
            #expect(network.children(of: .initiator).map(\.suite.keyExchange) == [.curve25519])
        }
    }

    @Test("one request is lost, and the other end has finished when it comes again")
    func oneNotices() {
        let prompt = { (values: inout PeerPolicy.Values) in values.overlap = .zero }
        for seed in Self.seeds {
            tellEstablished(initiator: .client(prompt), responder: .gateway(prompt), seed: seed) { network in
                network.fate = { $0.from == .initiator && !$0.note.isResponse ? .isLost : .arrives }
                network.command(.rekeyChildren, at: .initiator)
                network.fate = { _ in .arrives }
                network.command(.rekeyChildren, at: .responder)
                network.run(for: .seconds(10))
                // As RFC 7296 section 2.8.1 tells it.
                expectStory(
                    network,
                    """
                    --> HDR, SK {N(REKEY_SA), SA, Ni, TSi, TSr} (lost)
                    <-- HDR, SK {N(REKEY_SA), SA, Ni, TSi, TSr}
                    --> HDR, SK {SA, Nr, TSi, TSr}
                    <-- HDR, SK {D(ESP)}
                    --> HDR, SK {D(ESP)}
                    --> HDR, SK {N(REKEY_SA), SA, Ni, TSi, TSr} (again)
                    <-- HDR, SK {N(CHILD_SA_NOT_FOUND)}
                    """
                )
                #expect(network.children(of: .initiator).map(\.isExchangeInitiator) == [false])
                #expect(network.count(.initiator) { if case .childRekeyFailed = $0 { true } else { false } } == 0)
            }
        }
    }

    @Test("one request is lost, and comes again while the old Child SA waits for the end of the overlap")
    func oneNoticesInOverlap() {
        tellEstablished { network in
            network.fate = { $0.from == .initiator && !$0.note.isResponse ? .isLost : .arrives }
            network.command(.rekeyChildren, at: .initiator)
            network.fate = { _ in .arrives }
            network.command(.rekeyChildren, at: .responder)
            network.run(for: .seconds(20))
            expectStory(
                network,
                """
                --> HDR, SK {N(REKEY_SA), SA, Ni, TSi, TSr} (lost)
                <-- HDR, SK {N(REKEY_SA), SA, Ni, TSi, TSr}
                --> HDR, SK {SA, Nr, TSi, TSr}
                --> HDR, SK {N(REKEY_SA), SA, Ni, TSi, TSr} (again)
                <-- HDR, SK {N(TEMPORARY_FAILURE)}
                <-- HDR, SK {D(ESP)}
                --> HDR, SK {D(ESP)}
                """
            )
            #expect(network.children(of: .initiator).map(\.isExchangeInitiator) == [false])
        }
    }

    @Test("an answer is late, and the Delete that follows from it overtakes it", arguments: seeds)
    func deleteOvertakesAnswer(_ seed: UInt8) {
        for overlap in [Duration.zero, .seconds(5)] {
            let policy = { (values: inout PeerPolicy.Values) in values.overlap = overlap }
            tellEstablished(initiator: .client(policy), responder: .gateway(policy), seed: seed) { network in
                network.fate = { flight in
                    flight.from == .responder && flight.note.operation == .rekeyChild && flight.note.isResponse
                        ? .isDelayed(.milliseconds(200)) : .arrives
                }
                network.command(.rekeyChildren, at: .initiator)
                network.command(.rekeyChildren, at: .responder)
                network.run(for: .seconds(20))
                #expect(network.children(of: .initiator).map(\.status) == [.active])
            }
        }
    }

    @Test("any of the messages is lost, and the ends still agree", arguments: 0..<8)
    func survivesLoss(_ lost: Int) {
        for seed in Self.seeds {
            tellEstablished(seed: seed) { network in
                var count = 0
                network.fate = { _ in
                    defer { count += 1 }
                    return count == lost ? .isLost : .arrives
                }
                network.command(.rekeyChildren, at: .initiator)
                network.command(.rekeyChildren, at: .responder)
                network.run(for: .seconds(60))
                #expect(network.children(of: .initiator).map(\.status) == [.active])
            }
        }
    }

    @Test("one end rekeys what the other one deletes: TEMPORARY_FAILURE, and it is gone")
    func rekeyMeetsDelete() {
        let mortal = PeerPolicy.gateway { $0.childLifetime = Lifetime(rekey: nil, hard: .seconds(10)) }
        tellEstablished(responder: mortal) { network in
            network.run(until: .zero + .seconds(10) + .milliseconds(25))
            network.command(.rekeyChildren, at: .initiator)
            network.run(for: .seconds(60))
            expectStory(
                network,
                """
                --> HDR, SK {N(REKEY_SA), SA, Ni, TSi, TSr}
                <-- HDR, SK {D(ESP)}
                <-- HDR, SK {N(TEMPORARY_FAILURE)}
                --> HDR, SK {D(ESP)}
                """
            )
            #expect(network.children(of: .initiator).isEmpty)
        }
    }

    @Test("one end deletes what the other one is rekeying, before the request arrives")
    func deleteMeetsRekey() {
        let mortal = PeerPolicy.gateway { $0.childLifetime = Lifetime(rekey: nil, hard: .seconds(10)) }
        tellEstablished(responder: mortal) { network in
            network.run(until: .zero + .seconds(10))
            network.fate = { $0.note.operation == .rekeyChild && !$0.note.isRetransmission ? .isLost : .arrives }
            network.command(.rekeyChildren, at: .initiator)
            network.run(for: .seconds(60))
            expectStory(
                network,
                """
                --> HDR, SK {N(REKEY_SA), SA, Ni, TSi, TSr} (lost)
                <-- HDR, SK {D(ESP)}
                --> HDR, SK {D(ESP)}
                --> HDR, SK {N(REKEY_SA), SA, Ni, TSi, TSr} (again)
                <-- HDR, SK {N(CHILD_SA_NOT_FOUND)}
                """
            )
            #expect(network.children(of: .initiator).isEmpty)
        }
    }

    @Test("both delete it: neither answer names it")
    func bothDelete() {
        let client = PeerPolicy.client { $0.childLifetime = Lifetime(rekey: nil, hard: .seconds(10)) }
        // The responder has had it for 10 ms more.
        let gateway = PeerPolicy.gateway { $0.childLifetime = Lifetime(rekey: nil, hard: .milliseconds(10_015)) }
        tellEstablished(initiator: client, responder: gateway) { network in
            network.run(for: .seconds(60))
            expectStory(
                network,
                """
                --> HDR, SK {D(ESP)}
                <-- HDR, SK {D(ESP)}
                <-- HDR, SK {}
                --> HDR, SK {}
                """
            )
            for side in Side.allCases {
                #expect(network.children(of: side).isEmpty)
                #expect(network.count(side) { if case .childDeleted = $0 { true } else { false } } == 1)
            }
        }
    }

    @Test("one end has to retry with another key exchange method while the other one rekeys")
    func retryMeetsRekey() {
        let many = PeerPolicy.client { $0.childProposals = .esp("aes128gcm16-x25519-ecp256") }
        let one = PeerPolicy.gateway { $0.childProposals = .esp("aes128gcm16-ecp256") }
        for late in [Duration.zero, .milliseconds(15)] {
            tellEstablished(initiator: many, responder: one) { network in
                network.command(.rekeyChildren, at: .initiator)
                network.run(for: late)
                network.command(.rekeyChildren, at: .responder)
                network.run(for: .seconds(20))
                #expect(network.children(of: .initiator).map(\.status) == [.active])
                #expect(network.children(of: .initiator).map(\.suite.keyExchange) == [.ecp256])
            }
        }
    }

    @Test("both create further ones, which has nothing to do with each other")
    func bothCreate() {
        tellEstablished { network in
            network.command(.createChild, at: .initiator)
            network.command(.createChild, at: .responder)
            network.run(for: .seconds(1))
            #expect(network.children(of: .initiator).count == 3)
        }
    }

    @Test("several Child SAs are rekeyed by both ends", arguments: seeds)
    func rekeysSeveral(_ seed: UInt8) {
        tellEstablished(initiator: .client { $0.additionalChildren = 2 }, seed: seed) { network in
            network.command(.rekeyChildren, at: .initiator)
            network.command(.rekeyChildren, at: .responder)
            network.run(for: .seconds(60))
            #expect(network.children(of: .initiator).map(\.status) == [.active, .active, .active])
        }
    }
}
