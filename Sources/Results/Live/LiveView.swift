package import Primitives

/// Shows a run while it goes on: a panel that is redrawn on a terminal, a line now and then elsewhere.
///
/// It reads no clock, so that tests can drive it: whoever pushes snapshots says how long the run has taken on the wall.
/// It asks for few: `wantsSnapshot` is cheap, and a snapshot is made only when it says so.
package struct LiveView {
    /// Where the text goes: standard error, since standard output is for results.
    private let write: (String) -> Void
    private let name: String
    private let terminal: Terminal
    private var history = RateHistory()
    private var lastShown: Duration?
    private var lastPercent = 0
    private var panelLineCount = 0

    /// What is on the other end.
    package struct Terminal: Hashable, Sendable {
        /// Whether the cursor can be moved; if not, lines are written one after the other.
        package var canRedraw: Bool
        package var columns: Int
        package var style: TextStyle

        package init(canRedraw: Bool, columns: Int, style: TextStyle) {
            self.canRedraw = canRedraw
            self.columns = columns
            self.style = style
        }

        /// A file or a pipe.
        package static var none: Terminal { Terminal(canRedraw: false, columns: 100, style: .plain) }
    }

    package init(name: String, terminal: Terminal, write: @escaping (String) -> Void) {
        self.name = PrintableText.line(name)
        self.terminal = terminal
        self.write = write
    }

    /// Whether enough has changed to show something; `progress` is the share of the run that is done.
    package func wantsSnapshot(wallClock: Duration, progress: Probability) -> Bool {
        let waited = wallClock - (lastShown ?? .zero)
        if terminal.canRedraw { return lastShown == nil || waited >= Self.redrawInterval }
        return waited >= Self.lineInterval || Int(progress.partsPerBillion / 10_000_000) >= lastPercent + 10
    }

    /// Shows a snapshot, unless the last one is too fresh.
    package mutating func show(_ snapshot: LiveSnapshot, wallClock: Duration) {
        guard wantsSnapshot(wallClock: wallClock, progress: snapshot.progress) else { return }
        lastShown = wallClock
        lastPercent = snapshot.percent / 10 * 10
        history.append(snapshot)
        if terminal.canRedraw {
            let panel = LivePanel(name: name, terminal: terminal, history: history, wallClock: wallClock)
            let lines = panel.lines(of: snapshot)
            write(erasure + lines.map { $0 + "\n" }.joined())
            panelLineCount = lines.count
        } else {
            write(LivePanel.line(of: snapshot) + "\n")
        }
    }

    /// Writes a line that stays, above the panel.
    package mutating func note(_ text: String) {
        write(erasure + PrintableText.line(text) + "\n")
        panelLineCount = 0
    }

    /// Takes the panel away: the table at the end says it better.
    package mutating func finish() {
        guard panelLineCount > 0 else { return }
        write(erasure)
        panelLineCount = 0
    }

    /// Moves up over the panel and clears from there to the end of the screen (ECMA-48: CUU, ED).
    private var erasure: String { panelLineCount == 0 ? "" : "\r\u{1B}[\(panelLineCount)A\u{1B}[J" }

    private static var redrawInterval: Duration { .milliseconds(200) }
    private static var lineInterval: Duration { .seconds(5) }
}

/// Rates between one snapshot and the next, the latest last.
struct RateHistory {
    private(set) var offered: [UInt64] = []
    private(set) var established: [UInt64] = []
    private(set) var failed: [UInt64] = []
    private var last: LiveSnapshot?

    static var capacity: Int { 40 }

    /// Rates are in thousandths per second of the run's own time.
    mutating func append(_ snapshot: LiveSnapshot) {
        defer { last = snapshot }
        let from = last?.time ?? .zero
        guard snapshot.time > from else { return }
        let nanoseconds = UInt128(snapshot.time.nanoseconds - from.nanoseconds)
        func rate(_ path: KeyPath<LiveSnapshot, UInt64>) -> UInt64 {
            let before = last?[keyPath: path] ?? 0
            let now = max(before, snapshot[keyPath: path])
            return UInt64(clamping: UInt128(now - before) * 1_000_000_000_000 / nanoseconds)
        }
        Self.append(rate(\.offered), to: &offered)
        Self.append(rate(\.established), to: &established)
        Self.append(rate(\.failed), to: &failed)
    }

    private static func append(_ rate: UInt64, to rates: inout [UInt64]) {
        if rates.count == capacity { rates.removeFirst() }
        rates.append(rate)
    }
}
