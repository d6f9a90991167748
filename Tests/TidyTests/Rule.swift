import Testing

/// One of the project's rules, as far as it can be checked by reading (CONTRIBUTING.md has them all).
struct Rule: Sendable, CustomTestStringConvertible {
    /// The rule as a claim about the project.
    let claim: String
    /// What stands against it in one file.
    let violations: @Sendable (ProjectFile) -> [Violation]

    var testDescription: String { claim }

    static let all: [Rule] = [
        .importsPointDown, .testsSeeWhatCallersSee, .filesAreShort, .linesAreShort, .nothingIsLeftForLater,
        .noUnsafeFlags, .noMachinePaths,
        .simulatedRunsAreWatched, .coreHasNoClock, .coreHasNoChance, .coreHasNoHashOrder, .coreHasNoMathLibrary,
        .coreHasNoConcurrency,
    ]
}

// Layout

extension Rule {
    /// The layers, bottom first: a module imports only from layers below its own.
    private static let layers: [[String]] = [
        ["Primitives", "COpenSSL", "CBoringSSL", "CIPsecMB", "CCryptoMB", "CLinux", "CMemory", "CPrefetch"],
        ["IKEWire", "IKECrypto", "Simulation", "Metrics"],
        ["EAP", "RADIUS", "UDPTransport", "Workers", "Capture"],
        ["IKEv2", "ESP"],
        ["Load", "Gateway", "Workload", "Results", "Inspection"],
        ["Runner"],
        ["ikestorm", "microbench"],
    ]

    /// Modules that only some may import, and who.
    private static let reserved: [String: Set<String>] = [
        // The benches measure the bare libraries beside what is made of them.
        "COpenSSL": ["IKECrypto", "microbench"],
        "CIPsecMB": ["IKECrypto", "microbench"],
        "CBoringSSL": ["IKECrypto"],
        "CCryptoMB": ["IKECrypto"],
        "Crypto": ["IKECrypto"],
        "CLinux": ["Workers", "UDPTransport"],
        "CMemory": ["ikestorm"],
        "CPrefetch": ["Simulation"],
        "Foundation": ["Workload", "Results", "Runner", "ikestorm"],
        // Threads and error numbers of the system; the benches measure and print.
        "Glibc": ["Workers", "UDPTransport", "Runner", "ikestorm", "microbench"],
        "Synchronization": ["Workers", "Runner", "ikestorm", "microbench"],
        "Dispatch": ["Runner", "ikestorm"],
        "Histogram": ["Metrics"],
        "Yams": ["Workload"],
        "ArgumentParser": ["ikestorm"],
    ]

    /// Modules of packages that every module may import: containers for values that cannot be copied.
    private static let common: Set = ["BasicContainers", "DequeModule"]

    static let importsPointDown = Rule(claim: "imports point down, and never along a row") { file in
        guard let module = file.module, file.isSwift else { return [] }
        guard let layer = layers.firstIndex(where: { $0.contains(module) }) else {
            return [Violation(path: file.path, line: 1, message: "\(module) stands in no layer")]
        }
        return imports(of: file).compactMap { name, line in
            if let importers = reserved[name] {
                if importers.contains(module) { return nil }
                let message = "only \(importers.sorted().joined(separator: ", ")) may import \(name)"
                return Violation(path: file.path, line: line, message: message)
            }
            if common.contains(name) || layers[..<layer].contains(where: { $0.contains(name) }) { return nil }
            return Violation(path: file.path, line: line, message: "\(module) may not import \(name)")
        }
    }

    private static func imports(of file: ProjectFile) -> [(name: String, line: Int)] {
        let tokens = file.tokens
        let kinds: Set = ["struct", "class", "enum", "protocol", "typealias", "func", "let", "var"]
        return tokens.indices.compactMap { index in
            guard tokens[index].text == "import" else { return nil }
            let name = tokens[(index + 1)...].first { !kinds.contains($0.text) }
            return name.map { ($0.text, $0.line) }
        }
    }

    static let testsSeeWhatCallersSee = Rule(claim: "no module is built a second time for its tests") { file in
        guard file.isSwift else { return [] }
        return file.tokens.filter { $0.text == "@testable" }.map {
            Violation(path: file.path, line: $0.line, message: "the tests run in release: make it package")
        }
    }

    static let simulatedRunsAreWatched = Rule(claim: "every simulated run of a test is watched") { file in
        // Who looks at packets allocates memory for them.
        let others = ["Simulate", "PacketAllocationTests"].map { "Tests/RunnerTests/\($0).swift" }
        guard file.path.hasPrefix("Tests/"), !others.contains(file.path) else { return [] }
        return zip(file.tokens, file.tokens.dropFirst()).compactMap { token, next in
            guard token.text == "SimulatedRun", next.text == "(" else { return nil }
            return Violation(
                path: file.path,
                line: token.line,
                message: "SimulatedRun: simulate() looks at its packets"
            )
        }
    }

    static let filesAreShort = Rule(claim: "a file ends before line 400") { file in
        guard file.isCode, file.lines.count > 400 else { return [] }
        return [Violation(path: file.path, line: 400, message: "the file has \(file.lines.count) lines")]
    }

    static let linesAreShort = Rule(claim: "a line has at most 120 characters besides what is in a string") { file in
        guard file.isCode else { return [] }
        return file.lines.enumerated().compactMap { index, line in
            guard line.count - file.literalByteCounts[index + 1, default: 0] > 120 else { return nil }
            return Violation(path: file.path, line: index + 1, message: "the line has \(line.count) characters")
        }
    }

    static let nothingIsLeftForLater = Rule(claim: "nothing is marked as left for later") { file in
        // Put together here, so that this file does not break its own rule.
        let marks = ["TO" + "DO", "FIX" + "ME", "HA" + "CK", "XX" + "X"]
        return file.lines.enumerated().flatMap { index, line in
            let words = line.split { !$0.isLetter }
            return marks.filter { words.contains(Substring($0)) }.map {
                Violation(path: file.path, line: index + 1, message: "\($0): do it, or file an issue")
            }
        }
    }

    static let noUnsafeFlags = Rule(claim: "the package needs no unsafe flags") { file in
        guard file.path == "Package.swift" else { return [] }
        return file.containing(["unsafe" + "Flags"], message: "makes the package unusable as a dependency")
    }

    static let noMachinePaths = Rule(claim: "no file names a path of somebody's machine") { file in
        let paths = ["/wo" + "rk/", "/opt/" + "swift", "/ho" + "me/", "/ro" + "ot/"]
        return file.containing(paths, message: "no other machine has this path")
    }
}

extension ProjectFile {
    /// What the limits on length are for: not texts, and not files whose lines are data.
    fileprivate var isCode: Bool { [".swift", ".c", ".h", ".sh"].contains { path.hasSuffix($0) } }

    fileprivate func containing(_ texts: [String], message: String) -> [Violation] {
        lines.enumerated().flatMap { index, line in
            texts.filter { line.contains($0) }.map {
                Violation(path: path, line: index + 1, message: "\($0): \(message)")
            }
        }
    }
}
