import IKECrypto
import IKEWire
import IKEv2
import Primitives
import Testing

@Suite("Both ends authenticate")
struct AuthenticationTests {
    struct Pair: CustomTestStringConvertible {
        let client: TestProof
        let gateway: TestProof
        var testDescription: String { "the client by \(client), the gateway by \(gateway)" }
    }

    private static let older: [SignatureScheme] = [.ecdsaP256, .ecdsaP384, .ecdsaP521, .rsaSHA1]

    @Test(
        "each in its own way",
        arguments: [
            Pair(client: .sharedKey, gateway: .sharedKey),
            Pair(client: .signature(.ecdsa256), gateway: .signature(.ecdsa256)),
            Pair(client: .signature(.ecdsa384), gateway: .signature(.ecdsa521)),
            Pair(client: .signature(.ed25519), gateway: .signature(.ed25519)),
            Pair(client: .signature(.rsa2048), gateway: .signature(.rsa2048)),
            Pair(client: .signature(.ed25519), gateway: .signature(.rsa2048)),
            Pair(
                client: .signature(.rsa2048, [.rsaPKCS1SHA384]),
                gateway: .signature(.rsa2048, [.rsaPKCS1SHA384])
            ),
            Pair(client: .signature(.ecdsa256, older), gateway: .signature(.ecdsa521, older)),
            Pair(client: .signature(.ecdsa384, older), gateway: .signature(.rsa2048, older)),
            Pair(client: .sharedKey, gateway: .signature(.ecdsa256)),
            Pair(client: .signature(.ecdsa256), gateway: .sharedKey),
        ]
    )
    func establishes(_ pair: Pair) {
        let client = PeerPolicy.client(by: pair.client, to: pair.gateway)
        let gateway = PeerPolicy.gateway(by: pair.gateway, to: pair.client)
        tell(initiator: client, responder: gateway) { network in
            network.run(for: .seconds(1))
            #expect(network.situation(of: .initiator) == "established")
            #expect(network.situation(of: .responder) == "established")
            #expect(network.children(of: .responder).count == 1)
            network.command(.rekeyIKE, at: .responder)
            network.run(for: .seconds(1))
            #expect(network.count(.initiator) { if case .ikeRekeyed = $0 { true } else { false } } == 1)
        }
    }

    private static let nat = "N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP)"

    @Test("with certificates over an intermediate one, each naming the authorities that it believes")
    func certificates() {
        let (client, gateway) = (TestProof.signature(.ecdsa256), TestProof.signature(.ed25519))
        tell(initiator: .client(by: client, to: gateway), responder: .gateway(by: gateway, to: client)) { network in
            network.run(for: .seconds(1))
            expectStory(
                network,
                """
                --> HDR, SAi1, KEi, Ni, \(Self.nat), N(SIGNATURE_HASH_ALGORITHMS)
                <-- HDR, SAr1, KEr, Nr, \(Self.nat), CERTREQ, N(SIGNATURE_HASH_ALGORITHMS)
                --> HDR, SK {IDi, CERT, CERT, CERTREQ, IDr, AUTH, CP(CFG_REQUEST), SAi2, TSi, TSr}
                <-- HDR, SK {IDr, CERT, CERT, AUTH, CP(CFG_REPLY), SAr2, TSi, TSr}
                """
            )
            #expect(network.situation(of: .initiator) == "established")
        }
    }

    @Test("a client with a shared key asks the gateway alone for a certificate")
    func gatewayAlone() {
        let gateway = TestProof.signature(.rsa2048)
        tell(initiator: .client(by: .sharedKey, to: gateway), responder: .gateway(by: gateway, to: .sharedKey)) {
            network in
            network.run(for: .seconds(1))
            expectStory(
                network,
                """
                --> HDR, SAi1, KEi, Ni, \(Self.nat), N(SIGNATURE_HASH_ALGORITHMS)
                <-- HDR, SAr1, KEr, Nr, \(Self.nat), N(SIGNATURE_HASH_ALGORITHMS)
                --> HDR, SK {IDi, CERTREQ, IDr, AUTH, CP(CFG_REQUEST), SAi2, TSi, TSr}
                <-- HDR, SK {IDr, CERT, CERT, AUTH, CP(CFG_REPLY), SAr2, TSi, TSr}
                """
            )
        }
    }

    @Test("nothing is said of hashes where no method names one")
    func olderMethods() {
        let proof = TestProof.signature(.ecdsa256, Self.older)
        tell(initiator: .client(by: proof, to: proof), responder: .gateway(by: proof, to: proof)) { network in
            network.run(for: .seconds(1))
            #expect(network.story[0] == "--> HDR, SAi1, KEi, Ni, \(Self.nat)")
            #expect(network.story[1] == "<-- HDR, SAr1, KEr, Nr, \(Self.nat), CERTREQ")
            #expect(network.situation(of: .initiator) == "established")
        }
    }

    @Test("a repeated request is answered once more with the same signature")
    func answersAgain() {
        let proof = TestProof.signature(.ecdsa256)
        tell(initiator: .client(by: proof, to: proof), responder: .gateway(by: proof, to: proof)) { network in
            var answers = 0
            network.fate = { flight in
                guard flight.note.operation == .ikeAuth, flight.note.isResponse else { return .arrives }
                answers += 1
                return answers < 3 ? .isLost : .arrives
            }
            network.run(for: .seconds(60))
            let responses = network.wire.filter { $0.note.operation == .ikeAuth && $0.note.isResponse }
            #expect(responses.count == 3)
            #expect(Set(responses.map(\.octets)).count == 1)
            #expect(network.situation(of: .initiator) == "established")
        }
    }

    @Test("runs of one seed sign octet for octet alike", arguments: [NewKey.ecdsa256, .rsa2048])
    func repeats(_ key: NewKey) {
        let proof = TestProof.signature(key)
        let wires = (0..<2).map { _ in
            let network = Network(
                initiator: .client(by: proof, to: proof),
                responder: .gateway(by: proof, to: proof),
                backend: .openSSL
            )
            network.run(for: .seconds(1))
            return network.wire.map(\.octets)
        }
        #expect(wires[0] == wires[1])
        #expect(wires[0].count == 4)
    }

    @Test("a message with an ECDSA signature has the same length in every run")
    func lengths() {
        let proof = TestProof.signature(.ecdsa256)
        for ike in ["aes128gcm16-prfsha256-x25519", "aes128-sha256-prfsha256-x25519"] {
            var sizes: Set<[Int]> = []
            for seed in 0..<24 as Range<UInt8> {
                let network = Network(
                    initiator: .client(by: proof, to: proof) { $0.ikeProposals = .ike(ike) },
                    responder: .gateway(by: proof, to: proof) { $0.ikeProposals = .ike(ike) },
                    backend: .openSSL,
                    seed: seed
                )
                network.run(for: .seconds(1))
                #expect(network.situation(of: .initiator) == "established")
                sizes.insert(network.wire.map(\.octets.count))
            }
            #expect(sizes.count == 1)
        }
    }

    @Test("with a key of each client's own, by derivation")
    func derivedKeys() {
        let derived = { (values: inout PeerPolicy.Values) in
            values.authentication.keys = .derived(secret: Array("secret".utf8))
            values.preSharedKey = []
        }
        tell(initiator: .client(derived), responder: .gateway(derived)) { network in
            network.run(for: .seconds(1))
            #expect(network.situation(of: .responder) == "established")
        }
        // printf user00001@example.org | openssl dgst -sha256 -hmac secret
        let key = "12e2e3c1ab3958792e0055e437a5a12d4ba557cc23aba59f725ed38810399d47"
        tell(initiator: .client { $0.preSharedKey = Array(key.utf8) }, responder: .gateway(derived)) { network in
            network.run(for: .seconds(1))
            #expect(network.situation(of: .responder) == "established")
        }
    }

    @Test("with identities and keys from a list, of every kind of identity")
    func listedKeys() {
        let identities = ["user@example.org", "host.example.org", "192.0.2.9", "O=tests, CN=somebody"]
        let list = IdentityList(
            identities.enumerated().map { .init(identity: $1, key: Array("key \($0)".utf8)) }
        )
        let gateway = PeerPolicy.gateway { $0.authentication.keys = .listed(list) }
        for (place, identity) in identities.enumerated() {
            let client = PeerPolicy.client {
                $0.identity = IdentityTemplate(identity)
                $0.preSharedKey = Array("key \(place)".utf8)
            }
            tell(initiator: client, responder: gateway) { network in
                network.run(for: .seconds(1))
                #expect(network.situation(of: .responder) == "established")
            }
        }
        let listed = PeerPolicy.client {
            $0.identity = IdentityTemplate(list)
            $0.authentication.keys = .listed(list)
        }
        tell(initiator: listed, responder: gateway) { network in
            network.run(for: .seconds(1))
            #expect(network.situation(of: .responder) == "established")
        }
    }

    @Test("with distinguished names, which are those of the certificates")
    func distinguishedNames() throws {
        let proof = TestProof.signature(.ed25519)
        let credential = TestAuthority.ours.credential(.ed25519, "DNS:gw.example.org")
        let name = IdentityTemplate("o = tests, CN=end")
        #expect(name.type == .derASN1DN)
        #expect(try credential.subject() == name.octets(number: 1))
        let client = PeerPolicy.client(by: proof, to: proof) { $0.peerIdentity = name }
        let gateway = PeerPolicy.gateway(by: proof, to: proof) { $0.identity = name }
        tell(initiator: client, responder: gateway) { network in
            network.run(for: .seconds(1))
            #expect(network.situation(of: .initiator) == "established")
        }
    }
}
