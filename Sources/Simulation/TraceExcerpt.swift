package import Primitives

/// All events of one stretch of a run, to find the first that differs between two runs.
///
/// A `WindowLog` says which stretch; the run is then repeated with an excerpt of it, which costs memory for each event.
package struct TraceExcerpt: Sendable {
    package struct Entry: Hashable, Sendable, BitwiseCopyable {
        package let order: EventOrder
        package let target: UInt32
        package let kind: UInt16
        /// What the target's chain was after the event.
        package let digest: UInt64
    }

    package let range: Range<Instant>
    private var entries: [Entry] = []

    package init(of range: Range<Instant>) {
        self.range = range
    }

    /// Notes an event by the digest that its entity has after it; one outside the stretch is not noted.
    package mutating func record(_ order: EventOrder, target: UInt32, kind: UInt16, _ digest: EntityDigest) {
        guard range.contains(order.time) else { return }
        entries.append(Entry(order: order, target: target, kind: kind, digest: digest.low ^ digest.high))
    }

    /// Adds another part's excerpt of the same run.
    package mutating func merge(_ other: TraceExcerpt) {
        precondition(other.range == range, "excerpts of one run are of one stretch")
        entries += other.entries
    }

    /// The first event at which two runs part: what each has there, nil where it has none; nil where they are the same.
    package func firstDifference(from other: TraceExcerpt) -> (ours: Entry?, theirs: Entry?)? {
        let ours = entries.sorted { $0.order < $1.order }
        let theirs = other.entries.sorted { $0.order < $1.order }
        for (left, right) in zip(ours, theirs) where left != right {
            // The earlier of the two is the one that the other run does not have.
            if left.order == right.order { return (left, right) }
            return left.order < right.order ? (left, nil) : (nil, right)
        }
        if ours.count == theirs.count { return nil }
        return ours.count > theirs.count ? (ours[theirs.count], nil) : (nil, theirs[ours.count])
    }
}
