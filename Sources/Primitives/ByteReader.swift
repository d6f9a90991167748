/// Reads borrowed bytes forward, in network byte order.
///
/// Nothing is copied and nothing is allocated; what is read lives as long as the bytes do.
public struct ByteReader: ~Escapable, BitwiseCopyable {
    @usableFromInline let bytes: RawSpan

    @usableFromInline var position: Int

    /// How many octets have been read.
    @inlinable
    public var offset: Int { position }

    @inlinable @_lifetime(copy bytes)
    public init(_ bytes: RawSpan) {
        self.bytes = bytes
        self.position = 0
    }

    /// How many octets are left.
    @inlinable
    public var remaining: Int { bytes.byteCount - position }

    @inlinable
    public var isAtEnd: Bool { position == bytes.byteCount }

    /// The next unsigned or signed integer, most significant octet first.
    @inlinable @_lifetime(self: copy self)
    public mutating func readInteger<Integer: FixedWidthInteger & BitwiseCopyable>(
        as type: Integer.Type = Integer.self
    ) throws(DecodeError) -> Integer {
        let byteCount = MemoryLayout<Integer>.size
        try require(byteCount)
        // SAFETY: the octets are in bounds, and every bit pattern is an integer.
        let value = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: position, as: Integer.self)
        position += byteCount
        return Integer(bigEndian: value)
    }

    /// The next octets, borrowed.
    @inlinable @_lifetime(copy self) @_lifetime(self: copy self)
    public mutating func read(_ byteCount: Int) throws(DecodeError) -> RawSpan {
        try require(byteCount)
        let start = position
        position += byteCount
        return bytes.extracting(start..<position)
    }

    /// Everything that is left, borrowed.
    @inlinable @_lifetime(copy self) @_lifetime(self: copy self)
    public mutating func readRest() -> RawSpan {
        let start = position
        position = bytes.byteCount
        return bytes.extracting(start..<position)
    }

    /// Passes octets whose value does not matter.
    @inlinable @_lifetime(self: copy self)
    public mutating func skip(_ byteCount: Int) throws(DecodeError) {
        try require(byteCount)
        position += byteCount
    }

    /// Refuses octets behind the end of what was decoded.
    @inlinable
    public func expectEnd() throws(DecodeError) {
        guard isAtEnd else { throw .malformed(.trailingBytes) }
    }

    @inlinable
    func require(_ byteCount: Int) throws(DecodeError) {
        guard byteCount >= 0, byteCount <= remaining else {
            throw .truncated(needed: byteCount, available: remaining)
        }
    }
}

extension RawSpan {
    /// The bytes, copied so that they outlive their datagram.
    @inlinable
    public func copied() -> [UInt8] {
        guard !isEmpty else { return [] }
        return unsafe withUnsafeBytes { unsafe [UInt8]($0) }
    }

    /// Whether both hold the same octets; not for secrets, since it stops at the first difference.
    @inlinable
    public func elementsEqual(_ other: RawSpan) -> Bool {
        guard byteCount == other.byteCount else { return false }
        var index = 0
        while index + 8 <= byteCount {
            // SAFETY: eight octets from `index` on are in both, and any octets are an integer.
            let ours = unsafe unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
            let theirs = unsafe other.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
            if ours != theirs { return false }
            index += 8
        }
        while index < byteCount {
            if self[index] != other[index] { return false }
            index += 1
        }
        return true
    }

    /// The octet at an index.
    @inlinable
    public subscript(_ index: Int) -> UInt8 {
        precondition(index >= 0 && index < byteCount, "an index is within the bytes")
        // SAFETY: just checked; every bit pattern is an octet.
        return unsafe unsafeLoad(fromUncheckedByteOffset: index, as: UInt8.self)
    }
}

extension [UInt8] {
    /// The octets, borrowed.
    @inlinable
    public var rawSpan: RawSpan {
        // SAFETY: an octet has no padding, so that its bytes are initialized.
        @_lifetime(borrow self)
        get { unsafe span.bytes }
    }
}
