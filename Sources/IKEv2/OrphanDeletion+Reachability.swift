package import IKEWire
import Primitives

// A peer that has forgotten an IKE SA need not say so (RFC 7296 section 2.21.4): its silence means something only where
// it is known to answer.
extension OrphanDeletion {
    /// Asks whether an IKE responder is there at all, and leaves no state behind.
    ///
    /// It is the header of an IKE version that does not exist, to which the answer is HDR, N(INVALID_MAJOR_VERSION)
    /// (RFC 7296 section 2.5).
    package func sendProbe(_ turn: inout Turn) {
        let header = Header(
            initiatorSPI: keys.spis.initiator,
            responderSPI: .zero,
            version: 0x30,
            exchange: .ikeSAInit,
            flags: .initiator,
            messageID: .zero
        )
        turn.writer.removeAll()
        MessageEncoder(header, into: &turn.writer).finish(into: &turn.writer)
        turn.sendMessage(over: keys.path, PacketNote(.ikeSAInit, isResponse: false))
    }

    /// Whether a header is the peer's, of this IKE SA or in answer to a probe; it proves nothing else.
    package func isHeard(by header: Header) -> Bool {
        header.isResponse && header.initiatorSPI == keys.spis.initiator
            && (header.responderSPI == .zero || header.responderSPI == keys.spis.responder)
    }
}
