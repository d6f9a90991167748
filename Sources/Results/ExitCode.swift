/// How `ikestorm` ends, for scripts.
package enum ExitCode: Int32, CaseIterable, Hashable, Sendable {
    case pass = 0
    case usage = 64
    case badWorkload = 65
    case unreachable = 69
    /// An invariant of every run was broken: a mistake of ikestorm itself.
    case ownMistake = 70
    /// A file or folder of the run cannot be written.
    case cannotWrite = 73
    /// The generator was late, or runs that are compared are too few or too far apart: they say neither yes nor no.
    case inconclusive = 75
    case safetyAbort = 96
    case steadyState = 97
    case regression = 98
    case threshold = 99
    /// Ctrl-C, and every SA was deleted.
    case interrupted = 105
    /// Ctrl-C twice.
    case forced = 130
}
