package import IKEWire
import Primitives

/// Reads the keys of IKE SAs from Wireshark's table `ikev2_decryption_table`, as `KeyLog` and strongSwan's plugin
/// save-keys write it.
package struct KeyTable: Sendable {
    private var keys: [Name: IKESAKeys] = [:]

    package init() {}

    package var count: Int { keys.count }

    package func keys(initiatorSPI: IKESPI, responderSPI: IKESPI) -> IKESAKeys? {
        keys[Name(initiator: initiatorSPI, responder: responderSPI)]
    }

    /// Adds the lines of a table; those that are empty or begin with `#` say nothing.
    package mutating func add(_ text: String) throws(Fault) {
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = line.drop { $0.isWhitespace }
            guard !line.isEmpty, line.first != "#" else { continue }
            guard let (name, keys) = Self.read(line) else { throw Fault(line: index + 1) }
            self.keys[name] = keys
        }
    }

    /// A line that is not one of the table's.
    package struct Fault: Error, Hashable, Sendable { package var line: Int }

    private struct Name: Hashable, Sendable {
        var initiator: IKESPI
        var responder: IKESPI
    }

    /// `SPIi,SPIr,SK_ei,SK_er,"encryption",SK_ai,SK_ar,"integrity"`
    private static func read(_ line: Substring) -> (Name, IKESAKeys)? {
        let fields = line.split(separator: ",", omittingEmptySubsequences: false).map { field in
            field.trimmingPrefix { $0.isWhitespace || $0 == "\"" }
        }
        guard fields.count == 8 else { return nil }
        let octets = [0, 1, 2, 3, 5, 6].map { place -> [UInt8]? in
            let digits = fields[place].prefix { !$0.isWhitespace && $0 != "\"" }
            return try? Hexadecimal.decode(digits.hasPrefix("0x") ? digits.dropFirst(2) : digits)
        }
        let known = octets.compactMap { $0 }
        guard known.count == 6, known[0].count == 8, known[1].count == 8,
            let encryption = encryption(fields[4]), let integrity = integrity(fields[7])
        else { return nil }
        let name = Name(initiator: spi(known[0]), responder: spi(known[1]))
        let keys = IKESAKeys(
            encryption: encryption.id,
            keyLength: encryption.keyLength,
            integrity: integrity,
            ei: known[2],
            er: known[3],
            ai: known[4],
            ar: known[5]
        )
        return (name, keys)
    }

    private static func spi(_ octets: [UInt8]) -> IKESPI {
        IKESPI(rawValue: octets.reduce(0) { $0 << 8 | UInt64($1) })
    }

    /// The name without the RFC that stands behind it in brackets.
    private static func name(_ field: Substring) -> Substring { field.prefix { $0 != "[" && $0 != "\"" } }

    private static func encryption(_ field: Substring) -> (id: EncryptionID, keyLength: UInt16?)? {
        let name = name(field)
        for bits: UInt16 in [128, 192, 256] {
            let known: [(String, EncryptionID)] = [
                ("AES-CBC-\(bits) ", .aesCBC), ("AES-CTR-\(bits) ", .aesCTR),
                ("AES-GCM-\(bits) with 8 octet ICV ", .aesGCM8), ("AES-GCM-\(bits) with 12 octet ICV ", .aesGCM12),
                ("AES-GCM-\(bits) with 16 octet ICV ", .aesGCM16), ("AES-CCM-\(bits) with 8 octet ICV ", .aesCCM8),
                ("AES-CCM-\(bits) with 12 octet ICV ", .aesCCM12), ("AES-CCM-\(bits) with 16 octet ICV ", .aesCCM16),
            ]
            if let (_, id) = known.first(where: { $0.0 == name }) { return (id, bits) }
        }
        switch name {
        case "3DES ": return (.tripleDES, nil)
        case "NULL ": return (.null, nil)
        default: return nil
        }
    }

    private static func integrity(_ field: Substring) -> IntegrityID? {
        switch name(field) {
        case "NONE ": IntegrityID.none
        case "HMAC_MD5_96 ": .hmacMD5
        case "HMAC_SHA1_96 ": .hmacSHA1
        case "HMAC_SHA2_256_128 ": .hmacSHA256
        case "HMAC_SHA2_384_192 ": .hmacSHA384
        case "HMAC_SHA2_512_256 ": .hmacSHA512
        default: nil
        }
    }
}

/// The keys of one IKE SA, those of an AEAD with their salt at the end.
package struct IKESAKeys: Hashable, Sendable {
    package var encryption: EncryptionID
    package var keyLength: UInt16?
    package var integrity: IntegrityID
    package var ei: [UInt8]
    package var er: [UInt8]
    package var ai: [UInt8]
    package var ar: [UInt8]
}
