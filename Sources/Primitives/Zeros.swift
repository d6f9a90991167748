extension [UInt8] {
    /// So many zeros.
    ///
    /// What `init(repeating:count:)` is compiled to looks its storage's type up each time, which takes ten times as
    /// long as a short array's memory.
    public init(zeros count: Int) {
        self = []
        reserveCapacity(count)
        unsafe withUnsafeTemporaryAllocation(byteCount: count, alignment: 1) { zeros in
            unsafe zeros.initializeMemory(as: UInt8.self, repeating: 0)
            unsafe append(contentsOf: zeros)
        }
    }
}
