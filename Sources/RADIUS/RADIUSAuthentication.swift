package import IKECrypto
package import Primitives

// How both ends know that a packet is the other's: by the secret that they share.
extension RADIUSPacket {
    /// Whether the Response Authenticator is MD5(Code, ID, Length, Request Authenticator, Attributes, Secret)
    /// (RFC 2865 section 3).
    package func isAnswer(
        to requestAuthenticator: [UInt8],
        secret: [UInt8],
        _ cryptography: borrowing Cryptography
    ) -> Bool {
        cryptography.md5(
            octets.extracting(0..<4),
            requestAuthenticator.rawSpan,
            attributeOctets,
            secret.rawSpan
        ).isEqual(to: authenticator)
    }

    /// Whether Message-Authenticator is there and right: HMAC-MD5 over the packet with zeros in its place, and in an
    /// answer with the Request Authenticator in the header (RFC 3579 section 3.2).
    package func hasMessageAuthenticator(
        requestAuthenticator: [UInt8],
        secret: [UInt8],
        _ cryptography: borrowing Cryptography
    ) -> Bool {
        guard let offset = messageAuthenticatorOffset else { return false }
        var message = octets.copied()
        message.replaceSubrange(4..<20, with: requestAuthenticator)
        message.replaceSubrange(offset..<offset + 16, with: repeatElement(0, count: 16))
        return cryptography.hmacMD5(key: secret.rawSpan, message.rawSpan)
            .isEqual(to: octets.extracting(offset..<offset + 16))
    }

    /// The MSK of 64 octets: MS-MPPE-Recv-Key, MS-MPPE-Send-Key, and zeros when they are short (RFC 2548 section 2.4);
    /// empty when they are not both there.
    package func msk(
        requestAuthenticator: [UInt8],
        secret: [UInt8],
        _ cryptography: borrowing Cryptography
    ) throws(DecodeError) -> SecretBytes {
        var received: [UInt8] = []
        var sent: [UInt8] = []
        var attributes = attributes
        while let attribute = attributes.next() {
            guard attribute.type == .vendorSpecific else { continue }
            var vendor = ByteReader(attribute.value)
            guard try vendor.readInteger(as: UInt32.self) == MPPEKey.microsoft else { continue }
            var parts = RADIUSAttributes(vendor.readRest())
            while let part = try parts.advance() {
                switch part.type {
                case MPPEKey.sendKey:
                    sent = try MPPEKey.open(part.value, requestAuthenticator, secret, cryptography)
                case MPPEKey.receiveKey:
                    received = try MPPEKey.open(part.value, requestAuthenticator, secret, cryptography)
                default: continue
                }
            }
        }
        guard !received.isEmpty, !sent.isEmpty else { return SecretBytes() }
        guard received.count + sent.count <= 64 else { throw .malformed(.attributeLength) }
        return SecretBytes(received.rawSpan, sent.rawSpan, paddedTo: 64)
    }
}

/// The keys of Microsoft's vendor-specific attributes, hidden under the shared secret (RFC 2548 section 2.4.2).
enum MPPEKey {
    static let microsoft: UInt32 = 311
    static let sendKey = RADIUSAttributeType(rawValue: 16)
    static let receiveKey = RADIUSAttributeType(rawValue: 17)

    /// Salt, then blocks of 16 octets under a chain of MD5; what comes out is the key's length, the key, and padding.
    static func open(
        _ value: RawSpan,
        _ requestAuthenticator: [UInt8],
        _ secret: [UInt8],
        _ cryptography: borrowing Cryptography
    ) throws(DecodeError) -> [UInt8] {
        guard value.byteCount >= 18, (value.byteCount - 2) % 16 == 0 else { throw .malformed(.attributeLength) }
        let salt = value.extracting(0..<2)
        var plain: [UInt8] = []
        var place = 2
        while place < value.byteCount {
            let block = value.extracting(place..<place + 16)
            let mask =
                place == 2
                ? cryptography.md5(secret.rawSpan, requestAuthenticator.rawSpan, salt)
                : cryptography.md5(secret.rawSpan, value.extracting(place - 16..<place))
            for index in 0..<16 { plain.append(block[index] ^ mask.octets[index]) }
            place += 16
        }
        let count = Int(plain[0])
        guard count > 0, count < plain.count, count <= 32 else { throw .malformed(.attributeLength) }
        return Array(plain[1...count])
    }
}
