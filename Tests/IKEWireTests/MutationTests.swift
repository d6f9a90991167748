import Foundation
import IKEWire
import Primitives
import Testing

/// How many mutated messages a run of the tests tries; a debug build is slower.
#if DEBUG
    private let mutationCount = 20_000
#else
    private let mutationCount = 200_000
#endif

@Suite("Any octets at all")
struct MutationTests {
    @Test("are refused, or decode to what encodes and decodes to the same")
    func mutations() throws {
        let seed = ProcessInfo.processInfo.environment["SEED"].flatMap(UInt64.init) ?? 7296
        var chance = RandomStream(seed: seed, entity: 0, purpose: .test)
        let subjects = try corpus()
        var decodedCount = 0
        for round in 0..<mutationCount {
            let (subject, original) = subjects[Int(chance.below(UInt64(subjects.count)))]
            let bytes = mutate(original, by: &chance)
            guard let decoded = try? subject.decoded(bytes) else { continue }
            decodedCount += 1
            let again = decoded.encoded()
            guard again.count == bytes.count, try subject.decoded(again) == decoded else {
                Issue.record("SEED=\(seed) round \(round): \(subject) \(Hexadecimal.encode(bytes))")
                return
            }
        }
        // Enough of them must get past the lengths, or nothing was tried.
        #expect(decodedCount > mutationCount / 50)
    }

    /// Every real message and what was inside it.
    private func corpus() throws -> [(Subject, [UInt8])] {
        MessageVector.strongSwan.flatMap { vector in
            [(Subject.message, vector.datagram)]
                + (vector.inside.map { [(Subject.payloads(first: $0.firstType), $0.bytes)] } ?? [])
        }
    }

    /// A few octets changed, removed, repeated or made up; the message's length mostly put right.
    private func mutate(_ original: [UInt8], by chance: inout RandomStream) -> [UInt8] {
        var bytes = original
        for _ in 0...chance.below(3) where !bytes.isEmpty {
            let index = Int(chance.below(UInt64(bytes.count)))
            switch chance.below(6) {
            case 0: bytes[index] ^= 1 << UInt8(chance.below(8))
            case 1: bytes[index] = UInt8(truncatingIfNeeded: chance.next())
            case 2: bytes[index] = [0, 1, 0x7F, 0x80, 0xFF][Int(chance.below(5))]
            case 3: bytes.remove(at: index)
            case 4: bytes.insert(UInt8(truncatingIfNeeded: chance.next()), at: index)
            default:
                let end = min(bytes.count, index + Int(chance.below(32)))
                bytes.insert(contentsOf: bytes[index..<end], at: Int(chance.below(UInt64(bytes.count))))
            }
        }
        if original.count >= Header.byteCount, bytes.count >= Header.byteCount, chance.below(8) != 0 {
            for place in 0..<4 { bytes[24 + place] = UInt8(truncatingIfNeeded: bytes.count >> (24 - 8 * place)) }
        }
        return bytes
    }
}
