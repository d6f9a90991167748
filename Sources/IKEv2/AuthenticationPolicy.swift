package import IKECrypto
import IKEWire
import Primitives

/// Where the pre-shared key of each client comes from.
package enum SharedKeys: Sendable {
    /// HMAC-SHA-256 of the client's identity under a secret, in hexadecimal digits.
    case derived(secret: [UInt8])
    case listed(IdentityList)
}

/// How an end proves who it is, and what it takes for a proof (RFC 7296 section 2.15).
package struct AuthenticationPolicy: Sendable {
    /// Keys of the clients' own.
    package var keys: SharedKeys?
    /// Whether the peer may prove itself by a shared key.
    package var acceptsSharedKey = true
    /// What this end signs with, by the client's number from 1; empty: it proves itself by a shared key.
    package var credentials: [Credential] = []
    /// Whose certificates are believed; nil: no peer may sign.
    package var anchors: TrustAnchors?
    /// How clients show who they are by EAP; nil: they do not.
    package var eap: EAPPolicy?
    /// What this end signs with and what it takes, best first.
    package var schemes = SignatureScheme.standard
    /// The wall time of the moment zero, in seconds since 1970.
    package var epoch: Int64 = 0

    package init() {}

    /// What SIGNATURE_HASH_ALGORITHMS holds, or nil when no end signs.
    var signatureHashes: [UInt8]? {
        guard !credentials.isEmpty || anchors != nil else { return nil }
        let hashes = SignatureHash.allCases.filter { hash in schemes.contains { $0.namesItself && $0.hash == hash } }
        guard !hashes.isEmpty else { return nil }
        return hashes.flatMap { [UInt8($0.rawValue >> 8), UInt8($0.rawValue & 0xFF)] }
    }
}

extension PeerPolicy {
    /// The credential of the end with this number, or nil when it has a shared key.
    func credential(number: UInt32) -> Credential? {
        let credentials = values.authentication.credentials
        return credentials.isEmpty ? nil : credentials[Int(number &- 1) % credentials.count]
    }

    /// The key that is shared with the client of this identity, or nil when there is none.
    func sharedKey(of identification: RawSpan, _ turn: borrowing Turn) -> [UInt8]? {
        values.authentication.keys.key(of: identification, orElse: values.preSharedKey, turn)
    }

    /// The wall time of a moment, in seconds since 1970.
    func wallTime(_ now: Instant) -> Int64 {
        values.authentication.epoch + Int64(now.nanoseconds / 1_000_000_000)
    }
}

extension SharedKeys? {
    /// What is shared with the client of this Identification payload, or nil when nothing is.
    func key(of identification: RawSpan, orElse common: [UInt8], _ turn: borrowing Turn) -> [UInt8]? {
        switch self {
        case .none: return common
        case .listed(let list): return list.key(of: identification)
        case .derived(let secret):
            guard identification.byteCount > 4 else { return nil }
            let data = identification.extracting(4..<identification.byteCount)
            let code = turn.cryptography.hmacSHA256(key: secret.rawSpan, data)
            return Array(Hexadecimal.encode(code.bytes.copied()).utf8)
        }
    }
}
