import IKEWire
import IKEv2
import Primitives

/// A hash over all that a client wanted done in one turn: its datagrams octet for octet, and its reports.
enum OutputDigest {
    static func of(_ output: borrowing Output) -> UInt64 {
        var hasher = SipHash24(key: key)
        for datagram in output.datagrams {
            hasher.combine(datagram.path.local)
            hasher.combine(datagram.path.remote)
            hasher.combine(UInt64(datagram.range.count) << 1 | (datagram.path.isEncapsulated ? 1 : 0))
            for octet in output.octets[datagram.range] { hasher.combine(octet) }
        }
        for report in output.reports { hasher.combine(report) }
        return hasher.finalize()
    }

    static func of(_ words: [UInt64]) -> UInt64 {
        var hasher = SipHash24(key: key)
        for word in words { hasher.combine(word) }
        return hasher.finalize()
    }

    static func of(octets: RawSpan) -> UInt64 {
        var hasher = SipHash24(key: key)
        for index in 0..<octets.byteCount { hasher.combine(octets[index]) }
        return hasher.finalize()
    }

    private static var key: (UInt64, UInt64) { (0x696B_6573_746F_726D, 0x7265_636F_7264_2D31) }
}

extension SipHash24 {
    fileprivate mutating func combine(_ endpoint: UDPEndpoint) {
        combine(endpoint.address.high)
        combine(endpoint.address.low)
        combine(UInt64(endpoint.port))
    }

    fileprivate mutating func combine(_ spis: IKESPIPair) {
        combine(spis.initiator.rawValue)
        combine(spis.responder.rawValue)
    }

    fileprivate mutating func combine(_ notify: NotifyType?) { combine(notify.map { UInt64($0.rawValue) } ?? .max) }

    /// The case's number, and then what it carries.
    fileprivate mutating func combine(_ report: Report) {
        switch report {
        case .keysDerived(let spis): combine(1, spis)
        case .established(let spis): combine(2, spis)
        case .addressAssigned(let address):
            combine(3 as UInt64)
            combine(address.high)
            combine(address.low)
        case .childInstalled(let inbound, let outbound): combine(4, inbound, outbound)
        case .childRefused(let notify):
            combine(5 as UInt64)
            combine(notify)
        case .childRekeyed(let replaced, let inbound, let outbound, let due, let fromHere):
            combine(6, inbound, outbound)
            combine(UInt64(replaced.rawValue) << 1 | (fromHere ? 1 : 0))
            combine(due.nanoseconds)
        case .childRekeyFailed(let spi, let reason):
            combine(7 | UInt64(spi.rawValue) << 8)
            combine(reason.name)
        case .childDeleted(let inbound): combine(8 | UInt64(inbound.rawValue) << 8)
        case .ikeRekeyed(let old, let new, let due, let fromHere):
            combine(fromHere ? 9 : 10, old)
            combine(new)
            combine(due.nanoseconds)
        case .ikeRekeyFailed(let spis, let reason):
            combine(11, spis)
            combine(reason.name)
        case .retransmitted(let operation): combine(12 | UInt64(operation.rawValue) << 8)
        case .answeredAgain: combine(13 as UInt64)
        case .alive: combine(14 as UInt64)
        case .peerMoved(let endpoint):
            combine(15 as UInt64)
            combine(endpoint)
        case .refused(let notify):
            combine(16 as UInt64)
            combine(notify)
        case .dropped: combine(17 as UInt64)
        case .closed(let spis, let reason):
            combine(18, spis)
            combine(reason.name)
        case .nameServerGiven(let address):
            combine(19 as UInt64)
            combine(address.high)
            combine(address.low)
        case .peerAddressGiven(let address):
            combine(21 as UInt64)
            combine(address.high)
            combine(address.low)
        case .addressesUpdated(let due, let fromHere):
            combine(fromHere ? 22 : 23 as UInt64)
            combine(due.nanoseconds)
        case .returnRoutable(let endpoint):
            combine(24 as UInt64)
            combine(endpoint)
        case .subnetGiven(let subnet):
            combine(20 | UInt64(subnet.length) << 8)
            combine(subnet.address.high)
            combine(subnet.address.low)
        case .peerIdentified(let identity, let isInitialContact):
            combine((isInitialContact ? 25 : 26) as UInt64)
            combine(identity)
        case .childUnknownToPeer(let inbound): combine(29 | UInt64(inbound.rawValue) << 8)
        case .unknownToPeer(let spis): combine(27, spis)
        case .authenticationLimited(let lifetime):
            combine(28 as UInt64)
            combine(UInt64(lifetime.nanoseconds))
        }
    }

    private mutating func combine(_ number: UInt64, _ spis: IKESPIPair) {
        combine(number)
        combine(spis)
    }

    private mutating func combine(_ number: UInt64, _ inbound: ChildSPI, _ outbound: ChildSPI) {
        combine(number)
        combine(UInt64(inbound.rawValue) << 32 | UInt64(outbound.rawValue))
    }
}
