import IKECrypto
import Testing

@Suite("A batch of key exchanges")
struct BatchTests {
    /// Of each method a key pair, an answer, an agreement, a refusal, and a place without a request.
    private static let kinds = 5
    private typealias Requests = InlineArray<60, KeyExchangeRequest?>

    private static func requests(_ crypto: borrowing Cryptography) throws -> Requests {
        precondition(kinds * KeyExchangeMethod.allCases.count == 60, "there is a place for each request")
        return try Requests { place in
            let method = KeyExchangeMethod.allCases[place / kinds]
            let randomness = [UInt8](repeating: 0x5A, count: method.randomByteCount)
            let own = try generate(crypto, method, randomness)
            let peer = try generate(crypto, method, [UInt8](repeating: 0x21, count: method.randomByteCount))
            switch place % kinds {
            case 0: return .generate(.init(method: method, randomness: randomness.ephemeral))
            case 1:
                return .respond(
                    .init(method: method, peerPublicValue: peer.publicValue, randomness: randomness.ephemeral)
                )
            case 2:
                return .finish(
                    .init(
                        method: method,
                        privateKey: [UInt8](copying: own.privateKey).ephemeral,
                        publicValue: own.publicValue,
                        peerPublicValue: try respond(crypto, method, own.publicValue, randomness).publicValue
                    )
                )
            case 3: return .respond(.init(method: method, peerPublicValue: [1], randomness: randomness.ephemeral))
            default: return nil
            }
        }
    }

    @Test(
        "gives each request what it would have been given alone, in its place",
        arguments: [CryptoBackend.openSSL, .modelled]
    )
    func same(_ backend: CryptoBackend) throws {
        let crypto = try cryptography(backend)
        var alone: [Outcome] = []
        var singles = try Self.requests(crypto)
        for place in singles.indices {
            if let request = singles[place].take() {
                alone.append(Outcome(crypto.perform(request)))
            } else {
                alone.append(.nothing)
            }
        }

        var requests = try Self.requests(crypto)
        var results = InlineArray<60, KeyExchangeResult?> { _ in nil }
        var asked = requests.mutableSpan
        var answers = results.mutableSpan
        crypto.perform(&asked, into: &answers)
        var together: [Outcome] = []
        for place in results.indices {
            let isTaken = requests[place] == nil
            #expect(isTaken, "a batch takes its requests")
            together.append(Outcome(results[place].take()))
        }

        #expect(together == alone)
        let refusedCount = together.count { if case .refused = $0 { true } else { false } }
        #expect(refusedCount == KeyExchangeMethod.allCases.count)
    }
}
