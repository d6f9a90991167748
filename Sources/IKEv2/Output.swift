package import IKECrypto
package import IKEWire
package import Primitives

/// What a machine tells its driver besides datagrams.
package enum Report: Hashable, Sendable {
    /// The keys of an IKE SA exist, vouched for or not: what a key table needs.
    case keysDerived(IKESPIPair)
    case established(IKESPIPair)
    /// A responder's peer has this identity, hashed, and says or does not say that it has no other IKE SA
    /// (RFC 7296 section 2.4).
    case peerIdentified(UInt64, isInitialContact: Bool)
    /// The peer gave this inner address (RFC 7296 section 2.19).
    case addressAssigned(IPAddress)
    /// The peer gave this name server, or this subnet behind it (RFC 7296 section 3.15.1).
    case nameServerGiven(IPAddress)
    case subnetGiven(IPPrefix)
    /// The responder wants the initiator to reauthenticate within this time (RFC 4478).
    case authenticationLimited(Duration)
    case childInstalled(inbound: ChildSPI, outbound: ChildSPI)
    /// IKE_AUTH made the IKE SA without a Child SA, or a further Child SA was refused, for this reason.
    case childRefused(NotifyType)
    /// `replaced` is the inbound SPI of the old Child SA; `due` is when its soft lifetime asked for it.
    case childRekeyed(replaced: ChildSPI, inbound: ChildSPI, outbound: ChildSPI, due: Instant, fromHere: Bool)
    /// A rekey that began here came to nothing: the peer refused it, or its IKE SA ended before there was an answer.
    case childRekeyFailed(ChildSPI, CloseReason)
    case childDeleted(inbound: ChildSPI)
    case ikeRekeyed(old: IKESPIPair, new: IKESPIPair, due: Instant, fromHere: Bool)
    case ikeRekeyFailed(IKESPIPair, CloseReason)
    case retransmitted(Operation)
    /// A request that was answered before got the same answer again.
    case answeredAgain
    /// The peer answered a liveness check.
    case alive
    /// The peer is now seen at another address or port (RFC 7296 section 2.23).
    case peerMoved(UDPEndpoint)
    /// The peer can be reached at this address besides (RFC 4555 section 3.6).
    case peerAddressGiven(IPAddress)
    /// Both ends know the new addresses; `due` is when the one that moved did (RFC 4555 section 3.5).
    case addressesUpdated(due: Instant, fromHere: Bool)
    /// The peer has shown that it is where it says (RFC 4555 section 3.7).
    case returnRoutable(UDPEndpoint)
    /// Somebody says, without protection, that the peer does not have this IKE SA (RFC 7296 section 2.21.4).
    case unknownToPeer(IKESPIPair)
    /// The peer, or somebody without protection, says that it does not have this Child SA (RFC 7296 section 1.5).
    case childUnknownToPeer(inbound: ChildSPI)
    /// An IKE_SA_INIT request was refused, without state.
    case refused(NotifyType)
    /// A datagram was dropped: it is not a message of this IKE SA, or its ICV is wrong.
    case dropped
    case closed(IKESPIPair, CloseReason)
}

/// What one or more machines want done. The driver lends it, carries it out, and empties it.
package struct Output: ~Copyable {
    /// A UDP payload to be sent, marker included.
    package struct Datagram: Sendable {
        package var range: Range<Int>
        package var path: Path
        package var note: PacketNote
    }

    /// The datagrams' octets, back to back.
    package private(set) var octets: [UInt8] = []
    package private(set) var datagrams: [Datagram] = []
    package private(set) var reports: [Report] = []
    /// An expensive operation that the machine waits for. Until its result is given back, the machine takes no input.
    package var keyExchange: KeyExchangeRequest?
    /// What a server behind the machine is to be asked; its answer is given back, or that there is none.
    package var backend: BackendRequest?

    /// How many of the reports their client has taken note of.
    private var absorbedCount = 0
    private var absorbedDatagramCount = 0

    package init() {}

    /// The next of the reports that were not taken by this before; they stay in `reports`.
    package mutating func takeUnabsorbed() -> Report? {
        guard absorbedCount < reports.count else { return nil }
        absorbedCount += 1
        return reports[absorbedCount - 1]
    }

    /// The note of the next of the datagrams that were not taken note of by this before; they stay in `datagrams`.
    package mutating func takeUnabsorbedNote() -> PacketNote? {
        guard absorbedDatagramCount < datagrams.count else { return nil }
        absorbedDatagramCount += 1
        return datagrams[absorbedDatagramCount - 1].note
    }

    package mutating func removeAll() {
        precondition(keyExchange == nil, "a request for an operation is carried out before the output is emptied")
        precondition(backend == nil, "a request for a server is taken before the output is emptied")
        if !octets.isEmpty { octets.removeLast(octets.count) }
        if !datagrams.isEmpty { datagrams.removeLast(datagrams.count) }
        if !reports.isEmpty { reports.removeLast(reports.count) }
        absorbedCount = 0
        absorbedDatagramCount = 0
    }

    mutating func report(_ report: Report) {
        reports.append(report)
    }

    mutating func ask(_ request: consuming KeyExchangeRequest) {
        precondition(keyExchange == nil, "a machine asks for one operation at a time")
        keyExchange = consume request
    }

    mutating func ask(_ request: BackendRequest) {
        precondition(backend == nil, "a machine asks its server for one thing at a time")
        backend = request
    }

    /// An IKE message, behind a non-ESP marker where the path wants one (RFC 3948 section 2.2).
    package mutating func send(_ message: borrowing RawSpan, over path: Path, _ note: PacketNote) {
        let start = octets.count
        if path.isEncapsulated { octets.append(contentsOf: [0, 0, 0, 0]) }
        unsafe message.withUnsafeBytes { unsafe octets.append(contentsOf: $0) }
        datagrams.append(Datagram(range: start..<octets.count, path: path, note: note))
    }

    /// One octet 0xFF (RFC 3948 section 2.3).
    mutating func sendKeepalive(over path: Path) {
        let start = octets.count
        octets.append(0xFF)
        let note = PacketNote(.natKeepalive, isResponse: false)
        datagrams.append(Datagram(range: start..<octets.count, path: path, note: note))
    }
}
