import BasicContainers
package import IKEWire
import Primitives

// ESP packets of Child SAs that an end does not have (RFC 7296 section 1.5).
extension IKESA {
    /// HDR(0, 0), N(INVALID_SPI): what an end says that has no IKE SA with whoever sent the packet. It is no request
    /// that anybody answers.
    package static func refuseUnknownChild(_ spi: ChildSPI, over path: Path, _ turn: inout Turn) {
        let header = Header(
            initiatorSPI: .zero,
            responderSPI: .zero,
            exchange: .informational,
            flags: .initiator,
            messageID: .zero
        )
        turn.writer.removeAll()
        var encoder = MessageEncoder(header, into: &turn.writer)
        encoder.notify(.invalidSPI, integer: spi.rawValue)
        encoder.finish(into: &turn.writer)
        turn.sendMessage(over: path, PacketNote(.refusal, isResponse: false))
    }
}

extension Endpoint {
    /// Whether a Child SA receives on an SPI, or will as soon as its exchange is done.
    package func expects(_ spi: ChildSPI) -> Bool { current.expects(spi) }

    /// Tells the peer, over the IKE SA in use, that no Child SA here has the SPI of a packet that came.
    ///
    /// - Returns: false where there is no IKE SA that is established.
    package mutating func refuseUnknownChild(_ spi: ChildSPI, under policy: PeerPolicy, _ turn: inout Turn) -> Bool {
        guard current.stateName == .established else { return false }
        current.refuseUnknownChild(spi, under: policy, &turn)
        settle(&turn)
        return true
    }
}

extension Endpoint {
    /// Goes on to where an ESP packet came from that was authentic, as after an IKE message (RFC 7296 section 2.23).
    package mutating func follow(_ arrival: Path, _ turn: inout Turn) {
        guard current.withChannel({ $0.path == arrival }) == false else { return }
        current.follow(arrival, &turn)
    }
}

extension ChildSPI {
    /// What N(INVALID_SPI) names in a message without protection that is of no IKE SA; nil for any other.
    fileprivate init?(refusedBy datagram: RawSpan) {
        // A protected message begins with an Encrypted payload.
        guard datagram.byteCount > Header.byteCount, datagram[16] == PayloadType.notify.rawValue,
            var message = try? MessageDecoder(datagram), message.header.exchange == .informational,
            !message.header.isResponse, message.header.responderSPI == .zero,
            let payload = try? message.payloads.next(), payload.type == .notify,
            let notify = try? Notify(payload.body), notify.type == .invalidSPI
        else { return nil }
        self.init(named: notify.data.copied())
    }

    /// The content of N(INVALID_SPI).
    fileprivate init?(named data: [UInt8]) {
        guard data.count == Self.byteCount else { return nil }
        self.init(rawValue: data.reduce(0) { $0 << 8 | UInt32($1) })
    }
}

extension IKESA {
    fileprivate func expects(_ spi: ChildSPI) -> Bool {
        switch self {
        case .established(let state): state.expects(spi)
        // The Child SA of IKE_AUTH may be ready at the other end already.
        case .closing: false
        case .closed: false
        default: true
        }
    }

    fileprivate mutating func follow(_ arrival: Path, _ turn: inout Turn) {
        switch consume self {
        case .established(var state):
            state.channel.follow(arrival, &turn)
            self = .established(state)
        case let other: self = other
        }
    }

    fileprivate mutating func refuseUnknownChild(_ spi: ChildSPI, under policy: PeerPolicy, _ turn: inout Turn) {
        switch consume self {
        case .established(let state): self = state.refuseUnknownChild(spi, policy: policy, &turn)
        case let other: self = other
        }
    }
}

extension IKESA.Established {
    fileprivate func expects(_ spi: ChildSPI) -> Bool {
        if childIndex(inbound: spi) != nil { return true }
        switch draft {
        case .some(let draft) where draft.value.inbound == spi: return true
        default: break
        }
        guard let windows else { return false }
        for index in 0..<windows.flights.count {
            switch windows.flights[index].draft {
            case .some(let draft) where draft.value.inbound == spi: return true
            default: break
            }
        }
        return false
    }

    fileprivate consuming func refuseUnknownChild(
        _ spi: ChildSPI,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) -> IKESA {
        // One at a time: whoever sends to many gets no more room.
        let isRefusing = tasks.contains { if case .refuseChild = $0.kind { true } else { false } }
        guard !isSuperseded, !isToBeClosed, !isRefusing else { return .established(self) }
        enqueue(.refuseChild(spi), notBefore: turn.now)
        return isAwaitingResult ? .established(self) : startNext(policy: policy, &turn)
    }

    /// HDR, SK {N(INVALID_SPI)}
    mutating func beginChildRefusal(_ spi: ChildSPI, policy: PeerPolicy, _ turn: inout Turn) {
        outgoing = .checkingLiveness
        let note = PacketNote(.informational, isResponse: false)
        channel.request(.informational, note, origin: &origin, policy: policy, &turn) { encoder in
            encoder.notify(.invalidSPI, integer: spi.rawValue)
        }
    }

    /// The peer vouches for it that it does not have a Child SA: another one takes its place. What is on its way out
    /// here has been deleted at the peer already, and packets were late.
    mutating func takeChildRefusal(_ contents: borrowing Contents, _ turn: inout Turn) {
        guard let data = contents.notifyData(.invalidSPI), let spi = ChildSPI(named: data),
            let index = childIndex(outbound: spi), children[index].status == .active
        else { return }
        let inbound = children[index].inbound
        turn.output.report(.childUnknownToPeer(inbound: inbound))
        children[index].supersede()
        enqueue(.createChild, notBefore: turn.now)
        enqueue(.deleteChild(inbound), notBefore: turn.now)
    }

    /// What Child SA somebody where the peer is says, without protection, that it does not have: a hint, no more, since
    /// anybody could have said it.
    func childSaidToBeUnknown(_ datagram: RawSpan, over arrival: Path) -> Report? {
        guard let spi = ChildSPI(refusedBy: datagram), channel.path.remote.address == arrival.remote.address,
            let index = childIndex(outbound: spi)
        else { return nil }
        return .childUnknownToPeer(inbound: children[index].inbound)
    }
}
