import Capture
import IKECrypto
import IKEWire
import Primitives

/// Decrypts messages whose keys are known.
struct MessageOpener: ~Copyable {
    let cryptography: Cryptography

    init() throws(CryptoError) {
        // Nothing is drawn from the seed: only what others encrypted is opened.
        cryptography = try Cryptography(backend: .openSSL, seed: [UInt8](repeating: 0, count: 32).rawSpan)
    }

    /// The payloads inside an Encrypted payload or fragment, without their padding; nil where the keys do not open it.
    ///
    /// - Parameter contentOffset: where the initialization vector begins, counted from the header's first octet.
    borrowing func open(_ message: RawSpan, contentOffset: Int, keys: IKESAKeys, sender: Role) -> [UInt8]? {
        let isInitiator = sender == .initiator
        let encryptionKey = isInitiator ? keys.ei : keys.er
        let integrityKey = isInitiator ? keys.ai : keys.ar
        guard let cipher = Cipher(id: keys.encryption.rawValue, keyBitCount: keys.keyLength),
            encryptionKey.count == cipher.keyByteCount
        else { return nil }
        let integrity = cipher.isAEAD ? nil : IntegrityAlgorithm(rawValue: keys.integrity.rawValue)
        guard cipher.isAEAD || integrity != nil else { return nil }
        guard cipher.isAEAD || integrityKey.count == integrity?.keyByteCount else { return nil }
        var writer = ByteWriter(capacity: message.byteCount)
        writer.write(message)
        let range = writer.withMutableBytes { bytes in
            try? cryptography.open(
                &bytes,
                bodyOffset: contentOffset,
                cipher: cipher,
                integrity: integrity,
                encryptionKey: SecretBytes(copying: encryptionKey.rawSpan),
                integrityKey: cipher.isAEAD ? SecretBytes() : SecretBytes(copying: integrityKey.rawSpan)
            )
        }
        guard let range, let padding = writer.span.extracting(range).last, padding < range.count else { return nil }
        return writer.span.extracting(range.lowerBound..<range.upperBound - 1 - padding).copied()
    }
}

extension RawSpan {
    fileprivate var last: Int? { isEmpty ? nil : Int(self[byteCount - 1]) }
}
