/// The right name that a wrong one was probably meant to be.
package enum Nearest {
    /// The candidate with the fewest edits, if it is near enough to be a guess worth printing.
    package static func name(to wrong: String, among candidates: [String]) -> String? {
        var best: (distance: Int, name: String)?
        let lowered = wrong.lowercased()
        // A long text is no slip of the finger, and the distance costs the product of the lengths.
        guard lowered.unicodeScalars.count <= 64 else { return nil }
        for candidate in candidates {
            let distance = editDistance(lowered, candidate.lowercased())
            if distance < (best?.distance ?? .max) { best = (distance, candidate) }
        }
        guard let best, best.distance <= max(1, wrong.unicodeScalars.count / 3) else { return nil }
        return best.name
    }

    /// A remedy: the nearest name, or all of them where none is near and they are few.
    static func remedy(for wrong: String, among candidates: [String]) -> String? {
        if let name = name(to: wrong, among: candidates) { return "did you mean \"\(name)\"?" }
        guard !candidates.isEmpty, candidates.count <= 24 else { return nil }
        return (candidates.count == 1 ? "there is only " : "there are ") + list(candidates)
    }

    /// `a`, `b` and `c`, each in quotes.
    static func list(_ names: [String]) -> String {
        let quoted = names.map { "\"\($0)\"" }
        guard let last = quoted.last, quoted.count > 1 else { return quoted.first ?? "nothing" }
        return quoted.dropLast().joined(separator: ", ") + " and " + last
    }

    /// The least number of insertions, deletions, replacements and swaps of neighbours.
    package static func editDistance(_ left: String, _ right: String) -> Int {
        let left = Array(left.unicodeScalars)
        let right = Array(right.unicodeScalars)
        var beforeLast = [Int](repeating: 0, count: right.count + 1)
        var last = Array(0...right.count)
        for (row, character) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                var distance = min(
                    current[column] + 1,
                    last[column + 1] + 1,
                    last[column] + (character == other ? 0 : 1)
                )
                if row > 0, column > 0, character == right[column - 1], left[row - 1] == other {
                    distance = min(distance, beforeLast[column - 1] + 1)
                }
                current.append(distance)
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}
