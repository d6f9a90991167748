/// Appends bytes in network byte order to a buffer that is reused.
///
/// While the buffer's capacity suffices, nothing is allocated. The buffer's array is kept at its full size, since
/// storing into one is several times cheaper than appending to it.
public struct ByteWriter: ~Copyable, Sendable {
    @usableFromInline var storage: [UInt8]
    @usableFromInline var used = 0

    /// How many octets have been written.
    @inlinable
    public var count: Int { used }

    @inlinable
    public init(capacity: Int = 0) {
        storage = [UInt8](repeating: 0, count: capacity)
    }

    /// What has been written, copied.
    @inlinable
    public var bytes: [UInt8] { span.copied() }

    /// What has been written, borrowed.
    @inlinable
    public var span: RawSpan {
        @_lifetime(borrow self)
        // SAFETY: an octet has no padding, so that its bytes are initialized.
        get { unsafe storage.span.bytes.extracting(0..<used) }
    }

    /// Lends what has been written, to be changed in place.
    @inlinable
    public mutating func withMutableBytes<Result, Failure: Error>(
        _ body: (inout MutableRawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let byteCount = used
        var octets = storage.mutableSpan
        // SAFETY: an octet has no padding, and every bit pattern is one.
        var bytes = unsafe octets.mutableBytes
        var written = bytes._mutatingExtracting(0..<byteCount)
        return try body(&written)
    }

    /// Appends an integer, most significant octet first.
    @inlinable
    public mutating func writeInteger<Integer: FixedWidthInteger & BitwiseCopyable>(_ value: Integer) {
        let start = extend(by: MemoryLayout<Integer>.size)
        store(value, at: start)
    }

    @inlinable
    public mutating func write(_ span: RawSpan) {
        let start = extend(by: span.byteCount)
        // SAFETY: the buffer has just been made long enough, and nobody else can hold it.
        unsafe span.withUnsafeBytes { source in
            unsafe storage.withUnsafeMutableBytes { buffer in
                unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[start...]).copyMemory(from: source)
            }
        }
    }

    @inlinable
    public mutating func write(_ other: [UInt8]) { write(other.rawSpan) }

    /// Appends the octets of a text as UTF-8.
    @inlinable
    public mutating func write(utf8 text: String) { write(Array(text.utf8)) }

    /// Appends room that is filled in later.
    @inlinable
    public mutating func appendZeros(_ byteCount: Int) {
        let start = extend(by: byteCount)
        let end = used
        for index in start..<end { storage[index] = 0 }
    }

    /// Overwrites what stands at an offset, such as a length that was not known before.
    @inlinable
    public mutating func patch<Integer: FixedWidthInteger & BitwiseCopyable>(_ value: Integer, at offset: Int) {
        precondition(offset >= 0 && offset + MemoryLayout<Integer>.size <= used, "only what was written is patched")
        store(value, at: offset)
    }

    /// Forgets what was written from an offset on, and keeps the capacity.
    @inlinable
    public mutating func truncate(to byteCount: Int) {
        precondition(byteCount >= 0 && byteCount <= used, "only what was written is forgotten")
        used = byteCount
    }

    /// Forgets everything, and keeps the capacity.
    @inlinable
    public mutating func removeAll() { used = 0 }

    /// Gives the buffer away.
    @inlinable
    public consuming func take() -> [UInt8] {
        storage.removeLast(storage.count - used)
        return storage
    }

    /// Makes room and gives the offset where it starts.
    @inlinable
    mutating func extend(by byteCount: Int) -> Int {
        precondition(byteCount >= 0, "what is written has a length")
        let start = used
        used += byteCount
        if used > storage.count { grow() }
        return start
    }

    /// Doubles the buffer until what is used fits.
    ///
    /// What stands behind the used octets is never read; doubling it by itself copies it in one go.
    @usableFromInline
    mutating func grow() {
        if storage.isEmpty { storage = [UInt8](repeating: 0, count: Self.smallestByteCount) }
        while storage.count < used { storage += storage }
    }

    @usableFromInline static var smallestByteCount: Int { 64 }

    @inlinable
    mutating func store<Integer: FixedWidthInteger & BitwiseCopyable>(_ value: Integer, at offset: Int) {
        // SAFETY: the callers have checked that the octets are in the buffer.
        unsafe storage.withUnsafeMutableBytes { buffer in
            unsafe buffer.storeBytes(of: value.bigEndian, toByteOffset: offset, as: Integer.self)
        }
    }
}
