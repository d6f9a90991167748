import IKECrypto
import Primitives

/// MD5-Challenge (RFC 3748 section 5.4) or the Generic Token Card (section 5.6) with a password, at the peer.
struct PasswordPeer {
    /// MD5-Challenge, not GTC.
    let isChallenged: Bool
    let password: [UInt8]
    private(set) var hasAnswered = false

    init(isChallenged: Bool, password: [UInt8]) {
        self.isChallenged = isChallenged
        self.password = password
    }

    mutating func respond(
        to data: RawSpan,
        identifier: UInt8,
        _ cryptography: borrowing Cryptography,
        into reply: inout ByteWriter
    ) -> EAPPeerStep {
        if isChallenged {
            do throws(DecodeError) {
                let challenge = try MD5Value(data)
                MD5Value.answer(to: challenge.value, identifier, password, cryptography).withBytes {
                    MD5Value.write($0, into: &reply)
                }
            } catch {
                return .malformed(error)
            }
        } else {
            reply.write(password)
        }
        hasAnswered = true
        return .respond
    }
}

/// The same two methods at the authenticator.
struct PasswordAuthenticator {
    let isChallenged: Bool
    private let challenge: [UInt8]

    init(isChallenged: Bool, _ cryptography: borrowing Cryptography, _ stream: inout KeyMaterialStream) {
        self.isChallenged = isChallenged
        challenge = isChallenged ? cryptography.octets(count: 16, from: &stream) : []
    }

    func writeRequest(name: [UInt8], into request: inout ByteWriter) {
        guard isChallenged else { return request.write(utf8: "Password: ") }
        MD5Value.write(challenge.rawSpan, into: &request)
        request.write(name)
    }

    func verify(
        _ data: RawSpan,
        identifier: UInt8,
        password: [UInt8]?,
        _ cryptography: borrowing Cryptography
    ) -> EAPAuthenticatorStep {
        let isGenuine: Bool
        if isChallenged {
            do throws(DecodeError) {
                let response = try MD5Value(data)
                let expected = MD5Value.answer(to: challenge.rawSpan, identifier, password ?? [], cryptography)
                isGenuine = expected.isEqual(to: response.value)
            } catch {
                return .malformed(error)
            }
        } else {
            let expected = password ?? []
            isGenuine = constantTimeEquals(data, expected.rawSpan)
        }
        return isGenuine && password != nil ? .succeed : .fail(.wrongPassword)
    }
}

/// The data of an MD5-Challenge packet: Value-Size, Value, Name (RFC 1994 section 4.1).
private struct MD5Value: ~Escapable {
    let value: RawSpan

    @_lifetime(copy data)
    init(_ data: RawSpan) throws(DecodeError) {
        var reader = ByteReader(data)
        let count: UInt8 = try reader.readInteger()
        guard count > 0 else { throw .malformed(.eapMethodData) }
        value = try reader.read(Int(count))
    }

    static func write(_ value: RawSpan, into writer: inout ByteWriter) {
        writer.writeInteger(UInt8(value.byteCount))
        writer.write(value)
    }

    /// MD5(Identifier | secret | challenge).
    static func answer(
        to challenge: RawSpan,
        _ identifier: UInt8,
        _ secret: [UInt8],
        _ cryptography: borrowing Cryptography
    ) -> MD5Digest {
        let start = [identifier]
        return cryptography.md5(start.rawSpan, secret.rawSpan, challenge)
    }
}
