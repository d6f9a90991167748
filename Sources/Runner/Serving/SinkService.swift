import ESP
package import Primitives
import UDPTransport

/// Where and how `ikestorm sink` answers.
package struct SinkServiceOptions: Sendable {
    /// The address to answer on; 0.0.0.0 for every one.
    package var address: IPAddress
    /// Where packets are sent back: that of the echo protocol (RFC 862).
    package var echoPort: UInt16 = 7
    /// Where one-way flows go: that of the discard protocol (RFC 863).
    package var flowPort: UInt16 = 9
    /// Answers go to loopback and to these alone.
    package var allowed: [IPPrefix] = []

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

/// A host behind a gateway, to be the target of traffic in real time: it sends back what it gets at one port, and is
/// the other end of one-way flows at another.
package struct SinkService: ~Copyable {
    private var echo: Port
    private var oneWay: Port
    private var sink: FlowSink<Peer>
    private var loop: EventLoop
    private let wantsStop: @Sendable () -> Bool
    private let clock = MonotonicClock()
    private var totals = SinkServiceStatus()
    private var flows: [FlowKey: FlowCount] = [:]
    private var buffer: [UInt8] = []
    private var nextPrune = Instant.zero

    /// Not private: a debug build destroys it in other files.
    struct Port: ~Copyable {
        var socket: UDPSocket
        var waiting: TransmitBatch

        mutating func send(_ octets: RawSpan, from source: IPAddress, to destination: UDPEndpoint) {
            if waiting.append(octets, from: source, to: destination, gathers: true) { return }
            flush()
            _ = waiting.append(octets, from: source, to: destination, gathers: true)
        }

        /// Sends what waits; what a full socket does not take is lost, as on any network.
        mutating func flush() { _ = socket.send(&waiting) }
    }

    private struct FlowKey: Hashable {
        var source: UDPEndpoint
        var flow: UInt32
    }

    /// A client's end of a one-way flow, and the address that it has sent to.
    private struct Peer: Hashable {
        var remote: UDPEndpoint
        var local: IPAddress
    }

    /// - Parameter wantsStop: asked at least every 100 ms.
    /// - Throws: `LiveError` when a port cannot be bound.
    package init(options: SinkServiceOptions, wantsStop: @escaping @Sendable () -> Bool) throws {
        let allowance = Allowance(Allowance.served + options.allowed)
        let echoing = try UDPSocket(serving: options.address, options.echoPort, "--port", allowance)
        let taking = try UDPSocket(serving: options.address, options.flowPort, "--flow-port", allowance)
        let loop = try EventLoop()
        try loop.watch(echoing, token: 0)
        try loop.watch(taking, token: 1)
        let echo = Port(socket: echoing, waiting: try TransmitBatch(byteCapacity: Self.byteCapacity))
        let oneWay = Port(socket: taking, waiting: try TransmitBatch(byteCapacity: Self.byteCapacity))
        self.echo = echo
        self.oneWay = oneWay
        sink = FlowSink(clock: clock)
        self.loop = loop
        self.wantsStop = wantsStop
    }

    /// The ports that were bound, where 0 was asked for.
    package var ports: (echo: UInt16, flow: UInt16) { (echo.socket.local.port, oneWay.socket.local.port) }

    /// Serves until it is to stop.
    package mutating func serve() throws {
        var incoming = try ReceiveBatch.gathering()
        while !wantsStop() {
            _ = try loop.wait(until: min(clock.now + .milliseconds(100), sink.due), clock: clock)
            while try echo.socket.receive(into: &incoming, clock: clock) > 0 {
                for index in 0..<incoming.count { sendBack(index, of: incoming) }
                echo.flush()
            }
            while try oneWay.socket.receive(into: &incoming, clock: clock) > 0 {
                for index in 0..<incoming.count { take(index, of: incoming) }
                sendDue()
            }
            sendDue()
        }
    }

    package var status: SinkServiceStatus {
        var status = totals
        status.sent = echo.socket.counters.sent + oneWay.socket.counters.sent
        status.flows = flows.count
        for flow in flows.values {
            status.missing += flow.missing
            status.reordered += flow.reordered
            status.doubled += flow.doubled
        }
        return status
    }

    private mutating func sendBack(_ index: Int, of incoming: borrowing ReceiveBatch) {
        let datagram = incoming[index]
        guard !datagram.isTruncated else { return }
        if let mark = try? FlowMark(decoding: incoming.bytes(at: index)) { count(mark, datagram) }
        totals.packets += 1
        totals.byteCount += UInt64(datagram.byteCount)
        echo.send(incoming.bytes(at: index), from: datagram.destination, to: datagram.source)
    }

    private mutating func count(_ mark: FlowMark, _ datagram: ReceivedDatagram) {
        let key = FlowKey(source: datagram.source, flow: mark.flow)
        if flows.count < Self.mostFlows || flows[key] != nil { flows[key, default: FlowCount()].count(mark.number) }
    }

    /// Takes a packet of a one-way flow, or a poll of its sender.
    private mutating func take(_ index: Int, of incoming: borrowing ReceiveBatch) {
        let datagram = incoming[index]
        guard !datagram.isTruncated else { return }
        let peer = Peer(remote: datagram.source, local: datagram.destination)
        if let mark = try? FlowMark(decoding: incoming.bytes(at: index)) {
            totals.packets += 1
            totals.byteCount += UInt64(datagram.byteCount)
            count(mark, datagram)
            return sink.take(mark, from: peer, at: datagram.arrival)
        }
        guard let poll = try? FlowPoll(decoding: incoming.bytes(at: index)) else { return }
        for answer in sink.answer(poll, from: peer, at: clock.now) {
            var writer = ByteWriter()
            answer.write(into: &writer)
            oneWay.send(writer.span, from: peer.local, to: peer.remote)
        }
    }

    /// Sends what is due of what was ordered.
    private mutating func sendDue() {
        let now = clock.now
        var buffer: [UInt8] = []
        swap(&buffer, &self.buffer)
        while let packet = sink.takeDue(at: now) {
            let headers = (packet.peer.local.isIPv4 ? 20 : 40) + 8
            let byteCount = max(packet.byteCount - headers, FlowMark.byteCount)
            if buffer.count < byteCount { buffer.append(contentsOf: repeatElement(0, count: byteCount - buffer.count)) }
            var span = buffer.mutableSpan
            // SAFETY: any octets are an integer.
            var octets = unsafe span.mutableBytes
            packet.mark.write(into: &octets)
            oneWay.send(
                buffer.rawSpan.extracting(first: byteCount),
                from: packet.peer.local,
                to: packet.peer.remote
            )
        }
        swap(&buffer, &self.buffer)
        oneWay.flush()
        guard now >= nextPrune else { return }
        nextPrune = now + .seconds(1)
        sink.prune(at: now)
    }

    /// Whoever sends decides how many flows there seem to be.
    private static var mostFlows: Int { 1_000_000 }
    private static var byteCapacity: Int { 64 * 9_216 }
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
