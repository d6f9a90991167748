import EAP
import IKECrypto
import IKEWire
import IKEv2
import Primitives
import Testing

@Suite("A client shows by EAP who it is")
struct EAPExchangeTests {
    private static let initial = """
        --> HDR, SAi1, KEi, Ni, N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP)
        <-- HDR, SAr1, KEr, Nr, N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP)
        """
    private static let round = """
        --> HDR, SK {EAP}
        <-- HDR, SK {EAP}
        """
    private static let end = """
        --> HDR, SK {AUTH}
        <-- HDR, SK {AUTH, CP(CFG_REPLY), SAr2, TSi, TSr}
        """

    @Test("and the gateway by a shared key: the story of RFC 7296 section 2.16")
    func establishes() {
        tell(initiator: .client(eap: .mschapv2), responder: .gateway(eap: .mschapv2)) { network in
            network.run(for: .seconds(1))
            expectStory(
                network,
                """
                \(Self.initial)
                --> HDR, SK {IDi, IDr, CP(CFG_REQUEST), SAi2, TSi, TSr}
                <-- HDR, SK {IDr, AUTH, EAP}
                \(Self.round)
                \(Self.round)
                \(Self.end)
                """
            )
            #expect(network.situation(of: .initiator) == "established")
            #expect(network.situation(of: .responder) == "established")
            #expect(network.children(of: .responder).count == 1)
            #expect(network.reports[0].contains(.addressAssigned(IPAddress("10.128.0.7")!)))
            let notes = network.wire.dropFirst(2).map(\.note)
            #expect(notes.map(\.operation) == Array(repeating: .eap, count: 6) + [.ikeAuth, .ikeAuth])
            #expect(notes.map(\.wantedAddresses) == Array(repeating: [], count: 6) + [.ipv4, []])
        }
    }

    @Test("by every method, with an MSK or without one", arguments: TestEAP.allCases)
    func everyMethod(_ method: TestEAP) {
        tell(initiator: .client(eap: method), responder: .gateway(eap: method)) { network in
            network.run(for: .seconds(1))
            #expect(network.situation(of: .initiator) == "established")
            #expect(network.situation(of: .responder) == "established")
            #expect(network.packets(from: .responder).last?.first == 3)
            network.command(.rekeyIKE, at: .responder)
            network.run(for: .seconds(1))
            #expect(network.count(.initiator) { if case .ikeRekeyed = $0 { true } else { false } } == 1)
        }
    }

    @Test("and the gateway by its certificate", arguments: [TestEAP.mschapv2, .tls])
    func gatewaySigns(_ method: TestEAP) {
        let credential = TestAuthority.ours.credential(.ecdsa256, "DNS:gw.example.org")
        let client = PeerPolicy.client(eap: method) {
            $0.authentication.acceptsSharedKey = false
            $0.authentication.anchors = TestAuthority.ours.anchors
        }
        tell(initiator: client, responder: .gateway(eap: method) { $0.authentication.credentials = [credential] }) {
            network in
            network.run(for: .seconds(1))
            #expect(network.story[2] == "--> HDR, SK {IDi, CERTREQ, IDr, CP(CFG_REQUEST), SAi2, TSi, TSr}")
            #expect(network.story[3] == "<-- HDR, SK {IDr, CERT, CERT, AUTH, EAP}")
            #expect(network.situation(of: .initiator) == "established")
        }
    }

    @Test("by EAP alone, where both ends want that and the method allows it (RFC 5998)")
    func alone() {
        let client = PeerPolicy.client(eap: .tls) { $0.authentication.eap?.isOnly = true }
        tell(initiator: client, responder: .gateway(eap: .tls) { $0.authentication.eap?.isOnly = true }) { network in
            network.run(for: .seconds(1))
            let request = "IDi, IDr, N(EAP_ONLY_AUTHENTICATION), CP(CFG_REQUEST), SAi2, TSi, TSr"
            #expect(network.story[2] == "--> HDR, SK {\(request)}")
            #expect(network.story[3] == "<-- HDR, SK {IDr, EAP}")
            #expect(network.story.last == "<-- HDR, SK {AUTH, CP(CFG_REPLY), SAr2, TSi, TSr}")
            #expect(network.situation(of: .initiator) == "established")
            #expect(network.situation(of: .responder) == "established")
        }
    }

    @Test("a gateway that does not do so by EAP alone shows its own AUTH, which counts")
    func notAlone() {
        let client = PeerPolicy.client(eap: .tls) { $0.authentication.eap?.isOnly = true }
        tell(initiator: client, responder: .gateway(eap: .tls)) { network in
            network.run(for: .seconds(1))
            #expect(network.story[3] == "<-- HDR, SK {IDr, AUTH, EAP}")
            #expect(network.situation(of: .initiator) == "established")
        }
    }

    @Test("a method that shows nothing of the gateway is not believed alone", arguments: [TestEAP.mschapv2, .gtc])
    func unsafeAlone(_ method: TestEAP) {
        let client = PeerPolicy.client(eap: method) { $0.authentication.eap?.isOnly = true }
        tell(initiator: client, responder: .gateway(eap: method) { $0.authentication.eap?.isOnly = true }) { network in
            network.run(for: .seconds(1))
            #expect(network.story.suffix(2) == ["--> HDR, SK {N(AUTHENTICATION_FAILED)}", "<-- HDR, SK {}"])
            #expect(network.ends(.initiator) == [.authenticationFailed])
            #expect(network.ends(.responder) == [.authenticationFailed])
        }
    }

    @Test("the identity is asked for where the gateway's policy says so")
    func asksIdentity() {
        let client = PeerPolicy.client(eap: .md5Challenge) {
            $0.authentication.eap?.identity = IdentityTemplate("card-%d")
        }
        let gateway = PeerPolicy.gateway(eap: .md5Challenge) { values in
            values.authentication.eap?.asksIdentity = true
            values.authentication.eap?.passwords = .listed(
                IdentityList([.init(identity: "card-1", key: Array("secret".utf8))])
            )
        }
        tell(initiator: client, responder: gateway) { network in
            network.run(for: .seconds(1))
            #expect(network.packets(from: .responder)[0].dropFirst(4) == [1])
            #expect(Array(network.packets(from: .initiator)[0].dropFirst(4)) == [1] + Array("card-1".utf8))
            #expect(network.situation(of: .initiator) == "established")
        }
    }

    @Test("a client that cannot do the first method names one that it can")
    func negotiates() {
        tell(initiator: .client(eap: .gtc), responder: .gateway(eap: .mschapv2, .gtc)) { network in
            network.run(for: .seconds(1))
            #expect(network.packets(from: .initiator)[0].dropFirst(4) == [3, 6])
            #expect(network.situation(of: .initiator) == "established")
        }
    }

    @Test("each client has a password of its own, by derivation")
    func derivedPasswords() {
        let derived = { (values: inout PeerPolicy.Values) in
            values.authentication.eap?.password = []
            values.authentication.eap?.passwords = .derived(secret: Array("secret".utf8))
        }
        tell(
            initiator: .client(eap: .mschapv2, derived),
            responder: .gateway(eap: .mschapv2, change: derived)
        ) { network in
            network.run(for: .seconds(1))
            #expect(network.situation(of: .responder) == "established")
        }
    }

    @Test("runs of one seed converse octet for octet alike, TLS too")
    func repeats() {
        let wires = (0..<2).map { _ in
            let network = Network(initiator: .client(eap: .tls), responder: .gateway(eap: .tls), backend: .openSSL)
            network.run(for: .seconds(1))
            return network.wire.map(\.octets)
        }
        #expect(wires[0] == wires[1])
        #expect(wires[0].count > 10)
    }

    @Test("with every message lost once, and with all of them twice")
    func losses() {
        let brief = { (values: inout PeerPolicy.Values) in values.retransmission = .brief }
        tell(initiator: .client(eap: .tls, brief), responder: .gateway(eap: .tls)) { network in
            var lost: [[UInt8]] = []
            network.fate = { flight in
                guard !lost.contains(flight.octets) else { return .arrivesTwice }
                lost.append(flight.octets)
                return .isLost
            }
            network.run(for: .seconds(29))
            #expect(network.situation(of: .initiator) == "established")
            #expect(network.situation(of: .responder) == "established")
        }
    }

    @Test("in fragments, where the packets are long")
    func fragments() {
        tell(
            initiator: .client(eap: .tls) { $0.fragmentation = .small },
            responder: .gateway(eap: .tls) { $0.fragmentation = .small }
        ) { network in
            network.run(for: .seconds(1))
            #expect(network.wire.contains { $0.isFragment && $0.note.operation == .eap && $0.note.isResponse })
            #expect(network.wire.contains { $0.isFragment && $0.note.operation == .eap && !$0.note.isResponse })
            #expect(network.situation(of: .initiator) == "established")
        }
    }

    @Test("a gateway waits for all the rounds together as long as for IKE_AUTH")
    func expires() {
        tell(initiator: .client(eap: .mschapv2), responder: .gateway(eap: .mschapv2)) { network in
            network.run(for: .milliseconds(45))
            network.fate = { _ in .isLost }
            network.run(for: .seconds(31))
            #expect(network.ends(.responder) == [.halfOpenExpired])
            network.run(for: .minutes(4))
            #expect(network.ends(.initiator) == [.timeout])
        }
    }

    @Test("a client that is told to delete an IKE SA in the midst of EAP leaves nothing behind")
    func abandons() {
        tell(initiator: .client(eap: .mschapv2), responder: .gateway(eap: .mschapv2)) { network in
            network.run(for: .milliseconds(85))
            network.command(.delete, at: .initiator)
            network.run(for: .seconds(1))
            #expect(network.ends(.initiator) == [.deletedHere])
            #expect(network.ends(.responder) == [.deletedByPeer])
        }
        tell(initiator: .client(eap: .mschapv2), responder: .gateway(eap: .mschapv2)) { network in
            network.run(for: .milliseconds(45))
            network.command(.delete, at: .initiator)
            network.run(for: .seconds(31))
            #expect(network.ends(.initiator) == [.deletedHere])
            #expect(network.ends(.responder) == [.halfOpenExpired])
        }
    }
}
