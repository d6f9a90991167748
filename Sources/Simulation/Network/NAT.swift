package import Primitives

/// How a NAT treats UDP, in the terms of RFC 4787.
package struct NATBehaviour: Hashable, Sendable, BitwiseCopyable {
    /// What a mapping is reused for (section 4.1), and whose packets it lets in (section 5).
    package enum Dependence: UInt8, Hashable, Sendable, BitwiseCopyable, CaseIterable {
        case endpointIndependent
        case addressDependent
        case addressAndPortDependent

        func treatsAlike(_ left: UDPEndpoint, _ right: UDPEndpoint) -> Bool {
            switch self {
            case .endpointIndependent: true
            case .addressDependent: left.address == right.address
            case .addressAndPortDependent: left == right
            }
        }
    }

    /// How the outer port of a new mapping is chosen (section 4.2).
    package enum PortChoice: UInt8, Hashable, Sendable, BitwiseCopyable, CaseIterable {
        /// The inner port, where it is free.
        case preserve
        case sequential
        case random
    }

    package var mapping: Dependence
    package var filtering: Dependence
    /// How long a mapping lives that has seen packets from inside alone.
    package var timeoutOneWay: Duration
    /// How long a mapping lives that has seen packets both ways.
    package var timeoutTwoWay: Duration
    package var ports: PortChoice
    /// Whether packets from outside keep a mapping alive (RFC 4787 REQ-6 allows it, those from inside always do).
    package var isRefreshedFromOutside: Bool

    package init(
        mapping: Dependence,
        filtering: Dependence,
        timeoutOneWay: Duration,
        timeoutTwoWay: Duration,
        ports: PortChoice,
        isRefreshedFromOutside: Bool = true
    ) {
        precondition(timeoutOneWay > .zero && timeoutTwoWay > .zero, "a mapping lives for some time")
        self.mapping = mapping
        self.filtering = filtering
        self.timeoutOneWay = timeoutOneWay
        self.timeoutTwoWay = timeoutTwoWay
        self.ports = ports
        self.isRefreshedFromOutside = isRefreshedFromOutside
    }
}

/// An IPv4 NAT in front of one client, in place and without a heap.
///
/// It keeps a session for each pair of inner port and remote endpoint, as Linux does; sessions that share an outer
/// port are one mapping of RFC 4787. There is room for six: a client has two ports and rarely a second gateway. Where
/// more are needed the one that was idle longest goes.
package struct NAT: Sendable, BitwiseCopyable {
    struct Session: Hashable, Sendable, BitwiseCopyable {
        var lastActivity: Instant
        private let remoteAddress: UInt32
        private let remotePort: UInt16
        /// 0 where the session is free.
        var innerPort: UInt16
        var outerPort: UInt16
        var isTwoWay = false

        init(remote: UDPEndpoint, innerPort: UInt16, outerPort: UInt16, lastActivity: Instant) {
            remoteAddress = remote.address.v4
            remotePort = remote.port
            self.innerPort = innerPort
            self.outerPort = outerPort
            self.lastActivity = lastActivity
        }

        var remote: UDPEndpoint { UDPEndpoint(address: IPAddress(v4: remoteAddress), port: remotePort) }

        static var free: Session {
            let remote = UDPEndpoint(address: IPAddress(v4: 0), port: 0)
            return Session(remote: remote, innerPort: 0, outerPort: 0, lastActivity: .zero)
        }
    }

    /// What becomes of a packet from outside.
    package enum Inbound: Hashable, Sendable, BitwiseCopyable {
        case forwarded(to: UDPEndpoint)
        /// Nothing, or nothing any more, is mapped to the port.
        case unmapped
        /// The mapping does not let this remote endpoint in.
        case filtered
    }

    private let inner: UInt32
    private var outer: UInt32
    private var sessions: InlineArray<6, Session>
    private var stream: RandomStream
    private var nextSequentialPort: UInt16
    /// The ports that it may give, where it is part of a NAT that others share; nil: all.
    private var block: PortBlock?

    /// A NAT without mappings; `name` is its stable name, by which it draws ports.
    package init(innerAddress: IPAddress, outerAddress: IPAddress, seed: UInt64, name: UInt64) {
        precondition(innerAddress.isIPv4 && outerAddress.isIPv4, "a NAT is between IPv4 addresses")
        inner = innerAddress.v4
        outer = outerAddress.v4
        sessions = InlineArray(repeating: .free)
        stream = RandomStream(seed: seed, entity: name, purpose: .natPort)
        nextSequentialPort = Self.firstPort
    }

    package var innerAddress: IPAddress { IPAddress(v4: inner) }

    package private(set) var outerAddress: IPAddress {
        get { IPAddress(v4: outer) }
        set { outer = newValue.v4 }
    }

    /// Sends a packet out: the outer endpoint that the remote one sees as its source.
    package mutating func outbound(
        from innerPort: UInt16,
        to remote: UDPEndpoint,
        at now: Instant,
        _ behaviour: NATBehaviour
    ) -> UDPEndpoint {
        precondition(innerPort != 0, "port 0 sends nothing")
        expire(at: now, behaviour)
        var index = sessions.indices.first { sessions[$0].innerPort == innerPort && sessions[$0].remote == remote }
        if index == nil {
            let mapped = sessions.indices.first {
                sessions[$0].innerPort == innerPort && behaviour.mapping.treatsAlike(sessions[$0].remote, remote)
            }
            let outerPort = mapped.map { sessions[$0].outerPort } ?? choosePort(for: innerPort, behaviour.ports)
            let place = placeForSession()
            sessions[place] = Session(
                remote: remote,
                innerPort: innerPort,
                outerPort: outerPort,
                lastActivity: now
            )
            index = place
        }
        guard let index else { preconditionFailure("a session was found or made") }
        sessions[index].lastActivity = now
        return UDPEndpoint(address: outerAddress, port: sessions[index].outerPort)
    }

    /// Takes a packet from outside to one of the outer address's ports.
    package mutating func inbound(
        to outer: UDPEndpoint,
        from remote: UDPEndpoint,
        at now: Instant,
        _ behaviour: NATBehaviour
    ) -> Inbound {
        expire(at: now, behaviour)
        guard outer.address == outerAddress else { return .unmapped }
        var isMapped = false
        var match: Int?
        for index in sessions.indices where sessions[index].innerPort != 0 && sessions[index].outerPort == outer.port {
            isMapped = true
            guard behaviour.filtering.treatsAlike(sessions[index].remote, remote) else { continue }
            if match == nil || sessions[index].remote == remote { match = index }
        }
        guard let match else { return isMapped ? .filtered : .unmapped }
        sessions[match].isTwoWay = true
        if behaviour.isRefreshedFromOutside { sessions[match].lastActivity = now }
        return .forwarded(to: UDPEndpoint(address: innerAddress, port: sessions[match].innerPort))
    }

    /// Forgets every mapping, as a reboot does.
    package mutating func flush() {
        sessions = InlineArray(repeating: .free)
    }

    /// Gives it ports of a shared NAT, and the outer address that they are of; or takes them away.
    package mutating func use(_ block: PortBlock?) {
        self.block = block
        guard let block else { return }
        outerAddress = block.address
        nextSequentialPort = block.firstPort
        flush()
    }

    package var portBlock: PortBlock? { block }

    /// When the last of its mappings ends if nothing more is sent, or `.zero` where there is none.
    package func idleFrom(_ behaviour: NATBehaviour) -> Instant {
        var latest = Instant.zero
        for index in sessions.indices where sessions[index].innerPort != 0 {
            let timeout = sessions[index].isTwoWay ? behaviour.timeoutTwoWay : behaviour.timeoutOneWay
            latest = max(latest, sessions[index].lastActivity + timeout)
        }
        return latest
    }

    /// Gives every mapping another outer port, and all of them another outer address if there is one to give.
    ///
    /// Nothing gets in through the old ones. The client does not notice; its next packet has another source.
    package mutating func rebind(to newOuterAddress: IPAddress? = nil) {
        if let newOuterAddress {
            precondition(newOuterAddress.isIPv4, "a NAT is between IPv4 addresses")
            outerAddress = newOuterAddress
        }
        var renewed = InlineArray<6, Bool>(repeating: false)
        for index in sessions.indices where sessions[index].innerPort != 0 && !renewed[index] {
            let old = sessions[index].outerPort
            let inner = sessions[index].innerPort
            let new = freeRandomPort()
            for other in sessions.indices
            where sessions[other].outerPort == old && sessions[other].innerPort == inner && !renewed[other] {
                sessions[other].outerPort = new
                sessions[other].isTwoWay = false
                renewed[other] = true
            }
        }
    }

    /// How many sessions live, expired ones that nothing has met since among them.
    package var sessionCount: Int {
        sessions.indices.reduce(0) { $0 + (sessions[$1].innerPort != 0 ? 1 : 0) }
    }

    /// Frees what has been idle too long. A mapping lives as long as its last session.
    private mutating func expire(at now: Instant, _ behaviour: NATBehaviour) {
        for index in sessions.indices where sessions[index].innerPort != 0 {
            let timeout = sessions[index].isTwoWay ? behaviour.timeoutTwoWay : behaviour.timeoutOneWay
            if now - sessions[index].lastActivity >= timeout { sessions[index] = .free }
        }
    }

    private func placeForSession() -> Int {
        var place = 0
        for index in sessions.indices {
            if sessions[index].innerPort == 0 { return index }
            if sessions[index].lastActivity < sessions[place].lastActivity { place = index }
        }
        return place
    }

    private mutating func choosePort(for innerPort: UInt16, _ choice: NATBehaviour.PortChoice) -> UInt16 {
        switch choice {
        case .preserve:
            let isTaken = sessions.indices.contains {
                sessions[$0].outerPort == innerPort && sessions[$0].innerPort != innerPort
                    && sessions[$0].innerPort != 0
            }
            let isOwn = block?.contains(innerPort) ?? true
            return isTaken || !isOwn ? freeRandomPort() : innerPort
        case .sequential:
            repeat {
                nextSequentialPort = nextSequentialPort == lastPort ? firstPort : nextSequentialPort + 1
            } while !isFree(nextSequentialPort)
            return nextSequentialPort
        case .random:
            return freeRandomPort()
        }
    }

    private mutating func freeRandomPort() -> UInt16 {
        while true {
            let port = firstPort + UInt16(stream.below(UInt64(lastPort - firstPort) + 1))
            if isFree(port) { return port }
        }
    }

    private var firstPort: UInt16 { block?.firstPort ?? Self.firstPort }
    private var lastPort: UInt16 { block.map { $0.firstPort + ($0.count - 1) } ?? .max }

    private func isFree(_ port: UInt16) -> Bool {
        sessions.indices.allSatisfy { sessions[$0].innerPort == 0 || sessions[$0].outerPort != port }
    }

    /// A NAT hands out no well-known port (RFC 4787 section 4.2.2), but may preserve one.
    private static var firstPort: UInt16 { 1_024 }
}
