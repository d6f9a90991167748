extension SecretBytes {
    /// Two pieces one after the other, with zeros behind them up to `count` octets.
    package init(_ first: RawSpan, _ second: RawSpan = RawSpan(), paddedTo count: Int) {
        precondition(first.byteCount + second.byteCount <= count, "the pieces fit the secret")
        self.init(count: count)
        unsafe first.withUnsafeBytes { unsafe mutableBuffer.copyMemory(from: $0) }
        let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: mutableBuffer[first.byteCount...])
        unsafe second.withUnsafeBytes { unsafe rest.copyMemory(from: $0) }
    }
}

extension SHA1Digest {
    /// The first octets as a key.
    package func key(count: Int) -> SecretBytes {
        precondition(count <= Self.byteCount, "a digest is as long as the key")
        let key = SecretBytes(count: count)
        unsafe withUnsafeBytes(of: self) {
            unsafe key.mutableBuffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<count]))
        }
        return key
    }
}
