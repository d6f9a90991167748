import BasicContainers
package import IKECrypto
package import IKEWire
import Primitives

extension IKESA {
    /// The SPI that this end chose; zero while there are no keys.
    package var localSPI: IKESPI {
        switch self {
        case .awaitingAuth(let state): state.channel.localSPI
        case .halfOpen(let state): state.channel.localSPI
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
        case .established(let state): state.dueOperation(policy)
        case .awaitingAuth: (.retransmission, nil)
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
