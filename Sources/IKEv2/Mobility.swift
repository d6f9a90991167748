import IKEWire
package import Primitives

/// How a policy wants MOBIKE (RFC 4555).
package struct MobilityPolicy: Hashable, Sendable {
    /// Where this end can be reached besides: the peer is told of it (RFC 4555 section 3.4).
    package var additionalAddresses: [IPAddress]
    /// Where the peer may be: an address outside is never followed, whoever names it. Nil: anywhere.
    package var allowedPeers: [IPPrefix]?

    package init(additionalAddresses: [IPAddress] = [], allowedPeers: [IPPrefix]? = nil) {
        precondition(additionalAddresses.count <= Self.mostAddresses, "an end has few addresses")
        self.additionalAddresses = additionalAddresses
        self.allowedPeers = allowedPeers
    }

    func allows(_ address: IPAddress) -> Bool { allowedPeers?.contains { $0.contains(address) } ?? true }

    /// How many additional addresses of a peer are remembered; a peer that names more gets no more room.
    package static var mostAddresses: Int { 16 }
}

/// The part that an end has in MOBIKE.
///
/// It stays with the IKE SAs that rekeys make, whoever began those (RFC 4555 section 1.3).
package enum MobilityRole: UInt8, Hashable, Sendable, BitwiseCopyable {
    /// Not both ends have sent MOBIKE_SUPPORTED (RFC 4555 section 3.2).
    case none
    /// It decides which addresses are used (RFC 4555 section 2.2).
    case originalInitiator
    case originalResponder
}

/// What an end remembers for MOBIKE, from the moment on at which there is something to remember.
struct Mobility {
    /// Where the peer can be reached, as far as it has said that of more than one address and the policy allows it.
    var peerAddresses: [IPAddress] = []
    /// Where the peer's request came from, if that is not where the peer is known to be: its answer goes there.
    var arrival: Path?
    /// The COOKIE2 of the outstanding request (RFC 4555 section 3.7).
    var cookie: [UInt8] = []
    /// When the address changed that the outstanding request tells of.
    var due = Instant.never
    /// NAT_DETECTION_DESTINATION_IP as the peer's last answer had it: it changes with a NAT's mapping.
    var seenDestination: [UInt8] = []

    static var cookieByteCount: Int { 16 }
}

// The way to the peer while MOBIKE is in use.
extension Channel {
    /// Where the answer to the peer's request goes: to where that came from (RFC 7296 section 2.11).
    var answerPath: Path {
        switch mobility {
        case .some(let mobility): mobility.value.arrival ?? path
        case .none: path
        }
    }

    mutating func withMobility<Result>(_ body: (inout Mobility) -> Result) -> Result {
        var box = mobility.take() ?? Box(Mobility())
        let result = body(&box.value)
        mobility = consume box
        return result
    }

    /// Remembers where a message came from without following the peer there: with MOBIKE addresses change by
    /// UPDATE_SA_ADDRESSES alone (RFC 4555 section 3.5).
    mutating func noteArrival(_ arrival: Path) {
        guard mobility != nil || arrival != path else { return }
        let known = path
        withMobility { $0.arrival = arrival == known ? nil : arrival }
    }

    /// Goes on from another address, or towards another one, by the port that it has used so far.
    mutating func move(to route: Route) {
        path = path.isEncapsulated ? route.encapsulated : route.plain
        if mobility != nil { withMobility { $0.arrival = nil } }
    }

    /// Takes over what both ends know of each other's addresses from the IKE SA that a rekey replaces.
    mutating func inheritMobility(from old: borrowing Channel) {
        mobilityRole = old.mobilityRole
        switch old.mobility {
        case .some(let old):
            let addresses = old.value.peerAddresses
            withMobility { $0.peerAddresses = addresses }
        case .none: break
        }
    }

    /// Whether the peer is at an address, or has said that it can be reached there.
    func canReachPeer(at address: IPAddress) -> Bool {
        if address == path.remote.address { return true }
        return switch mobility {
        case .some(let mobility): mobility.value.peerAddresses.contains(address)
        case .none: false
        }
    }

    /// Takes ADDITIONAL_IP4_ADDRESS, ADDITIONAL_IP6_ADDRESS or NO_ADDITIONAL_ADDRESSES, which replace what was known
    /// (RFC 4555 section 3.6); what the policy does not allow is forgotten at once.
    mutating func takeAdditionalAddresses(_ contents: borrowing Contents, policy: PeerPolicy, _ turn: inout Turn) {
        guard let told = contents.additionalAddresses, let wanted = policy.values.mobility else { return }
        let allowed = Array(told.filter { wanted.allows($0) }.prefix(MobilityPolicy.mostAddresses))
        // Where the peer says it from is one of its addresses too, which it does not repeat (RFC 4555 section 3.4).
        let known = allowed.isEmpty ? [] : allowed + [path.remote.address]
        withMobility { $0.peerAddresses = known }
        for address in allowed { turn.output.report(.peerAddressGiven(address)) }
    }
}

extension Contents {
    /// The addresses that the peer can be reached at besides, or nil when it says nothing about them.
    var additionalAddresses: [IPAddress]? {
        var saysSomething = false
        var addresses: [IPAddress] = []
        forEachNotify { notify in
            switch notify.type {
            case .noAdditionalAddresses: saysSomething = true
            case .additionalIPv4Address, .additionalIPv6Address:
                saysSomething = true
                if let address = notify.address { addresses.append(address) }
            default: break
            }
        }
        return saysSomething ? addresses : nil
    }
}

extension Notify {
    /// The address that ADDITIONAL_IP4_ADDRESS or ADDITIONAL_IP6_ADDRESS carries; nil where the length is another.
    fileprivate var address: IPAddress? {
        if type == .additionalIPv4Address { return integer(as: UInt32.self).map(IPAddress.init(v4:)) }
        guard data.byteCount == 16 else { return nil }
        var reader = ByteReader(data)
        guard let high = try? reader.readInteger(as: UInt64.self), let low = try? reader.readInteger(as: UInt64.self)
        else { return nil }
        return IPAddress(high: high, low: low)
    }
}

extension MessageEncoder {
    /// [N(MOBIKE_SUPPORTED), [N(ADDITIONAL_*_ADDRESS), ...]] (RFC 4555 sections 3.2 and 3.4)
    mutating func mobility(_ policy: PeerPolicy, at own: UDPEndpoint) {
        guard let mobility = policy.values.mobility else { return }
        notify(.mobikeSupported)
        additionalAddresses(mobility, besides: own)
    }

    mutating func additionalAddresses(_ mobility: MobilityPolicy, besides own: UDPEndpoint) {
        for address in mobility.additionalAddresses where address != own.address {
            notify(address.isIPv4 ? .additionalIPv4Address : .additionalIPv6Address, address.octets)
        }
    }
}
