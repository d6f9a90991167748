import BasicContainers
import IKECrypto
import IKEv2
import Primitives
import RADIUS
import UDPTransport
import Workload

/// Carries EAP between our responder's peers and real RADIUS servers.
struct RADIUSCarrier: ~Copyable {
    private var client: RADIUSClient
    private var output = RADIUSOutput()
    private var conversations: [UInt64: RADIUSConversation] = [:]
    private var ports: UniqueArray<RADIUSPort>
    private var batch: ReceiveBatch
    /// Which socket's batch is being read, and up to where.
    private var place = 0
    private var cursor = 0

    /// - Throws: `LiveError` when a server is outside of what may be answered, or no port can be had.
    init(
        _ radius: Workload.RADIUS,
        identity: String,
        allowance: Allowance,
        stream: KeyMaterialStream
    ) throws {
        for server in radius.servers where !allowance.permits(server) {
            throw LiveError.system("the RADIUS server \(server) is outside of loopback; write --allow \(server)/32")
        }
        let isIPv4 = radius.servers.allSatisfy(\.isIPv4)
        guard isIPv4 || radius.servers.allSatisfy({ !$0.isIPv4 }) else {
            throw LiveError.system("the RADIUS servers have addresses of one family")
        }
        let local = isIPv4 ? IPAddress(v4: 0) : IPAddress.unspecified
        var ports = UniqueArray<RADIUSPort>()
        var numbers: [UInt16] = []
        for _ in 0..<Self.portCount {
            let port = try RADIUSPort(local, allowance)
            numbers.append(port.number)
            ports.append(port)
        }
        let batch = try ReceiveBatch()
        let client = RADIUSClient(
            RADIUSClientSettings(
                servers: radius.servers.map {
                    RADIUSServer(
                        endpoint: UDPEndpoint(address: $0, port: radius.port),
                        secret: Array(radius.secret.utf8)
                    )
                },
                nas: NASIdentification(identifier: Array(identity.utf8), framedMTU: Self.framedMTU),
                sourcePorts: numbers,
                waits: radius.waits
            ),
            stream: stream
        )
        self.client = client
        self.ports = ports
        self.batch = batch
    }

    /// Each port has 256 requests on their way to a server.
    private static var portCount: Int { 8 }
    /// So long EAP packets fit into IKE messages that need no fragments of IP.
    private static var framedMTU: UInt32 { 1024 }

    var deadline: Instant { client.deadline }
    /// How often another server was asked, because the one before did not answer.
    var failovers: Int { client.counters.failovers }

    func watch(by loop: inout EventLoop, from token: Int) throws {
        for index in 0..<ports.count { try ports[index].watch(by: &loop, token: token + index) }
    }

    /// Asks the servers on behalf of a peer; false where nobody can be asked.
    mutating func ask(_ request: BackendRequest, for owner: UInt64, _ turn: borrowing Turn) -> Bool {
        if request.isFirst { conversations[owner] = RADIUSConversation(userName: request.userName) }
        guard let conversation = conversations[owner] else { return false }
        let refusal = client.send(
            conversation.request(request.eapMessage),
            owner: owner,
            at: turn.now,
            cryptography: turn.cryptography,
            into: &output
        )
        send()
        if refusal != nil { conversations[owner] = nil }
        return refusal == nil
    }

    /// The next answer of those that have come in, or nil.
    mutating func next(clock: MonotonicClock, _ turn: inout Turn) throws -> Answer? {
        while place < ports.count {
            while cursor < batch.count {
                defer { cursor += 1 }
                turn.now = clock.now
                let datagram = batch.bytes(at: cursor).copied()
                let receipt = client.receive(
                    datagram.rawSpan,
                    from: batch[cursor].source,
                    on: ports[place].number,
                    at: turn.now,
                    cryptography: turn.cryptography
                )
                switch consume receipt {
                case .dropped: continue
                case .answer(let found):
                    let owner = found.owner
                    return Answer(owner: owner, answer: take(found))
                }
            }
            cursor = 0
            if try ports[place].receive(into: &batch, clock: clock) == 0 { place += 1 }
        }
        place = 0
        return nil
    }

    /// What a server has said, and about which peer.
    struct Answer: ~Copyable {
        let owner: UInt64
        private let answer: BackendAnswer

        init(owner: UInt64, answer: consuming BackendAnswer) {
            self.owner = owner
            self.answer = answer
        }

        consuming func takeAnswer() -> BackendAnswer { answer }
    }

    private mutating func take(_ answer: consuming RADIUSAnswer) -> BackendAnswer {
        let (owner, message) = (answer.owner, answer.eapMessage)
        switch answer.verdict {
        case .challenge:
            conversations[owner]?.take(answer)
            return .challenge(message)
        case .accept:
            conversations[owner] = nil
            return .accept(message, msk: answer.takeMSK())
        case .reject:
            conversations[owner] = nil
            return .reject(message)
        }
    }

    /// Does what is due: sends again, asks the next server, or gives up; returns whom no server has answered.
    mutating func advance(_ turn: borrowing Turn) -> [UInt64] {
        guard client.deadline <= turn.now else { return [] }
        client.advance(to: turn.now, cryptography: turn.cryptography, into: &output)
        let owners = output.failures.map(\.owner)
        send()
        for owner in owners { conversations[owner] = nil }
        return owners
    }

    /// Forgets the conversations of peers that have gone, when there are many.
    mutating func prune(_ isThere: (UInt64) -> Bool) {
        guard conversations.count > Self.mostConversations else { return }
        conversations = conversations.filter { isThere($0.key) }
    }

    private static var mostConversations: Int { 10_000 }

    private mutating func send() {
        for datagram in output.datagrams {
            for index in 0..<ports.count where ports[index].number == datagram.sourcePort {
                ports[index].send(datagram.octets, to: datagram.server)
            }
        }
        output.removeAll()
    }
}

/// A port towards the RADIUS servers.
struct RADIUSPort: ~Copyable {
    private var socket: UDPSocket
    private var batch: TransmitBatch

    init(_ local: IPAddress, _ allowance: Allowance) throws(SocketError) {
        let socket = try UDPSocket(bindingTo: UDPEndpoint(address: local, port: 0), allowance: allowance)
        let batch = try TransmitBatch()
        self.socket = socket
        self.batch = batch
    }

    var number: UInt16 { socket.local.port }

    func watch(by loop: inout EventLoop, token: Int) throws(SocketError) { try loop.watch(socket, token: token) }

    mutating func receive(into batch: inout ReceiveBatch, clock: MonotonicClock) throws(SocketError) -> Int {
        try socket.receive(into: &batch, clock: clock)
    }

    /// Sends a datagram; what a full socket does not take is lost, and sent again.
    mutating func send(_ octets: [UInt8], to server: UDPEndpoint) {
        guard batch.append(octets.rawSpan, from: nil, to: server) else { return }
        _ = socket.send(&batch)
    }
}
