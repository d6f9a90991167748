import EAP
import GatewayRig
import IKECrypto
import Primitives
import RADIUS

func utf8(_ text: String) -> [UInt8] { Array(text.utf8) }

func cryptography() throws -> Cryptography {
    let seed = [UInt8](repeating: 7, count: 32)
    return try Cryptography(backend: .openSSL, seed: seed.rawSpan)
}

extension Instant {
    /// Now, on a clock that began at a moment of the system's.
    static func since(_ start: ContinuousClock.Instant) -> Instant {
        let (seconds, attoseconds) = (ContinuousClock.now - start).components
        return Instant(nanoseconds: UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000))
    }
}

/// What became of a peer whose EAP packets our RADIUS client carried to a server.
struct Access: Equatable {
    var verdict: RADIUSAnswer.Verdict?
    /// What the peer makes of the last EAP packet.
    var method: EAPType?
    var failure: EAPFailure?
    /// The key that the peer has, and the one that the server says in MS-MPPE keys.
    var peerKey: [UInt8] = []
    var serverKey: [UInt8] = []
    /// Requests of the client that no server answered.
    var timeouts = 0
}

/// Our peer, our RADIUS client, and real sockets between them and real servers.
struct Carrier: ~Copyable {
    static let name = utf8("user@example.org")

    private var client: RADIUSClient
    private let socket: LoopbackSocket
    private let crypto: Cryptography
    private let start = ContinuousClock.now
    /// Whether the first answer to each request is lost.
    private let losesFirstAnswers: Bool

    init(
        to ports: [UInt16],
        secret: String = "test-only",
        waits: [Duration] = [.seconds(5)],
        losesFirstAnswers: Bool = false
    ) throws {
        let socket = try LoopbackSocket()
        let crypto = try cryptography()
        let servers = ports.map {
            RADIUSServer(endpoint: UDPEndpoint(address: IPAddress(v4: 0x7F00_0001), port: $0), secret: utf8(secret))
        }
        client = RADIUSClient(
            RADIUSClientSettings(
                servers: servers,
                nas: NASIdentification(
                    identifier: utf8("ikestorm"),
                    address: IPAddress(v4: 0x7F00_0001),
                    framedMTU: 1400
                ),
                sourcePorts: [socket.port],
                waits: waits
            ),
            stream: KeyMaterialStream(entity: 3)
        )
        self.socket = socket
        self.crypto = crypto
        self.losesFirstAnswers = losesFirstAnswers
    }

    var counters: RADIUSCounters { client.counters }

    private var now: Instant { .since(start) }

    /// Carries a whole conversation, which a Request for the identity from here begins, as a gateway does it.
    mutating func authenticate(_ credentials: [EAPCredential], unixTime: Int64 = 0) throws -> Access {
        var access = Access()
        var peer = EAPPeer(
            EAPPeerSettings(identity: Self.name, credentials: credentials),
            stream: KeyMaterialStream(entity: 4),
            unixTime: unixTime
        )
        var conversation = RADIUSConversation(userName: Self.name, callingStationID: utf8("192.0.2.1"))
        var writer = ByteWriter()
        writer.eap(.request, identifier: 0, type: .identity)
        var request = writer.bytes
        for _ in 0..<100 {
            switch peer.receive(request.rawSpan, cryptography: crypto, into: &writer) {
            case .replied: break
            case .dropped(let reason): throw Unexpected.drop(reason)
            case .succeeded(let success):
                access.method = success.method
                access.peerKey = success.takeMSK().bytes.copied()
                return access
            case .failed(let failure):
                access.failure = failure
                return access
            }
            switch try exchange(conversation.request(writer.bytes)) {
            case .none:
                access.timeouts += 1
                return access
            case .some(let answer):
                access.verdict = answer.verdict
                conversation.take(answer)
                request = answer.eapMessage
                access.serverKey = answer.takeMSK().bytes.copied()
            }
        }
        throw Unexpected.noEnd
    }

    /// Sends a request and waits for its answer, or for the client to give up.
    private mutating func exchange(_ request: AccessRequest) throws -> RADIUSAnswer? {
        var output = RADIUSOutput()
        let refusal = client.send(request, owner: 1, at: now, cryptography: crypto, into: &output)
        guard refusal == nil else { throw Unexpected.refusal }
        var isLost = losesFirstAnswers
        while true {
            for datagram in output.datagrams {
                try socket.send(datagram.octets, to: datagram.server.port)
            }
            guard output.failures.isEmpty else { return nil }
            output.removeAll()
            let wait = client.deadline - now
            if let (octets, port) = try socket.receive(atMost: Int32(max(0, wait.nanoseconds / 1_000_000) + 1)) {
                if isLost {
                    isLost = false
                    continue
                }
                let server = UDPEndpoint(address: IPAddress(v4: 0x7F00_0001), port: port)
                switch client.receive(octets.rawSpan, from: server, on: socket.port, at: now, cryptography: crypto) {
                case .answer(let answer): return answer
                case .dropped: break
                }
            }
            client.advance(to: now, cryptography: crypto, into: &output)
        }
    }
}

enum Unexpected: Error {
    case drop(EAPDropReason)
    case refusal
    case noEnd
}
