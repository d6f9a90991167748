/// Appends bytes in network byte order to a buffer that is reused.
///
/// While the buffer's capacity suffices, nothing is allocated. The buffer is the writer's own memory, since an array
/// would ask at each store whether somebody else holds it. An empty writer has none.
@safe
public struct ByteWriter: ~Copyable {
    @usableFromInline var base: UnsafeMutableRawPointer?
    @usableFromInline var capacity: Int
    @usableFromInline var used = 0

    /// How many octets have been written.
    @inlinable
    public var count: Int { used }

    @inlinable
    public init(capacity: Int = 0) {
        unsafe base = capacity > 0 ? .allocate(byteCount: capacity, alignment: 16) : nil
        self.capacity = capacity
    }

    @inlinable
    deinit { unsafe base?.deallocate() }

    /// What has been written, copied.
    @inlinable
    public var bytes: [UInt8] { span.copied() }

    /// What has been written, borrowed.
    @inlinable
    public var span: RawSpan {
        @_lifetime(borrow self)
        get {
            // SAFETY: the octets are initialized, and belong to the writer as long as it lives.
            let buffer = unsafe UnsafeRawBufferPointer(start: base, count: used)
            return unsafe _overrideLifetime(buffer.bytes, borrowing: self)
        }
    }

    /// Lends what has been written, to be changed in place.
    @inlinable
    public mutating func withMutableBytes<Result, Failure: Error>(
        _ body: (inout MutableRawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // SAFETY: the octets are initialized, nobody else can reach them, and they do not move meanwhile.
        var written = unsafe UnsafeMutableRawBufferPointer(start: base, count: used).mutableBytes
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
        guard let base = unsafe base else { return }
        // SAFETY: the buffer has just been made long enough, and nobody else can hold it.
        unsafe span.withUnsafeBytes { source in
            guard let octets = source.baseAddress else { return }
            unsafe (base + start).copyMemory(from: octets, byteCount: source.count)
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
        guard byteCount > 0, let base = unsafe base else { return }
        // SAFETY: the buffer has just been made long enough.
        unsafe (base + start).initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    }

    /// Overwrites what stands at an offset, such as a length that was not known before.
    @inlinable
    public mutating func patch<Integer: FixedWidthInteger & BitwiseCopyable>(_ value: Integer, at offset: Int) {
        precondition(offset >= 0 && offset + MemoryLayout<Integer>.size <= used, "only what was written is patched")
        store(value, at: offset)
    }

    /// Overwrites what stands at an offset with as many octets.
    @inlinable
    public mutating func patch(_ span: RawSpan, at offset: Int) {
        precondition(offset >= 0 && offset + span.byteCount <= used, "only what was written is patched")
        guard let base = unsafe base else { return }
        // SAFETY: the octets are in the buffer, and nobody else can hold it.
        unsafe span.withUnsafeBytes { source in
            guard let octets = source.baseAddress else { return }
            unsafe (base + offset).copyMemory(from: octets, byteCount: source.count)
        }
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

    /// Makes room and gives the offset where it starts.
    @inlinable
    mutating func extend(by byteCount: Int) -> Int {
        precondition(byteCount >= 0, "what is written has a length")
        let start = used
        let end = start + byteCount
        if end > capacity { grow(to: end) }
        used = end
        return start
    }

    /// Moves to a buffer of at least twice the size.
    @usableFromInline
    mutating func grow(to needed: Int) {
        let larger = max(needed, 2 * capacity, Self.smallestByteCount)
        let fresh = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
        if let base = unsafe base {
            // SAFETY: both buffers hold what is used, and the old one is given up.
            unsafe fresh.copyMemory(from: base, byteCount: used)
            unsafe base.deallocate()
        }
        unsafe base = fresh
        capacity = larger
    }

    @usableFromInline static var smallestByteCount: Int { 64 }

    @inlinable
    mutating func store<Integer: FixedWidthInteger & BitwiseCopyable>(_ value: Integer, at offset: Int) {
        guard let base = unsafe base else { return }
        // SAFETY: the callers have checked that the octets are in the buffer.
        unsafe base.storeBytes(of: value.bigEndian, toByteOffset: offset, as: Integer.self)
    }
}

// The buffer is the writer's alone, as an array's would be.
extension ByteWriter: @unchecked Sendable {}
