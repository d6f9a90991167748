import BasicContainers
import Primitives
import UDPTransport

/// The sockets of one worker, by group and slot, with the batches that wait to be sent.
///
/// A group's slot 0 carries port 500 and slot 1 port 4500; further slots are the ports that a NAT gives a client anew.
/// A socket is on all addresses of a family: each datagram names its client's own as its source. A group has sockets of
/// both families where its clients are, or go, at addresses of both.
struct WorkerSockets: ~Copyable {
    /// Which socket a datagram came in by.
    struct Place: Hashable, Sendable {
        var group: Int32
        var slot: Int
    }

    var loop: EventLoop
    private let allowance: Allowance
    /// The first group of the first worker takes the ports of RFC 7296, if nobody else has them.
    private let wantsWellKnownPorts: Bool
    private var sockets = UniqueArray<UDPSocket>()
    private var places: [Place] = []
    /// By group, for either family, and slot: the socket, or -1.
    private var numbers: [[Int32]] = []
    private var batches: UniqueArray<TransmitBatch>
    /// The socket that each batch is for.
    private var holders: [Int]
    /// Datagrams that could not be sent because a socket stayed full.
    private(set) var overflowCount: UInt64 = 0

    init(allowance: Allowance, wantsWellKnownPorts: Bool) throws(SocketError) {
        let loop = try EventLoop()
        var batches = UniqueArray<TransmitBatch>()
        for _ in 0..<Self.batchCount { batches.append(try TransmitBatch()) }
        self.loop = loop
        self.batches = batches
        self.allowance = allowance
        self.wantsWellKnownPorts = wantsWellKnownPorts
        holders = Array(repeating: -1, count: Self.batchCount)
    }

    /// The port that a group's packets come from, once its socket is open.
    mutating func port(group: Int32, slot: Int, isIPv4: Bool) throws(SocketError) -> UInt16 {
        sockets[try number(group: group, slot: slot, isIPv4: isIPv4)].local.port
    }

    func port(ofSocket number: Int) -> UInt16 { sockets[number].local.port }

    func place(ofSocket number: Int) -> Place { places[number] }

    /// The socket of a slot, opened when it is used for the first time.
    mutating func number(group: Int32, slot: Int, isIPv4: Bool) throws(SocketError) -> Int {
        let row = Self.row(of: group, isIPv4: isIPv4)
        while numbers.count <= row { numbers.append([]) }
        while numbers[row].count <= slot { numbers[row].append(-1) }
        let known = numbers[row][slot]
        guard known < 0 else { return Int(known) }
        if wantsWellKnownPorts, group == 0, slot < 2 {
            try openWellKnownPorts(isIPv4: isIPv4)
        } else if slot < 2 {
            // Any port will do, and one is enough: the gateway's port tells which messages have the marker.
            try open([0, 1], of: group, isIPv4: isIPv4, port: 0)
        } else {
            try open([slot], of: group, isIPv4: isIPv4, port: 0)
        }
        return Int(numbers[row][slot])
    }

    private static func row(of group: Int32, isIPv4: Bool) -> Int { 2 * Int(group) + (isIPv4 ? 0 : 1) }

    private mutating func openWellKnownPorts(isIPv4: Bool) throws(SocketError) {
        do throws(SocketError) {
            try open([0], of: 0, isIPv4: isIPv4, port: 500)
            try open([1], of: 0, isIPv4: isIPv4, port: 4500)
        } catch {
            // Somebody else has them, or they are for the privileged.
            try open([0, 1], of: 0, isIPv4: isIPv4, port: 0)
        }
    }

    private mutating func open(
        _ slots: [Int],
        of group: Int32,
        isIPv4: Bool,
        port: UInt16
    ) throws(SocketError) {
        let everywhere = isIPv4 ? IPAddress(v4: 0) : .unspecified
        let size = group == 0 ? Self.sharedBuffer : Self.ownBuffer
        let socket = try UDPSocket(
            bindingTo: UDPEndpoint(address: everywhere, port: port),
            allowance: allowance,
            receiveBuffer: size,
            sendBuffer: size,
            gathers: true
        )
        let number = sockets.count
        try loop.watch(socket, token: number)
        sockets.append(socket)
        places.append(Place(group: group, slot: slots[0]))
        let row = Self.row(of: group, isIPv4: isIPv4)
        while numbers[row].count <= slots[slots.count - 1] { numbers[row].append(-1) }
        for slot in slots { numbers[row][slot] = Int32(number) }
    }

    /// Puts a datagram into its socket's batch; what is full goes out at once.
    mutating func send(
        _ octets: RawSpan,
        on socket: Int,
        from source: IPAddress,
        to destination: UDPEndpoint,
        isESP: Bool = false
    ) {
        let batch = socket % Self.batchCount
        if holders[batch] != socket {
            flush(batch)
            holders[batch] = socket
        }
        if batches[batch].append(octets, from: source, to: destination, gathers: isESP) { return }
        flush(batch)
        holders[batch] = socket
        if !batches[batch].append(octets, from: source, to: destination, gathers: isESP) { overflowCount += 1 }
    }

    /// Sends everything that waits.
    mutating func flush() {
        for batch in 0..<Self.batchCount { flush(batch) }
    }

    private mutating func flush(_ batch: Int) {
        guard holders[batch] >= 0, !batches[batch].isEmpty else { return }
        // A full socket drains within microseconds: the kernel hands on what it has. One that does not is a loss.
        for _ in 0..<Self.sendAttempts where !batches[batch].isEmpty {
            _ = sockets[holders[batch]].send(&batches[batch])
        }
        guard !batches[batch].isEmpty else { return }
        overflowCount += UInt64(batches[batch].count)
        batches[batch].removeAll()
    }

    /// Receives from one socket what fits the batch.
    mutating func receive(
        fromSocket number: Int,
        into batch: inout ReceiveBatch,
        clock: MonotonicClock
    ) throws(SocketError) -> Int {
        try sockets[number].receive(into: &batch, clock: clock)
    }

    /// Takes the ICMP errors of a socket, and says how many there were.
    func takeErrors(ofSocket number: Int) -> [ICMPError] {
        var errors: [ICMPError] = []
        while errors.count < Self.errorsAtOnce, let error = sockets[number].nextError() { errors.append(error) }
        return errors
    }

    /// What all sockets have done so far.
    var counters: UDPSocket.Counters {
        var sum = UDPSocket.Counters()
        for index in 0..<sockets.count {
            let counters = sockets[index].counters
            sum.sent += counters.sent
            sum.received += counters.received
            sum.truncated += counters.truncated
            sum.refused += counters.refused
            sum.failed += counters.failed
            sum.lost += counters.lost
        }
        return sum
    }

    private static var batchCount: Int { 4 }
    private static var sendAttempts: Int { 100 }
    private static var errorsAtOnce: Int { 64 }
    /// For thousands of clients.
    private static var sharedBuffer: Int { UDPSocket.usualBufferByteCount }
    /// For one client.
    private static var ownBuffer: Int { 64 << 10 }
}
