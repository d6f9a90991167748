/// Why a cryptographic operation gave no result.
package enum CryptoError: Error, Equatable, Sendable {
    /// The peer's public value has the wrong length, lies outside its group or leads to a degenerate secret (RFC 6989).
    case invalidPeerPublicValue

    /// The integrity check failed: the message was changed, or sealed under other keys.
    case notAuthentic

    /// The message is too short for its IV and ICV, or its ciphertext does not fill whole blocks.
    case malformedMessage

    /// A certificate cannot be read, or has no public key that is known.
    case unusableCertificate

    /// A private key cannot be read, or is not that of its certificate.
    case unusableCredential

    /// The key fits no signature scheme that both ends know.
    case noCommonSignature

    /// libcrypto refused what it always accepts: memory ran out, or an algorithm is not built in.
    case libraryFailed
}
