package import Primitives

/// A link's rate and the tail-drop queue in front of it.
package struct Bandwidth: Hashable, Sendable, BitwiseCopyable {
    package let bitsPerSecond: UInt64
    package let queueByteCount: Int
    /// How long the queue's last byte waits when the queue is full.
    private let longestWait: Duration

    package init(bitsPerSecond: UInt64, queueByteCount: Int) {
        precondition(bitsPerSecond > 0 && queueByteCount >= 0, "a link has a rate, and a queue has a size")
        self.bitsPerSecond = bitsPerSecond
        self.queueByteCount = queueByteCount
        longestWait = Self.time(of: queueByteCount, at: bitsPerSecond)
    }

    /// How long the link takes to send this many bytes, rounded up.
    package func time(of byteCount: Int) -> Duration { Self.time(of: byteCount, at: bitsPerSecond) }

    private static func time(of byteCount: Int, at bitsPerSecond: UInt64) -> Duration {
        let (bits, rest) = (UInt64(byteCount) * 8).multipliedFullWidth(by: 1_000_000_000)
        guard bits < bitsPerSecond else { return DurationDistribution.longest }
        let (quotient, remainder) = bitsPerSecond.dividingFullWidth((bits, rest))
        let nanoseconds = min(quotient, UInt64(DurationDistribution.longest.nanoseconds))
        return Duration(nanoseconds: Int64(nanoseconds) + (remainder > 0 ? 1 : 0))
    }

    /// The sending end of a link, private to a flow or shared by many.
    package struct Transmitter: Hashable, Sendable, BitwiseCopyable {
        /// When the last byte that was accepted has left.
        package private(set) var freeAt = Instant.zero

        package init() {}

        /// Accepts a packet and says when its last byte has left, or nil where the queue has no room for it.
        ///
        /// An idle link takes any packet. Packets come in the order of `now`.
        package mutating func send(byteCount: Int, at now: Instant, over bandwidth: Bandwidth) -> Instant? {
            let time = bandwidth.time(of: byteCount)
            if freeAt > now {
                guard freeAt - now + time <= bandwidth.longestWait else { return nil }
                freeAt += time
            } else {
                freeAt = now + time
            }
            return freeAt
        }
    }
}
