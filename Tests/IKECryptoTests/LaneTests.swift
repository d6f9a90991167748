import IKECrypto
import Primitives
import Testing

/// What is asked of both: plain octets, from which a request can be made as often as wanted.
private enum Ask {
    case generate(KeyExchangeMethod, [UInt8])
    case respond(KeyExchangeMethod, [UInt8], [UInt8])
    case finish(KeyExchangeMethod, [UInt8], [UInt8], [UInt8])

    var request: KeyExchangeRequest {
        switch self {
        case .generate(let method, let randomness):
            .generate(.init(method: method, randomness: randomness.ephemeral))
        case .respond(let method, let peer, let randomness):
            .respond(.init(method: method, peerPublicValue: peer, randomness: randomness.ephemeral))
        case .finish(let method, let privateKey, let publicValue, let peer):
            .finish(
                .init(
                    method: method,
                    privateKey: privateKey.ephemeral,
                    publicValue: publicValue,
                    peerPublicValue: peer
                )
            )
        }
    }
}

@Suite("Eight lanes against one operation at a time")
struct LaneTests {
    struct Share: Sendable, CustomTestStringConvertible {
        var methods: [KeyExchangeMethod]
        var count: Int
        var testDescription: String { "\(count) of \(methods.map { "\($0)" }.joined(separator: ", "))" }
    }

    /// How many of each: the same time for each, about, and 10,000 of those that take less than a millisecond.
    static let shares = [
        Share(methods: [.curve25519], count: 10_000), Share(methods: [.ecp256], count: 10_000),
        Share(methods: [.modp2048], count: 10_000), Share(methods: [.ecp384], count: 3_000),
        Share(methods: [.modp3072], count: 3_000), Share(methods: [.modp4096], count: 1_000),
        Share(methods: KeyExchangeMethod.allCases, count: 4_000),
    ].map { Share(methods: $0.methods, count: Lanes.count($0.count)) }

    @Test("key exchanges are the same, octet for octet, and what one refuses the other refuses", arguments: shares)
    func exchanges(_ share: Share) throws {
        let one = try cryptography()
        let other = try Lanes.cryptography()
        var chance = RandomStream(seed: 7, entity: UInt64(share.methods[0].rawValue), purpose: .test)
        var pool = try KeyPool(share.methods, one)
        var counts = (asked: 0, refused: 0, lanes: LaneCounts())
        while counts.asked < share.count {
            let asks = (0..<Int(1 + chance.below(40))).map { _ in pool.ask(&chance) }
            var alone: [Outcome] = []
            for ask in asks { alone.append(Outcome(one.perform(ask.request))) }
            let (together, lanes) = perform(asks.map { ask in { ask.request } }, other)
            for place in asks.indices { #expect(together[place] == alone[place], "\(asks[place])") }
            counts.lanes.add(lanes)
            counts.asked += asks.count
            counts.refused += alone.count { $0.isRefused }
            pool.keep(alone, asks)
        }
        #expect(counts.refused > 0, "what must fail is among them")
        Lanes.expectUse(counts.lanes, of: share.testDescription)
    }

    @Test(
        "what no end may accept is refused in full lanes, and the others in them are not",
        arguments: InvalidValue.all
    )
    func refuses(_ value: InvalidValue) throws {
        let method = value.method
        let one = try cryptography()
        let other = try Lanes.cryptography()
        let pair = try generate(one, method, [UInt8](repeating: 0x33, count: method.randomByteCount))
        let privateKey = [UInt8](copying: pair.privateKey)
        let good = try generate(one, method, [UInt8](repeating: 0x44, count: method.randomByteCount)).publicValue
        var asks: [Ask] = []
        for place in 0..<16 {
            let peer = place % 3 == 1 ? value.octets : good
            let randomness = [UInt8](repeating: UInt8(place + 1), count: method.randomByteCount)
            asks.append(
                place % 2 == 0 || method.isKEM
                    ? .respond(method, peer, randomness)
                    : .finish(method, privateKey, pair.publicValue, peer)
            )
        }
        let (outcomes, _) = perform(asks.map { ask in { ask.request } }, other)
        for (place, outcome) in outcomes.enumerated() {
            #expect(outcome.isRefused == (place % 3 == 1), "place \(place)")
            #expect(outcome == Outcome(one.perform(asks[place].request)))
        }
    }
}

extension LaneTests {
    /// Values for which version 2.3.0 of libcrypto_mb has lost a carry, and scalars that it gets wrong.
    @Test("what the library gets wrong is left to libcrypto")
    func exceptions() throws {
        let one = try cryptography()
        let other = try Lanes.cryptography()
        var asks: [Ask] = []
        let scalar = [UInt8](repeating: 0x42, count: 32)
        let own = try generate(one, .curve25519, scalar).publicValue
        // The prime is 2^255 - 19: these are just below it, or above.
        for lowest in [0xE0, 0xEB, 0xEC, 0xEF, 0xF8, 0xFF, 0x00, 0x80] as [UInt8] {
            for second in [0xFF, 0xF8] as [UInt8] {
                let peer = [lowest, second] + [UInt8](repeating: 0xFF, count: 29) + [0x7F]
                asks.append(.finish(.curve25519, scalar, own, peer))
                asks.append(.respond(.curve25519, peer, scalar))
            }
        }
        let point = try generate(one, .ecp256, [UInt8](repeating: 0x42, count: 40)).publicValue
        for less in 1...8 as ClosedRange<UInt8> {
            let order = hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")
            asks.append(.finish(.ecp256, order.dropLast() + [0x51 - less], point, point))
        }
        for (ask, outcome) in zip(asks, perform(asks.map { ask in { ask.request } }, other).outcomes) {
            #expect(outcome == Outcome(one.perform(ask.request)), "\(ask)")
        }
    }
}

/// Key pairs to ask with, and what to ask.
private struct KeyPool {
    private var pairs: [(method: KeyExchangeMethod, privateKey: [UInt8], publicValue: [UInt8])] = []
    private let methods: [KeyExchangeMethod]
    private let invalid: [InvalidValue]

    init(_ methods: [KeyExchangeMethod], _ crypto: borrowing Cryptography) throws {
        self.methods = methods
        invalid = InvalidValue.all.filter { methods.contains($0.method) }
        for method in methods {
            let pair = try generate(crypto, method, [UInt8](repeating: 0x5A, count: method.randomByteCount))
            pairs.append((method, [UInt8](copying: pair.privateKey), pair.publicValue))
        }
    }

    func ask(_ chance: inout RandomStream) -> Ask {
        let method = methods[Int(chance.below(UInt64(methods.count)))]
        let randomness = (0..<method.randomByteCount).map { _ in UInt8(chance.below(256)) }
        let own = pairs.filter { $0.method == method }
        let pair = own[Int(chance.below(UInt64(own.count)))]
        let peer = peer(of: method, own.map(\.publicValue), &chance)
        switch chance.below(3) {
        case 0: return .generate(method, randomness)
        case 1: return .respond(method, peer, randomness)
        default: return .finish(method, pair.privateKey, pair.publicValue, peer)
        }
    }

    /// Mostly somebody's; sometimes one that must be refused, or one with octets changed.
    private func peer(
        of method: KeyExchangeMethod,
        _ values: [[UInt8]],
        _ chance: inout RandomStream
    ) -> [UInt8] {
        var peer = values[Int(chance.below(UInt64(values.count)))]
        switch chance.below(8) {
        case 0:
            let own = invalid.filter { $0.method == method }
            return own[Int(chance.below(UInt64(own.count)))].octets
        case 1:
            let bit = Int(chance.below(UInt64(8 * peer.count)))
            peer[bit / 8] ^= 1 << UInt8(bit % 8)
        case 2:
            // Runs of ones and zeros are where a carry gets lost.
            let (start, end) = (Int(chance.below(UInt64(peer.count))), Int(chance.below(UInt64(peer.count))))
            let octet: UInt8 = chance.below(3) == 0 ? 0 : 0xFF
            for place in min(start, end)...max(start, end) { peer[place] = octet }
        default: break
        }
        return peer
    }

    /// Takes in new pairs, so that points are not always the same.
    mutating func keep(_ outcomes: [Outcome], _ asks: [Ask]) {
        for (outcome, ask) in zip(outcomes, asks) {
            guard case .generate(let method, _) = ask, case .generated(let publicValue, let privateKey) = outcome else {
                continue
            }
            pairs.append((method, privateKey, publicValue))
        }
        if pairs.count > 200 { pairs.removeSubrange(methods.count..<pairs.count - 100) }
    }
}
