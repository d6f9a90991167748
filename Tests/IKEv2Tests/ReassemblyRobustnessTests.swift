import IKECrypto
import IKEWire
import IKEv2
import Primitives
import Testing

@Suite("Joining fragments survives")
struct ReassemblyRobustnessTests {
    @Test("any sequence of them: what it joins is a message that its sender cut, and its memory is bounded")
    func joinsOnlyWholeMessages() {
        for seed in 1...Effort.rounds(300, soaking: 100_000) {
            var mutator = Mutator(seed: UInt64(seed))
            let messages = (0..<3).map { _ in mutator.octets(1 + mutator.below(400)) }
            var partial: Reassembly?
            var heldCount = 0
            for _ in 0..<60 {
                let message = messages[mutator.below(3)]
                let total = 1 + mutator.below(6)
                let number = 1 + mutator.below(total)
                let room = (message.count + total - 1) / total
                let start = min(message.count, (number - 1) * room)
                let part = Array(message[start..<min(message.count, start + room)])
                let place = FragmentPlace(number: number, total: total)
                var reassembly = partial ?? Reassembly(of: total, .ikeAuth)
                guard reassembly.wants(place, .ikeAuth) else { continue }
                heldCount += part.count
                let outcome = reassembly.add(place, first: .vendorID, part)
                partial = outcome == .incomplete ? reassembly : nil
                guard outcome == .complete else { continue }
                let joined = reassembly.joined()
                #expect(joined.first == .vendorID, "seed \(seed)")
                #expect(joined.payloads.count <= heldCount, "seed \(seed)")
                heldCount = 0
            }
        }
    }

    @Test("one that is longer than is taken, and goes on with the next")
    func refusesTooMuch() {
        var partial = Reassembly(of: 3, .ikeAuth)
        let half = [UInt8](repeating: 7, count: Reassembly.mostOctets / 2)
        #expect(partial.add(FragmentPlace(number: 1, total: 3), first: .vendorID, half) == .incomplete)
        #expect(partial.add(FragmentPlace(number: 3, total: 3), first: .none, half) == .incomplete)
        #expect(partial.add(FragmentPlace(number: 2, total: 3), first: .none, [1]) == .tooLong)
        #expect(!partial.wants(FragmentPlace(number: 2, total: 3), .createChildSA))
    }

    @Test("an established IKE SA whose fragments were changed on the way, by the thousand")
    func survivesMutations() {
        let sizes = FragmentSizes.tiny
        let policies = (PeerPolicy.fragmentingClient(sizes), PeerPolicy.fragmentingGateway(sizes))
        for seed in 1...Effort.rounds(4, soaking: 400) {
            var mutator = Mutator(seed: UInt64(seed))
            let network = Network.established(initiator: policies.0, responder: policies.1)
            for round in 0..<3 {
                let side = round % 2 == 0 ? Side.initiator : .responder
                network.fate = { $0.isFragment && !$0.note.isRetransmission ? .isHeld : .arrives }
                network.command(.createChild, at: side)
                network.run(for: .milliseconds(50))
                let held = network.held
                network.held = []
                for _ in 0..<300 {
                    var flight = held[mutator.below(held.count)]
                    flight.octets = mutator.mutate(flight.octets)
                    guard !held.contains(where: { $0.octets == flight.octets }) else { continue }
                    network.deliver(flight)
                }
                network.fate = { _ in .arrives }
                network.run(for: .seconds(30))
                #expect(network.children(of: side).count == round + 2, "seed \(seed)")
            }
            network.checkInvariants()
        }
    }

    @Test("whatever genuine fragments say is inside, in any number and of any size")
    func survivesGenuineGarbage() {
        for seed in 1...Effort.rounds(60, soaking: 5_000) {
            var mutator = Mutator(seed: UInt64(seed))
            let network = Network.established(initiator: .fragmentingClient(), responder: .fragmentingGateway())
            let path = network.summary(of: .responder)!.path
            let total = 1 + mutator.below(4)
            let exchange = [ExchangeType.createChildSA, .informational, .ikeAuth][mutator.below(3)]
            let header = network.nextRequest(exchange, from: .initiator)
            for number in 1...total {
                let fragment = network.sealedFragment(
                    header,
                    FragmentPlace(number: number, total: total),
                    first: PayloadType(rawValue: UInt8(33 + mutator.below(20))),
                    padLength: mutator.below(8) == 0 ? UInt8(mutator.below(256)) : 0,
                    mutator.octets(mutator.below(80))
                )
                network.receive(fragment, over: path, at: .responder)
            }
            // It is answered, with an error at least.
            let answers = network.wire.count { $0.from == .responder && $0.note.isResponse }
            #expect(answers >= 3, "seed \(seed)")
        }
    }
}
