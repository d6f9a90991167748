import ESP
package import Primitives
import UDPTransport

/// Where and how `ikestorm sink` answers.
package struct SinkServiceOptions: Sendable {
    /// The address to answer on; 0.0.0.0 for every one.
    package var address: IPAddress
    /// That of the echo protocol (RFC 862).
    package var port: UInt16 = 7
    /// Answers go to loopback and to these alone.
    package var allowed: [IPPrefix] = []
    /// Nothing is sent back: packets are only counted (RFC 863).
    package var discards = false

    package init(address: IPAddress) {
        self.address = address
    }
}

/// What has come to a sink so far.
package struct SinkServiceStatus: Hashable, Sendable {
    package var packets: UInt64 = 0
    package var byteCount: UInt64 = 0
    package var sent: UInt64 = 0
    /// Flows whose packets ikestorm has marked; the rest is counted for the marked packets alone.
    package var flows = 0
    /// Numbers that have not come, up to the highest that has.
    package var missing: UInt64 = 0
    /// Packets that came behind one with a higher number.
    package var reordered: UInt64 = 0
    package var doubled: UInt64 = 0
}

/// A host behind a gateway, to be the target of traffic in real time: it sends back what it gets, and counts it.
package struct SinkService: ~Copyable {
    private var socket: UDPSocket
    private var loop: EventLoop
    private var incoming: ReceiveBatch
    private var outgoing: TransmitBatch
    private let discards: Bool
    private let wantsStop: @Sendable () -> Bool
    private let clock = MonotonicClock()
    private var totals = SinkServiceStatus()
    private var flows: [FlowKey: FlowCount] = [:]

    private struct FlowKey: Hashable {
        var source: UDPEndpoint
        var flow: UInt32
    }

    /// - Parameter wantsStop: asked at least every 100 ms.
    /// - Throws: `LiveError` when the port cannot be bound.
    package init(options: SinkServiceOptions, wantsStop: @escaping @Sendable () -> Bool) throws {
        let allowance = Allowance(Allowance.served + options.allowed)
        let socket = try UDPSocket(serving: options.address, options.port, "--port", allowance)
        let loop = try EventLoop()
        try loop.watch(socket, token: 0)
        let incoming = try ReceiveBatch()
        let outgoing = try TransmitBatch(byteCapacity: 64 * 9_216)
        self.socket = socket
        self.loop = loop
        self.incoming = incoming
        self.outgoing = outgoing
        discards = options.discards
        self.wantsStop = wantsStop
    }

    /// The port that was bound, where 0 was asked for.
    package var port: UInt16 { socket.local.port }

    /// Serves until it is to stop.
    package mutating func serve() throws {
        while !wantsStop() {
            _ = try loop.wait(until: clock.now + .milliseconds(100), clock: clock)
            while try socket.receive(into: &incoming, clock: clock) > 0 {
                for index in 0..<incoming.count { take(index) }
                flush()
            }
        }
    }

    package var status: SinkServiceStatus {
        var status = totals
        status.sent = socket.counters.sent
        status.flows = flows.count
        for flow in flows.values {
            status.missing += flow.missing
            status.reordered += flow.reordered
            status.doubled += flow.doubled
        }
        return status
    }

    private mutating func take(_ index: Int) {
        let datagram = incoming[index]
        guard !datagram.isTruncated else { return }
        totals.packets += 1
        totals.byteCount += UInt64(datagram.byteCount)
        let octets = incoming.bytes(at: index).copied()
        if let mark = try? FlowMark(decoding: octets.rawSpan) {
            let key = FlowKey(source: datagram.source, flow: mark.flow)
            if flows.count < Self.mostFlows || flows[key] != nil { flows[key, default: FlowCount()].count(mark.number) }
        }
        guard !discards else { return }
        if outgoing.append(octets.rawSpan, from: datagram.destination, to: datagram.source) { return }
        flush()
        _ = outgoing.append(octets.rawSpan, from: datagram.destination, to: datagram.source)
    }

    /// Sends what waits; what a full socket does not take is lost, as on any network.
    private mutating func flush() { _ = socket.send(&outgoing) }

    /// Whoever sends decides how many flows there seem to be.
    private static var mostFlows: Int { 1_000_000 }
}

/// What of a flow has come, by the numbers of its packets, which begin with 1.
package struct FlowCount {
    private var highest: UInt64 = 0
    private var distinct: UInt64 = 0
    /// Bit n: whether the number `highest - n` has come.
    private var recent: UInt64 = 0
    package private(set) var reordered: UInt64 = 0
    package private(set) var doubled: UInt64 = 0

    package init() {}

    package mutating func count(_ number: UInt64) {
        if number > highest {
            let step = number - highest
            recent = (step < 64 ? recent << step : 0) | 1
            highest = number
            distinct += 1
            return
        }
        // One that is later than 64 others may have come before; it is taken for late.
        let age = highest - number
        let bit: UInt64 = age < 64 ? 1 << age : 0
        if recent & bit != 0 {
            doubled += 1
        } else {
            recent |= bit
            reordered += 1
            distinct += 1
        }
    }

    package var missing: UInt64 { highest > distinct ? highest - distinct : 0 }
}
