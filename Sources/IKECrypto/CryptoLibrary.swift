import COpenSSL

/// The library that computes.
package enum CryptoLibrary {
    /// Its name and version, as in `OpenSSL 3.0.15`.
    package static var version: String {
        // SAFETY: libcrypto returns a string that lasts as long as the process.
        let text = unsafe String(cString: OpenSSL_version(OPENSSL_VERSION))
        return text.split(separator: " ").prefix(2).joined(separator: " ")
    }
}
