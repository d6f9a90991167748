import Gateway
import IKECrypto
import IKEv2
import Primitives
import Testing

/// RFC 9370: exchanges that carry a key exchange and no more.
@Suite("An additional key exchange at a front desk")
struct AdditionalKeyExchangeTests {
    @Test("costs what INFORMATIONAL costs, and its key exchange", arguments: [Operation.ikeIntermediate, .followUp])
    func pays(_ operation: Operation) {
        var desk = DeskUnderTest()
        desk.report(0, 1, operation == .followUp ? .established : .halfOpened)
        desk.request(10, 1, operation, 1, keyExchange: .curve25519)
        #expect(desk.run(until: 5_000) == ["1160 1 handle"])
        // Again, from memory.
        desk.request(6_000, 1, operation, 1, keyExchange: .curve25519)
        #expect(desk.run(until: 9_000) == ["7030 1 handle"])
    }

    @Test("that the gateway begins is paid with its answer: the request, and both halves of the key exchange")
    func paysForAnswers() {
        var desk = DeskUnderTest()
        desk.report(0, 1, .established)
        desk.request(10, 1, .followUp, 0, keyExchange: .curve25519, isResponse: true)
        #expect(desk.run(until: 5_000) == ["1195 1 handle"])
    }
}
