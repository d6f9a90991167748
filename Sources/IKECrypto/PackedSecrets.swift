import COpenSSL
package import Primitives

/// Up to 65,533 octets with keys among them, in a place of their own that is just as large as they are; wiped like
/// `SecretBytes`.
// SAFETY of `@unchecked Sendable`: the octets have this one owner, and nobody changes them.
@safe
package struct PackedSecrets: ~Copyable, @unchecked Sendable {
    /// Two octets that say how many there are with them, and these.
    private let octets: UnsafeMutableRawPointer

    private static var headByteCount: Int { 2 }

    /// Takes what a writer has; nothing stays there.
    package init(moving writer: inout ByteWriter) {
        let count = writer.count + Self.headByteCount
        precondition(count <= UInt16.max, "what is packed has 16 bits for its length")
        let place = UnsafeMutableRawPointer.allocate(byteCount: count, alignment: 1)
        unsafe place.storeBytes(of: UInt16(count), as: UInt16.self)
        writer.withMutableBytes { bytes in
            unsafe bytes.withUnsafeMutableBytes { source in
                guard let start = source.baseAddress else { return }
                unsafe (place + Self.headByteCount).copyMemory(from: start, byteCount: source.count)
                unsafe cossl_wipe(start, source.count)
            }
        }
        writer.removeAll()
        unsafe octets = place
    }

    deinit {
        unsafe cossl_wipe(octets, count)
        unsafe octets.deallocate()
    }

    // SAFETY: the first two octets are there from `init` on.
    private var count: Int { Int(unsafe octets.loadUnaligned(as: UInt16.self)) }

    package var bytes: RawSpan {
        @_lifetime(borrow self)
        get {
            // SAFETY: the octets are initialized, and belong to this value as long as it lives.
            let start = unsafe UnsafeRawPointer(octets) + Self.headByteCount
            let span = unsafe RawSpan(_unsafeStart: start, byteCount: count - Self.headByteCount)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }
}
