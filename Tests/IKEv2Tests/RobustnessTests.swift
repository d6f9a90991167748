import Foundation
import IKECrypto
import IKEWire
import IKEv2
import Primitives
import Testing

/// Changes octets as a bad line, a bad implementation or an attacker would; the same seed changes them the same way.
struct Mutator {
    private var stream: RandomStream

    init(seed: UInt64) { stream = RandomStream(seed: seed, entity: 0, purpose: .test) }

    mutating func below(_ bound: Int) -> Int { Int(stream.below(UInt64(bound))) }

    mutating func octets(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: stream.next()) }
    }

    mutating func mutate(_ octets: [UInt8]) -> [UInt8] {
        var octets = octets
        for _ in 0...below(3) {
            guard !octets.isEmpty else { return self.octets(below(40)) }
            let place = below(octets.count)
            switch below(8) {
            case 0, 1: octets[place] ^= 1 << UInt8(below(8))
            case 2: octets[place] = [0, 1, 0x7F, 0x80, 0xFF][below(5)]
            case 3: octets.removeSubrange(place...)
            case 4: octets.removeSubrange(place..<min(octets.count, place + 1 + below(16)))
            case 5: octets.insert(contentsOf: self.octets(1 + below(16)), at: place)
            case 6: octets.append(contentsOf: octets[place...])
            default:
                // A field of 16 bits, as lengths and counts are.
                guard place + 1 < octets.count else { continue }
                let value = [0, 1, 3, 4, 0xFFFF, octets.count, octets.count + 1][below(7)]
                octets[place] = UInt8(truncatingIfNeeded: value >> 8)
                octets[place + 1] = UInt8(truncatingIfNeeded: value)
            }
        }
        return octets
    }
}

enum Effort {
    /// `make soak` runs the long versions.
    static let isSoaking = ProcessInfo.processInfo.environment["SOAK"] == "1"

    /// Whether nothing else runs beside the test, as in its lane of `make test` and in `make soak`.
    static let isAlone = isSoaking || CommandLine.arguments.contains("--no-parallel")

    /// How much memory the process holds; of use where nothing else runs beside the test.
    static var residentByteCount: Int {
        let fields = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ")
        return 4096 * (fields.flatMap { Int($0[1]) } ?? 0)
    }

    static func rounds(_ few: Int, soaking many: Int) -> Int { isSoaking ? many : few }
}

@Suite("The machine survives")
struct RobustnessTests {
    @Test(
        "a million datagrams that were changed on the way, half of them at each end, and the IKE SA still works",
        arguments: Side.allCases
    )
    func survivesMutatedDatagrams(_ side: Side) {
        let network = Network.established(initiator: .client { $0.additionalChildren = 1 })
        for command in IKESA.Command.allCases where command != .delete {
            network.command(command, at: .initiator)
            network.command(command, at: .responder)
            network.run(for: .seconds(20))
        }
        let path = network.summary(of: side)!.path
        var corpus = network.wire.map(\.message)
        // What would be taken next, if only it were genuine.
        corpus += [ExchangeType.informational, .createChildSA].map {
            network.forgedRequest($0, from: side.other) { _ in }
        }
        let genuine = Set(corpus)
        var mutator = Mutator(seed: UInt64(side.rawValue))
        let before = network.situations(of: side)
        let children = network.children(of: side).map(\.inbound)
        network.forgetStory()
        network.wire = []
        network.trajectory = []
        let memory = Effort.residentByteCount
        for round in 0..<Self.datagramCount {
            let base = corpus[mutator.below(corpus.count)]
            let datagram = round % 50 == 0 ? mutator.octets(mutator.below(600)) : mutator.mutate(base)
            if genuine.contains(datagram) { continue }
            network.receive(datagram, over: path, at: side)
            #expect(network.reports[side.rawValue] == [.dropped], "datagram \(round)")
            network.reports = [[], []]
            network.trajectory.removeAll(keepingCapacity: true)
        }
        if Effort.isAlone { #expect(Effort.residentByteCount < memory + 8 << 20) }
        #expect(network.story == [])
        #expect(network.situations(of: side) == before)
        #expect(network.children(of: side).map(\.inbound) == children)
        network.command(.rekeyChildren, at: side)
        network.run(for: .seconds(20))
        network.command(.rekeyIKE, at: side.other)
        network.run(for: .seconds(20))
        #expect(network.count(side) { if case .childRekeyed = $0 { true } else { false } } == children.count)
        #expect(network.count(of: side) == 1)
        network.checkInvariants()
    }

    #if DEBUG
        private static let datagramCount = 20_000
    #else
        private static let datagramCount = 500_000
    #endif

    @Test("what a peer with the right keys makes of its payloads", arguments: Side.allCases)
    func survivesMutatedContents(_ side: Side) {
        var mutator = Mutator(seed: 77 + UInt64(side.rawValue))
        let policy = { (values: inout PeerPolicy.Values) in
            values.childProposals = .esp("aes128gcm16-x25519-ecp256", "aes128gcm16")
            values.childLimit = 4
        }
        let client = PeerPolicy.client(policy)
        let gateway = PeerPolicy.gateway(policy)
        var ends = 0
        var takenCount = 0
        var network = Network.established(initiator: client, responder: gateway)
        var corpus = Self.contents(of: network)
        let rounds = Effort.rounds(3_000, soaking: 300_000)
        for round in 0..<rounds {
            if network.situation(of: side) != "established" && network.count(of: side) == 0 {
                ends += 1
                network = Network.established(
                    initiator: client,
                    responder: gateway,
                    seed: UInt8(truncatingIfNeeded: round)
                )
                corpus = Self.contents(of: network)
            }
            let item = corpus[mutator.below(corpus.count)]
            var payloads = item.payloads
            for _ in 0...mutator.below(2) { Self.mutate(&payloads, &mutator) }
            guard let header = Self.header(item.exchange, to: side, in: network) else {
                network.run(for: .minutes(10))
                continue
            }
            let message = network.sealed(header, payloads)
            network.fate = { _ in .isLost }
            network.receive(message, over: Route.test.plain.reversed(for: side), at: side)
            takenCount += network.reports[side.rawValue].contains(.dropped) ? 0 : 1
            network.forgetStory()
            network.trajectory = []
            network.wire = []
            #expect(network.children(of: side).count <= 8)
            #expect(network.count(of: side) <= 9)
            #expect(network.deadline(of: side) > network.now, "round \(round)")
        }
        // The contents do reach the machine, and are not all of one kind.
        #expect(takenCount > rounds / 2)
        #expect(ends > rounds / 20)
    }

    @Test("an IKE_SA_INIT request that was changed on the way: it is refused, dropped, or answered")
    func survivesMutatedRequests() {
        var mutator = Mutator(seed: 5)
        let genuine = Network.established().wire[0]
        var kinds: Set<String> = []
        for _ in 0..<Effort.rounds(5_000, soaking: 200_000) {
            let network = Network()
            network.fate = { _ in .isLost }
            network.receive(mutator.mutate(genuine.message), over: genuine.path, at: .responder)
            kinds.insert(network.story.last ?? "nothing")
            #expect(network.deadline(of: .responder) > network.now)
        }
        #expect(kinds.contains { $0.hasPrefix("-->") })
        #expect(kinds.contains { $0.contains("INVALID_SYNTAX") })
        #expect(kinds.contains { $0.contains("NO_PROPOSAL_CHOSEN") })
        #expect(kinds.contains { $0.contains("SAr1") })
        #expect(kinds.contains { $0.contains("INVALID_MAJOR_VERSION") })
    }

    @Test("an answer to IKE_SA_INIT that was changed on the way: the attempt ends in some way, or works")
    func survivesMutatedAnswers() {
        var mutator = Mutator(seed: 6)
        let genuine = Network.established().wire[1]
        var situations: Set<String> = []
        for _ in 0..<Effort.rounds(5_000, soaking: 200_000) {
            let network = Network()
            network.fate = { _ in .isLost }
            network.run(for: .zero)
            network.receive(mutator.mutate(genuine.message), over: genuine.path, at: .initiator)
            situations.insert(network.situation(of: .initiator))
            #expect(network.deadline(of: .initiator) > network.now)
        }
        #expect(situations.isSuperset(of: ["awaitingSAInit", "awaitingAuth", "closed (malformed-answer)"]))
    }

    @Test("what a peer makes of IKE_AUTH's payloads, at either end", arguments: Side.allCases)
    func survivesMutatedAuthentication(_ side: Side) {
        var mutator = Mutator(seed: 8)
        var situations: Set<String> = []
        for round in 0..<Effort.rounds(3_000, soaking: 100_000) {
            let network = Network(seed: UInt8(round % 8))
            network.run(until: .zero + .milliseconds(25))
            if side == .initiator { network.run(until: .zero + .milliseconds(35)) }
            let flight = network.flights.removeFirst()
            network.fate = { _ in .isLost }
            let message = network.resealed(flight.message) { Self.mutate(&$0, &mutator) }
            network.receive(message, over: flight.path, at: side)
            situations.insert(network.situation(of: side))
            #expect(network.deadline(of: side) > network.now)
        }
        #expect(situations.contains("established"))
        #expect(situations.contains(side == .initiator ? "closing" : "nothing"))
    }

    private struct Content {
        let exchange: ExchangeType
        let payloads: ForgedPayloads
    }

    /// What requests of a peer hold, each of them fit to be taken.
    private static func contents(of network: Network) -> [Content] {
        let child = ForgedChild(network.children(of: .initiator).first)
        var contents: [Content] = []
        func add(_ exchange: ExchangeType, _ payloads: (inout MessageEncoder) -> Void) {
            contents.append(Content(exchange: exchange, payloads: ForgedPayloads(payloads)))
        }
        for method in [KeyExchangeMethod.curve25519, .ecp256] {
            add(.createChildSA) { $0.child(child, method: method) }
            add(.createChildSA) { $0.ike(method) }
        }
        add(.createChildSA) { $0.child(child) }
        add(.createChildSA) { encoder in
            encoder.notify(.rekeySA, protocolID: .esp, spi: child.outbound)
            encoder.child(child)
        }
        add(.informational) { $0.delete(.esp, [ChildSPI(rawValue: 1), child.outbound]) }
        add(.informational) { $0.deleteIKESA() }
        add(.informational) { $0.notify(.cookie2, [1, 2, 3, 4, 5, 6, 7, 8]) }
        add(.informational) { $0.configuration(.request, [ConfigurationAttribute(.internalIPv4Address)]) }
        return contents
    }

    private static func mutate(_ payloads: inout ForgedPayloads, _ mutator: inout Mutator) {
        guard !payloads.payloads.isEmpty else { return payloads.append(.nonce, mutator.octets(20)) }
        let index = mutator.below(payloads.payloads.count)
        switch mutator.below(8) {
        case 0: payloads.payloads.remove(at: index)
        case 1: payloads.payloads.insert(payloads.payloads[index], at: mutator.below(payloads.payloads.count))
        case 2: payloads.payloads[index].type = PayloadType(rawValue: UInt8(33 + mutator.below(21)))
        case 3: payloads.payloads[index].body = mutator.octets(mutator.below(300))
        case 4: payloads.payloads[index].isCritical.toggle()
        default: payloads.payloads[index].body = mutator.mutate(payloads.payloads[index].body)
        }
        // A payload's length has 16 bits.
        for index in payloads.payloads.indices where payloads.payloads[index].body.count > 30_000 {
            payloads.payloads[index].body.removeSubrange(30_000...)
        }
    }

    private static func header(_ exchange: ExchangeType, to side: Side, in network: Network) -> Header? {
        let hasKeys = network.withCurrent(of: side) { sa in sa.withChannel { _ in true } ?? false } ?? false
        return hasKeys ? network.nextRequest(exchange, from: side.other) : nil
    }
}

extension ForgedPayloads {
    /// Payloads as an encoder writes them.
    init(_ payloads: (inout MessageEncoder) -> Void) {
        var writer = ByteWriter()
        var encoder = MessageEncoder(payloadsInto: &writer)
        payloads(&encoder)
        let first = encoder.firstType
        encoder.finish(into: &writer)
        let count = writer.count
        self.init(KeyRing.Content(octets: writer.bytes, first: first, range: 0..<count))
    }
}

extension Path {
    fileprivate func reversed(for side: Side) -> Path { side == .initiator ? self : reversed }
}
