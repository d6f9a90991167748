import IKECrypto
package import IKEWire
import Primitives

/// Ends an IKE SA of which only the keys are left, since the process that had it is gone (RFC 7296 section 1.4.1).
package struct OrphanDeletion: Sendable {
    package let keys: ExportedKeys
    /// How often a Delete was made: each has a nonce of its own.
    private var count: UInt64 = 0

    package init(_ keys: ExportedKeys) {
        self.keys = keys
    }

    /// Sends HDR, SK {D} under a message ID.
    ///
    /// The machine that had the IKE SA counted its nonces up from zero; these count from the middle of the range.
    package mutating func send(_ id: MessageID, _ turn: inout Turn) {
        var flags: Header.Flags = []
        if keys.isInitiator { flags.insert(.initiator) }
        let header = Header(
            initiatorSPI: keys.spis.initiator,
            responderSPI: keys.spis.responder,
            exchange: .informational,
            flags: flags,
            messageID: id
        )
        turn.writer.removeAll()
        var encoder = MessageEncoder(header, into: &turn.writer)
        encoder.beginEncrypted(ivByteCount: keys.cipher.ivByteCount)
        encoder.deleteIKESA()
        let icvByteCount = keys.integrity?.icvByteCount ?? keys.cipher.icvByteCount
        let region = encoder.endEncrypted(blockByteCount: keys.cipher.blockByteCount, icvByteCount: icvByteCount)
        encoder.finish(into: &turn.writer)
        writeIV(at: region.ivStart, &turn)
        let encryption = SecretBytes(copying: (keys.isInitiator ? keys.ei : keys.er).rawSpan)
        let integrity = SecretBytes(copying: (keys.isInitiator ? keys.ai : keys.ar).rawSpan)
        var writer = turn.takeWriter()
        writer.withMutableBytes { message in
            turn.cryptography.seal(
                &message,
                bodyOffset: region.ivStart,
                cipher: keys.cipher,
                integrity: keys.integrity,
                encryptionKey: encryption,
                integrityKey: integrity
            )
        }
        turn.giveBack(writer)
        turn.sendMessage(over: keys.path, PacketNote(.delete, isResponse: false))
    }

    private mutating func writeIV(at offset: Int, _ turn: inout Turn) {
        count += 1
        if keys.cipher.isAEAD {
            turn.writer.patch(1 << 63 | count, at: offset)
        } else {
            var stream = KeyMaterialStream(entity: keys.spis.initiator.rawValue, counter: count << 32)
            let iv = turn.cryptography.octets(count: keys.cipher.ivByteCount, from: &stream)
            for (index, octet) in iv.enumerated() { turn.writer.patch(octet, at: offset + index) }
        }
    }

    /// Whether a datagram is the peer's genuine answer to a Delete under one of these message IDs, or a part of it.
    package func isAnswered(by datagram: RawSpan, _ ids: [MessageID], _ turn: borrowing Turn) -> Bool {
        guard var message = try? MessageDecoder(datagram) else { return false }
        let header = message.header
        guard header.initiatorSPI == keys.spis.initiator, header.responderSPI == keys.spis.responder,
            header.isResponse, header.isFromInitiator != keys.isInitiator, ids.contains(header.messageID)
        else { return false }
        while let payload = try? message.payloads.next() {
            if payload.type == .encryptedFragment, let fragment = try? EncryptedFragment(payload) {
                return isGenuine(datagram, bodyOffset: fragment.contentOffset, turn)
            }
            guard payload.type == .encrypted else { continue }
            return isGenuine(datagram, bodyOffset: payload.bodyOffset, turn)
        }
        return false
    }

    private func isGenuine(_ datagram: RawSpan, bodyOffset: Int, _ turn: borrowing Turn) -> Bool {
        var buffer = datagram.copied()
        let encryption = SecretBytes(copying: (keys.isInitiator ? keys.er : keys.ei).rawSpan)
        let integrity = SecretBytes(copying: (keys.isInitiator ? keys.ar : keys.ai).rawSpan)
        var octets = buffer.mutableSpan
        var message = unsafe octets.mutableBytes
        do throws(CryptoError) {
            _ = try turn.cryptography.open(
                &message,
                bodyOffset: bodyOffset,
                cipher: keys.cipher,
                integrity: keys.integrity,
                encryptionKey: encryption,
                integrityKey: integrity
            )
            return true
        } catch {
            return false
        }
    }
}
