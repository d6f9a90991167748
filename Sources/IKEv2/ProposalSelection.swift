import IKECrypto
import IKEWire
import Primitives

/// What was chosen of an offer (RFC 7296 sections 2.7 and 3.3).
struct Selection<Suite: BitwiseCopyable & Sendable>: BitwiseCopyable, Sendable {
    let suite: Suite
    /// The SPI that the proposal came with; zero where it has none.
    let spi: UInt64
    fileprivate let number: UInt8
    fileprivate let protocolID: ProtocolID
    let choice: Choice
    /// The key exchanges that follow the first one.
    let additional: AdditionalKeyExchanges

    /// The same, for a proposal that differs in its SPI alone.
    func with(spi: UInt64) -> Selection {
        Selection(
            suite: suite,
            spi: spi,
            number: number,
            protocolID: protocolID,
            choice: choice,
            additional: additional
        )
    }

    var childSPI: ChildSPI { ChildSPI(rawValue: UInt32(truncatingIfNeeded: spi)) }
    var ikeSPI: IKESPI { IKESPI(rawValue: spi) }

    /// The answer: the chosen proposal with one transform of each type that was offered.
    var proposal: Proposal {
        var transforms: [Transform] = []
        transforms.reserveCapacity(5)
        choice.encryption.append(to: &transforms, as: .encryption)
        choice.prf.append(to: &transforms, as: .prf)
        if choice.offersIntegrity { choice.integrity.append(to: &transforms, as: .integrity) }
        choice.keyExchange.append(to: &transforms, as: .keyExchange)
        choice.sequenceNumbers.append(to: &transforms, as: .extendedSequenceNumbers)
        additional.forEachType { transforms.append(Transform(type: $0, id: $1)) }
        return Proposal(number: number, protocolID: protocolID, transforms: transforms)
    }
}

extension MessageEncoder {
    /// SAr, with the SPI of the end that answers.
    mutating func answer(_ selection: Selection<ChildSuite>, spi: ChildSPI) {
        let octets = InlineArray<1, UInt32>(repeating: spi.rawValue.bigEndian)
        answer(selection, unsafe octets.span.bytes)
    }

    mutating func answer(_ selection: Selection<IKESuite>, spi: IKESPI) {
        let octets = InlineArray<1, UInt64>(repeating: spi.rawValue.bigEndian)
        answer(selection, unsafe octets.span.bytes)
    }

    /// SAr1, which has no SPI.
    mutating func answer(_ selection: Selection<IKESuite>) {
        answer(selection, RawSpan())
    }

    private mutating func answer<Suite>(_ selection: Selection<Suite>, _ spi: RawSpan) {
        let choice = selection.choice
        var remaining = choice.count + selection.additional.transformCount
        begin(.securityAssociation)
        beginProposal(
            number: selection.number,
            protocolID: selection.protocolID,
            spi: spi,
            transformCount: remaining
        )
        append(choice.encryption, as: .encryption, &remaining)
        append(choice.prf, as: .prf, &remaining)
        if choice.offersIntegrity { append(choice.integrity, as: .integrity, &remaining) }
        append(choice.keyExchange, as: .keyExchange, &remaining)
        append(choice.sequenceNumbers, as: .extendedSequenceNumbers, &remaining)
        selection.additional.forEachType { type, id in
            append(ChosenTransform(id: id, keyLength: nil), as: type, &remaining)
        }
        endProposal()
        end()
    }

    private mutating func append(_ transform: ChosenTransform?, as type: TransformType, _ remaining: inout Int) {
        guard let transform else { return }
        remaining -= 1
        self.transform(type, id: transform.id, keyLength: transform.keyLength, isLast: remaining == 0)
    }

    /// SAi with this end's SPI in each proposal.
    mutating func offer(_ offer: Offer<ChildSuite>, spi: ChildSPI) {
        let octets = InlineArray<1, UInt32>(repeating: spi.rawValue.bigEndian)
        offer.append(to: &self, spi: unsafe octets.span.bytes)
    }

    mutating func offer(_ offer: Offer<IKESuite>, spi: IKESPI) {
        let octets = InlineArray<1, UInt64>(repeating: spi.rawValue.bigEndian)
        offer.append(to: &self, spi: unsafe octets.span.bytes)
    }

    /// SAi1, which has no SPI.
    mutating func offer(_ offer: Offer<IKESuite>) { offer.append(to: &self, spi: RawSpan()) }
}

/// A transform of one type that was chosen; there may be none.
struct ChosenTransform: BitwiseCopyable, Sendable {
    let id: UInt16
    let keyLength: UInt16?
}

extension ChosenTransform? {
    fileprivate func append(to transforms: inout [Transform], as type: TransformType) {
        guard let self else { return }
        transforms.append(Transform(type: type, id: self.id, keyLength: self.keyLength))
    }
}

/// The transforms of one proposal that the policy allows, the first of each type in the offer's order.
struct Choice: BitwiseCopyable, Sendable {
    var encryption: ChosenTransform?
    var prf: ChosenTransform?
    var integrity: ChosenTransform?
    var keyExchange: ChosenTransform?
    var sequenceNumbers: ChosenTransform?
    var offersIntegrity = false
    /// NONE is among the offered integrity algorithms.
    var offersNoIntegrity = false
    var offersKeyExchange = false
    var offersAdditional = false
    /// There is a transform type that the protocol does not have, or that this build does not know.
    var hasForeignType = false
    /// There are several transforms of one type.
    var hasAlternatives = false

    /// How many transforms an answer has.
    var count: Int {
        (encryption == nil ? 0 : 1) + (prf == nil ? 0 : 1) + (offersIntegrity && integrity != nil ? 1 : 0)
            + (keyExchange == nil ? 0 : 1) + (sequenceNumbers == nil ? 0 : 1)
    }
}

/// Which SA payload is read.
enum SelectionSource {
    /// The peer's offer; among allowed key exchange methods the one whose value came along wins, and none follows it
    /// where the peer does not take IKE_INTERMEDIATE (RFC 9370 section 2.2.1).
    case offer(bringing: KeyExchangeMethod?, takesAdditional: Bool = true)
    /// The peer's answer to this end's offer: one proposal (RFC 7296 section 2.7).
    case answer

    fileprivate var preferredMethod: KeyExchangeMethod? {
        switch self {
        case .offer(let method, _): method
        case .answer: nil
        }
    }
}

/// Chooses from an SA payload for an IKE SA.
///
/// - Parameter spiByteCount: 0 in IKE_SA_INIT, 8 where an IKE SA is rekeyed.
/// - Returns: nil when nothing in it is allowed: NO_PROPOSAL_CHOSEN.
func selectIKE(
    _ body: RawSpan,
    allowed: [Proposal],
    _ source: SelectionSource,
    spiByteCount: Int
) throws(DecodeError) -> Selection<IKESuite>? {
    let payload = try SecurityAssociation(body)
    try payload.validate()
    var offers = payload.proposals
    while let offer = try offers.next() {
        if source.isAnswer, try !offers.isAtEnd() { return nil }
        guard offer.protocolID == .ike, offer.spi.byteCount == spiByteCount else { continue }
        for index in allowed.indices where allowed[index].protocolID == .ike {
            let choice = try choose(offer, allowed[index].transforms, preferring: source.preferredMethod)
            guard choice.isUsable(source), let suite = IKESuite(choice),
                let additional = try choice.additional(offer, allowed[index].transforms, source)
            else { continue }
            return Selection(
                suite: suite,
                spi: offer.ikeSPI?.rawValue ?? 0,
                number: offer.number,
                protocolID: .ike,
                choice: choice,
                additional: additional
            )
        }
    }
    return nil
}

/// Chooses from an SA payload for a Child SA.
///
/// - Parameter ignoringKeyExchange: IKE_AUTH has no KE payload, so its Child SA takes none (RFC 7296 section 1.2).
func selectChild(
    _ body: RawSpan,
    allowed: [Proposal],
    _ source: SelectionSource,
    ignoringKeyExchange: Bool
) throws(DecodeError) -> Selection<ChildSuite>? {
    let payload = try SecurityAssociation(body)
    try payload.validate()
    var offers = payload.proposals
    while let offer = try offers.next() {
        if source.isAnswer, try !offers.isAtEnd() { return nil }
        guard offer.protocolID == .esp, let spi = offer.childSPI else { continue }
        for index in allowed.indices where allowed[index].protocolID == .esp {
            var choice = try choose(offer, allowed[index].transforms, preferring: source.preferredMethod)
            if ignoringKeyExchange {
                choice.keyExchange = nil
                choice.offersAdditional = false
            } else if !choice.fitsKeyExchange(of: allowed[index].transforms) {
                continue
            }
            guard choice.isUsable(source), let suite = ChildSuite(choice),
                let additional = try choice.additional(offer, allowed[index].transforms, source)
            else { continue }
            return Selection(
                suite: suite,
                spi: UInt64(spi.rawValue),
                number: offer.number,
                protocolID: .esp,
                choice: choice,
                additional: additional
            )
        }
    }
    return nil
}

extension SelectionSource {
    fileprivate var isAnswer: Bool {
        switch self {
        case .offer: false
        case .answer: true
        }
    }

    var takesAdditional: Bool {
        switch self {
        case .offer(_, let takesAdditional): takesAdditional
        case .answer: true
        }
    }
}

extension Transform {
    /// Of the first key exchange or an additional one.
    fileprivate var isOfKeyExchange: Bool { type == .keyExchange || type.additionalKeyExchange != nil }
}

extension ProposalSequence {
    /// Whether no proposal follows.
    fileprivate func isAtEnd() throws(DecodeError) -> Bool {
        var rest = self
        return try rest.next() == nil
    }
}

private func choose(
    _ offer: borrowing RawProposal,
    _ allowed: [Transform],
    preferring method: KeyExchangeMethod?
) throws(DecodeError) -> Choice {
    var choice = Choice()
    var seen: UInt16 = 0
    var transforms = offer.transforms
    while let transform = try transforms.next() {
        guard offer.protocolID.has(transform.type) else {
            choice.hasForeignType = true
            continue
        }
        let bit: UInt16 = 1 << transform.type.rawValue
        if seen & bit != 0 { choice.hasAlternatives = true }
        seen |= bit
        switch transform.type {
        case .integrity: choice.offersIntegrity = true
        case .keyExchange: choice.offersKeyExchange = true
        default: if transform.type.additionalKeyExchange != nil { choice.offersAdditional = true }
        }
        guard !transform.hasUnknownAttributes, isAllowed(transform, allowed) else { continue }
        let chosen = ChosenTransform(id: transform.id, keyLength: transform.keyLength)
        choice.take(chosen, as: transform.type, preferring: method)
    }
    return choice.withNoNeedlessIntegrity
}

extension ProtocolID {
    /// Whether a proposal for the protocol may have transforms of a type (RFC 7296 section 3.3.3).
    fileprivate func has(_ type: TransformType) -> Bool {
        switch type {
        case .encryption, .integrity, .keyExchange: true
        case .prf: self == .ike
        case .extendedSequenceNumbers: self != .ike
        default: type.additionalKeyExchange != nil
        }
    }
}

func isAllowed(_ transform: borrowing RawTransform, _ allowed: [Transform]) -> Bool {
    var hasType = false
    for index in allowed.indices where transform.type == allowed[index].type {
        if transform.matches(allowed[index]) { return true }
        hasType = true
    }
    // Absent and NONE are the same (RFC 7296 section 3.3.3); an AEAD may come with NONE, whatever the policy names.
    return transform.id == 0 && (transform.type == .integrity || !hasType)
}

extension Choice {
    /// The key exchanges that follow; nil where the proposal cannot be chosen for them.
    fileprivate func additional(
        _ offer: borrowing RawProposal,
        _ allowed: [Transform],
        _ source: SelectionSource
    ) throws(DecodeError) -> AdditionalKeyExchanges? {
        // Without a first key exchange none follows, as in IKE_AUTH.
        guard let method = keyExchange, method.id != 0 else { return offersAdditional ? nil : AdditionalKeyExchanges() }
        return try chooseAdditional(offer, allowed, behind: method.id, isTaken: source.takesAdditional)
    }

    fileprivate mutating func take(
        _ transform: ChosenTransform,
        as type: TransformType,
        preferring method: KeyExchangeMethod?
    ) {
        switch type {
        case .encryption: encryption = encryption ?? transform
        case .prf: prf = prf ?? transform
        case .integrity where transform.id == 0: offersNoIntegrity = true
        case .integrity: integrity = integrity ?? transform
        case .keyExchange:
            if keyExchange == nil || transform.id == method?.rawValue { keyExchange = transform }
        case .extendedSequenceNumbers: sequenceNumbers = sequenceNumbers ?? transform
        default: break
        }
    }

    /// The same, with the integrity algorithm NONE where it was offered for an AEAD.
    fileprivate var withNoNeedlessIntegrity: Choice {
        guard offersNoIntegrity, let encryption, EncryptionID(rawValue: encryption.id).isAEAD else { return self }
        var choice = self
        choice.integrity = ChosenTransform(id: 0, keyLength: nil)
        return choice
    }

    /// A proposal with a transform type that is not understood is not acceptable (RFC 7296 section 3.3.6), and an
    /// answer has one transform of each type (section 2.7).
    fileprivate func isUsable(_ source: SelectionSource) -> Bool {
        !hasForeignType && !(source.isAnswer && hasAlternatives)
    }

    /// Whether a new key exchange is offered where the policy wants one, and left out where it does not.
    fileprivate func fitsKeyExchange(of allowed: [Transform]) -> Bool {
        if offersKeyExchange { return keyExchange != nil }
        var wantsOne = false
        for index in allowed.indices where allowed[index].type == .keyExchange {
            if allowed[index].id == 0 { return true }
            wantsOne = true
        }
        return !wantsOne
    }
}

extension [Proposal] {
    /// The first key exchange method that the proposals name and this build can compute.
    var firstKeyExchange: KeyExchangeMethod? {
        for proposal in self {
            for transform in proposal.transforms where transform.type == .keyExchange {
                if let method = KeyExchangeMethod(rawValue: transform.id) { return method }
            }
        }
        return nil
    }

    /// Whether a key exchange method is among what the proposals name.
    func offers(_ method: KeyExchangeMethod) -> Bool {
        contains { $0.transforms.contains { $0.type == .keyExchange && $0.id == method.rawValue } }
    }

    /// The proposals, numbered from 1, and without their key exchange where an exchange has none.
    func numbered(withoutKeyExchange: Bool = false) -> [Proposal] {
        enumerated().map { index, proposal in
            var numbered = proposal
            numbered.number = UInt8(index + 1)
            numbered.spi = []
            if withoutKeyExchange { numbered.transforms.removeAll(where: \.isOfKeyExchange) }
            return numbered
        }
    }
}
