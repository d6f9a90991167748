/// A distinguished name as text, `C=CH, O=Example, CN=user`, and as DER (ID_DER_ASN1_DN, RFC 7296 section 3.5).
package enum DistinguishedName {
    /// Whether a text is a list of attributes that are known here.
    package static func isOne(_ text: String) -> Bool { attributes(of: text) != nil }

    /// The name, most significant part first as it was written; empty for a text that is none.
    package static func encode(_ text: String) -> [UInt8] {
        let parts = (attributes(of: text) ?? []).map { attribute, value in
            let string = tagged(attribute.stringTag, Array(value.utf8))
            return tagged(0x31, tagged(0x30, tagged(0x06, attribute.identifier) + string))
        }
        return tagged(0x30, parts.flatMap { $0 })
    }

    private struct Attribute {
        let names: [String]
        let identifier: [UInt8]
        /// UTF8String unless the attribute's definition wants another.
        var stringTag: UInt8 = 0x0C
    }

    // RFC 4519 and RFC 2985; C is a PrintableString, DC and the mail address are IA5Strings.
    private static let known = [
        Attribute(names: ["CN"], identifier: [0x55, 0x04, 0x03]),
        Attribute(names: ["C"], identifier: [0x55, 0x04, 0x06], stringTag: 0x13),
        Attribute(names: ["L"], identifier: [0x55, 0x04, 0x07]),
        Attribute(names: ["ST"], identifier: [0x55, 0x04, 0x08]),
        Attribute(names: ["O"], identifier: [0x55, 0x04, 0x0A]),
        Attribute(names: ["OU"], identifier: [0x55, 0x04, 0x0B]),
        Attribute(
            names: ["DC"],
            identifier: [0x09, 0x92, 0x26, 0x89, 0x93, 0xF2, 0x2C, 0x64, 0x01, 0x19],
            stringTag: 0x16
        ),
        Attribute(
            names: ["E", "EMAILADDRESS"],
            identifier: [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x01],
            stringTag: 0x16
        ),
    ]

    private static func attributes(of text: String) -> [(Attribute, Substring)]? {
        var attributes: [(Attribute, Substring)] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let equals = part.firstIndex(of: "=") else { return nil }
            let name = trimmed(part[..<equals]).uppercased()
            let value = trimmed(part[part.index(after: equals)...])
            guard let attribute = known.first(where: { $0.names.contains(name) }), !value.isEmpty else { return nil }
            attributes.append((attribute, value))
        }
        return attributes
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text.drop { $0 == " " }
        while text.last == " " { text.removeLast() }
        return text
    }

    private static func tagged(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        let count = content.count
        if count < 0x80 { return [tag, UInt8(count)] + content }
        if count < 0x100 { return [tag, 0x81, UInt8(count)] + content }
        return [tag, 0x82, UInt8(truncatingIfNeeded: count >> 8), UInt8(truncatingIfNeeded: count)] + content
    }
}
