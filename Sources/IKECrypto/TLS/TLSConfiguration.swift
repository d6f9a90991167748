import COpenSSL

/// Which end of a TLS connection one is.
package enum TLSRole: Hashable, Sendable { case client, server }

/// The versions of TLS that EAP-TLS is defined for (RFC 5216, RFC 9190).
package enum TLSVersion: Comparable, Sendable { case tls12, tls13 }

/// What is wrong with the files that TLS is configured by.
package enum TLSConfigurationError: Error, Hashable, Sendable {
    case unreadableCertificate
    /// The key is unreadable, or is not the certificate's.
    case unreadableKey
    case unreadableTrustAnchor
    case libraryFailed
}

/// Certificates, key and trust anchors of one end, read once for all its connections.
///
/// Both ends authenticate by certificate, sessions are not resumed, and nothing that is seen on the wire comes from the
/// machine's own configuration of OpenSSL.
@safe
package final class TLSConfiguration: Sendable {
    package let role: TLSRole

    /// The DNS name that the peer's certificate must have; nil for any.
    package let peerName: String?

    let context: TLSContext

    /// - Parameters:
    ///   - chain: PEM of one's own certificate and of those between it and the trust anchor.
    ///   - trustAnchors: PEM of the certificates that the peer's chain may end in.
    package init(
        role: TLSRole,
        chain: [UInt8],
        key: [UInt8],
        trustAnchors: [UInt8],
        peerName: String? = nil,
        versions: ClosedRange<TLSVersion> = .tls12...(.tls13)
    ) throws(TLSConfigurationError) {
        let context = try TLSContext(role: role, versions: versions)
        let pointer = unsafe context.pointer
        guard unsafe chain.withUnsafeBytes({ unsafe cossl_tls_use_chain(pointer, $0.baseAddress, $0.count) }) == 1
        else { throw .unreadableCertificate }
        guard unsafe key.withUnsafeBytes({ unsafe cossl_tls_use_key(pointer, $0.baseAddress, $0.count) }) == 1
        else { throw .unreadableKey }
        guard unsafe trustAnchors.withUnsafeBytes({ unsafe cossl_tls_trust(pointer, $0.baseAddress, $0.count) }) == 1
        else { throw .unreadableTrustAnchor }
        self.role = role
        self.peerName = peerName
        self.context = context
    }
}

/// Owns one `SSL_CTX`, and nothing else.
@safe
struct TLSContext: ~Copyable {
    let pointer: OpaquePointer

    init(role: TLSRole, versions: ClosedRange<TLSVersion>) throws(TLSConfigurationError) {
        let lowest = versions.lowerBound == .tls12 ? TLS1_2_VERSION : TLS1_3_VERSION
        let highest = versions.upperBound == .tls12 ? TLS1_2_VERSION : TLS1_3_VERSION
        guard let pointer = unsafe cossl_tls_context(role == .server ? 1 : 0, lowest, highest) else {
            throw .libraryFailed
        }
        unsafe self.pointer = pointer
    }

    deinit { unsafe SSL_CTX_free(pointer) }
}

// SAFETY: libssl counts references to a context atomically, and nothing in it is changed once connections are made.
extension TLSContext: @unchecked Sendable {}
