// What would make a run depend on more than its workload, its seed and its version.

/// Words that a module of the core may not use.
private struct Ban: Sendable {
    let words: Set<String>
    let message: String
    /// Whether a word counts only as a name of its own, not as a member of something.
    var ignoresMembers = true
    /// Whether a word counts only where it is called.
    var onlyCalled = false

    func violations(in file: ProjectFile) -> [Violation] {
        guard file.isCore else { return [] }
        let tokens = file.tokens
        return tokens.indices.compactMap { index in
            let token = tokens[index]
            guard words.contains(token.text) else { return nil }
            if ignoresMembers && token.followsDot { return nil }
            if onlyCalled {
                guard index + 1 < tokens.count, tokens[index + 1].text == "(" else { return nil }
                if index > 0 && tokens[index - 1].text == "func" { return nil }
            }
            return Violation(path: file.path, line: token.line, message: "\(token.text): \(message)")
        }
    }
}

extension ProjectFile {
    private static let core: Set = [
        "Primitives", "Metrics", "IKEWire", "IKECrypto", "IKEv2", "ESP", "EAP", "RADIUS", "Simulation",
        "Gateway", "Load",
    ]

    /// Whether a run's digest depends on this file.
    var isCore: Bool { module.map(Self.core.contains) ?? false }
}

extension Rule {
    static let coreHasNoClock = Rule(claim: "the core reads no clock") { file in
        let clocks: Set = [
            "ContinuousClock", "SuspendingClock", "Date", "DispatchTime", "DispatchWallTime", "clock_gettime",
            "gettimeofday", "timespec_get", "clinux_monotonic_clock", "clinux_wall_clock", "clinux_thread_clock",
            "usleep", "nanosleep",
        ]
        return Ban(words: clocks, message: "now comes in as an argument").violations(in: file)
    }

    static let coreHasNoChance = Rule(claim: "the core draws only from the run's seed") { file in
        let sources: Set = [
            "SystemRandomNumberGenerator", "arc4random", "arc4random_uniform", "getentropy", "getrandom", "drand48",
            "RAND_bytes", "RAND_priv_bytes", "UUID",
        ]
        let draws: Set = ["randomElement", "shuffled", "shuffle"]
        let message = "chance comes from a RandomStream"
        return Ban(words: sources, message: message).violations(in: file)
            + Ban(words: draws, message: message, ignoresMembers: false, onlyCalled: true).violations(in: file)
            + randomCalls(in: file).map { Violation(path: file.path, line: $0, message: "random: \(message)") }
    }

    /// The lines of `random(in:)`, `random(using:)` and `random()`; a case may be called `.random(probability)`.
    private static func randomCalls(in file: ProjectFile) -> [Int] {
        guard file.isCore else { return [] }
        let tokens = file.tokens
        return tokens.indices.dropLast(2).compactMap { index in
            guard tokens[index].text == "random", tokens[index + 1].text == "(",
                ["in", "using", ")"].contains(tokens[index + 2].text)
            else { return nil }
            return tokens[index].line
        }
    }

    static let coreHasNoHashOrder = Rule(claim: "the core keeps nothing in the order of hashes or addresses") { file in
        let types: Set = [
            "Dictionary", "Set", "NSDictionary", "NSSet", "Hasher", "ObjectIdentifier", "UniqueSet", "RigidSet",
            "UniqueDictionary", "RigidDictionary",
        ]
        let message = "has no order that a run could repeat: an array or a slot table has"
        return Ban(words: types, message: message).violations(in: file)
            + Ban(words: ["hashValue"], message: message, ignoresMembers: false).violations(in: file)
            + dictionaryTypes(in: file).map { Violation(path: file.path, line: $0, message: "[Key: Value] \(message)") }
    }

    /// The lines of `[Key: Value]` and of `[:]`.
    private static func dictionaryTypes(in file: ProjectFile) -> [Int] {
        guard file.isCore else { return [] }
        let tokens = file.tokens
        return tokens.indices.compactMap { start in
            guard tokens[start].text == "[", start + 1 < tokens.count else { return nil }
            var end = start + 1
            if tokens[end].isTypeName {
                let typeSigns: Set = [".", "<", ">", ",", "?"]
                while end < tokens.count, tokens[end].isTypeName || typeSigns.contains(tokens[end].text) { end += 1 }
            }
            return end < tokens.count && tokens[end].text == ":" ? tokens[start].line : nil
        }
    }

    static let coreHasNoMathLibrary = Rule(claim: "the core calls nothing of libm") { file in
        let functions: Set = [
            "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh",
            "exp", "exp2", "exp10", "expm1", "log", "log2", "log10", "log1p", "pow", "cbrt", "hypot", "sqrt", "fma",
            "erf", "erfc", "tgamma", "lgamma", "fmod", "remainder", "ldexp", "frexp",
        ]
        let message = "gives other bits on other machines: integer arithmetic and our own tables do not"
        return Ban(words: functions, message: message, onlyCalled: true).violations(in: file)
    }

    static let coreHasNoConcurrency = Rule(claim: "the core has no tasks, locks or atomics") { file in
        let words: Set = [
            "async", "await", "actor", "Task", "TaskGroup", "withTaskGroup", "MainActor", "@MainActor", "AsyncStream",
            "Mutex", "Atomic", "NSLock", "DispatchQueue", "DispatchSemaphore", "Thread", "pthread_create",
            "pthread_mutex_lock",
        ]
        return Ban(words: words, message: "a worker runs the core alone, on its own thread").violations(in: file)
    }
}
