import Primitives

/// The ASN.1 AlgorithmIdentifiers that method 14 names its algorithms by (RFC 7427 appendix A, RFC 8420 appendix A).
package enum AlgorithmIdentifier {
    /// The encoding that is sent.
    package static func encode(_ scheme: SignatureScheme) -> [UInt8] {
        known[Int(scheme.rawValue)][0]
    }

    /// The scheme that an encoding names, or nil for one that is not known.
    ///
    /// NULL parameters may be left out where RFC 4055 section 2.1 tells receivers to take both forms.
    package static func decode(_ octets: RawSpan) -> SignatureScheme? {
        for scheme in SignatureScheme.allCases where scheme.namesItself {
            for encoding in known[Int(scheme.rawValue)] where octets.elementsEqual(encoding.rawSpan) { return scheme }
        }
        return nil
    }

    /// By raw value.
    private static let known = SignatureScheme.allCases.map { encodings(of: $0) }

    private static func encodings(of scheme: SignatureScheme) -> [[UInt8]] {
        switch scheme {
        // RFC 8410: 1.3.101.112, without parameters.
        case .ed25519: [sequence([0x06, 0x03, 0x2B, 0x65, 0x70])]
        // RFC 5758: 1.2.840.10045.4.3.n, without parameters.
        case .ecdsaSHA256, .ecdsaP256: [ecdsa(2)]
        case .ecdsaSHA384, .ecdsaP384: [ecdsa(3)]
        case .ecdsaSHA512, .ecdsaP521: [ecdsa(4)]
        // RFC 4055: 1.2.840.113549.1.1.n, with NULL.
        case .rsaPKCS1SHA256: rsa(11)
        case .rsaPKCS1SHA384: rsa(12)
        case .rsaPKCS1SHA512: rsa(13)
        case .rsaSHA1: rsa(5)
        case .rsaPSSSHA256: pss(hash: 1, saltByteCount: 32)
        case .rsaPSSSHA384: pss(hash: 2, saltByteCount: 48)
        case .rsaPSSSHA512: pss(hash: 3, saltByteCount: 64)
        }
    }

    private static func ecdsa(_ last: UInt8) -> [UInt8] {
        sequence([0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, last])
    }

    private static func rsa(_ last: UInt8) -> [[UInt8]] {
        let name = pkcs1(last)
        return [sequence(name + null), sequence(name)]
    }

    /// RSASSA-PSS-params: the hash, MGF1 with the same hash, and a salt of the hash's length.
    private static func pss(hash last: UInt8, saltByteCount: UInt8) -> [[UInt8]] {
        let hash: [UInt8] = [0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, last]
        var encodings: [[UInt8]] = []
        for hashParameters in [null, []] {
            for maskParameters in [null, []] {
                let mask = pkcs1(8) + sequence(hash + maskParameters)
                let parameters =
                    tagged(0xA0, sequence(hash + hashParameters)) + tagged(0xA1, sequence(mask))
                    + tagged(0xA2, [0x02, 0x01, saltByteCount])
                encodings.append(sequence(pkcs1(10) + sequence(parameters)))
            }
        }
        return encodings
    }

    private static func pkcs1(_ last: UInt8) -> [UInt8] {
        [0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, last]
    }

    private static func sequence(_ content: [UInt8]) -> [UInt8] { tagged(0x30, content) }

    private static func tagged(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        precondition(content.count < 128, "an AlgorithmIdentifier's lengths are of one octet")
        return [tag, UInt8(content.count)] + content
    }

    private static let null: [UInt8] = [0x05, 0x00]
}

/// The data of an AUTH payload whose method is a signature's.
package struct SignatureData: Equatable, Sendable {
    package var scheme: SignatureScheme
    package var signature: [UInt8]

    package init(_ scheme: SignatureScheme, signature: [UInt8]) {
        self.scheme = scheme
        self.signature = signature
    }

    /// Reads the data under a method; nil for a method or algorithm that is not known.
    package init?(method: UInt8, _ data: RawSpan) {
        guard method == SignatureScheme.digitalSignature else {
            guard let scheme = SignatureScheme.allCases.first(where: { $0.method == method }) else { return nil }
            self.init(scheme, signature: data.copied())
            return
        }
        guard data.byteCount > 0, data.byteCount > Int(data[0]) else { return nil }
        let end = 1 + Int(data[0])
        guard let scheme = AlgorithmIdentifier.decode(data.extracting(1..<end)) else { return nil }
        self.init(scheme, signature: data.extracting(end..<data.byteCount).copied())
    }

    /// ASN.1 length, AlgorithmIdentifier, signature (RFC 7427 section 3), or the signature alone.
    package var octets: [UInt8] {
        guard scheme.namesItself else { return signature }
        let algorithm = AlgorithmIdentifier.encode(scheme)
        return [UInt8(algorithm.count)] + algorithm + signature
    }
}
