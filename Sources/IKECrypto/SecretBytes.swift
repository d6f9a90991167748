import COpenSSL

/// Up to 64 octets of key material that live inline in their owner.
///
/// They are wiped where they lie when their owner lets go of them, compared in constant time, copied only by name, and
/// have no description. A move leaves the old place as it was: state that is moved often ends in a place of its own.
///
/// In a `switch` on a noncopyable value, hand a bound secret to a function before you ask for its `bytes`: this
/// compiler crashes on `case .one(let secret): use(secret.bytes)`.
package struct SecretBytes: ~Copyable, Sendable {
    package static let maximumCount = 64

    private let storage: SecretStorage64

    private let octetCount: UInt8

    /// A secret of zeros.
    package init(count: Int = 0) {
        precondition(count <= Self.maximumCount, "a secret fits its storage")
        self.storage = SecretStorage64()
        self.octetCount = UInt8(count)
    }

    package init(copying bytes: RawSpan) {
        self.init(count: bytes.byteCount)
        storage.fill(from: bytes)
    }

    package var count: Int { Int(octetCount) }

    package var isEmpty: Bool { octetCount == 0 }

    package var bytes: RawSpan {
        @_lifetime(borrow self)
        get { storage.bytes(count: count) }
    }

    /// Another secret with the same octets.
    package borrowing func copy() -> SecretBytes { SecretBytes(copying: bytes) }

    /// Whether both hold the same octets, in a time that depends on their count alone.
    package borrowing func isEqual(to other: borrowing SecretBytes) -> Bool { constantTimeEquals(bytes, other.bytes) }

    package borrowing func isEqual(to other: RawSpan) -> Bool { constantTimeEquals(bytes, other) }

    var mutableBuffer: UnsafeMutableRawBufferPointer { unsafe storage.buffer(count: count) }
}

/// What both ends of a key exchange computed, up to 512 octets; kept and wiped like `SecretBytes`.
package struct SharedSecret: ~Copyable, Sendable {
    package static let maximumCount = 512

    private let storage: SecretStorage512

    private let octetCount: UInt16

    package init(count: Int) {
        precondition(count <= Self.maximumCount, "a shared secret fits its storage")
        self.storage = SecretStorage512()
        self.octetCount = UInt16(count)
    }

    package init(copying bytes: RawSpan) {
        self.init(count: bytes.byteCount)
        storage.fill(from: bytes)
    }

    package var count: Int { Int(octetCount) }

    package var bytes: RawSpan {
        @_lifetime(borrow self)
        get { storage.bytes(count: count) }
    }

    package borrowing func isEqual(to other: borrowing SharedSecret) -> Bool { constantTimeEquals(bytes, other.bytes) }

    var mutableBuffer: UnsafeMutableRawBufferPointer { unsafe storage.buffer(count: count) }
}

/// Whether both hold the same octets, in a time that depends on their count alone.
package func constantTimeEquals(_ one: RawSpan, _ other: RawSpan) -> Bool {
    guard one.byteCount == other.byteCount else { return false }
    guard one.byteCount > 0 else { return true }
    return unsafe one.withUnsafeBytes { left in
        unsafe other.withUnsafeBytes { right in
            unsafe cossl_equal(left.baseAddress, right.baseAddress, left.count) == 1
        }
    }
}
