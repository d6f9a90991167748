import IKECrypto
import IKEWire
import Primitives

// MOBIKE: addresses change while the SAs stay (RFC 4555).
extension IKESA {
    package func canMove(to route: Route) -> Bool {
        switch self {
        case .established(let state):
            state.channel.mobilityRole == .originalInitiator
                && state.channel.canReachPeer(at: route.encapsulated.remote.address)
        default: false
        }
    }

    /// Goes on over another route; before the IKE SA is established that changes nothing.
    mutating func move(to route: Route, under policy: PeerPolicy, _ turn: inout Turn) {
        switch consume self {
        case .established(let state): self = state.move(to: route, policy: policy, &turn)
        case .closing(var state):
            state.channel.move(to: route)
            self = .closing(state)
        case let other: self = other
        }
    }
}

extension IKESA.Established {
    /// What an INFORMATIONAL request says about addresses has for an answer.
    struct AddressNews {
        var refusal: NotifyType?
        var detection: NATDetection?
    }

    /// Uses MOBIKE from now on if both ends have sent MOBIKE_SUPPORTED (RFC 4555 section 3.2).
    mutating func beginMobility(
        _ role: MobilityRole,
        _ contents: borrowing Contents,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) {
        guard policy.values.mobility != nil, contents.hasNotify(.mobikeSupported) else { return }
        channel.mobilityRole = role
        channel.takeAdditionalAddresses(contents, policy: policy, &turn)
    }

    /// Goes on over another route, by which the outstanding request is sent again too, and tells the peer as soon as
    /// the window is free (RFC 4555 section 3.5).
    consuming func move(to route: Route, policy: PeerPolicy, _ turn: inout Turn) -> IKESA {
        channel.move(to: route)
        rival?.value.channel.move(to: route)
        guard !isSuperseded, !isToBeClosed else { return .established(self) }
        enqueue(.updateAddresses, notBefore: turn.now)
        return startNext(policy: policy, &turn)
    }

    /// HDR, SK {N(UPDATE_SA_ADDRESSES), [N(NAT_DETECTION_*)], [N(ADDITIONAL_*_ADDRESS), ...], N(COOKIE2)}
    mutating func beginAddressUpdate(due: Instant, policy: PeerPolicy, _ turn: inout Turn) {
        outgoing = .updatingAddresses
        let detection = detection(over: channel.path, policy: policy, turn)
        let cookie = drawCookie(due: due, &turn)
        let own = channel.path.local
        let note = PacketNote(.informational, isResponse: false)
        channel.request(.informational, note, origin: &origin, policy: policy, &turn) { encoder in
            encoder.notify(.updateSAAddresses)
            if let detection { encoder.natDetection(detection) }
            if let mobility = policy.values.mobility { encoder.additionalAddresses(mobility, besides: own) }
            encoder.notify(.cookie2, cookie)
        }
    }

    /// HDR, SK {N(COOKIE2)}, to see whether the peer is where it says (RFC 4555 section 3.7)
    mutating func beginPathCheck(policy: PeerPolicy, _ turn: inout Turn) {
        outgoing = .checkingPath
        let cookie = drawCookie(due: turn.now, &turn)
        let note = PacketNote(.liveness, isResponse: false)
        channel.request(.informational, note, origin: &origin, policy: policy, &turn) { $0.notify(.cookie2, cookie) }
    }

    private mutating func drawCookie(due: Instant, _ turn: inout Turn) -> [UInt8] {
        let cookie = turn.cryptography.octets(count: Mobility.cookieByteCount, from: &origin.material)
        channel.withMobility {
            $0.cookie = cookie
            $0.due = due
        }
        return cookie
    }

    /// What this end says about NATs on a path; nothing where it speaks by port 500 for good.
    func detection(over path: Path, policy: PeerPolicy, _ turn: borrowing Turn) -> NATDetection? {
        guard path.isEncapsulated else { return nil }
        let isForced = policy.values.forcesEncapsulation
        return NATDetection(channel.spis, path, isForced: isForced, turn.cryptography)
    }

    /// Takes the answer to a request with COOKIE2, which has to come back as it was.
    ///
    /// - Returns: why the IKE SA is to be closed, or nil.
    mutating func takeReturnedCookie(
        _ contents: borrowing Contents,
        _ turn: inout Turn
    ) -> IKESA.PendingTask.ClosingCause? {
        if contents.hasNotify(.invalidSyntax) { return nil }
        let (cookie, due) = channel.withMobility { ($0.cookie, $0.due) }
        // Another cookie comes from elsewhere than where the request went to (RFC 4555 section 3.7).
        guard contents.notifyData(.cookie2) == cookie else { return .malformedAnswer }
        if outgoing == .checkingPath {
            turn.output.report(.returnRoutable(channel.path.remote))
            return nil
        }
        for refusal in [NotifyType.unacceptableAddresses, .unexpectedNATDetected] where contents.hasNotify(refusal) {
            return .immovable(refusal)
        }
        // Where this end has moved on, the answer is about a place that it has left.
        guard !tasks.contains(where: { $0.kind == .updateAddresses }) else { return nil }
        if let nat = contents.natStatus(channel.spis, channel.path, turn.cryptography) { channel.nat = nat }
        if let destination = contents.notifyData(.natDetectionDestinationIP) {
            channel.withMobility { $0.seenDestination = destination }
        }
        turn.output.report(.addressesUpdated(due: due, fromHere: true))
        return nil
    }

    /// Whether a liveness check asks what the peer sees of this end: a NAT in between may have changed its mapping
    /// (RFC 4555 section 3.8).
    var watchesMapping: Bool { channel.mobilityRole == .originalInitiator && channel.nat.isLocalBehindNAT }

    /// Tells the peer where this end is, if the NAT has changed that since the last answer.
    mutating func noteMapping(_ contents: borrowing Contents, _ turn: inout Turn) {
        guard watchesMapping, let destination = contents.notifyData(.natDetectionDestinationIP) else { return }
        let hasChanged = channel.withMobility {
            let seen = $0.seenDestination
            $0.seenDestination = destination
            return !seen.isEmpty && seen != destination
        }
        if hasChanged { enqueue(.updateAddresses, notBefore: turn.now) }
    }

    /// Takes what an INFORMATIONAL request says about addresses: SK {[N(UPDATE_SA_ADDRESSES)], [N(NAT_DETECTION_*)],
    /// [N(ADDITIONAL_*_ADDRESS), ... | N(NO_ADDITIONAL_ADDRESSES)]}.
    mutating func takeAddresses(
        _ contents: borrowing Contents,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) -> AddressNews {
        channel.takeAdditionalAddresses(contents, policy: policy, &turn)
        var news = AddressNews()
        let arrival = channel.answerPath
        if contents.hasNotify(.natDetectionSourceIP) {
            news.detection = detection(over: arrival, policy: policy, turn)
        }
        guard channel.mobilityRole == .originalResponder, contents.hasNotify(.updateSAAddresses) else { return news }
        guard policy.values.mobility?.allows(arrival.remote.address) == true else {
            news.refusal = .unacceptableAddresses
            return news
        }
        let hasMoved = arrival.remote != channel.path.remote
        if let nat = contents.natStatus(channel.spis, arrival, turn.cryptography) { channel.nat = nat }
        channel.path = arrival
        rival?.value.channel.path = arrival
        channel.withMobility { $0.arrival = nil }
        turn.output.report(.addressesUpdated(due: turn.now, fromHere: false))
        if hasMoved {
            turn.output.report(.peerMoved(arrival.remote))
            enqueue(.checkPath, notBefore: turn.now)
        }
        return news
    }
}

extension Contents {
    /// A request's COOKIE2, which its answer returns as it came: 8 to 64 octets (RFC 4555 sections 3.7 and 4.2.5).
    var cookieToReturn: [UInt8]? {
        guard let cookie = notifyData(.cookie2), (8...64).contains(cookie.count) else { return nil }
        return cookie
    }
}
