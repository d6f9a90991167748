import Foundation
import FuzzBodies
import Primitives
import Testing

/// What `make fuzz` does for as long as one likes, for a moment: every input of the corpus, and changed ones, always
/// the same.
@Suite("Fuzz targets take")
struct FuzzTests {
    struct Target: Sendable, CustomTestStringConvertible {
        let name: String
        let body: @Sendable ([UInt8]) -> Void
        /// How many changed inputs a test run has time for.
        var rounds = 100_000
        var testDescription: String { name }
    }

    static let targets = [
        Target(name: "FuzzMessage", body: fuzzMessage), Target(name: "FuzzCapture", body: fuzzCapture),
        Target(name: "FuzzReassembly", body: fuzzReassembly), Target(name: "FuzzEAP", body: fuzzEAP, rounds: 4_000),
        Target(name: "FuzzRADIUS", body: fuzzRADIUS), Target(name: "FuzzProof", body: fuzzProof),
        Target(name: "FuzzInspection", body: fuzzInspection, rounds: 5_000),
        Target(name: "FuzzESP", body: fuzzESP, rounds: 40_000),
        Target(name: "FuzzKeys", body: fuzzKeys, rounds: 40_000),
        Target(name: "FuzzRecording", body: fuzzRecording, rounds: 4_000),
    ]

    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Fuzz")
        .standardizedFileURL

    @Test("their corpus and what chance makes of it", arguments: targets)
    func takesCorpus(_ target: Target) throws {
        let corpus = Self.folder.appending(path: "Corpus").appending(path: target.name)
        let names = try FileManager.default.contentsOfDirectory(atPath: corpus.path).sorted()
        let inputs = try names.map { [UInt8](try Data(contentsOf: corpus.appending(path: $0))) }
        try #require(!inputs.isEmpty, "a fuzz target begins with a corpus")
        for input in inputs { target.body(input) }
        var stream = RandomStream(seed: 1, entity: StableName.hash(of: target.name), purpose: .test)
        let rounds = target.rounds * Self.soaking / Self.divisor
        for _ in 0..<rounds {
            var input = inputs[Int(stream.below(UInt64(inputs.count)))]
            for _ in 0...stream.below(4) { Self.change(&input, &stream) }
            target.body(input)
        }
        if Self.soaking > 1 { print("\(target.name): \(rounds) changed inputs") }
    }

    @Test("a place here, each of them")
    func areAllHere() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
        #expect(names.filter { $0.hasPrefix("Fuzz") }.sorted() == Self.targets.map(\.name).sorted())
    }

    @Test("ten million changed inputs between them in `make soak`")
    func soakLong() {
        #expect(Self.targets.reduce(0) { $0 + $1.rounds } * Self.soakFactor >= 10_000_000)
    }

    private static func change(_ input: inout [UInt8], _ stream: inout RandomStream) {
        guard !input.isEmpty else { return input.append(UInt8(truncatingIfNeeded: stream.next())) }
        let place = Int(stream.below(UInt64(input.count)))
        switch stream.below(5) {
        case 0: input[place] ^= 1 << UInt8(stream.below(8))
        case 1: input[place] = [0, 1, 0x7F, 0x80, 0xFF][Int(stream.below(5))]
        case 2: input.removeSubrange(place...)
        case 3: input.insert(contentsOf: input[place..<min(input.count, place + 24)], at: place)
        default: input[place] = UInt8(truncatingIfNeeded: stream.next())
        }
    }

    /// How many times longer it takes with SOAK=1.
    private static let soakFactor = 20
    private static let soaking = ProcessInfo.processInfo.environment["SOAK"] == "1" ? soakFactor : 1

    #if DEBUG
        private static let divisor = 50
    #else
        private static let divisor = 1
    #endif
}
