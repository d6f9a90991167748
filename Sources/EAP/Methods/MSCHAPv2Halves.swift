import IKECrypto
import Primitives

/// EAP-MSCHAPv2 at the peer.
struct MSCHAPv2Peer: ~Copyable {
    let name: [UInt8]
    let password: [UInt8]
    private var state = State.awaitingChallenge
    /// What the authenticator has to prove its knowledge by, in hexadecimal digits.
    private var expected: [UInt8] = []
    private var msk = SecretBytes()
    private(set) var cause: EAPFailure?

    private enum State { case awaitingChallenge, awaitingVerdict, done }

    init(name: [UInt8], password: [UInt8]) {
        self.name = name
        self.password = password
    }

    var isDone: Bool { state == .done && cause == nil }

    consuming func takeMSK() -> SecretBytes { msk }

    mutating func respond(
        to data: RawSpan,
        _ cryptography: borrowing Cryptography,
        _ stream: inout KeyMaterialStream,
        into reply: inout ByteWriter
    ) -> EAPPeerStep {
        do throws(DecodeError) {
            let packet = try MSCHAPv2Packet(data)
            switch (packet.opCode, state) {
            case (MSCHAPv2OpCode.challenge, .awaitingChallenge):
                try answer(packet, cryptography, &stream, &reply)
            case (MSCHAPv2OpCode.success, .awaitingVerdict):
                guard isGenuine(packet.body) else { return .fail(.authenticatorNotGenuine) }
                state = .done
                reply.writeInteger(MSCHAPv2OpCode.success)
            case (MSCHAPv2OpCode.failure, .awaitingVerdict):
                state = .done
                cause = .mschapv2(error: packet.body.mschapv2Error)
                reply.writeInteger(MSCHAPv2OpCode.failure)
            default:
                return .drop(.unexpected)
            }
            return .respond
        } catch {
            return .malformed(error)
        }
    }

    private mutating func answer(
        _ packet: borrowing MSCHAPv2Packet,
        _ cryptography: borrowing Cryptography,
        _ stream: inout KeyMaterialStream,
        _ reply: inout ByteWriter
    ) throws(DecodeError) {
        let exchange = MSCHAPv2.Exchange(
            authenticatorChallenge: try MSCHAPv2Challenge(packet.body).challenge.copied(),
            peerChallenge: cryptography.octets(count: 16, from: &stream),
            name: name
        )
        let hash = MSCHAPv2.passwordHash(password, cryptography)
        let ntResponse = MSCHAPv2.ntResponse(exchange, passwordHash: hash, cryptography)
        let proof = MSCHAPv2.authenticatorResponse(
            exchange,
            ntResponse: ntResponse,
            passwordHash: hash,
            cryptography
        )
        expected = MSCHAPv2.digits(proof)
        msk = MSCHAPv2.msk(ntResponse: ntResponse, passwordHash: hash, cryptography)
        state = .awaitingVerdict
        MSCHAPv2Packet.write(MSCHAPv2OpCode.response, identifier: packet.identifier, into: &reply) { writer in
            MSCHAPv2Response.write(
                peerChallenge: exchange.peerChallenge,
                ntResponse: ntResponse,
                name: name,
                into: &writer
            )
        }
    }

    /// Whether a Success's text begins with `S=` and the 40 digits that only who knows the password can compute.
    private func isGenuine(_ text: RawSpan) -> Bool {
        text.byteCount >= expected.count && constantTimeEquals(text.extracting(first: expected.count), expected.rawSpan)
    }
}

/// EAP-MSCHAPv2 at the authenticator.
struct MSCHAPv2Authenticator: ~Copyable {
    private let challenge: [UInt8]
    private let identifier: UInt8
    private var state = State.challenging
    private var proof: [UInt8] = []
    private var msk = SecretBytes()

    private enum State { case challenging, succeeding, failing }

    init(identifier: UInt8, _ cryptography: borrowing Cryptography, _ stream: inout KeyMaterialStream) {
        self.identifier = identifier
        challenge = cryptography.octets(count: 16, from: &stream)
    }

    consuming func takeMSK() -> SecretBytes { msk }

    /// The Challenge, or what the Response has led to.
    func writeRequest(name: [UInt8], into request: inout ByteWriter) {
        switch state {
        case .challenging:
            MSCHAPv2Packet.write(MSCHAPv2OpCode.challenge, identifier: identifier, into: &request) { writer in
                writer.writeInteger(UInt8(16))
                writer.write(challenge)
                writer.write(name)
            }
        case .succeeding:
            MSCHAPv2Packet.write(MSCHAPv2OpCode.success, identifier: identifier, into: &request) { writer in
                writer.write(proof)
                writer.write(utf8: " M=Welcome")
            }
        case .failing:
            MSCHAPv2Packet.write(MSCHAPv2OpCode.failure, identifier: identifier, into: &request) { writer in
                writer.write(utf8: "E=691 R=0 C=")
                writer.write(Array(MSCHAPv2.digits(challenge).dropFirst(2)))
                writer.write(utf8: " V=3 M=Authentication failed")
            }
        }
    }

    mutating func verify(
        _ data: RawSpan,
        password: [UInt8]?,
        _ cryptography: borrowing Cryptography
    ) -> EAPAuthenticatorStep {
        do throws(DecodeError) {
            let packet = try MSCHAPv2Packet(data)
            switch (packet.opCode, state) {
            case (MSCHAPv2OpCode.response, .challenging):
                guard packet.identifier == identifier else { return .drop(.unexpected) }
                let isGenuine = check(try MSCHAPv2Response(packet.body), password, cryptography)
                state = isGenuine ? .succeeding : .failing
                return .request
            case (MSCHAPv2OpCode.success, .succeeding): return .succeed
            case (MSCHAPv2OpCode.failure, .failing): return .fail(.wrongPassword)
            // The peer did not believe the proof.
            case (MSCHAPv2OpCode.failure, .succeeding): return .fail(.authenticatorNotGenuine)
            default: return .drop(.unexpected)
            }
        } catch {
            return .malformed(error)
        }
    }

    private mutating func check(
        _ response: borrowing MSCHAPv2Response,
        _ password: [UInt8]?,
        _ cryptography: borrowing Cryptography
    ) -> Bool {
        let exchange = MSCHAPv2.Exchange(
            authenticatorChallenge: challenge,
            peerChallenge: response.peerChallenge.copied(),
            name: response.name.copied()
        )
        let hash = MSCHAPv2.passwordHash(password ?? [], cryptography)
        let expected = MSCHAPv2.ntResponse(exchange, passwordHash: hash, cryptography)
        guard constantTimeEquals(expected.rawSpan, response.ntResponse), password != nil else { return false }
        proof = MSCHAPv2.digits(
            MSCHAPv2.authenticatorResponse(exchange, ntResponse: expected, passwordHash: hash, cryptography)
        )
        msk = MSCHAPv2.msk(ntResponse: expected, passwordHash: hash, cryptography)
        return true
    }
}

extension MSCHAPv2 {
    /// `S=` and the octets in upper-case digits (RFC 2759 section 5).
    static func digits(_ octets: [UInt8]) -> [UInt8] {
        Array("S=\(Hexadecimal.encode(octets).uppercased())".utf8)
    }
}
