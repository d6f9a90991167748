import Metrics
import Primitives
import Results
import Testing

@Suite("The live view")
struct LiveViewTests {
    /// Takes what a view writes.
    private final class Screen {
        var writes: [String] = []

        func view(_ terminal: LiveView.Terminal, name: String = "rekey-storm") -> LiveView {
            LiveView(name: name, terminal: terminal) { self.writes.append($0) }
        }

        /// What a terminal would show: lines above the cursor can be cleared, nothing else moves.
        var lines: [String] {
            var lines: [String] = []
            for text in writes {
                var rest = text[...]
                if let match = rest.prefixMatch(of: /\r\u{1B}\[([0-9]+)A\u{1B}\[J/) {
                    lines.removeLast(Int(match.1) ?? 0)
                    rest = rest[match.range.upperBound...]
                }
                lines += rest.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
            }
            return lines
        }
    }

    private static var terminal: LiveView.Terminal {
        LiveView.Terminal(canRedraw: true, columns: 90, style: .plain)
    }

    /// A run of 3 minutes at a second of its time: 100 clients a second come in the first minute.
    static func snapshot(at second: Int64, isLive: Bool = false) -> LiveSnapshot {
        var snapshot = LiveSnapshot(
            time: .zero + .seconds(second),
            duration: .minutes(3),
            phase: second < 10 ? .warmUp : .running
        )
        snapshot.offered = UInt64(min(second, 60) * 100)
        snapshot.established = UInt64(min(second, 60) * 98)
        snapshot.failed = snapshot.offered - snapshot.established
        snapshot.tunnelsUp = snapshot.established
        snapshot.tunnelsWanted = snapshot.offered
        snapshot.childRekeys = UInt64(second * 7)
        snapshot.retransmissions = UInt64(second)
        if second > 0 { (snapshot.p50, snapshot.p99) = (19_100_000, 522_000_000) }
        if isLive { snapshot.lagP99 = 85_200 }
        if (30..<40).contains(second) { snapshot.faults = ["outage"] }
        return snapshot
    }

    @Test("a terminal sees one panel, redrawn in place, as reviewed")
    func panel() throws {
        let screen = Screen()
        var view = screen.view(Self.terminal)
        for second in stride(from: Int64(0), through: 66, by: 3) {
            view.show(Self.snapshot(at: second), wallClock: .milliseconds(second * 100))
            if second == 33 || second == 66 {
                try Golden.check(screen.lines.map { $0 + "\n" }.joined(), "panel-\(second).txt")
            }
        }
        view.note("the gateway restarts")
        #expect(screen.lines == ["the gateway restarts"])
        view.show(Self.snapshot(at: 70), wallClock: .seconds(8))
        view.finish()
        #expect(screen.lines == ["the gateway restarts"])
    }

    @Test("a file sees a line every 5 s or every tenth of the run, and no control character")
    func lines() throws {
        let screen = Screen()
        var view = screen.view(.none)
        for second in Int64(0)...180 {
            view.show(Self.snapshot(at: second, isLive: true), wallClock: .milliseconds(second * 200))
        }
        view.finish()
        #expect(screen.writes.allSatisfy { $0.hasSuffix("\n") && !$0.contains("\u{1B}") })
        try Golden.check(screen.writes.joined(), "lines.txt")
    }

    @Test("a panel is redrawn at most five times a second, however often it is pushed")
    func rateLimit() {
        let screen = Screen()
        var view = screen.view(Self.terminal)
        for millisecond in Int64(0)..<2_000 {
            view.show(Self.snapshot(at: 1), wallClock: .milliseconds(millisecond))
        }
        #expect(screen.writes.count == 10)
        let isWanted = [2_000, 1_999].map {
            view.wantsSnapshot(wallClock: .milliseconds($0), progress: .one)
        }
        #expect(isWanted == [true, false])
    }

    @Test("a panel fits the terminal, however narrow, with or without colours", arguments: [20, 40, 80, 200])
    func width(columns: Int) {
        for hasColours in [false, true] {
            let screen = Screen()
            let style = TextStyle(hasColours: hasColours)
            var view = screen.view(LiveView.Terminal(canRedraw: true, columns: columns, style: style))
            view.show(Self.snapshot(at: 33), wallClock: .seconds(1))
            let plain = screen.lines.map { $0.replacing(/\u{1B}\[[0-9;]*m/, with: "") }
            #expect(plain.count == 8)
            #expect(plain.allSatisfy { $0.count < columns })
            #expect(screen.writes.joined().contains("\u{1B}[1") == hasColours)
        }
    }

    @Test("hostile names move no cursor")
    func hostile() {
        for terminal in [Self.terminal, .none] {
            let screen = Screen()
            var view = screen.view(terminal, name: "\u{1B}[2J\n\u{9B}2J")
            var snapshot = Self.snapshot(at: 33)
            snapshot.faults = ["\u{1B}]0;x\u{7}", "a\nb"]
            view.show(snapshot, wallClock: .seconds(6))
            view.note("\u{1B}[2J")
            view.finish()
            let text = screen.writes.joined().replacing(/\r\u{1B}\[[0-9]+A\u{1B}\[J/, with: "")
            #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || !$0.isUnsafeToPrint })
        }
    }

    @Test("a run without a length and without time shows no nonsense")
    func degenerate() {
        let screen = Screen()
        var view = screen.view(Self.terminal)
        view.show(LiveSnapshot(time: .zero, duration: .zero), wallClock: .zero)
        view.show(LiveSnapshot(time: .zero, duration: .zero), wallClock: .seconds(1))
        #expect(screen.lines.first?.hasSuffix("0:00 of 0:00  ░░░░░░░░░░░░░░░░░░░░  0 %") == true)
    }

    @Test("a pipe is no terminal")
    func detection() {
        let terminal = LiveView.Terminal(descriptor: -1, environment: ["TERM": "xterm"])
        #expect(terminal == LiveView.Terminal(canRedraw: false, columns: 80, style: .plain))
    }
}
