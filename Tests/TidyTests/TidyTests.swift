import Foundation
import Testing

@Suite("The project keeps its own rules")
struct TidyTests {
    /// Read once, for all rules.
    private static let files = Result { try Project.files() }

    @Test("a rule holds in every file", arguments: Rule.all)
    func holds(rule: Rule) throws {
        let violations = try Self.files.get().flatMap(rule.violations)
        #expect(violations.isEmpty, "\(violations.map(\.description).joined(separator: "\n"))")
    }

    @Test(
        "the files that are looked at are those of the project",
        arguments: [
            "Package.swift", "Makefile", ".ci/run", "scripts/install", "Sources/Primitives/Instant.swift",
            "Sources/CLinux/sockets.c", "Tests/Gateways/network.sh", "Tests/TidyTests/Rule.swift",
            "workloads/quickstart.yaml",
        ]
    )
    func finds(path: String) throws {
        #expect(try Self.files.get().contains { $0.path == path })
    }
}

@Suite("README names what there is")
struct ReadmeTests {
    private static let text = Result {
        try String(contentsOf: Project.directory.appending(path: "README.md"), encoding: .utf8)
    }

    @Test("every workload that ships, in its table")
    func namesWorkloads() throws {
        let text = try Self.text.get()
        let paths = try Project.files().map(\.path).filter {
            $0.hasPrefix("workloads/") && $0.hasSuffix(".yaml") && !$0.hasPrefix("workloads/costs/")
        }
        #expect(paths.count > 9)
        for path in paths {
            let name = path.dropFirst("workloads/".count).dropLast(".yaml".count)
            #expect(text.contains("\n| `\(name)` | "), "\(name)")
        }
    }

    @Test("every command")
    func namesCommands() throws {
        let text = try Self.text.get()
        let commands = try Project.files().filter {
            $0.path.hasPrefix("Sources/ikestorm/") && $0.path.hasSuffix("Command.swift")
        }
        #expect(commands.count > 14)
        for command in commands {
            let name = command.path.dropFirst("Sources/ikestorm/".count).dropLast("Command.swift".count).lowercased()
            #expect(text.contains("`\(name)` · ") || text.contains(" · `\(name)`"), "\(name)")
        }
    }
}

@Suite("docs/protocol.md")
struct ProtocolPageTests {
    @Test("names tests that there are, for every feature")
    func namesTests() throws {
        let files = try Project.files().filter { $0.path.hasPrefix("Tests/") && $0.isSwift }
        // The suites, and the modules of tests, by their names alone and with their modules'.
        var known: Set<String> = []
        for file in files {
            let module = String(file.path.split(separator: "/")[1])
            known.insert(module)
            for (token, next) in zip(file.tokens, file.tokens.dropFirst()) where token.text == "struct" {
                known.formUnion([next.text, "\(module)/\(next.text)"])
            }
        }
        let page = try String(contentsOf: Project.directory.appending(path: "docs/protocol.md"), encoding: .utf8)
        let rows = page.split(separator: "\n").filter { $0.hasPrefix("| ") }.dropFirst(2)
        #expect(rows.count > 50)
        var last = ""
        for row in rows {
            let column = row.split(separator: "|").last.map(String.init) ?? ""
            let names = column.matches(of: /`([^`]+)`/).map { String($0.1) }
            let isTheSame = column.trimmingCharacters(in: .whitespaces) == "the same"
            #expect(!names.isEmpty || isTheSame && !last.isEmpty, "\(row)")
            for name in names { #expect(known.contains(name), "\(name)") }
            last = column
        }
    }
}

/// A snippet, and the lines that a rule has to object to in it.
struct Snippet: Sendable, CustomTestStringConvertible {
    let rule: Rule
    let path: String
    let text: String
    let lines: [Int]

    init(_ rule: Rule, _ path: String, _ text: String, lines: [Int]) {
        self.rule = rule
        self.path = path
        self.text = text
        self.lines = lines
    }

    var testDescription: String { "\(rule.claim): \(text.prefix(40))" }
}

@Suite("A tidy rule")
struct RuleTests {
    @Test("objects to what breaks it, and to nothing else", arguments: Snippet.layout + Snippet.core)
    func objects(snippet: Snippet) {
        let file = ProjectFile(path: snippet.path, text: snippet.text)
        #expect(snippet.rule.violations(file).map(\.line) == snippet.lines)
    }

    @Test("is shown to fail by a snippet at least", arguments: Rule.all)
    func isTested(rule: Rule) {
        let snippets = Snippet.layout + Snippet.core
        #expect(snippets.contains { $0.rule.claim == rule.claim && !$0.lines.isEmpty })
    }
}

extension Snippet {
    private static let ikev2 = "Sources/IKEv2/IKESA.swift"

    static let layout: [Snippet] = [
        Snippet(.importsPointDown, ikev2, "import Primitives\npackage import IKEWire\nimport IKECrypto", lines: []),
        Snippet(.importsPointDown, ikev2, "import BasicContainers", lines: []),
        Snippet(.importsPointDown, ikev2, "import Primitives\nimport Load", lines: [2]),
        Snippet(.importsPointDown, ikev2, "import ESP", lines: [1]),
        Snippet(.importsPointDown, ikev2, "@testable import Runner", lines: [1]),
        Snippet(.importsPointDown, ikev2, "// import Runner\nlet text = \"import Runner\"", lines: []),
        Snippet(.importsPointDown, ikev2, "import struct Foundation.Date", lines: [1]),
        Snippet(.importsPointDown, ikev2, "import Foundation", lines: [1]),
        Snippet(.importsPointDown, "Sources/Results/RunRecord.swift", "import Foundation", lines: []),
        Snippet(.importsPointDown, ikev2, "import COpenSSL", lines: [1]),
        Snippet(.importsPointDown, "Sources/IKECrypto/PRF.swift", "import COpenSSL\nimport CIPsecMB", lines: []),
        Snippet(.importsPointDown, "Sources/ESP/InboundSA.swift", "import CIPsecMB", lines: [1]),
        Snippet(.importsPointDown, "Sources/Simulation/EventQueue.swift", "import CLinux", lines: [1]),
        Snippet(.importsPointDown, "Sources/Workers/CPUSet.swift", "import CLinux\nimport Glibc", lines: []),
        Snippet(.importsPointDown, "Sources/Simulation/EventQueue.swift", "import Metrics", lines: [1]),
        Snippet(.importsPointDown, "Sources/Primitives/Instant.swift", "import Glibc", lines: [1]),
        Snippet(.importsPointDown, "Sources/Novelty/File.swift", "", lines: [1]),
        Snippet(.importsPointDown, "Tests/IKEv2Tests/IKESATests.swift", "import Foundation", lines: []),
        Snippet(.testsSeeWhatCallersSee, "Tests/IKEv2Tests/A.swift", "import A\n@testable import IKEv2", lines: [2]),
        Snippet(.testsSeeWhatCallersSee, "Tests/IKEv2Tests/A.swift", "// @testable import IKEv2", lines: []),
        Snippet(
            .simulatedRunsAreWatched,
            "Tests/RunnerTests/A.swift",
            "\nlet a = try SimulatedRun(b).run()",
            lines: [2]
        ),
        Snippet(.simulatedRunsAreWatched, "Tests/RunnerTests/A.swift", "func f(_ run: SimulatedRun) {}", lines: []),
        Snippet(.simulatedRunsAreWatched, "Tests/RunnerTests/Simulate.swift", "SimulatedRun(b)", lines: []),
        Snippet(.filesAreShort, ikev2, String(repeating: "\n", count: 399), lines: []),
        Snippet(.filesAreShort, ikev2, String(repeating: "\n", count: 400), lines: [400]),
        Snippet(.filesAreShort, "docs/protocol.md", String(repeating: "\n", count: 1_000), lines: []),
        Snippet(.linesAreShort, ikev2, "\n" + String(repeating: "x", count: 120), lines: []),
        Snippet(.linesAreShort, ikev2, "\n" + String(repeating: "x", count: 121), lines: [2]),
        Snippet(.linesAreShort, ikev2, "f(\"" + String(repeating: "x", count: 130) + "\")", lines: []),
        Snippet(.linesAreShort, ikev2, "// \"" + String(repeating: "x", count: 130) + "\"", lines: [1]),
        Snippet(.linesAreShort, ikev2, "\"\"\"\n\(String(repeating: "x", count: 130))\n\"\"\"", lines: []),
        Snippet(.linesAreShort, "Tests/Gateways/x.sh", String(repeating: "x", count: 121), lines: [1]),
        Snippet(.nothingIsLeftForLater, "Makefile", "a\n# TO" + "DO: b\n// FIX" + "ME\nHA" + "CK", lines: [2, 3, 4]),
        Snippet(.nothingIsLeftForLater, ikev2, "let toDo = HACKS + todo", lines: []),
        Snippet(.noUnsafeFlags, "Package.swift", "swiftSettings: [.unsafe" + "Flags([])]", lines: [1]),
        Snippet(.noMachinePaths, "docs/testing.md", "\nRun /wo" + "rk/main/x or /opt/" + "swift/usr", lines: [2, 2]),
        Snippet(.noMachinePaths, ikev2, "// networks and frameworks/", lines: []),
    ]

    static let core: [Snippet] = [
        Snippet(.coreHasNoClock, ikev2, "let a = 1\nlet now = ContinuousClock.now", lines: [2]),
        Snippet(.coreHasNoClock, ikev2, "func f(date: Date) {}", lines: [1]),
        Snippet(.coreHasNoClock, ikev2, "clock_gettime(CLOCK_MONOTONIC, &t)", lines: [1]),
        Snippet(.coreHasNoClock, ikev2, "/* Date() */ let text = #\"Date() \"x\" \"#; // Date()", lines: []),
        Snippet(.coreHasNoClock, "Sources/UDPTransport/EventLoop.swift", "let now = ContinuousClock.now", lines: []),
        Snippet(.coreHasNoChance, ikev2, "UInt64.random(in: 0..<9)", lines: [1]),
        Snippet(.coreHasNoChance, ikev2, "var g = SystemRandomNumberGenerator()", lines: [1]),
        Snippet(.coreHasNoChance, ikev2, "list.shuffled()\nlist\n    .randomElement()", lines: [1, 3]),
        Snippet(.coreHasNoChance, ikev2, "let random = stream.next()\nrandom.next()", lines: []),
        Snippet(.coreHasNoChance, ikev2, "case random(Probability)\nlet a = Loss.random(b)", lines: []),
        Snippet(.coreHasNoChance, ikev2, "Bool.random()", lines: [1]),
        Snippet(.coreHasNoHashOrder, ikev2, "var seen: Set<Int> = []", lines: [1]),
        Snippet(.coreHasNoHashOrder, ikev2, "struct A: OptionSet {}", lines: []),
        Snippet(.coreHasNoHashOrder, ikev2, "Dictionary(grouping: list)", lines: [1]),
        Snippet(.coreHasNoHashOrder, ikev2, "var table: [UInt64: [Int]] = [:]", lines: [1, 1]),
        Snippet(.coreHasNoHashOrder, ikev2, "func f(_ x: [A.B<C>?: D]) {}", lines: [1]),
        Snippet(
            .coreHasNoHashOrder,
            ikev2,
            "let a = [x ? y : z]\nlist[at: 3]\n[A, B]\nswitch a { case [B]: x }",
            lines: []
        ),
        Snippet(.coreHasNoHashOrder, ikev2, "ObjectIdentifier(a) < b.hashValue", lines: [1, 1]),
        Snippet(.coreHasNoMathLibrary, ikev2, "let a = exp(-x) + Double(2)\npow(a, 2)", lines: [1, 2]),
        Snippet(.coreHasNoMathLibrary, ikev2, "func log(_ x: Int) {}\nself.log(3)\nlet exp = 3", lines: []),
        Snippet(.coreHasNoConcurrency, ikev2, "func f() async {}\nactor A {}\nlet m = Mutex(0)", lines: [1, 2, 3]),
        Snippet(.coreHasNoConcurrency, "Sources/Runner/LiveRun.swift", "let m = Mutex(0)", lines: []),
    ]
}

@Suite("Swift's tokens")
struct SwiftTokensTests {
    @Test(
        "comments and string literals are left out",
        arguments: [
            ("a /* b /* c */ d */ e", ["a", "e"]),
            ("a // b\nc", ["a", "c"]),
            (#"a("b \" c") d"#, ["a", "(", ")", "d"]),
            (##"a(#"b " \" c"#) d"##, ["a", "(", ")", "d"]),
            ("a(\"\"\"\nb \"c\" d\n\"\"\") e", ["a", "(", ")", "e"]),
            ("a(\"", ["a", "("]),
            ("#expect(a)", ["#", "expect", "(", "a", ")"]),
        ]
    )
    func leavesOut(source: String, tokens: [String]) {
        #expect(SwiftTokens(source).tokens.map(\.text) == tokens)
    }

    @Test("a token knows its line, and whether it is a member")
    func places() {
        let tokens = SwiftTokens("a\n/*\n*/ b.c\n\"\"\"\n\n\"\"\" ...d").tokens
        let words = tokens.filter(\.isWord)
        #expect(words.map(\.line) == [1, 3, 3, 6])
        #expect(words.map(\.followsDot) == [false, false, true, false])
    }
}
