import ESP
import IKEWire
import IKEv2
import Primitives

/// What the packets of a flow are, but for what tells one from another.
struct FlowForm: Hashable, Sendable, BitwiseCopyable {
    enum Content: Hashable, Sendable, BitwiseCopyable {
        case udp(port: UInt16)
        case icmp(identifier: UInt16)
    }

    var content: Content
    /// The address behind the gateway, where the workload names one.
    var target: IPAddress?
    /// How long they look at least, the inner IP header included, by TFC padding (RFC 4303 section 2.7).
    var padding = 0
}

/// Whom a Child SA's packets are from and to: by family, the first addresses of its selectors that go together.
struct InnerEnds {
    private var pairs: [(own: IPAddress, peer: IPAddress)] = []
    private let isGateway: Bool

    init(_ child: borrowing ChildSA, isGateway: Bool) {
        self.isGateway = isGateway
        for own in child.localSelectors {
            for peer in child.remoteSelectors where own.startAddress.isIPv4 == peer.startAddress.isIPv4 {
                guard !pairs.contains(where: { $0.own.isIPv4 == own.startAddress.isIPv4 }) else { continue }
                pairs.append((Self.host(of: own), Self.host(of: peer)))
            }
        }
    }

    /// A packet of a flow from this end; nil where no selectors are of its family.
    func packet(_ form: FlowForm, _ number: UInt64) -> InnerPacket? {
        let target = form.target
        guard var (own, peer) = pairs.first(where: { target == nil || $0.own.isIPv4 == target?.isIPv4 }) else {
            return nil
        }
        if let target { if isGateway { own = target } else { peer = target } }
        let content: InnerPacket.Content =
            switch form.content {
            case .udp(let port): .udp(sourcePort: port, destinationPort: port)
            case .icmp(let identifier):
                .echoRequest(identifier: identifier, number: UInt16(truncatingIfNeeded: number))
            }
        return InnerPacket(source: own, destination: peer, content: content)
    }

    /// What came in transport mode.
    func received(_ message: RawSpan, _ next: IPProtocol) -> InnerPacket? {
        guard let (own, peer) = pairs.first else { return nil }
        return try? InnerPacket.decodeTransport(message, next, source: peer, destination: own)
    }

    /// The first address of a range that a host can have: the one behind the network's own.
    private static func host(of selector: TrafficSelector) -> IPAddress {
        let (start, end) = (selector.startAddress, selector.endAddress)
        guard start != end else { return start }
        return start.isIPv4 ? IPAddress(v4: start.v4 + 1) : IPAddress(high: start.high, low: start.low + 1)
    }
}
