package import IKECrypto
import Primitives

/// The calculations of MS-CHAP version 2 (RFC 2759 section 8) and of its keys (RFC 3079 section 3).
package enum MSCHAPv2 {
    /// Both challenges and the name that one exchange is about.
    package struct Exchange {
        package let authenticatorChallenge: [UInt8]
        package let peerChallenge: [UInt8]
        /// The peer's name, a domain in front of it included.
        package let name: [UInt8]

        package init(authenticatorChallenge: [UInt8], peerChallenge: [UInt8], name: [UInt8]) {
            self.authenticatorChallenge = authenticatorChallenge
            self.peerChallenge = peerChallenge
            self.name = name
        }

        /// ChallengeHash: what is left of both challenges, without the name's domain (section 4).
        func challenge(_ cryptography: borrowing Cryptography) -> [UInt8] {
            let user = name.split(separator: UInt8(ascii: "\\"), maxSplits: 1).last.map(Array.init) ?? []
            let digest = cryptography.sha1(peerChallenge.rawSpan, authenticatorChallenge.rawSpan, user.rawSpan)
            return Array(digest.octets.prefix(8))
        }
    }

    /// NtPasswordHash of a password in UTF-8.
    package static func passwordHash(_ password: [UInt8], _ cryptography: borrowing Cryptography) -> SecretBytes {
        var unicode: [UInt8] = []
        for unit in String(decoding: password, as: UTF8.self).utf16 {
            unicode.append(UInt8(truncatingIfNeeded: unit))
            unicode.append(UInt8(truncatingIfNeeded: unit >> 8))
        }
        return cryptography.md4(unicode.rawSpan)
    }

    /// GenerateNTResponse.
    package static func ntResponse(
        _ exchange: Exchange,
        passwordHash: borrowing SecretBytes,
        _ cryptography: borrowing Cryptography
    ) -> [UInt8] {
        let challenge = exchange.challenge(cryptography)
        let key = SecretBytes(passwordHash.bytes, paddedTo: 21)
        var response: [UInt8] = []
        for part in 0..<3 {
            let block = cryptography.desEncrypt(challenge.rawSpan, key: key.bytes.extracting(7 * part..<7 * part + 7))
            for place in block.indices { response.append(block[place]) }
        }
        return response
    }

    /// GenerateAuthenticatorResponse, its 20 octets.
    package static func authenticatorResponse(
        _ exchange: Exchange,
        ntResponse: [UInt8],
        passwordHash: borrowing SecretBytes,
        _ cryptography: borrowing Cryptography
    ) -> [UInt8] {
        let hashHash = cryptography.md4(passwordHash.bytes)
        let first = cryptography.sha1(hashHash.bytes, ntResponse.rawSpan, signingMagic.rawSpan)
        let challenge = exchange.challenge(cryptography)
        return cryptography.sha1(first.octets.rawSpan, challenge.rawSpan, iterationMagic.rawSpan).octets
    }

    /// GetMasterKey.
    package static func masterKey(
        ntResponse: [UInt8],
        passwordHash: borrowing SecretBytes,
        _ cryptography: borrowing Cryptography
    ) -> SecretBytes {
        let hashHash = cryptography.md4(passwordHash.bytes)
        return cryptography.sha1(hashHash.bytes, ntResponse.rawSpan, masterKeyMagic.rawSpan).key(count: 16)
    }

    /// GetAsymmetricStartKey with 128 bits, for what the peer sends, or what it receives.
    package static func startKey(
        _ masterKey: borrowing SecretBytes,
        peerSends: Bool,
        _ cryptography: borrowing Cryptography
    ) -> SecretBytes {
        let pads =
            [UInt8](repeating: 0, count: 40) + (peerSends ? peerSendsMagic : peerReceivesMagic)
            + [UInt8](repeating: 0xF2, count: 40)
        return cryptography.sha1(masterKey.bytes, pads.rawSpan).key(count: 16)
    }

    /// The MSK: the key that the authenticator receives with, the one that it sends with, and zeros up to 64 octets.
    ///
    /// It is what RADIUS servers say in MS-MPPE-Recv-Key and MS-MPPE-Send-Key, one after the other.
    package static func msk(
        ntResponse: [UInt8],
        passwordHash: borrowing SecretBytes,
        _ cryptography: borrowing Cryptography
    ) -> SecretBytes {
        let masterKey = masterKey(ntResponse: ntResponse, passwordHash: passwordHash, cryptography)
        let received = startKey(masterKey, peerSends: true, cryptography)
        let sent = startKey(masterKey, peerSends: false, cryptography)
        return SecretBytes(received.bytes, sent.bytes, paddedTo: 64)
    }

    private static let signingMagic = Array("Magic server to client signing constant".utf8)
    private static let iterationMagic = Array("Pad to make it do more than one iteration".utf8)
    private static let masterKeyMagic = Array("This is the MPPE Master Key".utf8)
    private static let peerSendsMagic = Array(
        "On the client side, this is the send key; on the server side, it is the receive key.".utf8
    )
    private static let peerReceivesMagic = Array(
        "On the client side, this is the receive key; on the server side, it is the send key.".utf8
    )
}
