import COpenSSL

/// Secrets one after the other, as the additional key exchanges of an SA make them; wiped like `SecretBytes`.
// SAFETY of `@unchecked Sendable`: the octets have this one owner, and a place of their own.
@safe
package struct JoinedSecrets: ~Copyable, @unchecked Sendable {
    private var octets: UnsafeMutableRawBufferPointer

    package init() { unsafe octets = UnsafeMutableRawBufferPointer(start: nil, count: 0) }

    package init(joining one: RawSpan, _ other: RawSpan) {
        self.init()
        append(one)
        append(other)
    }

    deinit { unsafe Self.free(octets) }

    package mutating func append(_ secret: RawSpan) {
        let count = unsafe octets.count
        let joined = UnsafeMutableRawBufferPointer.allocate(byteCount: count + secret.byteCount, alignment: 1)
        unsafe joined.copyMemory(from: UnsafeRawBufferPointer(octets))
        unsafe secret.withUnsafeBytes {
            unsafe UnsafeMutableRawBufferPointer(rebasing: joined[count...]).copyMemory(from: $0)
        }
        unsafe Self.free(octets)
        unsafe octets = joined
    }

    package var bytes: RawSpan {
        @_lifetime(borrow self)
        get {
            let span = unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(octets))
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    private static func free(_ octets: UnsafeMutableRawBufferPointer) {
        guard let address = octets.baseAddress else { return }
        unsafe cossl_wipe(address, octets.count)
        unsafe octets.deallocate()
    }
}
