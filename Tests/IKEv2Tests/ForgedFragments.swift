import IKECrypto
import IKEWire
import IKEv2
import Primitives

extension Network {
    /// The message that fragments are of, in one piece.
    func whole(of fragments: [Flight]) -> [UInt8] {
        let (header, first, payloads) = joined(fragments)
        var sequence = PayloadSequence(first: first, bytes: payloads.rawSpan)
        var forged = ForgedPayloads()
        while let payload = try? sequence.next() {
            forged.append(payload.type, isCritical: payload.isCritical, payload.body.copied())
        }
        return sealed(header, forged)
    }

    /// The same message in another number of fragments.
    func fragments(of fragments: [Flight], _ total: Int) -> [Flight] {
        let (header, first, payloads) = joined(fragments)
        let room = (payloads.count + total - 1) / total
        return (1...total).map { number in
            var flight = fragments[0]
            let part = payloads[(number - 1) * room..<min(payloads.count, number * room)]
            flight.octets = sealedFragment(
                header,
                FragmentPlace(number: number, total: total),
                first: first,
                padLength: 0,
                Array(part)
            )
            return flight
        }
    }

    private func joined(_ fragments: [Flight]) -> (Header, PayloadType, [UInt8]) {
        var joined: [UInt8] = []
        var first = PayloadType.none
        for fragment in fragments {
            guard let content = ring.open(fragment.message, turn) else {
                preconditionFailure("the ring has the keys of every fragment")
            }
            if first == .none { first = content.first }
            joined += content.octets[content.range]
        }
        guard let header = try? MessageDecoder(fragments[0].message.rawSpan).header else {
            preconditionFailure("a fragment has a header")
        }
        return (header, first, joined)
    }

    /// A fragment under the keys of the end that the header names; its explicit IV is one that no end ever reaches.
    func sealedFragment(
        _ header: Header,
        _ place: FragmentPlace,
        first: PayloadType = .none,
        padLength: UInt8,
        _ part: [UInt8]
    ) -> [UInt8] {
        guard let entry = ring.entry(for: header) else { preconditionFailure("the ring has the keys") }
        var writer = ByteWriter()
        var encoder = MessageEncoder(header, into: &writer)
        encoder.beginEncryptedFragment(
            number: UInt16(place.number),
            of: UInt16(place.total),
            firstType: first,
            ivByteCount: entry.suite.cipher.ivByteCount
        )
        encoder.append(part)
        let region = encoder.endEncrypted(
            blockByteCount: entry.suite.cipher.blockByteCount,
            icvByteCount: entry.suite.icvByteCount
        )
        encoder.finish(into: &writer)
        for offset in region.iv { writer.patch(UInt8(0xA5 ^ place.number ^ place.total << 4 & 0xFF), at: offset) }
        if padLength > 0 { writer.patch(padLength, at: region.icvStart - 1) }
        seal(&writer, at: region.ivStart, entry, asInitiator: header.isFromInitiator)
        return writer.bytes
    }
}
