import IKECrypto
import IKEWire
import IKEv2
import Primitives
import Testing

@Suite("A peer with the right keys")
struct LimitTests {
    /// A peer that sends requests and never listens.
    private func flood(
        _ side: Side = .responder,
        policy: PeerPolicy = .gateway(),
        count: Int,
        _ exchange: ExchangeType,
        _ payloads: (inout MessageEncoder, Int) -> Void,
        check: (Network) -> Void
    ) {
        let network = Network.established(responder: policy)
        network.fate = { _ in .isLost }
        let path = network.summary(of: side)!.path
        for round in 0..<count {
            let header = network.nextRequest(exchange, from: side.other)
            network.receive(network.sealed(header) { payloads(&$0, round) }, over: path, at: side)
            network.forgetStory()
            network.wire = []
            network.trajectory = []
        }
        check(network)
    }

    @Test("gets no more Child SAs than the policy says")
    func createsChildren() {
        flood(count: 500, .createChildSA) { encoder, _ in
            encoder.child(.ofGateway)
        } check: { network in
            #expect(network.children(of: .responder).count == 16)
            #expect(network.situation(of: .responder) == "established")
        }
    }

    @Test("gets no more Child SAs by rekeying one after the other without deleting any")
    func rekeysChildren() {
        let network = Network.established()
        network.fate = { _ in .isLost }
        let path = network.summary(of: .responder)!.path
        for round in 0..<500 as Range<UInt16> {
            guard let active = network.children(of: .responder).first(where: { $0.status == .active }) else { break }
            let header = network.nextRequest(.createChildSA, from: .initiator)
            let message = network.sealed(header) { encoder in
                encoder.notify(.rekeySA, protocolID: .esp, spi: active.outbound)
                var child = ForgedChild.ofGateway
                child.inbound = 512 + round
                encoder.child(child)
            }
            network.receive(message, over: path, at: .responder)
        }
        #expect(network.children(of: .responder).count == 32)
        #expect(network.story.last == "<-- HDR, SK {N(NO_ADDITIONAL_SAS)} (lost)")
    }

    @Test("gets no more IKE SAs by rekeying one after the other without deleting any")
    func rekeysIKESA() {
        let network = Network.established()
        network.fate = { _ in .isLost }
        let path = network.summary(of: .responder)!.path
        for _ in 0..<200 {
            let header = network.nextRequest(.createChildSA, from: .initiator)
            network.receive(network.sealed(header) { $0.ike(.curve25519) }, over: path, at: .responder)
        }
        #expect(network.count(of: .responder) == 9)
        #expect(network.ends(.responder).count == 200 - 8)
        #expect(network.ends(.responder).allSatisfy { $0 == .abandoned })
        network.run(for: .minutes(10))
        #expect(network.count(of: .responder) == 1)
    }

    @Test("may name thousands of Child SAs in a Delete, for which the answer has no more than there were")
    func deletesMany() {
        flood(count: 3, .informational) { encoder, round in
            encoder.delete(.esp, (0..<15_000).map { ChildSPI(rawValue: UInt32(round * 15_000 + $0)) })
        } check: { network in
            #expect(network.children(of: .responder).count == 1)
        }
    }

    @Test("may offer more selectors, proposals and notifies than anybody needs")
    func offersMuch() {
        let pieces = (0..<255).map {
            TrafficSelector(IPPrefix(address: IPAddress(v4: 0x0AC8_0000 + UInt32($0)), length: 32))
        }
        flood(count: 3, .createChildSA) { encoder, _ in
            for _ in 0..<200 { encoder.notify(.initialContact) }
            let proposal = try! Proposal(notation: "aes128gcm16", protocolID: .esp)
            let useless = Proposal(
                number: 1,
                protocolID: .esp,
                spi: [0, 0, 2, 0],
                transforms: Array(repeating: .prf(.hmacSHA256), count: 255)
            )
            var last = proposal
            last.spi = [0, 0, 2, 0]
            encoder.securityAssociation(Array(repeating: useless, count: 20) + [last])
            encoder.nonce([UInt8](repeating: 7, count: 256).rawSpan)
            encoder.trafficSelectors(initiator: [TrafficSelector(IPPrefix("0.0.0.0/0")!)])
            encoder.trafficSelectors(responder: pieces)
        } check: { network in
            let children = network.children(of: .responder)
            #expect(children.count == 4)
            #expect(children.dropFirst().allSatisfy { $0.localSelectors.count == 32 })
            #expect(
                children.dropFirst().allSatisfy { $0.remoteSelectors == [TrafficSelector(IPPrefix("10.128.0.7/32")!)] }
            )
        }
    }

    @Test("cannot have other traffic than it was given, whatever it asks for later")
    func keepsAddress() {
        flood(count: 1, .createChildSA) { encoder, _ in
            var child = ForgedChild.ofGateway
            child.remote = [TrafficSelector(IPPrefix("10.128.0.8/32")!)]
            encoder.child(child)
        } check: { network in
            #expect(network.children(of: .responder).count == 1)
        }
    }

    @Test("cannot make this end go on without end: what is due is done, and then something later is due")
    func comesToRest() {
        for state in TableState.opening + TableState.established + TableState.colliding + TableState.due {
            let network = state.network()
            network.fate = { _ in .isLost }
            for _ in 0..<60 {
                network.holdsOperations = false
                guard network.reachDeadline(of: state.side) else { break }
                #expect(network.deadline(of: state.side) > network.now, "\(state.name)")
            }
        }
    }
}

extension ForgedChild {
    /// What a client asks for.
    static var ofGateway: ForgedChild {
        var child = ForgedChild(nil)
        swap(&child.remote, &child.local)
        return child
    }
}
