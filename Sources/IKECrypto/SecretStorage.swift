import COpenSSL

// The storage has raw layout: such a type is always used at its address, so that `deinit` wipes the very octets that
// were used. With stored properties the compiler wipes a copy of them (a test shows it). They are three types and not
// one that is generic over its size, which the compiler takes and does not specialize: each move and each end of a
// secret would go through its metadata.
//
// SAFETY of `@unchecked Sendable`: octets without an owner elsewhere, changed only before the secret is handed out.

@_rawLayout(size: 64, alignment: 1)
struct SecretStorage64: SecretStorage, ~Copyable, @unchecked Sendable {
    init() { clear() }

    deinit { wipe() }
}

@_rawLayout(size: 80, alignment: 1)
struct SecretStorage80: SecretStorage, ~Copyable, @unchecked Sendable {
    init() { clear() }

    deinit { wipe() }
}

@_rawLayout(size: 512, alignment: 1)
struct SecretStorage512: SecretStorage, ~Copyable, @unchecked Sendable {
    init() { clear() }

    deinit { wipe() }
}

/// Octets of raw layout, which the conforming type clears when it begins and wipes when it ends.
protocol SecretStorage: ~Copyable {}

extension SecretStorage where Self: ~Copyable {
    /// The first octets, to be filled in.
    ///
    /// SAFETY: raw layout gives the storage an address of its own for as long as it lives.
    func buffer(count: Int) -> UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(start: start, count: count)
    }

    @_lifetime(borrow self)
    func bytes(count: Int) -> RawSpan {
        let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(start), byteCount: count)
        return unsafe _overrideLifetime(span, borrowing: self)
    }

    func fill(from bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { unsafe buffer(count: bytes.byteCount).copyMemory(from: $0) }
    }

    fileprivate func clear() {
        unsafe start.initializeMemory(as: UInt8.self, repeating: 0, count: MemoryLayout<Self>.size)
    }

    fileprivate func wipe() { unsafe cossl_wipe(start, MemoryLayout<Self>.size) }

    private var start: UnsafeMutableRawPointer {
        unsafe withUnsafePointer(to: self) { unsafe UnsafeMutableRawPointer(mutating: $0) }
    }
}
