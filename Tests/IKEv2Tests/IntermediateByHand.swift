import IKECrypto
import IKEWire
import IKEv2
import Primitives

extension Network {
    /// The AUTH data that each side should send, made from what was on the wire alone (RFC 9242 section 3.3.2).
    func authenticationByHand() throws -> [(Side, [UInt8])] {
        let key = Array("test-only".utf8)
        let (initial, answer) = (wire[0].message, wire[1].message)
        var codes: [[UInt8]] = [[], []]
        var ikeAuth = MessageID(rawValue: 0)
        for message in messages() {
            guard message.header.exchange == .ikeIntermediate else {
                if message.header.exchange == .ikeAuth { ikeAuth = message.header.messageID }
                continue
            }
            let side = message.header.isFromInitiator ? 0 : 1
            let key = side == 0 ? message.entry.pi.copy() : message.entry.pr.copy()
            // The header as it was, but for what follows it and for its length.
            var associated = Array(message.octets.prefix(Header.byteCount))
            let byteCount = Header.byteCount + 4 + message.payloads.count
            associated[16] = 46
            associated.replaceSubrange(24..<28, with: [0, 0, UInt8(byteCount >> 8), UInt8(byteCount & 0xFF)])
            let inner = byteCount - Header.byteCount
            associated += [message.first.rawValue, 0, UInt8(inner >> 8), UInt8(inner & 0xFF)]
            let input = codes[side] + associated + message.payloads
            codes[side] = prf(message.entry, key, input, [codes[side], associated, message.payloads])
        }
        let intermediate = codes[0] + codes[1] + [0, 0, 0, UInt8(ikeAuth.rawValue)]
        let entry = ring.entries.last!
        return try Side.allCases.map { side in
            let (own, other) = side == .initiator ? (initial, answer) : (answer, initial)
            let nonce = try payload(.nonce, of: other)
            let name: PayloadType = side == .initiator ? .identificationInitiator : .identificationResponder
            let identification = try payload(name, from: side)
            let secret = side == .initiator ? entry.pi.copy() : entry.pr.copy()
            let data = turn.cryptography.pskAuthentication(
                entry.suite.prf,
                psk: key.rawSpan,
                messageOctets: own.rawSpan,
                nonce: nonce.rawSpan,
                sk_p: secret,
                identificationBody: identification.rawSpan,
                intermediate: intermediate.rawSpan
            )
            return (side, data.bytes.copied())
        }
    }

    /// The data of the AUTH payload that a side has sent.
    func authentication(from side: Side) throws -> [UInt8] {
        Array(try payload(.authentication, from: side).dropFirst(4))
    }

    /// The real PRF takes its input in one piece, which is what the RFC says of it; the modelled one counts pieces.
    private func prf(
        _ entry: KeyRing.Entry,
        _ key: borrowing SecretBytes,
        _ input: [UInt8],
        _ pieces: [[UInt8]]
    ) -> [UInt8] {
        let isWhole = turn.cryptography.backend == .openSSL
        let (first, second, third) = isWhole ? (input, [], []) : (pieces[0], pieces[1], pieces[2])
        let code = turn.cryptography.prf(
            entry.suite.prf,
            key: key.bytes,
            first.rawSpan,
            second.rawSpan,
            third.rawSpan
        )
        return code.bytes.copied()
    }

    private struct Message {
        let octets: [UInt8]
        let header: Header
        let entry: KeyRing.Entry
        let first: PayloadType
        var payloads: [UInt8]
    }

    /// All protected messages, decrypted and put together.
    private func messages() -> [Message] {
        var messages: [Message] = []
        for flight in wire {
            guard let header = try? MessageDecoder(flight.message.rawSpan).header, header.exchange != .ikeSAInit else {
                continue
            }
            for entry in ring.entries(for: header) {
                guard let content = ring.open(flight.message, by: entry, turn) else { continue }
                let payloads = Array(content.octets[content.range])
                if let place = content.fragment, place.number > 1 {
                    messages[messages.count - 1].payloads += payloads
                } else {
                    messages.append(
                        Message(
                            octets: flight.message,
                            header: header,
                            entry: entry,
                            first: content.first,
                            payloads: payloads
                        )
                    )
                }
                break
            }
        }
        return messages
    }

    private enum Missing: Error { case payload }

    private func payload(_ type: PayloadType, of message: [UInt8]) throws -> [UInt8] {
        let header = try MessageDecoder(message.rawSpan).header
        return try payload(type, in: Array(message.dropFirst(Header.byteCount)), first: header.nextPayload)
    }

    private func payload(_ type: PayloadType, from side: Side) throws -> [UInt8] {
        let message = messages().first {
            $0.header.exchange == .ikeAuth && $0.header.isFromInitiator == (side == .initiator)
        }
        guard let message else { throw Missing.payload }
        return try payload(type, in: message.payloads, first: message.first)
    }

    private func payload(_ type: PayloadType, in octets: [UInt8], first: PayloadType) throws -> [UInt8] {
        var sequence = PayloadSequence(first: first, bytes: octets.rawSpan)
        while let payload = try sequence.next() {
            if payload.type == type { return payload.body.copied() }
        }
        throw Missing.payload
    }
}
