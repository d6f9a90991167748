/// What a key pair is made from, or its private key: up to 80 octets, kept and wiped like `SecretBytes`.
///
/// P-521 takes 74 of them. A type of its own, since no SA keeps one for longer than an exchange.
package struct EphemeralSecret: ~Copyable, Sendable {
    package static let maximumCount = 80

    private let storage: SecretStorage80

    private let octetCount: UInt8

    /// A secret of zeros.
    package init(count: Int) {
        precondition(count <= Self.maximumCount, "a secret fits its storage")
        self.storage = SecretStorage80()
        self.octetCount = UInt8(count)
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

    /// Another secret with the same octets.
    package borrowing func copy() -> EphemeralSecret { EphemeralSecret(copying: bytes) }

    var mutableBuffer: UnsafeMutableRawBufferPointer { unsafe storage.buffer(count: count) }
}

extension Cryptography {
    /// The random octets that a key pair of a method is made from.
    package borrowing func randomness(
        for method: KeyExchangeMethod,
        from stream: inout KeyMaterialStream
    ) -> EphemeralSecret {
        let secret = EphemeralSecret(count: method.randomByteCount)
        unsafe fill(secret.mutableBuffer, from: &stream)
        return secret
    }
}
