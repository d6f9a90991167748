import BasicContainers
import IKEWire
import IKEv2
import Primitives
import UDPTransport

/// The sockets that a responder answers on: at each of its addresses one for port 500 and one for port 4500.
struct ServedPorts: ~Copyable {
    /// A socket, and what waits to leave by it.
    struct Port: ~Copyable {
        var socket: UDPSocket
        var waiting: TransmitBatch
        let isEncapsulated: Bool

        mutating func flush() { _ = socket.send(&waiting) }
    }

    private var ports: UniqueArray<Port>

    /// Binds the same two ports at every address.
    init(_ options: GatewayServiceOptions, _ allowance: Allowance) throws {
        // A port that the system has chosen at one address may be taken at the next.
        let mayBeTaken = options.addresses.count > 1 && (options.port == 0 || options.encapsulatedPort == 0)
        for _ in 1..<(mayBeTaken ? Self.attempts : 1) {
            guard let ports = try? Self.bind(options, allowance) else { continue }
            self.ports = ports
            return
        }
        ports = try Self.bind(options, allowance)
    }

    private static func bind(_ options: GatewayServiceOptions, _ allowance: Allowance) throws -> UniqueArray<Port> {
        var ports = UniqueArray<Port>()
        var (plain, encapsulated) = (options.port, options.encapsulatedPort)
        for address in options.addresses {
            let first = try UDPSocket(serving: address, plain, "--port", allowance)
            let second = try UDPSocket(serving: address, encapsulated, "--nat-port", allowance)
            (plain, encapsulated) = (first.local.port, second.local.port)
            ports.append(Port(socket: first, waiting: try TransmitBatch(), isEncapsulated: false))
            ports.append(Port(socket: second, waiting: try TransmitBatch(), isEncapsulated: true))
        }
        return ports
    }

    var count: Int { ports.count }

    /// The ports that were bound.
    var numbers: (plain: UInt16, encapsulated: UInt16) { (ports[0].socket.local.port, ports[1].socket.local.port) }

    /// Has a loop wait for all of them, by the tokens below `count`.
    func watch(by loop: inout EventLoop) throws(SocketError) {
        for index in 0..<ports.count { try loop.watch(ports[index].socket, token: index) }
    }

    func isEncapsulated(_ index: Int) -> Bool { ports[index].isEncapsulated }

    func number(_ index: Int) -> UInt16 { ports[index].socket.local.port }

    /// Receives from one of them what fits the batch.
    mutating func receive(
        _ index: Int,
        into batch: inout ReceiveBatch,
        clock: MonotonicClock
    ) throws(SocketError) -> Int {
        try ports[index].socket.receive(into: &batch, clock: clock)
    }

    /// Has octets leave by the socket of a path's own end. One that is full even when it has been emptied loses them,
    /// as any network may.
    mutating func send(_ octets: ArraySlice<UInt8>, _ path: Path) {
        if append(octets, path) { return }
        flush()
        _ = append(octets, path)
    }

    private mutating func append(_ octets: ArraySlice<UInt8>, _ path: Path) -> Bool {
        let index = index(for: path)
        let isESP = unsafe path.isEncapsulated && EncapsulatedKind(octets.span.bytes).isESP
        return unsafe ports[index].waiting.append(
            octets.span.bytes,
            from: path.local.address,
            to: path.remote,
            gathers: isESP
        )
    }

    /// The socket that is bound to a path's own address, or to every one of its family.
    private func index(for path: Path) -> Int {
        let first = path.isEncapsulated ? 1 : 0
        guard ports.count > 2 else { return first }
        var general = first
        for index in stride(from: first, to: ports.count, by: 2) {
            let bound = ports[index].socket.local.address
            if bound == path.local.address { return index }
            if bound == .everywhere(isIPv4: path.local.address.isIPv4) { general = index }
        }
        return general
    }

    /// Sends what waits; what a full socket does not take is lost, as on any network.
    mutating func flush() {
        for index in 0..<ports.count { ports[index].flush() }
    }

    var counters: (received: UInt64, sent: UInt64) {
        var sum: (received: UInt64, sent: UInt64) = (0, 0)
        for index in 0..<ports.count {
            sum.received += ports[index].socket.counters.received
            sum.sent += ports[index].socket.counters.sent
        }
        return sum
    }

    private static var attempts: Int { 8 }
}

extension IPAddress {
    /// What stands for every address of a family: 0.0.0.0 or ::.
    static func everywhere(isIPv4: Bool) -> IPAddress { isIPv4 ? IPAddress(v4: 0) : .unspecified }
}
