import BasicContainers
import IKECrypto
import IKEWire
import Primitives

// INFORMATIONAL exchanges: deletion, liveness, and whatever a peer says (RFC 7296 section 1.4).
extension IKESA.Established {
    consuming func takeInformational(
        _ contents: borrowing Contents,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) -> IKESA {
        if contents.deletesIKESA { return takeDeletion(policy: policy, &turn) }
        let deleted = contents.deletedChildren
        guard deleted.isEmpty else {
            answerDeletion(of: deleted, &turn)
            return startNext(policy: policy, &turn)
        }
        // The peer could not authenticate this end after all (RFC 7296 section 2.21.2).
        let isRejected = contents.hasNotify(.authenticationFailed)
        takeWindowSize(contents)
        let cookie = contents.cookieToReturn
        if let lifetime = contents.authenticationLifetime { turn.output.report(.authenticationLimited(lifetime)) }
        takeChildRefusal(contents, &turn)
        let news = channel.mobilityRole == .none ? AddressNews() : takeAddresses(contents, policy: policy, &turn)
        respond(.informational, PacketNote(.liveness, isResponse: true), &turn) { encoder in
            if let refusal = news.refusal { encoder.notify(refusal) }
            if let detection = news.detection { encoder.natDetection(detection) }
            if let cookie { encoder.notify(.cookie2, cookie) }
        }
        if isRejected { return closed(.authenticationFailed, &turn) }
        return startNext(policy: policy, &turn)
    }

    /// The peer closes the IKE SA: an empty answer, and it is gone (RFC 7296 section 1.4.1).
    private consuming func takeDeletion(policy: PeerPolicy, _ turn: inout Turn) -> IKESA {
        respond(.informational, PacketNote(.delete, isResponse: true), &turn) { _ in }
        // This end's own rekey is forgotten; the peer's is the one that lives (RFC 7296 section 2.25.2).
        adoptRival(policy: policy, &turn)
        return closed(superseded ?? .deletedByPeer, &turn)
    }

    /// The peer closes Child SAs; the answer names the other halves, but for those that this end is closing already
    /// (RFC 7296 sections 1.4.1 and 2.25.1).
    private mutating func answerDeletion(of outbound: [ChildSPI], _ turn: inout Turn) {
        var inbound: [ChildSPI] = []
        for spi in outbound {
            guard let index = childIndex(outbound: spi) else {
                noteDeletion(ofUnknown: spi)
                continue
            }
            let child = children[index].inbound
            if children[index].status != .deleting { inbound.append(child) }
            removeChild(inbound: child, &turn)
        }
        respond(.informational, PacketNote(.delete, isResponse: true), &turn) { encoder in
            if !inbound.isEmpty { encoder.delete(.esp, inbound) }
        }
    }

    /// HDR, SK {D}
    mutating func beginDeletion(of spi: ChildSPI, policy: PeerPolicy, _ turn: inout Turn) {
        guard let index = childIndex(inbound: spi), children[index].status != .deleting else { return }
        children[index].status = .deleting
        outgoing = .deletingChild(spi)
        let note = PacketNote(.delete, isResponse: false)
        channel.request(.informational, note, origin: &origin, policy: policy, &turn) { $0.delete(.esp, spi) }
    }

    /// HDR, SK {[N(NAT_DETECTION_*)]}
    mutating func beginLivenessCheck(policy: PeerPolicy, _ turn: inout Turn) {
        outgoing = .checkingLiveness
        let note = PacketNote(.liveness, isResponse: false)
        let detection = watchesMapping ? detection(over: channel.path, policy: policy, turn) : nil
        channel.request(.informational, note, origin: &origin, policy: policy, &turn) { encoder in
            if let detection { encoder.natDetection(detection) }
        }
    }
}
