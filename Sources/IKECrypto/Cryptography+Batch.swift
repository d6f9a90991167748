extension Cryptography {
    /// Does what several state machines have asked for, all at once; each result has its request's place.
    ///
    /// The requests are taken. The results are those of one request at a time, whatever else is in the batch.
    package borrowing func perform(
        _ requests: inout MutableSpan<KeyExchangeRequest?>,
        into results: inout MutableSpan<KeyExchangeResult?>
    ) {
        precondition(requests.count == results.count, "each request has a place for its result")
        for place in 0..<requests.count {
            guard let request = requests[place].take() else { continue }
            results[place] = perform(request)
        }
    }
}
