import Primitives

/// The lines that a live view shows.
struct LivePanel {
    let name: String
    let terminal: LiveView.Terminal
    let history: RateHistory
    let wallClock: Duration

    func lines(of snapshot: LiveSnapshot) -> [String] {
        let scale = max(history.offered.max() ?? 0, history.established.max() ?? 0)
        var rows: [(label: String, text: String)] = [
            (name.shortened(to: 24), heading(of: snapshot)),
            ("offered", count(snapshot.offered, history.offered, scale: scale)),
            ("established", count(snapshot.established, history.established, scale: scale)),
            ("failed", count(snapshot.failed, history.failed, scale: scale)),
            (
                "tunnels.up",
                "\(snapshot.share), \(Humane.count(snapshot.tunnelsUp)) of \(Humane.count(snapshot.tunnelsWanted))"
            ),
            ("latency", latency(of: snapshot)),
            (
                "rekeys",
                "\(Humane.count(snapshot.childRekeys)) Child SA, \(Humane.count(snapshot.ikeRekeys)) IKE SA; "
                    + "\(Humane.count(snapshot.retransmissions)) retransmissions"
            ),
        ]
        if !snapshot.faults.isEmpty {
            rows.append(("faults", snapshot.faults.map(PrintableText.line).joined(separator: ", ")))
        }
        let width = rows.dropFirst().reduce(0) { max($0, $1.label.count) }
        return rows.enumerated().map { index, row in
            let label = row.label + String(repeating: " ", count: max(0, width - row.label.count))
            // One column is left free: a full line would wrap, and the panel would be higher than it thinks.
            let line = (label + "  " + row.text).shortened(to: max(20, terminal.columns) - 1)
            return painted(line, label: label.count, index: index, snapshot)
        }
    }

    private func painted(_ line: String, label: Int, index: Int, _ snapshot: LiveSnapshot) -> String {
        let style = terminal.style
        let rest = String(line.dropFirst(label))
        switch index {
        case 0: return style.bold(String(line.prefix(label))) + rest
        case 3 where snapshot.failed > 0: return style.bad(line)
        case 7: return style.doubtful(line)
        default: return style.dim(String(line.prefix(label))) + rest
        }
    }

    private func heading(of snapshot: LiveSnapshot) -> String {
        let end = Humane.clock(.zero + snapshot.duration)
        var text = "\(Humane.clock(snapshot.time)) of \(end)  \(Self.bar(snapshot.progress))  \(snapshot.percent) %"
        if snapshot.phase != .running { text += "  " + snapshot.phase.rawValue }
        let wall = UInt64(max(1, wallClock.nanoseconds))
        let speed = UInt64(clamping: UInt128(snapshot.time.nanoseconds) * 1_000 / UInt128(wall))
        // In real time the two go at one speed, and nobody needs to be told.
        if snapshot.lagP99 == nil, speed > 0 { text += "  \(Humane.factor(thousandths: speed)) × real time" }
        return text
    }

    private func count(_ total: UInt64, _ rates: [UInt64], scale: UInt64) -> String {
        let number = Humane.count(total)
        let rate = Humane.rate(perSecondThousandths: rates.last ?? 0)
        return Self.padded(number, 11) + "  " + Self.padded(rate, 9) + "  " + Self.sparkline(rates, scale: scale)
    }

    private func latency(of snapshot: LiveSnapshot) -> String {
        guard let p50 = snapshot.p50, let p99 = snapshot.p99 else { return "no handshake yet" }
        var text = "p50 \(Humane.time(p50))  p99 \(Humane.time(p99))"
        if let lag = snapshot.lagP99 { text += "  generator.lag p99 \(Humane.time(lag))" }
        return text
    }

    /// The same on one line, for files and pipes.
    static func line(of snapshot: LiveSnapshot) -> String {
        var parts = [
            "\(Humane.clock(snapshot.time)) of \(Humane.clock(.zero + snapshot.duration))",
            "\(snapshot.percent) %",
            "offered \(Humane.count(snapshot.offered))",
            "established \(Humane.count(snapshot.established))",
            "failed \(Humane.count(snapshot.failed))",
            "tunnels.up \(snapshot.share)",
        ]
        if let p50 = snapshot.p50, let p99 = snapshot.p99 {
            parts.append("p50 \(Humane.time(p50))")
            parts.append("p99 \(Humane.time(p99))")
        }
        if let lag = snapshot.lagP99 { parts.append("generator.lag p99 \(Humane.time(lag))") }
        if snapshot.phase != .running { parts.append(snapshot.phase.rawValue) }
        if !snapshot.faults.isEmpty {
            parts.append("faults: " + snapshot.faults.map(PrintableText.line).joined(separator: ", "))
        }
        return parts.joined(separator: "  ")
    }

    static func bar(_ progress: Probability) -> String {
        let width = 20
        let done = Int(UInt64(progress.partsPerBillion) * UInt64(width) / 1_000_000_000)
        return String(repeating: "█", count: done) + String(repeating: "░", count: width - done)
    }

    /// Eight heights; what is not zero is not drawn as nothing.
    static func sparkline(_ values: [UInt64], scale: UInt64) -> String {
        let heights = Array("▁▂▃▄▅▆▇█")
        return String(
            values.map { value in
                guard value > 0, scale > 0 else { return " " }
                let height = UInt64(UInt128(min(value, scale)) * UInt128(heights.count) / UInt128(scale))
                return heights[Int(max(1, height)) - 1]
            }
        )
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
