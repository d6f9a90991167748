/// Appends bytes in network byte order to a buffer that is reused.
///
/// While the buffer's capacity suffices, nothing is allocated.
public struct ByteWriter: ~Copyable, Sendable {
    @usableFromInline var storage: [UInt8]

    @inlinable
    public init(capacity: Int = 0) {
        storage = []
        if capacity > 0 { storage.reserveCapacity(capacity) }
    }

    /// What has been written.
    @inlinable
    public var bytes: [UInt8] { storage }

    @inlinable
    public var count: Int { storage.count }

    /// What has been written, borrowed.
    @inlinable
    public var span: RawSpan {
        @_lifetime(borrow self)
        // SAFETY: an octet has no padding, so that its bytes are initialized.
        get { unsafe storage.span.bytes }
    }

    /// What has been written, to be changed in place.
    @inlinable
    public var mutableSpan: MutableSpan<UInt8> {
        @_lifetime(&self)
        mutating get { storage.mutableSpan }
    }

    /// Lends what has been written as raw bytes, to be changed in place.
    @inlinable
    public mutating func withMutableBytes<Result, Failure: Error>(
        _ body: (inout MutableRawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        var octets = storage.mutableSpan
        // SAFETY: an octet has no padding, and every bit pattern is one.
        var bytes = unsafe octets.mutableBytes
        return try body(&bytes)
    }

    /// Appends an integer, most significant octet first.
    @inlinable
    public mutating func writeInteger<Integer: FixedWidthInteger & BitwiseCopyable>(_ value: Integer) {
        unsafe withUnsafeBytes(of: value.bigEndian) { unsafe storage.append(contentsOf: $0) }
    }

    @inlinable
    public mutating func write(_ span: RawSpan) {
        unsafe span.withUnsafeBytes { unsafe storage.append(contentsOf: $0) }
    }

    @inlinable
    public mutating func write(_ other: [UInt8]) {
        storage.append(contentsOf: other)
    }

    /// Appends the octets of a text as UTF-8.
    @inlinable
    public mutating func write(utf8 text: String) {
        storage.append(contentsOf: text.utf8)
    }

    /// Appends room that is filled in later.
    @inlinable
    public mutating func appendZeros(_ byteCount: Int) {
        storage.append(contentsOf: repeatElement(0, count: byteCount))
    }

    /// Overwrites what stands at an offset, such as a length that was not known before.
    @inlinable
    public mutating func patch<Integer: FixedWidthInteger & BitwiseCopyable>(_ value: Integer, at offset: Int) {
        let byteCount = MemoryLayout<Integer>.size
        precondition(offset >= 0 && offset + byteCount <= storage.count, "only what was written is patched")
        // SAFETY: in bounds, as just checked.
        unsafe storage.withUnsafeMutableBytes { buffer in
            unsafe buffer.storeBytes(of: value.bigEndian, toByteOffset: offset, as: Integer.self)
        }
    }

    /// Forgets what was written from an offset on, and keeps the capacity.
    @inlinable
    public mutating func truncate(to byteCount: Int) {
        storage.removeSubrange(byteCount...)
    }

    @inlinable
    public mutating func removeAll() {
        storage.removeAll(keepingCapacity: true)
    }

    /// Gives the buffer away.
    @inlinable
    public consuming func take() -> [UInt8] {
        storage
    }
}
