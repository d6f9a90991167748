import IKECrypto
import Primitives
import Testing

@Suite("Random octets")
struct RandomOctetsTests {
    @Test("they are RFC 8439's key stream (section 2.3.2)")
    func block() throws {
        let crypto = try cryptography()
        // The RFC's nonce is 00000009 0000004a 00000000, its block count 1.
        var stream = KeyMaterialStream(entity: 0x4A00_0000, counter: 0x0900_0000_0000_0001)
        let block = crypto.octets(count: 64, from: &stream)
        #expect(
            block
                == hex(
                    """
                    10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e
                    d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e
                    """
                )
        )
    }

    @Test("an entity's octets follow from seed, name and place alone, with every backend")
    func repeats() throws {
        let real = try cryptography(.openSSL)
        let modelled = try cryptography(.modelled)
        var first = KeyMaterialStream(entity: 7)
        var second = KeyMaterialStream(entity: 7)
        let octets = real.octets(count: 100, from: &first)
        let modelledOctets = modelled.octets(count: 100, from: &second)
        #expect(modelledOctets == octets)
        #expect(first == second)
        #expect(first.counter == 2)

        var resumed = KeyMaterialStream(entity: 7, counter: 1)
        let rest = real.octets(count: 36, from: &resumed)
        #expect(rest == [UInt8](octets[64...]))
    }

    @Test("draws, entities and seeds differ from each other")
    func differs() throws {
        let crypto = try cryptography()
        let other = try Cryptography(backend: .openSSL, seed: [UInt8](repeating: 1, count: 32).rawSpan)
        var stream = KeyMaterialStream(entity: 7)
        var neighbour = KeyMaterialStream(entity: 8)
        var elsewhere = KeyMaterialStream(entity: 7)
        let draws = [
            crypto.octets(count: 32, from: &stream),
            crypto.octets(count: 32, from: &stream),
            [UInt8](copying: crypto.secret(count: 32, from: &stream)),
            crypto.octets(count: 32, from: &neighbour),
            other.octets(count: 32, from: &elsewhere),
        ]
        #expect(Set(draws).count == draws.count)
    }

    @Test("every way to draw gives the same octets")
    func draws() throws {
        let crypto = try cryptography()
        let start = KeyMaterialStream(entity: 99, counter: 5)
        var streams = [start, start, start, start]
        let octets = crypto.octets(count: 8, from: &streams[0])
        let secret = crypto.secret(count: 8, from: &streams[1])
        let integer = crypto.integer(from: &streams[2])
        var filled = [UInt8](repeating: 0, count: 8)
        var span = filled.mutableSpan
        var bytes = unsafe span.mutableBytes
        crypto.fill(&bytes, from: &streams[3])
        let secretOctets = [UInt8](copying: secret)
        #expect(secretOctets == octets)
        #expect(filled == octets)
        #expect(octets.reversed().reduce(0) { $0 << 8 | UInt64($1) } == integer)
        #expect(Set(streams).count == 1)
    }
}
