public import Primitives

/// What happened in each stretch of virtual time, in one word: with two runs' logs the first difference is found.
///
/// The stretches are of the log's own length and not the synchronization's windows, and the words are sums over
/// entities, so that neither window lengths nor the partition shows. Each part of a run keeps a log of its own.
@usableFromInline
package struct WindowLog: Equatable, Sendable {
    package let length: Duration
    @usableFromInline package private(set) var sums: [UInt64] = []
    /// The stretch that was recorded into last, and its bounds: most events are in the same one as the event before.
    private var window = 0
    private var start: UInt64 = 0

    package init(length: Duration) {
        precondition(length > .zero, "a stretch of time is longer than nothing")
        self.length = length
    }

    /// A log as it was kept in a file.
    package init(length: Duration, sums: [UInt64]) {
        self.init(length: length)
        self.sums = sums
    }

    /// Logs are alike in what they hold, wherever an event was recorded last.
    @usableFromInline
    package static func == (left: WindowLog, right: WindowLog) -> Bool {
        left.length == right.length && left.sums == right.sums
    }

    /// Adds an event by the digest that its entity has after it.
    @usableFromInline
    package mutating func record(at time: Instant, entity: UInt32, _ digest: EntityDigest) {
        if time.nanoseconds &- start >= UInt64(length.nanoseconds) {
            window = Int(time.nanoseconds / UInt64(length.nanoseconds))
            start = UInt64(window) * UInt64(length.nanoseconds)
        }
        while sums.count <= window { sums.append(0) }
        var hash = digest.low ^ digest.high &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(entity) &* 0xD6E8_FEB8_6659_FD93
        hash = (hash ^ hash >> 32) &* 0xD6E8_FEB8_6659_FD93
        sums[window] &+= hash ^ hash >> 29
    }

    /// Adds another part's log of the same run.
    package mutating func merge(_ other: WindowLog) {
        precondition(other.length == length, "logs of one run have one length")
        while sums.count < other.sums.count { sums.append(0) }
        for window in other.sums.indices { sums[window] &+= other.sums[window] }
    }

    /// The first stretch in which two runs differ, or nil where they are the same.
    package func firstDifference(from other: WindowLog) -> Range<Instant>? {
        precondition(other.length == length, "logs are compared at one length")
        let count = max(sums.count, other.sums.count)
        for window in 0..<count {
            let ours = window < sums.count ? sums[window] : 0
            let theirs = window < other.sums.count ? other.sums[window] : 0
            if ours != theirs {
                let start = Instant.zero + length * Int64(window)
                return start..<(start + length)
            }
        }
        return nil
    }
}
