import Foundation
import Primitives
import Testing
import Workload

@Suite("Any input")
struct MutationTests {
    /// Bytes that mean something in YAML, and some that mean nothing.
    static let interesting: [[UInt8]] =
        [
            ":", "::", "- ", "[", "]", "{", "}", "\"", "'", "&a ", "*a", "!!", "%", "@", "|", ">", "#", "\n", "\t", " ",
            "<<: ", "? ",
        ]
        .map { Array($0.utf8) }
        + ["-1", "0", "99999999999999999999", "1e9", "yes", "null", "10:30", "0.0000001%", "∞", "never", "full"].map {
            Array($0.utf8)
        }
        + [[0], [0xFF], [0xC3, 0x28], [0xEF, 0xBB, 0xBF], [0x85]]

    /// Changes a file in one to four places.
    static func mutate(_ bytes: [UInt8], _ random: inout RandomStream) -> [UInt8] {
        var bytes = bytes
        for _ in 0...random.below(4) {
            let place = Int(random.below(UInt64(max(1, bytes.count))))
            let length = min(Int(random.below(12)), bytes.count - place)
            switch random.below(4) {
            case 0: bytes.removeSubrange(place..<(place + length))
            case 1: bytes.insert(contentsOf: interesting[Int(random.below(UInt64(interesting.count)))], at: place)
            case 2:
                let other = Int(random.below(UInt64(max(1, bytes.count - length))))
                bytes.insert(contentsOf: Array(bytes[other..<min(bytes.count, other + length)]), at: place)
            default: if !bytes.isEmpty { bytes[place] = UInt8(truncatingIfNeeded: random.next()) }
            }
        }
        return bytes
    }

    @Test(
        "a mutated workload is read or refused, and what is read resolves to an equal value",
        arguments: ShippedWorkloads.names
    )
    func workloads(_ name: String) throws {
        let original = Array(try ShippedWorkloads.text(name).utf8)
        let seed = ProcessInfo.processInfo.environment["SEED"].flatMap { UInt64($0) } ?? 2
        var random = RandomStream(seed: seed, entity: StableName.hash(of: name), purpose: .test)
        for _ in 0..<150 {
            let text = String(decoding: Self.mutate(original, &random), as: UTF8.self)
            do throws(WorkloadErrors) {
                let workload = try WorkloadFile(text: text, path: name)
                    .validated { _ throws(UnitProblem) in BaseWorkload.costs ?? "" }
                _ = workload.warnings()
                let again = try WorkloadFile(text: workload.resolved(), path: name).validated()
                #expect(again == workload, "seed \(seed): \(text)")
            } catch {
                #expect(!error.errors.isEmpty)
                #expect(error.errors.allSatisfy { $0.mark.line >= 1 && $0.mark.column >= 1 && !$0.problem.isEmpty })
            }
        }
    }

    @Test("a mutated cost table is read or refused")
    func costTables() throws {
        let original = Array(try ShippedWorkloads.text("costs/strongswan-5.9.json").utf8)
        var random = RandomStream(seed: 3, entity: 1, purpose: .test)
        for _ in 0..<300 {
            let text = String(decoding: Self.mutate(original, &random), as: UTF8.self)
            do throws(WorkloadErrors) {
                let table = try CostTableFile(text: text, file: "costs.json")
                #expect(try CostTableFile(text: table.json(), file: "again.json") == table)
            } catch {
                #expect(!error.errors.isEmpty)
            }
        }
    }

    @Test(
        "what is no workload at all is refused",
        arguments: [
            "", "\n", "# nothing", "5", "[]", "{}", "- a", "\u{FEFF}", "\0", "a: b: c", "---\n---",
            String(repeating: "[", count: 5_000),
            String(repeating: "a: {", count: 2_000),
            "version: 1\nname: x\ngateways: {}\nprofiles: 5\npaths: []\npopulations: ~\narrivals: \nrun: never",
            "? [a]\n: b", "gateways: { ? x }", "&a [*a]",
        ]
    )
    func nonsense(_ text: String) { #expect(throws: WorkloadErrors.self) { try BaseWorkload.workload(text) } }

    @Test("a trace of arrivals is CSV, in order, and its mistakes have their lines")
    func traces() {
        let good = TraceFile.entries(of: "when,until,who\n1s,90s,3\n\n# later\n2s,,\r\n3s\n", file: "t.csv")
        #expect(good.errors.isEmpty)
        #expect(good.entries.map(\.entry.at) == [.seconds(1), .seconds(2), .seconds(3)])
        #expect(good.entries.map(\.entry.client) == [3, nil, nil])
        let bad = TraceFile.entries(of: "1s\n2\n3s,4s,5,6\n", file: "t.csv")
        #expect(bad.errors.map(\.mark.line) == [2, 3])
    }
}
