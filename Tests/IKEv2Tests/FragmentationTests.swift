import IKECrypto
import IKEWire
import IKEv2
import Primitives
import Testing

extension FragmentSizes {
    /// So small that every message of a story becomes several fragments, and IKE_AUTH some more.
    static let tiny = FragmentSizes(ipv4: 130, ipv6: 150)
    /// IKE_AUTH becomes a few fragments.
    static let small = FragmentSizes(ipv4: 160, ipv6: 180)
}

extension PeerPolicy {
    static func fragmentingClient(
        _ sizes: FragmentSizes? = .small,
        _ change: (inout Values) -> Void = { _ in }
    ) -> PeerPolicy {
        .client { values in
            values.fragmentation = sizes
            change(&values)
        }
    }

    static func fragmentingGateway(
        _ sizes: FragmentSizes? = .small,
        _ change: (inout Values) -> Void = { _ in }
    ) -> PeerPolicy {
        .gateway { values in
            values.fragmentation = sizes
            change(&values)
        }
    }
}

extension Network.Flight {
    var isFragment: Bool { note.fragmentTotal > 0 }
    /// IP and UDP headers included, over IPv4.
    var packetByteCount: Int { octets.count + 28 }
}

extension Network {
    /// The fragments of the last request that a side has sent.
    func lastFragments(from side: Side) -> [Flight] {
        let sent = wire.filter { $0.from == side && $0.isFragment && !$0.note.isResponse }
        guard let last = sent.last else { return [] }
        return Array(sent.suffix(Int(last.note.fragmentTotal)))
    }
}

@Suite("A long message is sent in fragments")
struct FragmentationTests {
    @Test("where both ends say that they take them, each by its own size")
    func negotiates() {
        tell(initiator: .fragmentingClient(.small), responder: .fragmentingGateway(.tiny)) { network in
            network.run(for: .seconds(1))
            let detection = "N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP)"
            expectStory(
                network,
                """
                --> HDR, SAi1, KEi, Ni, \(detection), N(IKEV2_FRAGMENTATION_SUPPORTED)
                <-- HDR, SAr1, KEr, Nr, \(detection), N(IKEV2_FRAGMENTATION_SUPPORTED)
                --> HDR, SKF(1/3)
                --> HDR, SKF(2/3)
                --> HDR, SKF(3/3)
                <-- HDR, SKF(1/4)
                <-- HDR, SKF(2/4)
                <-- HDR, SKF(3/4)
                <-- HDR, SKF(4/4)
                """
            )
            #expect(network.situation(of: .initiator) == "established")
            for flight in network.wire where flight.isFragment {
                #expect(flight.packetByteCount <= (flight.from == .initiator ? 160 : 130))
                // RFC 7383 section 2.5: the first fragment alone names the payload that comes first.
                let first = flight.message[Header.byteCount]
                #expect((first != 0) == (flight.note.fragmentNumber == 1))
            }
            #expect(network.wire.allSatisfy { !$0.isFragment || $0.isFull || $0.isLast })
        }
    }

    @Test(
        "and in no other case",
        arguments: [
            (FragmentSizes.small as FragmentSizes?, nil as FragmentSizes?), (nil, FragmentSizes.small), (nil, nil),
        ]
    )
    func needsBoth(_ ends: (FragmentSizes?, FragmentSizes?)) {
        tell(initiator: .fragmentingClient(ends.0), responder: .fragmentingGateway(ends.1)) { network in
            network.run(for: .seconds(1))
            let isOffered = network.story[0].contains("IKEV2_FRAGMENTATION_SUPPORTED")
            #expect(isOffered == (ends.0 != nil))
            #expect(!network.story[1].contains("IKEV2_FRAGMENTATION_SUPPORTED"))
            #expect(!network.wire.contains { $0.isFragment })
            #expect(network.children(of: .initiator).count == 1)
        }
    }

    @Test("and a message that fits its packet goes in one piece")
    func fits() {
        tell(initiator: .fragmentingClient(.standard), responder: .fragmentingGateway(.standard)) { network in
            network.run(for: .seconds(1))
            network.command(.rekeyIKE, at: .initiator)
            network.run(for: .seconds(1))
            #expect(!network.wire.contains { $0.isFragment })
        }
    }

    @Test(
        "with every kind of cipher, in every exchange after IKE_SA_INIT, and the new IKE SA keeps to it",
        arguments: [
            "aes128gcm16-prfsha256-x25519", "chacha20poly1305-prfsha512-ecp384", "aes128-sha256-prfsha256-ecp256",
        ]
    )
    func carriesEveryExchange(_ notation: String) {
        let offer = { (values: inout PeerPolicy.Values) in
            values.ikeProposals = .ike(notation)
            values.childProposals = .esp("aes128gcm16-ecp256")
        }
        tell(
            initiator: .fragmentingClient(.tiny, offer),
            responder: .fragmentingGateway(.tiny, offer)
        ) { network in
            network.run(for: .seconds(1))
            for side in [Side.initiator, .responder] {
                for command in [IKESA.Command.createChild, .rekeyChildren, .rekeyIKE, .checkLiveness] {
                    let before = network.wire.count
                    network.command(command, at: side)
                    network.run(for: .seconds(10))
                    let sent = network.wire[before...]
                    #expect(sent.contains { $0.isFragment && !$0.note.isResponse } == (command != .checkLiveness))
                    #expect(sent.contains { $0.isFragment && $0.note.isResponse } == (command != .checkLiveness))
                    #expect(!network.reports[0].contains(.dropped) && !network.reports[1].contains(.dropped))
                }
            }
            #expect(network.children(of: .responder).count == 3)
            #expect(network.children(of: .responder).allSatisfy { $0.status == .active })
            network.command(.delete, at: .initiator)
            network.run(for: .seconds(1))
            #expect(network.situation(of: .initiator) == "closed (\(CloseReason.deletedHere.name))")
        }
    }

    @Test("INFORMATIONAL too, where the packets are so small that a Delete is long")
    func carriesInformational() {
        let sizes = FragmentSizes(ipv4: 92, ipv6: 112)
        tell(initiator: .fragmentingClient(sizes), responder: .fragmentingGateway(sizes)) { network in
            network.run(for: .seconds(1))
            network.forgetStory()
            network.command(.delete, at: .initiator)
            network.run(for: .seconds(1))
            expectStory(
                network,
                """
                --> HDR, SKF(1/3)
                --> HDR, SKF(2/3)
                --> HDR, SKF(3/3)
                <-- HDR, SK {}
                """
            )
        }
    }

    @Test(
        "of 14 kB, which many packets carry",
        arguments: [FragmentSizes.standard, FragmentSizes(ipv4: 1400, ipv6: 1400)]
    )
    func carriesMuch(_ sizes: FragmentSizes) {
        let long = String(repeating: "a", count: 14_000) + "%05d@example.org"
        tell(
            initiator: .fragmentingClient(sizes) { $0.identity = IdentityTemplate(long) },
            responder: .fragmentingGateway(sizes) { $0.peerIdentity = IdentityTemplate(long) }
        ) { network in
            network.run(for: .seconds(1))
            #expect(network.children(of: .initiator).count == 1)
            let fragments = network.wire.filter { $0.isFragment }
            #expect(fragments.count == (sizes == .standard ? 30 : 11))
            #expect(fragments.map(\.packetByteCount).max() == Int(sizes.ipv4))
        }
    }

    @Test("behind a NAT with room for the marker, over port 4500")
    func leavesRoomForMarker() {
        tell(initiator: .fragmentingClient(), responder: .fragmentingGateway()) { network in
            network.outside = { UDPEndpoint(address: IPAddress("203.0.113.9")!, port: $0.port &+ 1000) }
            network.run(for: .seconds(1))
            let fragments = network.wire.filter { $0.isFragment }
            #expect(fragments.allSatisfy { $0.path.isEncapsulated })
            #expect(fragments.map(\.packetByteCount).max() == 160)
            #expect(network.children(of: .initiator).count == 1)
        }
    }
}

extension Network.Flight {
    fileprivate var isFull: Bool { packetByteCount == (from == .initiator ? 160 : 130) }
    fileprivate var isLast: Bool { note.fragmentNumber == note.fragmentTotal }
}
