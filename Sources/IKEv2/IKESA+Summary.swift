import BasicContainers
package import IKECrypto
package import IKEWire
import Primitives

extension IKESA {
    /// The SPI that this end chose; zero while there are no keys.
    package var localSPI: IKESPI {
        switch self {
        case .awaitingIntermediate(let state): state.channel.localSPI
        case .awaitingSignature(let state): state.channel.localSPI
        case .awaitingAuth(let state): state.channel.localSPI
        case .awaitingVerdict(let state): state.state.channel.localSPI
        case .awaitingEAP(let state): state.state.channel.localSPI
        case .halfOpen(let state): state.channel.localSPI
        case .answeringIntermediate(let state): state.state.channel.localSPI
        case .verifying(let state): state.state.channel.localSPI
        case .signing(let state): state.state.channel.localSPI
        case .conversing(let state): state.state.channel.localSPI
        case .established(let state): state.channel.localSPI
        case .closing(let state): state.channel.localSPI
        case .awaitingKeyPair: .zero
        case .awaitingSAInit: .zero
        case .awaitingAgreement: .zero
        case .responding: .zero
        case .closed: .zero
        }
    }

    package var childCount: Int {
        switch self {
        case .established(let state): state.children.count
        default: 0
        }
    }

    /// What `advance` will do at the deadline, as far as its price goes.
    package func dueOperation(under policy: PeerPolicy) -> (operation: DueOperation, keyExchange: KeyExchangeMethod?) {
        switch self {
        case .halfOpen: (.expiry, nil)
        case .awaitingIntermediate: (.retransmission, nil)
        case .conversing: (.expiry, nil)
        case .established(let state): state.dueOperation(policy)
        case .awaitingAuth: (.retransmission, nil)
        case .awaitingEAP: (.retransmission, nil)
        case .closing: (.retransmission, nil)
        default: (.request, nil)
        }
    }

    /// Kinds of work that a timer brings.
    package enum DueOperation: Sendable {
        case request
        case retransmission
        case expiry
    }
}

extension IKESA.Established {
    fileprivate func dueOperation(
        _ policy: PeerPolicy
    ) -> (operation: IKESA.DueOperation, keyExchange: KeyExchangeMethod?) {
        if channel.outstanding != nil { return (.retransmission, nil) }
        let deadline = deadline(policy)
        if soft == deadline { return (.request, policy.values.ikeProposals.firstKeyExchange) }
        for index in 0..<children.count where children[index].soft == deadline {
            return (.request, policy.values.childProposals.firstKeyExchange)
        }
        return (.request, nil)
    }
}

extension IKESA {
    /// Whether nothing is going on: no exchange is under way or waits, and no Child SA or IKE SA is about to end.
    package var isAtRest: Bool {
        switch self {
        case .established(let state): state.isAtRest
        default: false
        }
    }

    /// The Child SAs, each by the SPI at the initiator of the IKE SA and that at the responder, in order.
    package var childSPIs: [[ChildSPI]] {
        switch self {
        case .established(let state): state.childSPIs
        default: []
        }
    }

    /// A number that both ends of an IKE SA make of its SPIs and of those of its Child SAs, in whatever order they
    /// stand: ends whose numbers are equal have the same SAs.
    package var likeness: UInt64 {
        guard let spis else { return 0 }
        let children: UInt64
        switch self {
        case .established(let state): children = state.childLikeness
        default: children = 0
        }
        return alike(spis.initiator.rawValue, spis.responder.rawValue) &+ children
    }

    /// What two ends of one IKE SA do not agree about, in words; nil when they agree.
    ///
    /// A Child SA that one end has and the other has not got yet, or has deleted already, is no disagreement.
    package func disagreement(with peer: borrowing IKESA) -> String? {
        switch self {
        case .established(let ours):
            switch peer {
            case .established(let theirs): ours.disagreement(with: theirs)
            default: nil
            }
        default: nil
        }
    }
}

extension IKESA.Established {
    var isAtRest: Bool {
        guard outgoing == .idle, !hasFlights, incoming == nil, rival == nil, !isSuperseded, !isToBeClosed, tasks.isEmpty
        else {
            return false
        }
        for index in 0..<children.count where children[index].status != .active { return false }
        return true
    }

    fileprivate var childSPIs: [[ChildSPI]] {
        var pairs: [[ChildSPI]] = []
        for index in 0..<children.count {
            let (own, other) = (children[index].inbound, children[index].outbound)
            pairs.append(channel.isInitiator ? [own, other] : [other, own])
        }
        return pairs.sorted { $0[0].rawValue < $1[0].rawValue }
    }

    fileprivate var childLikeness: UInt64 {
        var sum: UInt64 = 0
        for index in 0..<children.count {
            let own = UInt64(children[index].inbound.rawValue)
            let other = UInt64(children[index].outbound.rawValue)
            sum &+= channel.isInitiator ? alike(own, other) : alike(other, own)
        }
        return sum
    }

    fileprivate func disagreement(with peer: borrowing IKESA.Established) -> String? {
        guard channel.isInitiator != peer.channel.isInitiator else { return "both ends are the initiator" }
        guard channel.suite == peer.channel.suite else { return "the suites differ" }
        guard channel.keys.isEqual(to: peer.channel.keys) else { return "the keys differ" }
        for index in 0..<children.count {
            guard let other = peer.childIndex(outbound: children[index].inbound) else { continue }
            guard peer.children[other].inbound == children[index].outbound else { return "Child SPIs differ" }
            guard children[index].isTransport == peer.children[other].isTransport else { return "Child modes differ" }
            guard children[index].keys.isEqual(to: peer.children[other].keys) else { return "Child keys differ" }
        }
        return nil
    }
}

/// Mixes a pair of SPIs. They come from a keyed permutation already, so that little is enough.
private func alike(_ initiator: UInt64, _ responder: UInt64) -> UInt64 {
    let product = (initiator ^ 0x9E37_79B9_7F4A_7C15).multipliedFullWidth(by: responder ^ 0xD1B5_4A32_D192_ED03)
    return product.high ^ product.low
}
