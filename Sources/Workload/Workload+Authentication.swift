extension Workload {
    /// How an end proves who it is, and what it takes for a proof of the other end's.
    ///
    /// It proves itself by its certificate where it has one, or else by the shared key; it takes a shared key for a
    /// proof where it has one, and certificates where it believes an authority.
    package struct Authentication: Hashable, Sendable {
        package var sharedKey: SharedKey?
        package var credentials: CredentialFile?
        package var authorities: AuthorityFile?
        /// What it signs with and what it takes, best first.
        package var signatures: [SignatureName]
        /// How clients show who they are, where it is by EAP.
        package var eap: EAP?

        package init(
            sharedKey: SharedKey?,
            credentials: CredentialFile? = nil,
            authorities: AuthorityFile? = nil,
            signatures: [SignatureName] = SignatureName.standard
        ) {
            self.sharedKey = sharedKey
            self.credentials = credentials
            self.authorities = authorities
            self.signatures = signatures
        }

        /// Whether either end signs.
        package var signs: Bool { credentials != nil || authorities != nil }

        package static func psk(_ key: String) -> Authentication { Authentication(sharedKey: .one(key)) }
    }

    /// The pre-shared keys of clients.
    package enum SharedKey: Hashable, Sendable {
        case one(String)
        /// HMAC-SHA-256 of the client's identity under a secret, in hexadecimal digits.
        case derived(secret: String)
        case listed(IdentityFile)
    }

    /// Private keys, each with its certificate and those that lead from it to an authority.
    package struct CredentialFile: Hashable, Sendable {
        /// One end's: DER.
        package struct Credential: Hashable, Sendable {
            package var privateKey: [UInt8]
            /// Its own first.
            package var certificates: [[UInt8]]
        }

        package var path: String
        /// One for each client in turn.
        package var credentials: [Credential]
    }

    /// Certificates of authorities: DER.
    package struct AuthorityFile: Hashable, Sendable {
        package var path: String
        package var certificates: [[UInt8]]
    }

    /// Identities one by one, each with a key or without.
    package struct IdentityFile: Hashable, Sendable {
        package struct Entry: Hashable, Sendable {
            package var identity: String
            package var key: String?
        }

        package var path: String
        package var entries: [Entry]
    }

    /// A way to sign, as workloads name it.
    package enum SignatureName: String, CaseIterable, Hashable, Sendable {
        case ed25519
        case ecdsaSHA256 = "ecdsa-sha256"
        case ecdsaSHA384 = "ecdsa-sha384"
        case ecdsaSHA512 = "ecdsa-sha512"
        case rsaPSSSHA256 = "rsa-pss-sha256"
        case rsaPSSSHA384 = "rsa-pss-sha384"
        case rsaPSSSHA512 = "rsa-pss-sha512"
        case rsaPKCS1SHA256 = "rsa-pkcs1-sha256"
        case rsaPKCS1SHA384 = "rsa-pkcs1-sha384"
        case rsaPKCS1SHA512 = "rsa-pkcs1-sha512"
        case ecdsaP256 = "ecdsa-p256"
        case ecdsaP384 = "ecdsa-p384"
        case ecdsaP521 = "ecdsa-p521"
        case rsaSHA1 = "rsa-sha1"

        /// What is used unless the workload says otherwise: everything but SHA-1 (RFC 8247 section 3.2).
        package static let standard: [SignatureName] = allCases.filter { $0 != .rsaSHA1 }
    }
}
