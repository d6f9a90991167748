import BasicContainers
import Gateway
import IKEv2
import Load
import Primitives
import Simulation

/// A datagram that is at a link which all clients of its path share.
struct DatagramAtLink {
    enum Content {
        /// Of a client's IKE SA, or its keepalive.
        case message([UInt8], Output.Datagram, attempt: UInt32, from: UDPEndpoint)
        /// Of a gateway's half.
        case answer([UInt8], Path)
        /// A sealed packet, and what its coming is.
        case packet(UInt32, ShardEvent)
    }

    let path: Int
    let direction: Flow.Direction
    /// The flow as it was: its client may go to another network meanwhile.
    let flow: Flow
    let passage: Link.Passage
    let content: Content
}

/// A shard's datagrams that are at shared links, by their places.
struct DatagramsAtLinks {
    private var datagrams = Slab<DatagramAtLink>()
    private var requests: [(part: Int, request: LinkRequest)] = []

    mutating func insert(_ datagram: DatagramAtLink) -> UInt32 { datagrams.insert(datagram) }

    mutating func take(_ place: UInt32) -> DatagramAtLink { datagrams.remove(place) }

    /// Keeps what a link is to hear until there is an outbox for it.
    mutating func keep(_ request: LinkRequest, to part: Int) { requests.append((part, request)) }

    mutating func ask(_ outbox: inout Outbox<GatewayMessage>) {
        guard !requests.isEmpty else { return }
        for (part, request) in requests {
            outbox.send(.linkRequest(request), to: part, arriving: request.order.time)
        }
        requests.removeAll(keepingCapacity: true)
    }
}

// A link that all clients of a path share stands in the middle of the path. A third of the path's least delay at most
// goes by until it hears of a datagram, as much until the shard hears what it does with it, and the rest behind it.
extension ClientShard {
    mutating func accept(shared message: GatewayMessage) {
        guard case .linkGrant(let grant) = message else { return accept(portsIn: message) }
        queue.push(
            Event(
                order: grant.order,
                target: plan.partition.localIndex(of: grant.client),
                kind: ShardEvent.linkGrant.rawValue,
                small: grant.datagram,
                first: (grant.departure ?? .never).nanoseconds
            )
        )
    }

    /// Brings a datagram to the link that is a part of the run; nil unless it is lost before.
    mutating func enter(
        _ part: Int,
        _ local: Int,
        _ direction: Flow.Direction,
        payloadByteCount: Int,
        isIPv4: Bool,
        _ content: DatagramAtLink.Content
    ) -> Link.Outcome? {
        let path = clients[local].path
        var flow = flow(local, direction)
        let entrance = flow.enter(payloadByteCount: payloadByteCount, isIPv4: isIPv4, over: links[path])
        setFlow(local, direction, flow)
        switch entrance {
        case .dropped(let reason): return .dropped(reason)
        case .waits(let passage):
            let datagram = DatagramAtLink(
                path: path,
                direction: direction,
                flow: flow,
                passage: passage,
                content: content
            )
            let request = LinkRequest(
                order: order(local, at: turn.now + plan.sharedLinkLatency, EventClass.packet),
                client: plan.partition.entity(at: UInt32(local), of: index),
                shard: index,
                datagram: atLinks.insert(datagram),
                byteCount: UInt32(passage.byteCount),
                isToGateway: direction == .toGateway
            )
            atLinks.keep(request, to: part)
            return nil
        }
    }

    /// A link has said when a datagram leaves it, or that its queue is full.
    mutating func leaveLink(_ local: Int, _ event: Event, _ outbox: inout Outbox<GatewayMessage>) {
        let datagram = atLinks.take(event.small)
        note(local, event.order, .linkGrant, event.first)
        let departure = Instant(nanoseconds: event.first)
        let outcome = departure == .never ? .dropped(.queueFull) : leave(datagram, local, at: departure)
        switch datagram.content {
        case .message(let octets, let message, let attempt, let source):
            post(local, attempt, octets[...], message, from: source, outcome, &outbox)
        case .answer(let octets, let path): pushDelivery(local, octets[...], path, outcome)
        case .packet(let handle, let kind):
            let subject = packets.subject(of: handle)
            if let reason = leave(outcome, local, handle, kind) { tally.packetLost(subject, reason, at: turn.now) }
        }
    }

    private mutating func leave(_ datagram: DatagramAtLink, _ local: Int, at departure: Instant) -> Link.Outcome {
        let present = flow(local, datagram.direction)
        let isPresent = present.name == datagram.flow.name
        var flow = isPresent ? present : datagram.flow
        // The way to the link is a part of the path's delay.
        let sent = Instant(nanoseconds: departure.nanoseconds - UInt64(plan.sharedLinkLatency.nanoseconds))
        let outcome = flow.leave(datagram.passage, at: sent, over: links[datagram.path])
        if isPresent { setFlow(local, datagram.direction, flow) }
        return outcome
    }

    func flow(_ local: Int, _ direction: Flow.Direction) -> Flow {
        direction == .toGateway ? clients[local].up : clients[local].down
    }

    mutating func setFlow(_ local: Int, _ direction: Flow.Direction, _ flow: Flow) {
        switch direction {
        case .toGateway: clients[local].up = flow
        case .toClient: clients[local].down = flow
        }
    }
}
