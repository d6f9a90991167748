import COpenSSL
package import Primitives

/// Why a TLS handshake ended without a connection.
package enum TLSFailure: Hashable, Sendable {
    /// The peer's certificate is not valid yet, or not any more.
    case certificateExpired
    /// The peer's certificate does not have the name that was asked for.
    case certificateName
    /// The peer's certificate does not lead to a trust anchor, or was refused for another reason.
    case certificateUntrusted
    /// The peer ended the handshake by an alert (RFC 8446 section 6).
    case alert(UInt8)
    /// The peer's octets are not TLS, or both ends have nothing in common.
    case handshakeFailed
    /// Memory ran out.
    case libraryFailed
}

/// One TLS connection in memory: octets in, octets out.
///
/// The randomness of each step is passed in and the moment at which certificates are checked is set, so that the same
/// inputs give the same octets.
package struct TLSConnection: ~Copyable {
    package enum Progress: Hashable, Sendable {
        case goesOn
        case finished
        case failed(TLSFailure)
    }

    private let handle: TLSHandle

    /// - Parameter unixTime: When certificates are checked, in seconds since 1970.
    package init(_ configuration: TLSConfiguration, unixTime: Int64) throws(CryptoError) {
        handle = try TLSHandle(configuration, unixTime: unixTime)
    }

    /// Takes a message of the peer, or nothing at the client's beginning, and appends what is to be sent.
    ///
    /// After a failure that may be an alert.
    package mutating func handshake(
        _ input: RawSpan,
        randomness: borrowing SecretBytes,
        into output: inout ByteWriter
    ) -> Progress {
        let connection = unsafe handle.pointer
        let result = Self.seeded(by: randomness) {
            unsafe input.withUnsafeBytes { unsafe cossl_tls_handshake(connection, $0.baseAddress, $0.count) }
        }
        let failure = result < 0 ? failure() : nil
        drain(into: &output)
        if let failure { return .failed(failure) }
        return result == 1 ? .finished : .goesOn
    }

    /// Whether the version is TLS 1.3; known once the handshake has finished.
    package var isTLS13: Bool { unsafe SSL_version(handle.pointer) == TLS1_3_VERSION }

    /// Appends one octet of application data, sealed.
    package mutating func seal(
        _ octet: UInt8,
        randomness: borrowing SecretBytes,
        into output: inout ByteWriter
    ) -> Bool {
        let connection = unsafe handle.pointer
        let written = Self.seeded(by: randomness) {
            unsafe withUnsafeBytes(of: octet) { unsafe SSL_write(connection, $0.baseAddress, 1) }
        }
        drain(into: &output)
        ERR_clear_error()
        return written == 1
    }

    /// What a message holds that came after the handshake.
    package enum Opened: Hashable, Sendable {
        /// Its application data, up to 64 octets; none when it held something else.
        case octets([UInt8])
        case failed(TLSFailure)
    }

    /// Opens a message that came after the handshake.
    package mutating func open(_ input: RawSpan) -> Opened {
        let connection = unsafe handle.pointer
        var opened = [UInt8](repeating: 0, count: 64)
        let count = unsafe opened.withUnsafeMutableBytes { room in
            unsafe input.withUnsafeBytes {
                unsafe cossl_tls_read(connection, $0.baseAddress, $0.count, room.baseAddress, Int32(room.count))
            }
        }
        guard count >= 0 else { return .failed(failure()) }
        opened.removeLast(opened.count - Int(count))
        return .octets(opened)
    }

    /// The first 64 octets of 128 exported ones (RFC 5705, RFC 8446 section 7.5).
    ///
    /// A TLS 1.2 exporter without a context gives other octets than one with an empty context.
    package borrowing func exportKey(label: String, context: [UInt8]?) throws(CryptoError) -> SecretBytes {
        let first = SecretBytes(count: 64)
        let exported = SharedSecret(count: 128)
        let contextOctets = context ?? []
        let target = unsafe exported.mutableBuffer
        let connection = unsafe handle.pointer
        let result = unsafe contextOctets.withUnsafeBufferPointer { contextOctets in
            unsafe SSL_export_keying_material(
                connection,
                target.baseAddress?.assumingMemoryBound(to: UInt8.self),
                target.count,
                label,
                label.utf8.count,
                contextOctets.baseAddress,
                contextOctets.count,
                context == nil ? 0 : 1
            )
        }
        guard result == 1 else { throw .libraryFailed }
        unsafe first.mutableBuffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: target[..<64]))
        return first
    }

    private borrowing func failure() -> TLSFailure {
        let alert = cossl_tls_received_alert()
        if alert >= 0 { return .alert(UInt8(truncatingIfNeeded: alert)) }
        switch unsafe Int32(truncatingIfNeeded: SSL_get_verify_result(handle.pointer)) {
        case X509_V_OK: return .handshakeFailed
        case X509_V_ERR_CERT_HAS_EXPIRED, X509_V_ERR_CERT_NOT_YET_VALID: return .certificateExpired
        case X509_V_ERR_HOSTNAME_MISMATCH: return .certificateName
        default: return .certificateUntrusted
        }
    }

    private borrowing func drain(into output: inout ByteWriter) {
        let connection = unsafe handle.pointer
        let count = unsafe cossl_tls_pending(connection)
        guard count > 0 else { return }
        var octets = [UInt8](repeating: 0, count: count)
        let taken = unsafe octets.withUnsafeMutableBytes { unsafe cossl_tls_take(connection, $0.baseAddress, count) }
        precondition(taken == count, "a memory BIO gives all that it has")
        output.write(octets)
    }

    /// Every random octet that libcrypto draws meanwhile on this thread follows from `randomness`.
    private static func seeded<Result>(by randomness: borrowing SecretBytes, _ body: () -> Result) -> Result {
        precondition(randomness.count == 32, "a step of TLS gets 32 octets of randomness")
        unsafe randomness.bytes.withUnsafeBytes {
            unsafe cossl_begin_seeded_random($0.baseAddress?.assumingMemoryBound(to: UInt8.self))
        }
        defer { cossl_end_seeded_random() }
        return body()
    }
}

/// Owns one `SSL` with its memory BIOs, and nothing else.
@safe
struct TLSHandle: ~Copyable {
    let pointer: OpaquePointer

    init(_ configuration: TLSConfiguration, unixTime: Int64) throws(CryptoError) {
        let context = unsafe configuration.context.pointer
        let isServer: Int32 = configuration.role == .server ? 1 : 0
        let made =
            switch configuration.peerName {
            case .some(let name): unsafe cossl_tls_connection(context, isServer, unixTime, name)
            case .none: unsafe cossl_tls_connection(context, isServer, unixTime, nil)
            }
        guard let pointer = unsafe made else { throw .libraryFailed }
        unsafe self.pointer = pointer
    }

    deinit { unsafe SSL_free(pointer) }
}

// SAFETY: one owner, which uses it on one thread at a time.
extension TLSHandle: @unchecked Sendable {}
