extension Cryptography {
    /// Does what several state machines have asked for, all at once; each result has its request's place.
    ///
    /// The requests are taken. The results are those of one request at a time, whatever else is in the batch.
    ///
    /// - Returns: what was computed in lanes.
    @discardableResult
    package borrowing func perform(
        _ requests: inout MutableSpan<KeyExchangeRequest?>,
        into results: inout MutableSpan<KeyExchangeResult?>
    ) -> LaneCounts {
        precondition(requests.count == results.count, "each request has a place for its result")
        if batchLibrary == .cryptoMB, backend == .openSSL, requests.count > 1 {
            return performInLanes(&requests, into: &results)
        }
        for place in 0..<requests.count {
            guard let request = requests[place].take() else { continue }
            results[place] = perform(request)
        }
        return LaneCounts()
    }
}

/// How often operations were computed in lanes side by side, and how many in all.
package struct LaneCounts: Hashable, Sendable, BitwiseCopyable {
    package private(set) var calls = 0
    package private(set) var operations = 0

    package static let laneCount = LaneOperation.laneCount

    package init() {}

    mutating func addCall(of count: Int) {
        calls += 1
        operations += count
    }

    package mutating func add(_ other: LaneCounts) {
        calls += other.calls
        operations += other.operations
    }
}
