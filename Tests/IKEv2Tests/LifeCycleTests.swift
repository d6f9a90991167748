import IKEWire
import IKEv2
import Primitives
import Testing

/// RFC 7296 section 2.4.
@Suite("INITIAL_CONTACT")
struct InitialContactTests {
    private static let first = """
        --> HDR, SAi1, KEi, Ni, N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP)
        <-- HDR, SAr1, KEr, Nr, N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP)

        """

    /// Whether the responder told its driver who the peer is, and with which claim.
    private static func claims(_ network: Network) -> [Bool] {
        network.reports[1].compactMap { report in
            if case .peerIdentified(_, let isInitialContact) = report { isInitialContact } else { nil }
        }
    }

    @Test("is said in the first IKE_AUTH request, and the responder's driver hears of it")
    func isSaid() {
        tell(
            initiator: .client { $0.lifeCycle.sendsInitialContact = true },
            responder: .gateway { $0.lifeCycle.obeysInitialContact = true }
        ) { network in
            network.run(for: .seconds(1))
            expectStory(
                network,
                Self.first + """
                    --> HDR, SK {IDi, N(INITIAL_CONTACT), IDr, AUTH, CP(CFG_REQUEST), SAi2, TSi, TSr}
                    <-- HDR, SK {IDr, AUTH, CP(CFG_REPLY), SAr2, TSi, TSr}
                    """
            )
            #expect(Self.claims(network) == [true])
        }
    }

    @Test("is not said where nobody asked for it, and not heard by a responder that ignores it")
    func isIgnored() {
        tell(responder: .gateway { $0.lifeCycle.obeysInitialContact = true }) { network in
            network.run(for: .seconds(1))
            #expect(!network.story.contains { $0.contains("INITIAL_CONTACT") })
            #expect(Self.claims(network) == [false])
        }
        tell(initiator: .client { $0.lifeCycle.sendsInitialContact = true }) { network in
            network.run(for: .seconds(1))
            #expect(network.story.contains { $0.contains("INITIAL_CONTACT") })
            #expect(Self.claims(network) == [])
            #expect(network.children(of: .responder).count == 1)
        }
    }

    @Test("counts for the identity that was proven, whatever address it comes from")
    func namesIdentity() {
        var identities: [UInt64] = []
        for identity in ["user%05d@example.org", "user%05d@example.org", "other%05d@example.org"] {
            tell(
                initiator: .client { $0.identity = IdentityTemplate(identity) },
                responder: .gateway { $0.lifeCycle.obeysInitialContact = true },
                seed: UInt8(identities.count + 1)
            ) { network in
                network.run(for: .seconds(1))
                for case .peerIdentified(let identity, _) in network.reports[1] { identities.append(identity) }
            }
        }
        // Each story is told twice, with real and with modelled cryptography.
        #expect(identities.count == 6)
        #expect(Set(identities).count == 2 && identities[0] == identities[3] && identities[0] != identities[4])
    }
}

/// RFC 4478.
@Suite("AUTH_LIFETIME")
struct AuthenticationLifetimeTests {
    private static func policy(_ lifetime: Duration) -> PeerPolicy {
        .gateway { $0.lifeCycle.authenticationLifetime = lifetime }
    }

    @Test("is told in the IKE_AUTH response; an initiator that does not reauthenticate loses its IKE SA in time")
    func ends() {
        tell(responder: Self.policy(.seconds(90))) { network in
            network.run(for: .seconds(89))
            #expect(network.story.last == "<-- HDR, SK {IDr, AUTH, N(AUTH_LIFETIME), CP(CFG_REPLY), SAr2, TSi, TSr}")
            #expect(network.count(.initiator) { $0 == .authenticationLimited(.seconds(90)) } == 1)
            network.forgetStory()
            network.run(for: .seconds(2))
            expectStory(network, "<-- HDR, SK {D}\n--> HDR, SK {}")
            #expect(network.ends(.responder) == [.expired])
            #expect(network.ends(.initiator) == [.deletedByPeer])
        }
    }

    @Test(
        "counts from the authentication: a rekey of the IKE SA, by either end, does not prolong it",
        arguments: Side.allCases
    )
    func outlivesRekey(_ side: Side) {
        tell(responder: Self.policy(.seconds(90))) { network in
            for _ in 0..<4 {
                network.run(for: .seconds(20))
                network.command(.rekeyIKE, at: side)
            }
            network.run(for: .seconds(5))
            #expect(network.count(of: .responder) == 1)
            network.run(for: .seconds(6))
            #expect(network.count(of: .responder) == 0)
            #expect(network.ends(.responder).last == .expired)
        }
    }

    @Test("does not lengthen what the policy lets an IKE SA live")
    func isNotTheOnlyLimit() {
        let policy = PeerPolicy.gateway {
            $0.lifeCycle.authenticationLifetime = .minutes(60)
            $0.ikeLifetime = Lifetime(rekey: nil, hard: .seconds(30))
        }
        tell(responder: policy) { network in
            network.run(for: .seconds(31))
            #expect(network.ends(.responder) == [.expired])
        }
    }

    @Test("may come later, in an INFORMATIONAL request, and means at once where it is 0")
    func comesLater() {
        let network = Network.established()
        let request = network.forgedRequest(.informational, from: .responder) {
            $0.appendNotify(.authLifetime, [0, 0, 0, 0])
        }
        network.receive(request, over: Route.test.plain, at: .initiator)
        #expect(network.count(.initiator) { $0 == .authenticationLimited(.zero) } == 1)
        #expect(network.story.last == "--> HDR, SK {}")
    }
}
