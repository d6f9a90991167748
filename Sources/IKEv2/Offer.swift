import IKECrypto
import IKEWire
import Primitives

/// The proposals of a policy as an SA payload holds them, and what is chosen of that payload.
///
/// Most peers of a gateway are configured alike, and offer octet for octet what the gateway itself would: then nothing
/// is taken apart that was taken apart before.
struct Offer<Suite: BitwiseCopyable & Sendable>: Sendable {
    let proposals: [Proposal]
    private let encoded: EncodedOffer
    private let asOffered: Known?
    private let asAnswered: Known?
    private let choose: @Sendable (RawSpan, SelectionSource) throws(DecodeError) -> Selection<Suite>?
    private let method: KeyExchangeMethod?

    /// An SA payload with one proposal, and what is chosen of it.
    private struct Known: Sendable {
        let encoded: EncodedOffer
        let selection: Selection<Suite>
    }

    private init(
        _ proposals: [Proposal],
        spiByteCount: Int,
        method: KeyExchangeMethod?,
        choose: @escaping @Sendable (RawSpan, SelectionSource) throws(DecodeError) -> Selection<Suite>?
    ) {
        self.proposals = proposals
        self.method = method
        self.choose = choose
        let encoded = EncodedOffer(proposals, spiByteCount: spiByteCount)
        self.encoded = encoded
        let offered = try? choose(encoded.octets.rawSpan, .offer(bringing: method))
        asOffered = proposals.count == 1 ? offered.map { Known(encoded: encoded, selection: $0) } : nil
        asAnswered = offered.flatMap { selection in
            let answer = EncodedOffer([selection.proposal], spiByteCount: spiByteCount)
            let chosen = try? choose(answer.octets.rawSpan, .answer)
            return chosen.map { Known(encoded: answer, selection: $0) }
        }
    }

    /// Chooses from the peer's SA payload.
    ///
    /// - Returns: nil when nothing in it is allowed: NO_PROPOSAL_CHOSEN.
    func select(_ body: RawSpan, _ source: SelectionSource) throws(DecodeError) -> Selection<Suite>? {
        let known: Known? =
            switch source {
            case .offer(let brought, let takesAdditional):
                brought == method && (takesAdditional || !proposals.offersAdditional) ? asOffered : nil
            case .answer: asAnswered
            }
        if let known, let spi = known.encoded.spi(of: body) { return known.selection.with(spi: spi) }
        return try choose(body, source)
    }

    func offers(_ method: KeyExchangeMethod) -> Bool { proposals.offers(method) }

    /// SAi, with this end's SPI in each proposal.
    func append(to encoder: inout MessageEncoder, spi: RawSpan) {
        encoder.securityAssociation(encoded: encoded.octets, spi: spi, at: encoded.spiOffsets)
    }
}

extension Offer where Suite == IKESuite {
    /// - Parameter spiByteCount: 0 in IKE_SA_INIT, 8 where an IKE SA is rekeyed.
    init(_ proposals: [Proposal], spiByteCount: Int) {
        self.init(
            proposals,
            spiByteCount: spiByteCount,
            method: proposals.firstKeyExchange
        ) { body, source throws(DecodeError) in
            try selectIKE(body, allowed: proposals, source, spiByteCount: spiByteCount)
        }
    }
}

extension Offer where Suite == ChildSuite {
    /// - Parameter ignoringKeyExchange: IKE_AUTH has no KE payload, so its Child SA takes none (RFC 7296 section 1.2).
    init(_ proposals: [Proposal], ignoringKeyExchange: Bool) {
        self.init(
            proposals,
            spiByteCount: ChildSPI.byteCount,
            method: ignoringKeyExchange ? nil : proposals.firstKeyExchange
        ) { body, source throws(DecodeError) in
            try selectChild(body, allowed: proposals, source, ignoringKeyExchange: ignoringKeyExchange)
        }
    }
}

/// The body of an SA payload whose SPIs are zero, and where these stand.
private struct EncodedOffer: Sendable {
    let octets: [UInt8]
    let spiOffsets: [Int]
    private let spiByteCount: Int

    init(_ proposals: [Proposal], spiByteCount: Int) {
        let zeros = [UInt8](repeating: 0, count: spiByteCount)
        var writer = ByteWriter(capacity: 256)
        var offsets: [Int] = []
        for index in proposals.indices {
            offsets.append(writer.count + Proposal.headerByteCount)
            let number = proposals[index].number
            let isLast = index == proposals.count - 1
            proposals[index].encode(number: number, spi: zeros.rawSpan, isLast: isLast, into: &writer)
        }
        octets = writer.bytes
        spiOffsets = offsets
        self.spiByteCount = spiByteCount
    }

    /// The SPI of a payload that is this one in everything else; nil where it is another.
    func spi(of body: RawSpan) -> UInt64? {
        guard body.byteCount == octets.count else { return nil }
        let own = octets.rawSpan
        let start = Proposal.headerByteCount
        guard own.extracting(0..<start).elementsEqual(body.extracting(0..<start)) else { return nil }
        let rest = start + spiByteCount..<octets.count
        guard own.extracting(rest).elementsEqual(body.extracting(rest)) else { return nil }
        var spi: UInt64 = 0
        for index in start..<start + spiByteCount { spi = spi << 8 | UInt64(body[index]) }
        return spi
    }
}
