import IKEWire
import IKEv2
import Primitives
import Testing

@Suite("The Configuration payload")
struct ConfigurationTests {
    private static let both = InnerAddresses(IPAddress("10.128.0.7")!, IPAddress("fd00:7::7")!)

    private static let dualClient = PeerPolicy.client {
        $0.requestedAddresses = [.ipv4, .ipv6]
        $0.requestsNameServers = true
        $0.requestsSubnets = true
        $0.remoteSelectors.append(TrafficSelector(IPPrefix("fd00:200::/32")!))
        $0.additionalChildren = 1
    }

    private static func gateway(_ change: @escaping (inout PeerPolicy.Values) -> Void = { _ in }) -> PeerPolicy {
        .gateway {
            $0.localSelectors.append(TrafficSelector(IPPrefix("fd00:200::/32")!))
            $0.remoteSelectors.append(TrafficSelector(IPPrefix("fd00:7::/64")!))
            $0.nameServers = [IPAddress("10.200.0.53")!, IPAddress("fd00:200::53")!]
            $0.subnets = [IPPrefix("10.200.0.0/16")!, IPPrefix("fd00:200::/32")!, IPPrefix("10.0.0.0/8")!]
            change(&$0)
        }
    }

    private func addresses(_ network: Network, of side: Side) -> [String] {
        network.reports[side.rawValue].compactMap { if case .addressAssigned(let it) = $0 { "\(it)" } else { nil } }
    }

    @Test("gives addresses of both families, name servers and subnets, and every Child SA carries both families")
    func givesBothFamilies() {
        tell(initiator: Self.dualClient, responder: Self.gateway()) { network in
            network.lease = Self.both
            network.run(for: .seconds(1))
            let given: [Report] = [
                .addressAssigned(IPAddress("10.128.0.7")!), .addressAssigned(IPAddress("fd00:7::7")!),
                .nameServerGiven(IPAddress("10.200.0.53")!), .nameServerGiven(IPAddress("fd00:200::53")!),
                .subnetGiven(IPPrefix("10.200.0.0/16")!), .subnetGiven(IPPrefix("fd00:200::/32")!),
                .subnetGiven(IPPrefix("10.0.0.0/8")!),
            ]
            #expect(network.reports[0].filter { given.contains($0) } == given)
            #expect(addresses(network, of: .responder) == ["10.128.0.7", "fd00:7::7"])
            let own = ["10.128.0.7/32", "fd00:7::7/128"].map { TrafficSelector(IPPrefix($0)!) }
            #expect(network.children(of: .initiator).map(\.localSelectors) == [own, own])
            #expect(network.children(of: .responder).map(\.remoteSelectors) == [own, own])
        }
    }

    struct Wish: CustomTestStringConvertible {
        let wanted: AddressFamilies
        let lease: InnerAddresses
        let given: [String]
        let selectors: [String]
        var testDescription: String { "\(wanted) of \(lease)" }
    }

    @Test(
        "what can be given of what was asked for is enough (RFC 7296 section 3.15.4)",
        arguments: [
            Wish(wanted: .ipv4, lease: both, given: ["10.128.0.7"], selectors: ["10.128.0.7/32"]),
            Wish(wanted: .ipv6, lease: both, given: ["fd00:7::7"], selectors: ["fd00:7::7/128"]),
            Wish(
                wanted: [.ipv4, .ipv6],
                lease: InnerAddresses(IPAddress("10.128.0.7")!),
                given: ["10.128.0.7"],
                selectors: ["10.128.0.7/32"]
            ),
            Wish(
                wanted: [.ipv4, .ipv6],
                lease: InnerAddresses(IPAddress("fd00:7::7")!),
                given: ["fd00:7::7"],
                selectors: ["fd00:7::7/128"]
            ),
        ]
    )
    func givesWhatThereIs(_ wish: Wish) {
        let client = PeerPolicy.client {
            $0.requestedAddresses = wish.wanted
            $0.remoteSelectors.append(TrafficSelector(IPPrefix("fd00:200::/32")!))
        }
        tell(initiator: client, responder: Self.gateway()) { network in
            network.lease = wish.lease
            network.run(for: .seconds(1))
            #expect(addresses(network, of: .initiator) == wish.given)
            let own = wish.selectors.map { TrafficSelector(IPPrefix($0)!) }
            #expect(network.children(of: .initiator).map(\.localSelectors) == [own])
            #expect(!network.reports[0].contains { if case .nameServerGiven = $0 { true } else { false } })
            #expect(!network.reports[0].contains { if case .subnetGiven = $0 { true } else { false } })
        }
    }

    @Test("a family that nobody has left is INTERNAL_ADDRESS_FAILURE, and the addresses outlive a rekey of the IKE SA")
    func failsAndOutlives() {
        tell(initiator: Self.dualClient, responder: Self.gateway()) { network in
            network.lease = InnerAddresses()
            network.run(for: .seconds(1))
            #expect(network.reports[0].contains(.childRefused(.internalAddressFailure)))
        }
        tell(initiator: Self.dualClient, responder: Self.gateway()) { network in
            network.lease = Self.both
            network.run(for: .seconds(1))
            network.command(.rekeyIKE, at: .responder)
            network.run(for: .seconds(1))
            network.command(.createChild, at: .initiator)
            network.run(for: .seconds(1))
            let own = ["10.128.0.7/32", "fd00:7::7/128"].map { TrafficSelector(IPPrefix($0)!) }
            #expect(network.children(of: .initiator).map(\.localSelectors) == [own, own, own])
        }
    }
}
