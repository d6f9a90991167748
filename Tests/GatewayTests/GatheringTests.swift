import Gateway
import IKECrypto
import IKEWire
import IKEv2
import Primitives
import Simulation
import Testing

// Peers whose operations are carried out together say what they would have said one after the other.
@Suite struct GatheringTests {
    @Test(arguments: [BatchLibrary.openSSL, MultiBufferLibrary.state == .ready ? .cryptoMB : .openSSL])
    func answersAreThoseOfOneAtATime(library: BatchLibrary) throws {
        let together = try crowd(gathers: true, library)
        let alone = try crowd(gathers: false, .openSSL)
        #expect(together.answers == alone.answers)
        #expect(together.established == 20)
        #expect(alone.established == 20)
    }

    @Test func whoWaitsIsKnownByItsMessages() throws {
        let crowd = try Crowd(gathers: true, .openSSL)
        let first = crowd.begin(0)
        let second = crowd.begin(1)
        crowd.offer(first)
        #expect(crowd.isWaiting(for: first))
        #expect(!crowd.isWaiting(for: second))
        crowd.carryOut()
        #expect(!crowd.isWaiting(for: first))
        // The request comes again: it gets the same answer, and nobody waits.
        crowd.offer(first)
        #expect(!crowd.isWaiting(for: first))
        crowd.carryOut()
        let answers = crowd.answers[0]
        #expect(answers.count == 2)
        #expect(answers.first == answers.last)
    }

    private func crowd(gathers: Bool, _ library: BatchLibrary) throws -> Crowd {
        let crowd = try Crowd(gathers: gathers, library)
        var messages = (0..<20).map { crowd.begin($0) }
        while !messages.isEmpty {
            for message in messages { crowd.offer(message) }
            crowd.carryOut()
            messages = crowd.takeAnswers()
        }
        return crowd
    }
}

/// Twenty initiators and a responder, whose messages are carried to and fro all at once.
private final class Crowd {
    struct Message {
        var client: Int
        var octets: [UInt8]
        /// As the one sees it who gets it.
        var path: Path
    }

    private final class Client {
        var endpoint: Endpoint
        let policy: PeerPolicy

        init(_ endpoint: consuming Endpoint, _ policy: PeerPolicy) {
            self.endpoint = endpoint
            self.policy = policy
        }
    }

    private var fleet: ResponderFleet
    private var turn: Turn
    private var clients: [Client] = []
    /// By client, everything that the responder has sent to it.
    private(set) var answers: [[[UInt8]]] = []
    private var unread: [Message] = []

    init(gathers: Bool, _ library: BatchLibrary) throws {
        let seed = [UInt8](repeating: 5, count: 32)
        turn = Turn(cryptography: try Cryptography(backend: .openSSL, batchLibrary: library, seed: seed.rawSpan))
        var settings = ResponderFleet.Settings(seed: 1, spiKey: 2, cookieSecret: seed)
        settings.gathersOperations = gathers
        var values = Self.values("gw.example.org")
        values.localSelectors = [TrafficSelector(IPPrefix("0.0.0.0/0")!)]
        fleet = ResponderFleet(settings, policy: PeerPolicy(values))
    }

    var established: Int { Int(fleet.establishedTotal) }

    private static func values(_ identity: String) -> PeerPolicy.Values {
        PeerPolicy.Values(
            identity: IdentityTemplate(identity),
            preSharedKey: Array("test-only".utf8),
            ikeProposals: [try! Proposal(notation: "aes128gcm16-prfsha256-x25519", protocolID: .ike)],
            childProposals: [try! Proposal(notation: "aes128gcm16", protocolID: .esp)],
            localSelectors: [],
            remoteSelectors: [TrafficSelector(IPPrefix("0.0.0.0/0")!)]
        )
    }

    /// Has a client begin; its IKE_SA_INIT request.
    func begin(_ number: Int) -> Message {
        let policy = PeerPolicy(Self.values("user%d@example.org"))
        let origin = Origin(
            number: UInt32(number),
            entity: StableName.hash(of: "client", UInt64(number)),
            seed: 1,
            spis: SPISource(key: 1, owner: UInt32(number))
        )
        func path(_ port: UInt16) -> Path {
            Path(
                local: UDPEndpoint(address: IPAddress(v4: 0xC633_6407 + UInt32(number)), port: port),
                remote: UDPEndpoint(address: IPAddress("192.0.2.1")!, port: port),
                isEncapsulated: port == 4500
            )
        }
        let route = Route(plain: path(500), encapsulated: path(4500))
        clients.append(Client(Endpoint(initiating: origin, over: route, under: policy, &turn), policy))
        answers.append([])
        return settle(number)[0]
    }

    /// Gives the responder a message.
    func offer(_ message: Message) {
        fleet.receive(message.octets.rawSpan, over: message.path, &turn)
        Self.take(&turn, &answers, &unread)
    }

    func carryOut() {
        var (said, unread) = (answers, unread)
        fleet.carryOut(&turn) { Self.take(&$0, &said, &unread) }
        (answers, self.unread) = (said, unread)
    }

    func isWaiting(for message: Message) -> Bool { fleet.isWaiting(for: message.octets.rawSpan, over: message.path) }

    private static func take(_ turn: inout Turn, _ answers: inout [[[UInt8]]], _ unread: inout [Message]) {
        for datagram in turn.output.datagrams {
            let client = Int(datagram.path.remote.address.v4 - 0xC633_6407)
            let octets = Array(turn.output.octets[datagram.range])
            answers[client].append(octets)
            unread.append(Message(client: client, octets: octets, path: datagram.path.reversed))
        }
        turn.output.removeAll()
    }

    /// Gives the clients what the responder has said; what they say to that.
    func takeAnswers() -> [Message] {
        var said: [Message] = []
        for answer in unread {
            let client = clients[answer.client]
            client.endpoint.receive(answer.octets.rawSpan, over: answer.path, under: client.policy, &turn)
            said += settle(answer.client)
        }
        unread = []
        return said
    }

    private func settle(_ number: Int) -> [Message] {
        let client = clients[number]
        while let request = turn.output.keyExchange.take() {
            client.endpoint.complete(turn.cryptography.perform(request), under: client.policy, &turn)
        }
        let messages = turn.output.datagrams.map {
            Message(client: number, octets: Array(turn.output.octets[$0.range]), path: $0.path.reversed)
        }
        turn.output.removeAll()
        return messages
    }
}

extension Path {
    fileprivate var reversed: Path { Path(local: remote, remote: local, isEncapsulated: isEncapsulated) }
}
