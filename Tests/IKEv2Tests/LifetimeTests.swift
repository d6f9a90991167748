import IKECrypto
import IKEWire
import IKEv2
import Primitives
import Testing

@Suite("SAs end in time")
struct LifetimeTests {
    @Test("a Child SA is rekeyed at its soft lifetime less a random part of the jitter, each end by itself")
    func rekeysChildren() {
        var moments: Set<Instant> = []
        for seed in 1...6 as ClosedRange<UInt8> {
            let client = PeerPolicy.client {
                $0.childLifetime = Lifetime(rekey: .seconds(100), jitter: Probability(partsPerBillion: 100_000_000))
            }
            tell(initiator: client, seed: seed) { network in
                network.run(for: .seconds(200))
                let dues = network.reports[0].compactMap { report in
                    if case .childRekeyed(_, _, _, let due, true) = report { due } else { nil }
                }
                // It was made at 40 ms.
                #expect(dues.count == 2 || dues.count == 1)
                #expect(dues[0] > .zero + .seconds(90) && dues[0] <= .zero + .seconds(101))
                moments.insert(dues[0])
            }
        }
        #expect(moments.count == 6)
    }

    @Test("an IKE SA is rekeyed at its soft lifetime, by whichever end is first")
    func rekeysIKE() {
        let lifetime = Lifetime(rekey: .seconds(60))
        tell(
            initiator: .client { $0.ikeLifetime = lifetime },
            responder: .gateway { $0.ikeLifetime = lifetime }
        ) { network in
            network.run(for: .seconds(630))
            // The responder has had it for 10 ms longer, and stays first.
            #expect(network.count(.responder) { if case .ikeRekeyed(_, _, _, true) = $0 { true } else { false } } >= 5)
            #expect(network.count(.initiator) { if case .ikeRekeyed = $0 { true } else { false } } == 10)
            #expect(network.count(of: .initiator) == 1)
        }
    }

    @Test("a Child SA is deleted at its hard lifetime")
    func deletesChild() {
        tell(initiator: .client { $0.childLifetime = Lifetime(rekey: nil, hard: .seconds(30)) }) { network in
            network.run(for: .seconds(31))
            #expect(network.story.suffix(2) == ["--> HDR, SK {D(ESP)}", "<-- HDR, SK {D(ESP)}"])
            #expect(network.children(of: .responder).isEmpty)
        }
    }

    @Test("an IKE SA is deleted at its hard lifetime")
    func deletesIKE() {
        tell(initiator: .client { $0.ikeLifetime = Lifetime(rekey: nil, hard: .seconds(30)) }) { network in
            network.run(for: .seconds(31))
            #expect(network.story.suffix(2) == ["--> HDR, SK {D}", "<-- HDR, SK {}"])
            #expect(network.ends(.initiator) == [.expired])
            #expect(network.ends(.responder) == [.deletedByPeer])
        }
    }

    @Test(
        "an IKE SA whose rekey is answered when its hard lifetime has ended is replaced, and deleted if it is refused",
        arguments: [false, true]
    )
    func expiresDuringRekey(isRefused: Bool) {
        let client = PeerPolicy.client { $0.ikeLifetime = Lifetime(rekey: .seconds(20), hard: .seconds(30)) }
        tell(initiator: client) { network in
            network.run(for: .seconds(15))
            if isRefused { network.policies[1] = .gateway { $0.ikeProposals = .ike("aes256gcm16-prfsha384-x25519") } }
            network.fate = { $0.from == .responder ? .isLost : .arrives }
            network.run(for: .seconds(20))
            network.fate = { _ in .arrives }
            network.run(for: .seconds(20))
            #expect(network.count(of: .responder) == (isRefused ? 0 : 1))
            #expect(network.ends(.initiator) == [isRefused ? .expired : .rekeyed])
        }
    }

    @Test("a responder waits for IKE_AUTH, but not for ever")
    func halfOpen() {
        tell(responder: .gateway { $0.halfOpenTimeout = .seconds(7) }) { network in
            network.fate = { $0.note.operation == .ikeAuth ? .isLost : .arrives }
            network.run(for: .seconds(8))
            #expect(network.ends(.responder) == [.halfOpenExpired])
            network.fate = { _ in .isLost }
            network.run(for: .minutes(4))
            #expect(network.ends(.initiator) == [.timeout])
        }
    }

    @Test("a superseded Child SA that the peer does not delete ends at its hard lifetime")
    func supersededChild() {
        let lifetime = Lifetime(rekey: nil, hard: .seconds(50))
        tell(
            initiator: .client { $0.overlap = .minutes(60) },
            responder: .gateway { $0.childLifetime = lifetime }
        ) { network in
            network.run(for: .seconds(10))
            network.command(.rekeyChildren, at: .initiator)
            network.run(for: .seconds(10))
            #expect(network.children(of: .responder).map(\.status) == [.superseded, .active])
            network.run(for: .seconds(35))
            #expect(network.children(of: .responder).map(\.status) == [.active])
        }
    }
}

@Suite("An end asks whether the other one is there")
struct LivenessTests {
    @Test("after silence, and goes on when it is", arguments: Side.allCases)
    func checks(_ side: Side) {
        let policy = { (values: inout PeerPolicy.Values) in values.liveness = .seconds(30) }
        tell(
            initiator: side == .initiator ? .client(policy) : .client(),
            responder: side == .responder ? .gateway(policy) : .gateway()
        ) { network in
            network.run(for: .milliseconds(100))
            network.forgetStory()
            network.run(for: .seconds(95))
            expectStory(
                network,
                from: side,
                Array(repeating: "--> HDR, SK {}\n<-- HDR, SK {}", count: 3).joined(separator: "\n")
            )
            #expect(network.count(side) { $0 == .alive } == 3)
        }
    }

    @Test("but not while it hears from it")
    func staysQuiet() {
        tell(initiator: .client { $0.liveness = .seconds(30) }) { network in
            for _ in 0..<10 {
                network.run(for: .seconds(20))
                network.command(.checkLiveness, at: .responder)
            }
            #expect(network.count(.initiator) { $0 == .alive } == 0)
        }
    }

    @Test("and closes the IKE SA when it is not")
    func closes() {
        tell(initiator: .client { $0.liveness = .seconds(30) }, responder: .gateway { $0.liveness = .seconds(40) }) {
            network in
            network.run(for: .seconds(1))
            network.fate = { _ in .isLost }
            network.run(for: .minutes(10))
            #expect(network.ends(.initiator) == [.timeout])
            #expect(network.ends(.responder) == [.timeout])
        }
    }
}
