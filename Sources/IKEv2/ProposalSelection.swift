import IKECrypto
import IKEWire
import Primitives

/// What was chosen of an offer (RFC 7296 sections 2.7 and 3.3).
struct Selection<Suite: Sendable>: Sendable {
    let suite: Suite
    /// The answer: the chosen proposal's number, with one transform of each type; its SPI is still the offerer's.
    let proposal: Proposal
}

/// The transforms of one proposal that the policy allows, the first of each type in the offer's order.
private struct Choice {
    var encryption: Transform?
    var prf: Transform?
    var integrity: Transform?
    var keyExchange: Transform?
    var sequenceNumbers: Transform?
    var offersIntegrity = false
    var offersKeyExchange = false
    var offersSequenceNumbers = false
}

/// Chooses from an offer for an IKE SA; among allowed key exchange methods the one whose value came along wins.
///
/// - Returns: nil when nothing offered is allowed: NO_PROPOSAL_CHOSEN.
func selectIKE(
    _ body: RawSpan, allowed: [Proposal], preferring method: KeyExchangeMethod?
) throws(DecodeError) -> Selection<IKESuite>? {
    var offers = try SecurityAssociation(body).proposals
    while let offer = try offers.next() {
        guard offer.protocolID == .ike else { continue }
        for permit in allowed where permit.protocolID == .ike {
            let choice = try choose(offer, permit, preferring: method)
            guard let suite = IKESuite(choice) else { continue }
            return Selection(suite: suite, proposal: choice.answer(to: offer))
        }
    }
    return nil
}

/// Chooses from an offer for a Child SA.
///
/// - Parameter ignoringKeyExchange: IKE_AUTH has no KE payload, so its Child SA takes none (RFC 7296 section 1.2).
func selectChild(
    _ body: RawSpan, allowed: [Proposal], preferring method: KeyExchangeMethod?, ignoringKeyExchange: Bool
) throws(DecodeError) -> Selection<ChildSuite>? {
    var offers = try SecurityAssociation(body).proposals
    while let offer = try offers.next() {
        guard offer.protocolID == .esp, offer.childSPI != nil else { continue }
        for permit in allowed where permit.protocolID == .esp {
            var choice = try choose(offer, permit, preferring: method)
            if ignoringKeyExchange {
                choice.keyExchange = nil
            } else if !choice.fitsKeyExchange(of: permit) {
                continue
            }
            guard let suite = ChildSuite(choice) else { continue }
            return Selection(suite: suite, proposal: choice.answer(to: offer))
        }
    }
    return nil
}

private func choose(
    _ offer: borrowing RawProposal, _ permit: Proposal, preferring method: KeyExchangeMethod?
) throws(DecodeError) -> Choice {
    var choice = Choice()
    var transforms = offer.transforms
    while let transform = try transforms.next() {
        switch transform.type {
        case .integrity: choice.offersIntegrity = true
        case .keyExchange: choice.offersKeyExchange = true
        case .extendedSequenceNumbers: choice.offersSequenceNumbers = true
        default: break
        }
        guard !transform.hasUnknownAttributes else { continue }
        let isAllowed =
            permit.transforms.contains { transform.matches($0) }
            // Absent and NONE are the same (RFC 7296 section 3.3.3).
            || transform.type == .integrity && transform.id == 0
            || transform.type == .extendedSequenceNumbers && transform.id == 0
        guard isAllowed else { continue }
        let owned = Transform(type: transform.type, id: transform.id, keyLength: transform.keyLength)
        choice.take(owned, preferring: method)
    }
    return choice
}

extension Choice {
    fileprivate mutating func take(_ transform: Transform, preferring method: KeyExchangeMethod?) {
        switch transform.type {
        case .encryption: encryption = encryption ?? transform
        case .prf: prf = prf ?? transform
        case .integrity: integrity = integrity ?? transform
        case .keyExchange:
            if keyExchange == nil || transform.id == method?.rawValue { keyExchange = transform }
        case .extendedSequenceNumbers: sequenceNumbers = sequenceNumbers ?? transform
        default: break
        }
    }

    /// Whether a new key exchange is offered where the policy wants one, and left out where it does not.
    fileprivate func fitsKeyExchange(of permit: Proposal) -> Bool {
        let wanted = permit.transforms.filter { $0.type == .keyExchange }
        if offersKeyExchange { return keyExchange != nil }
        return wanted.isEmpty || wanted.contains { $0.id == 0 }
    }

    fileprivate func answer(to offer: borrowing RawProposal) -> Proposal {
        let chosen = [encryption, prf, offersIntegrity ? integrity : nil, keyExchange, sequenceNumbers]
        return Proposal(
            number: offer.number,
            protocolID: offer.protocolID,
            spi: offer.spi.copied(),
            transforms: chosen.compactMap(\.self)
        )
    }
}

extension Cipher {
    fileprivate init?(_ transform: Transform?) {
        guard let transform, transform.type == .encryption else { return nil }
        self.init(id: transform.id, keyBitCount: transform.keyLength)
    }

    /// The integrity algorithm that goes with the cipher, or failure: a combined one takes none (RFC 5282 section 8).
    fileprivate func integrity(of choice: Choice) -> IntegrityAlgorithm?? {
        if isAEAD {
            guard !choice.offersIntegrity || choice.integrity?.id == 0 else { return .none }
            return .some(nil)
        }
        guard let transform = choice.integrity, let algorithm = IntegrityAlgorithm(rawValue: transform.id) else {
            return .none
        }
        return .some(algorithm)
    }
}

extension IKESuite {
    fileprivate init?(_ choice: Choice) {
        guard let cipher = Cipher(choice.encryption), let integrity = cipher.integrity(of: choice),
            let prf = choice.prf.flatMap({ PRF(rawValue: $0.id) }),
            let method = choice.keyExchange.flatMap({ KeyExchangeMethod(rawValue: $0.id) })
        else { return nil }
        self.init(cipher: cipher, integrity: integrity, prf: prf, keyExchange: method)
    }
}

extension ChildSuite {
    fileprivate init?(_ choice: Choice) {
        guard let cipher = Cipher(choice.encryption), let integrity = cipher.integrity(of: choice) else { return nil }
        guard !choice.offersSequenceNumbers || choice.sequenceNumbers != nil else { return nil }
        var method: KeyExchangeMethod?
        if let transform = choice.keyExchange, transform.id != 0 {
            guard let known = KeyExchangeMethod(rawValue: transform.id) else { return nil }
            method = known
        }
        let usesESN = choice.sequenceNumbers?.id == ESNID.enabled.rawValue
        self.init(cipher: cipher, integrity: integrity, keyExchange: method, usesESN: usesESN)
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

    /// The proposals, numbered from 1, with an SPI, and without their key exchange where an exchange has none.
    func numbered(spi: [UInt8], withoutKeyExchange: Bool = false) -> [Proposal] {
        enumerated().map { index, proposal in
            var numbered = proposal
            numbered.number = UInt8(index + 1)
            numbered.spi = spi
            if withoutKeyExchange { numbered.transforms.removeAll { $0.type == .keyExchange } }
            return numbered
        }
    }
}
