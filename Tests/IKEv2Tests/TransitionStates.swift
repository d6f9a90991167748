import IKECrypto
import IKEWire
import IKEv2
import Primitives

/// A state of the machine under test, and how it is reached.
struct TableState: Sendable {
    let name: String
    var side = Side.initiator
    var client = PeerPolicy.client()
    var gateway = PeerPolicy.gateway()
    /// The IKE SA under test is the one that was there first, not the one in use.
    var testsFirst = false
    let reach: @Sendable (Network) -> Void

    init(
        _ name: String,
        side: Side = .initiator,
        client: PeerPolicy = .client(),
        gateway: PeerPolicy = .gateway(),
        testsFirst: Bool = false,
        reach: @escaping @Sendable (Network) -> Void
    ) {
        self.name = name
        self.side = side
        self.client = client
        self.gateway = gateway
        self.testsFirst = testsFirst
        self.reach = reach
    }

    func network() -> Network {
        let network = Network(initiator: client, responder: gateway)
        reach(network)
        return network
    }

    /// Established at 40 ms, and from then on nothing arrives by itself.
    static func established(
        _ name: String,
        side: Side = .initiator,
        client: PeerPolicy = .client(),
        gateway: PeerPolicy = .gateway(),
        testsFirst: Bool = false,
        _ reach: @escaping @Sendable (Network) -> Void = { _ in }
    ) -> TableState {
        TableState(name, side: side, client: client, gateway: gateway, testsFirst: testsFirst) { network in
            network.run(for: .milliseconds(100))
            network.fate = { _ in .isHeld }
            reach(network)
        }
    }

    private static let exchanging: @Sendable (inout PeerPolicy.Values) -> Void = { values in
        values.childProposals = .esp("aes128gcm16-x25519-ecp256")
        values.ikeProposals = .ike("aes128gcm16-prfsha256-x25519-ecp256")
    }

    private static func exchanging(
        _ name: String,
        _ reach: @escaping @Sendable (Network) -> Void
    ) -> TableState {
        .established(name, client: .client(exchanging), gateway: .gateway(exchanging), reach)
    }

    private static func signing(
        _ name: String,
        side: Side = .initiator,
        _ reach: @escaping @Sendable (Network) -> Void
    ) -> TableState {
        let proof = TestProof.signature(.ecdsa256)
        return TableState(
            name,
            side: side,
            client: .client(by: proof, to: proof),
            gateway: .gateway(by: proof, to: proof),
            reach: reach
        )
    }

    private static func hybrid(
        _ name: String,
        side: Side = .initiator,
        _ reach: @escaping @Sendable (Network) -> Void
    ) -> TableState {
        TableState(
            name,
            side: side,
            client: .client(IntermediateTests.hybrid),
            gateway: .gateway(IntermediateTests.hybrid),
            reach: reach
        )
    }

    /// With additional key exchanges (RFC 9370).
    static let additional: [TableState] = [
        hybrid("has asked for the key pair of IKE_INTERMEDIATE") { network in
            network.run(for: .milliseconds(15))
            network.fate = { _ in .isHeld }
            network.holdsOperations = true
            network.run(for: .milliseconds(10))
            network.completeOperation(at: .initiator)
        },
        hybrid("has sent IKE_INTERMEDIATE") { network in
            network.run(for: .milliseconds(15))
            network.fate = { _ in .isHeld }
            network.run(for: .milliseconds(10))
        },
        hybrid("has IKE_INTERMEDIATE, and has asked for its value", side: .responder) { network in
            network.run(for: .milliseconds(25))
            network.fate = { _ in .isHeld }
            network.holdsOperations = true
            network.run(for: .milliseconds(10))
        },
        hybrid("has answered IKE_SA_INIT, and waits for IKE_INTERMEDIATE", side: .responder) { network in
            network.run(for: .milliseconds(15))
            network.fate = { _ in .isHeld }
            network.run(for: .milliseconds(10))
        },
        .established(
            "waits for IKE_FOLLOWUP_KE",
            side: .responder,
            client: .client(IntermediateTests.hybrid),
            gateway: .gateway(IntermediateTests.hybrid)
        ) { network in
            network.begin(.rekeyIKE)
            network.deliverLast(to: .responder)
        },
        .established(
            "has sent IKE_FOLLOWUP_KE",
            client: .client(IntermediateTests.hybrid),
            gateway: .gateway(IntermediateTests.hybrid)
        ) { network in
            network.begin(.rekeyIKE)
            network.answer()
        },
    ]

    // Before the IKE SA is established.
    static let opening = [
        TableState("has asked for its key pair") { network in
            network.holdsOperations = true
            network.run(for: .zero)
        },
        TableState(
            "has sent IKE_SA_INIT",
            client: .client { $0.ikeProposals = .ike("aes128gcm16-prfsha256-x25519-ecp256") }
        ) { network in
            network.fate = { _ in .isHeld }
            network.run(for: .zero)
        },
        TableState("has the answer to IKE_SA_INIT, and has asked for the shared secret") { network in
            network.run(for: .milliseconds(15))
            network.holdsOperations = true
            network.run(for: .milliseconds(10))
        },
        TableState("has sent IKE_AUTH") { network in
            network.run(for: .milliseconds(15))
            network.fate = { _ in .isHeld }
            network.run(for: .milliseconds(10))
        },
        signing("has asked for the signature of IKE_AUTH") { network in
            network.run(for: .milliseconds(15))
            network.fate = { _ in .isHeld }
            network.holdsOperations = true
            network.run(for: .milliseconds(10))
            network.completeOperation(at: .initiator)
        },
        signing("has the answer to IKE_AUTH, and has asked whether its certificates are good") { network in
            network.run(for: .milliseconds(35))
            network.fate = { _ in .isHeld }
            network.holdsOperations = true
            network.run(for: .milliseconds(10))
        },
        signing("has IKE_AUTH, and has asked whether its certificates are good", side: .responder) { network in
            network.run(for: .milliseconds(25))
            network.fate = { _ in .isHeld }
            network.holdsOperations = true
            network.run(for: .milliseconds(10))
        },
        signing("knows who the initiator is, and has asked for the signature of its answer", side: .responder) {
            network in
            network.run(for: .milliseconds(25))
            network.fate = { _ in .isHeld }
            network.holdsOperations = true
            network.run(for: .milliseconds(10))
            network.completeOperation(at: .responder)
        },
        TableState("has IKE_SA_INIT, and has asked for its value", side: .responder) { network in
            network.run(for: .zero)
            network.holdsOperations = true
            network.run(for: .milliseconds(10))
        },
        TableState("has answered IKE_SA_INIT", side: .responder) { network in
            network.run(for: .milliseconds(15))
            network.fate = { _ in .isHeld }
            network.run(for: .milliseconds(10))
        },
    ]

    private static func conversing(
        _ name: String,
        side: Side = .initiator,
        usesBackend: Bool = false,
        after time: Duration
    ) -> TableState {
        TableState(
            name,
            side: side,
            client: .client(eap: .mschapv2),
            gateway: .gateway(eap: .mschapv2) { $0.authentication.eap?.usesBackend = usesBackend }
        ) { network in
            network.run(for: time)
            network.fate = { _ in .isHeld }
            network.run(for: .milliseconds(10))
        }
    }

    // In the midst of EAP.
    static let conversing = [
        conversing("has answered a request of EAP", after: .milliseconds(35)),
        conversing("has EAP-Success, and has sent AUTH", after: .milliseconds(75)),
        conversing("has sent a request of EAP", side: .responder, after: .milliseconds(25)),
        conversing("has sent EAP-Success", side: .responder, after: .milliseconds(65)),
        conversing("has asked the server behind it", side: .responder, usesBackend: true, after: .milliseconds(25)),
    ]

    // Established, with nothing or one thing under way.
    static let established: [TableState] = [
        .established("is established"),
        .established("is established, as the responder", side: .responder),
        exchanging("has asked for a key pair for a further Child SA") {
            $0.begin(.createChild, holdingOperation: true)
        },
        exchanging("has asked for a key pair to rekey a Child SA") { $0.begin(.rekeyChildren, holdingOperation: true) },
        exchanging("has asked for a key pair to rekey the IKE SA") { $0.begin(.rekeyIKE, holdingOperation: true) },
        .established("has asked for a further Child SA") { $0.begin(.createChild) },
        exchanging("has asked for a further Child SA with KE") { $0.begin(.createChild) },
        .established("rekeys a Child SA") { $0.begin(.rekeyChildren) },
        exchanging("rekeys a Child SA with KE") { $0.begin(.rekeyChildren) },
        exchanging("rekeys the IKE SA") { $0.begin(.rekeyIKE) },
        exchanging("has the answer to its rekey of a Child SA, and has asked for the shared secret") { network in
            network.begin(.rekeyChildren)
            network.answer(holdingOperation: true)
        },
        exchanging("has the answer to its rekey of the IKE SA, and has asked for the shared secret") { network in
            network.begin(.rekeyIKE)
            network.answer(holdingOperation: true)
        },
        exchanging("has the peer's request for a further Child SA, and has asked for its value") { network in
            network.begin(.createChild, at: .responder)
            network.deliverLast(to: .initiator, holdingOperation: true)
        },
        exchanging("has the peer's rekey of a Child SA, and has asked for its value") { network in
            network.begin(.rekeyChildren, at: .responder)
            network.deliverLast(to: .initiator, holdingOperation: true)
        },
        exchanging("has the peer's rekey of the IKE SA, and has asked for its value") { network in
            network.begin(.rekeyIKE, at: .responder)
            network.deliverLast(to: .initiator, holdingOperation: true)
        },
        .established(
            "deletes a Child SA",
            client: .client { $0.childLifetime = Lifetime(rekey: nil, hard: .seconds(10)) }
        ) { $0.run(for: .seconds(11)) },
        .established("checks liveness") { $0.begin(.checkLiveness) },
        .established("has MOBIKE", client: .mobileClient(), gateway: .mobileGateway()),
        .established(
            "has MOBIKE, as the responder",
            side: .responder,
            client: .mobileClient(),
            gateway: .mobileGateway()
        ),
        .established("has moved, and tells the responder", client: .mobileClient(), gateway: .mobileGateway()) {
            $0.move(to: .elsewhere)
        },
        .established(
            "asks whether the initiator is where it says",
            side: .responder,
            client: .mobileClient(),
            gateway: .mobileGateway()
        ) { network in
            network.move(to: .elsewhere)
            network.deliverLast(to: .responder)
        },
    ]

    // Established, with both ends at work on the same thing, or on the way out.
    static let colliding: [TableState] = [
        .established("rekeys a Child SA that the peer has rekeyed meanwhile") { network in
            network.begin(.rekeyChildren)
            network.begin(.rekeyChildren, at: .responder)
            network.deliverLast(to: .initiator)
        },
        .established("rekeys the IKE SA that the peer has rekeyed meanwhile") { network in
            network.begin(.rekeyIKE)
            network.begin(.rekeyIKE, at: .responder)
            network.deliverLast(to: .initiator)
        },
        .established("has been rekeyed by the peer, and waits for its Delete", testsFirst: true) { network in
            network.begin(.rekeyIKE, at: .responder)
            network.deliverLast(to: .initiator)
        },
        .established("is to be closed once its own rekey is answered") { network in
            network.begin(.rekeyIKE)
            network.command(.delete, at: .initiator)
        },
        .established("is to be closed once a request is answered") { network in
            network.begin(.checkLiveness)
            network.command(.delete, at: .initiator)
        },
        .established("has sent its Delete") { $0.begin(.delete) },
        .established("has sent a Delete to what it rekeyed", testsFirst: true) { network in
            network.begin(.rekeyIKE)
            network.answer()
        },
        TableState(
            "has told the responder that it is not who it should be",
            client: .client { $0.peerIdentity = IdentityTemplate("other.example.org") }
        ) { network in
            network.run(for: .milliseconds(35))
            network.fate = { _ in .isHeld }
            network.run(for: .milliseconds(10))
        },
        .established("is closed", testsFirst: true) { network in
            network.begin(.delete)
            network.answer()
        },
    ]

    // Established, and something is due next.
    static let due: [TableState] = [
        .established(
            "a Child SA's soft lifetime is next",
            client: .client { $0.childLifetime = Lifetime(rekey: .seconds(10)) }
        ),
        .established(
            "the IKE SA's soft lifetime is next",
            client: .client { $0.ikeLifetime = Lifetime(rekey: .seconds(10)) }
        ),
        .established(
            "a Child SA's hard lifetime is next",
            client: .client { $0.childLifetime = Lifetime(rekey: nil, hard: .seconds(10)) }
        ),
        .established(
            "the IKE SA's hard lifetime is next",
            client: .client { $0.ikeLifetime = Lifetime(rekey: nil, hard: .seconds(10)) }
        ),
        .established("a liveness check is next", client: .client { $0.liveness = .seconds(10) }),
        TableState("a NAT keepalive is next", client: .client { $0.natKeepalive = .seconds(10) }) { network in
            network.outside = PathTests.translate(0)
            network.run(for: .milliseconds(100))
            network.fate = { _ in .isHeld }
        },
        .established("the end of an overlap is next") { network in
            network.begin(.rekeyChildren)
            network.answer()
        },
        .established("a retry after TEMPORARY_FAILURE is next") { network in
            network.begin(.rekeyChildren)
            network.refuse(.temporaryFailure)
        },
    ]
}
