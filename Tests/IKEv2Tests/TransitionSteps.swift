import IKECrypto
import IKEWire
import IKEv2
import Primitives

// How the states of the transition table are reached.
extension Network {
    /// Has a side begin an exchange, whose request is held back.
    func begin(_ command: IKESA.Command, at side: Side = .initiator, holdingOperation: Bool = false) {
        holdsOperations = holdingOperation
        self.command(command, at: side)
        holdsOperations = false
    }

    /// Gives a side the result that it waits for, and holds back what it asks for next.
    func completeOperation(at side: Side) {
        guard let request = operation.take() else { return }
        complete(turn.cryptography.perform(request), at: side)
    }

    /// Lets the responder answer the initiator's last request.
    func answer(holdingOperation: Bool = false) {
        deliverLast(to: .responder)
        deliverLast(to: .initiator, holdingOperation: holdingOperation)
    }

    /// Delivers the last datagram that is held back for a side.
    func deliverLast(to side: Side, holdingOperation: Bool = false) {
        guard let index = held.lastIndex(where: { $0.to == side }) else { return }
        holdsOperations = holdingOperation
        deliver(held.remove(at: index))
        holdsOperations = false
    }

    /// Gives the initiator a refusal of its last request.
    func refuse(_ type: NotifyType) {
        guard let request = held.last(where: { $0.to == .responder }),
            var header = try? MessageDecoder(request.message.rawSpan).header
        else { return }
        header.flags = header.isFromInitiator ? .response : [.initiator, .response]
        var payloads = ForgedPayloads()
        payloads.appendNotify(type)
        receive(sealed(header, payloads), over: request.path.reversed, at: .initiator)
    }
}

extension Path {
    var reversed: Path { Path(local: remote, remote: local, isEncapsulated: isEncapsulated) }
}
