package import IKEWire
package import Primitives

/// Writes the keys of SAs in the form of Wireshark's tables, so that it decrypts a capture.
///
/// The two files stand in Wireshark's profile folder under the names below. Their fields are those of `ikev2_uat_flds`
/// and `uat_esp_flds` in Wireshark 4.0; algorithms are named by its own texts, and one without a text (as
/// ChaCha20-Poly1305 there) cannot be written.
package enum KeyLog {
    package static let ikeFileName = "ikev2_decryption_table"
    package static let espFileName = "esp_sa"

    /// Keys of an IKE SA: `SPIi,SPIr,SK_ei,SK_er,"encryption",SK_ai,SK_ar,"integrity"`.
    ///
    /// The keys of an AEAD end with their salt. False, and nothing is written, if Wireshark does not know an algorithm.
    @discardableResult
    package static func writeIKESA(
        initiatorSPI: IKESPI,
        responderSPI: IKESPI,
        encryption: EncryptionID,
        keyLength: UInt16?,
        integrity: IntegrityID,
        encryptionKeys: (initiator: [UInt8], responder: [UInt8]),
        integrityKeys: (initiator: [UInt8], responder: [UInt8]),
        into writer: inout ByteWriter
    ) -> Bool {
        guard let encryptionName = ikeName(of: encryption, keyLength: keyLength),
            let integrityName = ikeName(of: encryption.isAEAD ? .none : integrity)
        else { return false }
        let fields = [
            initiatorSPI.description, responderSPI.description,
            Hexadecimal.encode(encryptionKeys.initiator), Hexadecimal.encode(encryptionKeys.responder),
            quoted(encryptionName),
            Hexadecimal.encode(integrityKeys.initiator), Hexadecimal.encode(integrityKeys.responder),
            quoted(integrityName),
        ]
        writeLine(fields, into: &writer)
        return true
    }

    /// Keys of one direction of a Child SA: `"IPv4","source","destination","SPI","encryption","key","integrity","key"`.
    ///
    /// Without addresses any are meant, as behind a NAT. The key of an AEAD ends with its salt. False, and nothing is
    /// written, if Wireshark does not know an algorithm.
    @discardableResult
    package static func writeESPSA(
        source: IPAddress?,
        destination: IPAddress?,
        isIPv4: Bool = true,
        spi: ChildSPI,
        encryption: EncryptionID,
        integrity: IntegrityID,
        encryptionKey: [UInt8],
        integrityKey: [UInt8],
        into writer: inout ByteWriter
    ) -> Bool {
        guard let encryptionName = espName(of: encryption),
            let integrityName = espName(of: encryption.isAEAD ? .none : integrity)
        else { return false }
        let fields = [
            (source ?? destination)?.isIPv4 ?? isIPv4 ? "IPv4" : "IPv6",
            source?.description ?? "*", destination?.description ?? "*",
            "0x" + spi.description,
            encryptionName, hexadecimal(encryptionKey),
            integrityName, hexadecimal(integrityKey),
        ]
        writeLine(fields.map(quoted), into: &writer)
        return true
    }
}

extension KeyLog {
    private static func ikeName(of encryption: EncryptionID, keyLength: UInt16?) -> String? {
        switch (encryption, keyLength) {
        case (.tripleDES, _): "3DES [RFC2451]"
        case (.null, _): "NULL [RFC2410]"
        case (.aesCBC, let bits?): "AES-CBC-\(bits) [RFC3602]"
        case (.aesCTR, let bits?): "AES-CTR-\(bits) [RFC5930]"
        case (.aesGCM8, let bits?): "AES-GCM-\(bits) with 8 octet ICV [RFC5282]"
        case (.aesGCM12, let bits?): "AES-GCM-\(bits) with 12 octet ICV [RFC5282]"
        case (.aesGCM16, let bits?): "AES-GCM-\(bits) with 16 octet ICV [RFC5282]"
        case (.aesCCM8, let bits?): "AES-CCM-\(bits) with 8 octet ICV [RFC5282]"
        case (.aesCCM12, let bits?): "AES-CCM-\(bits) with 12 octet ICV [RFC5282]"
        case (.aesCCM16, let bits?): "AES-CCM-\(bits) with 16 octet ICV [RFC5282]"
        default: nil
        }
    }

    private static func ikeName(of integrity: IntegrityID) -> String? {
        switch integrity {
        case .none: "NONE [RFC4306]"
        case .hmacMD5: "HMAC_MD5_96 [RFC2403]"
        case .hmacSHA1: "HMAC_SHA1_96 [RFC2404]"
        case .hmacSHA256: "HMAC_SHA2_256_128 [RFC4868]"
        case .hmacSHA384: "HMAC_SHA2_384_192 [RFC4868]"
        case .hmacSHA512: "HMAC_SHA2_512_256 [RFC4868]"
        default: nil
        }
    }

    private static func espName(of encryption: EncryptionID) -> String? {
        switch encryption {
        case .null: "NULL"
        case .tripleDES: "TripleDES-CBC [RFC2451]"
        case .aesCBC: "AES-CBC [RFC3602]"
        case .aesCTR: "AES-CTR [RFC3686]"
        case .aesGCM8: "AES-GCM with 8 octet ICV [RFC4106]"
        case .aesGCM12: "AES-GCM with 12 octet ICV [RFC4106]"
        case .aesGCM16: "AES-GCM with 16 octet ICV [RFC4106]"
        default: nil
        }
    }

    private static func espName(of integrity: IntegrityID) -> String? {
        switch integrity {
        case .none: "NULL"
        case .hmacMD5: "HMAC-MD5-96 [RFC2403]"
        case .hmacSHA1: "HMAC-SHA-1-96 [RFC2404]"
        case .hmacSHA256: "HMAC-SHA-256-128 [RFC4868]"
        case .hmacSHA384: "HMAC-SHA-384-192 [RFC4868]"
        case .hmacSHA512: "HMAC-SHA-512-256 [RFC4868]"
        default: nil
        }
    }

    private static func quoted(_ text: String) -> String { "\"\(text)\"" }

    /// A key, or nothing at all where there is none.
    private static func hexadecimal(_ key: [UInt8]) -> String { key.isEmpty ? "" : "0x" + Hexadecimal.encode(key) }

    private static func writeLine(_ fields: [String], into writer: inout ByteWriter) {
        writer.write(utf8: fields.joined(separator: ",") + "\n")
    }
}
