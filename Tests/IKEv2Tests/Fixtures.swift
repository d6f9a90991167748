import IKECrypto
import IKEWire
import IKEv2
import Primitives

extension CryptoBackend {
    static let both: [CryptoBackend] = [.openSSL, .modelled]
}

extension UDPEndpoint {
    static let client = UDPEndpoint(address: IPAddress("198.51.100.7")!, port: 500)
    static let gateway = UDPEndpoint(address: IPAddress("192.0.2.1")!, port: 500)

    func on(_ port: UInt16) -> UDPEndpoint { UDPEndpoint(address: address, port: port) }
}

extension Route {
    static let test = Route(
        plain: Path(local: .client, remote: .gateway, isEncapsulated: false),
        encapsulated: Path(local: .client.on(4500), remote: .gateway.on(4500), isEncapsulated: true)
    )

    /// Where the initiator moves to.
    static let elsewhere = Route.test.from(IPAddress("203.0.113.77")!)

    /// The same from another address, and to another one.
    func from(_ client: IPAddress, to gateway: IPAddress? = nil) -> Route {
        func moved(_ path: Path) -> Path {
            var path = path
            path.local = UDPEndpoint(address: client, port: path.local.port)
            if let gateway { path.remote = UDPEndpoint(address: gateway, port: path.remote.port) }
            return path
        }
        return Route(plain: moved(plain), encapsulated: moved(encapsulated))
    }

    var insides: [UDPEndpoint] { [plain.local, encapsulated.local] }
}

extension PeerPolicy {
    static func client(_ change: (inout Values) -> Void = { _ in }) -> PeerPolicy {
        var values = Values(
            identity: IdentityTemplate("user%05d@example.org"),
            preSharedKey: Array("test-only".utf8),
            ikeProposals: .ike("aes128gcm16-prfsha256-x25519"),
            childProposals: .esp("aes128gcm16"),
            remoteSelectors: [TrafficSelector(IPPrefix("10.200.0.0/16")!)]
        )
        values.peerIdentity = IdentityTemplate("gw.example.org")
        change(&values)
        return PeerPolicy(values)
    }

    static func gateway(_ change: (inout Values) -> Void = { _ in }) -> PeerPolicy {
        var values = Values(
            identity: IdentityTemplate("gw.example.org"),
            preSharedKey: Array("test-only".utf8),
            ikeProposals: .ike("aes128gcm16-prfsha256-x25519-ecp256"),
            childProposals: .esp("aes128gcm16"),
            localSelectors: [TrafficSelector(IPPrefix("10.200.0.0/16")!)],
            remoteSelectors: [TrafficSelector(IPPrefix("10.128.0.0/10")!)]
        )
        change(&values)
        return PeerPolicy(values)
    }
}

extension PeerPolicy {
    static func mobileClient(
        _ mobility: MobilityPolicy = MobilityPolicy(),
        _ change: @escaping (inout Values) -> Void = { _ in }
    ) -> PeerPolicy {
        .client { values in
            values.mobility = mobility
            change(&values)
        }
    }

    static func mobileGateway(
        _ mobility: MobilityPolicy = MobilityPolicy(),
        _ change: @escaping (inout Values) -> Void = { _ in }
    ) -> PeerPolicy {
        .gateway { values in
            values.mobility = mobility
            change(&values)
        }
    }
}

extension [Proposal] {
    static func ike(_ notations: String...) -> [Proposal] {
        notations.map { try! Proposal(notation: $0, protocolID: .ike) }
    }

    static func esp(_ notations: String...) -> [Proposal] {
        notations.map { try! Proposal(notation: $0, protocolID: .esp) }
    }
}

extension RetransmissionSchedule {
    /// Three sendings, a second apart.
    static let brief = RetransmissionSchedule(waits: [.seconds(1), .seconds(1), .seconds(1)])
}
