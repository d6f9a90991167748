import IKECrypto
import IKEWire
import IKEv2
import Primitives

/// An initiator and a responder that hand each other datagrams without a network between them.
struct EndpointPair: ~Copyable {
    private var initiator: Endpoint?
    private var responder: Endpoint?
    private var turn: Turn
    private var peerTurn: Turn
    private let client: PeerPolicy
    private let gateway: PeerPolicy
    private var entity: UInt64 = 0

    private static let route = Route(
        plain: Path(
            local: UDPEndpoint(address: IPAddress(v4: 0xC633_6407), port: 500),
            remote: UDPEndpoint(address: IPAddress(v4: 0xC000_0201), port: 500),
            isEncapsulated: false
        ),
        encapsulated: Path(
            local: UDPEndpoint(address: IPAddress(v4: 0xC633_6407), port: 4500),
            remote: UDPEndpoint(address: IPAddress(v4: 0xC000_0201), port: 4500),
            isEncapsulated: true
        )
    )

    init(backend: CryptoBackend) {
        let seed = [UInt8](repeating: 7, count: 32)
        guard let cryptography = try? Cryptography(backend: backend, seed: seed.rawSpan),
            let other = try? Cryptography(backend: backend, seed: seed.rawSpan),
            let ike = try? Proposal(notation: "aes256gcm16-prfsha384-x25519", protocolID: .ike),
            let child = try? Proposal(notation: "aes256gcm16", protocolID: .esp),
            let inside = IPPrefix("10.0.0.0/8"), let pool = IPPrefix("10.128.0.0/10")
        else { preconditionFailure("the benchmark's own texts are right") }
        turn = Turn(cryptography: cryptography)
        peerTurn = Turn(cryptography: other)
        var values = PeerPolicy.Values(
            identity: IdentityTemplate("user%05d@example.org"),
            preSharedKey: Array("test-only".utf8),
            ikeProposals: [ike],
            childProposals: [child],
            remoteSelectors: [TrafficSelector(inside)]
        )
        values.peerIdentity = IdentityTemplate("gw.example.org")
        values.ikeLifetime = Lifetime(rekey: .seconds(14_400))
        values.childLifetime = Lifetime(rekey: .seconds(3600))
        values.overlap = .zero
        client = PeerPolicy(values)
        gateway = PeerPolicy(
            PeerPolicy.Values(
                identity: IdentityTemplate("gw.example.org"),
                preSharedKey: Array("test-only".utf8),
                ikeProposals: [ike],
                childProposals: [child],
                localSelectors: [TrafficSelector(inside)],
                remoteSelectors: [TrafficSelector(pool)]
            )
        )
        peerTurn.lease = InnerAddresses(IPAddress(v4: 0x0A80_0007))
    }

    /// The median of five runs, in nanoseconds each.
    mutating func measure(_ count: Int, _ body: (inout EndpointPair, UInt32) -> Void) -> Double {
        var runs: [Double] = []
        for _ in 0..<5 {
            let stopwatch = Stopwatch()
            for number in 0..<UInt32(count) { body(&self, number) }
            runs.append(Double(stopwatch.nanoseconds) / Double(count))
        }
        return runs.sorted()[2]
    }

    mutating func handshake(_ number: UInt32) {
        entity += 1
        responder = nil
        let origin = Origin(
            number: number,
            entity: entity << 1,
            seed: 1,
            spis: SPISource(key: 1, owner: UInt32(truncatingIfNeeded: entity))
        )
        initiator = Endpoint(initiating: origin, over: Self.route, under: client, &turn)
        settle()
        precondition(initiator?.current.stateName == .established, "a handshake establishes the IKE SA")
    }

    mutating func exchange(_ command: IKESA.Command) {
        initiator?.command(command, under: client, &turn)
        settle()
        // The Delete of the old Child SA, where the exchange has left one.
        initiator?.advance(under: client, &turn)
        settle()
    }

    /// Gives both ends away.
    mutating func keep() -> KeptPair {
        guard let one = initiator.take(), let other = responder.take() else {
            preconditionFailure("there are two ends")
        }
        return KeptPair(one, other)
    }

    /// Carries datagrams to and fro until nobody says anything more.
    private mutating func settle() {
        var output = Output()
        while true {
            while let request = turn.output.keyExchange.take() {
                initiator?.complete(turn.cryptography.perform(request), under: client, &turn)
            }
            swap(&output, &turn.output)
            if output.datagrams.isEmpty { break }
            for datagram in output.datagrams {
                deliver(output.octets.rawSpan.extracting(datagram.range), datagram.path)
            }
            output.removeAll()
            while let request = peerTurn.output.keyExchange.take() {
                responder?.complete(peerTurn.cryptography.perform(request), under: gateway, &peerTurn)
            }
            swap(&output, &peerTurn.output)
            for datagram in output.datagrams { answer(output.octets.rawSpan.extracting(datagram.range), datagram.path) }
            output.removeAll()
        }
    }

    private mutating func deliver(_ octets: RawSpan, _ path: Path) {
        if responder == nil {
            let origin = Origin(
                number: 0,
                entity: entity << 1 | 1,
                seed: 1,
                spis: SPISource(key: 2, owner: UInt32(truncatingIfNeeded: entity))
            )
            guard let sa = IKESA.respond(to: octets, over: path.reversed, origin, under: gateway, &peerTurn) else {
                return
            }
            responder = Endpoint(responding: sa)
        } else {
            responder?.receive(octets, over: path.reversed, under: gateway, &peerTurn)
        }
    }

    private mutating func answer(_ octets: RawSpan, _ path: Path) {
        initiator?.receive(octets, over: path.reversed, under: client, &turn)
    }
}

extension Path {
    fileprivate var reversed: Path { Path(local: remote, remote: local, isEncapsulated: isEncapsulated) }
}

/// Both ends of established IKE SAs, kept to be counted.
final class KeptPair {
    let initiator: Endpoint
    let responder: Endpoint

    init(_ initiator: consuming Endpoint, _ responder: consuming Endpoint) {
        self.initiator = initiator
        self.responder = responder
    }
}
