import EAP
import GatewayRig
import IKECrypto
import Primitives
import RADIUS
import Testing

/// One of many peers that authenticate at once.
private final class Member {
    var peer: EAPPeer
    var conversation: RADIUSConversation
    var peerKey: [UInt8]?
    var serverKey: [UInt8] = []
    /// What the peer is to hear next.
    var heard: [UInt8]?

    init(_ number: Int) {
        let credentials: [EAPCredential] = [.mschapv2(password: utf8("test-only"))]
        peer = EAPPeer(
            EAPPeerSettings(identity: Carrier.name, credentials: credentials),
            stream: KeyMaterialStream(entity: UInt64(100 + number)),
            unixTime: 0
        )
        conversation = RADIUSConversation(userName: Carrier.name, callingStationID: utf8("192.0.2.\(number % 256)"))
        heard = [1, 0, 0, 5, 1]
    }

    /// Hands the peer what it is to hear: its answer, or nil when it is done.
    func answer(_ crypto: borrowing Cryptography, _ writer: inout ByteWriter) throws -> AccessRequest? {
        guard let packet = heard else { return nil }
        heard = nil
        switch peer.receive(packet.rawSpan, cryptography: crypto, into: &writer) {
        case .replied: return conversation.request(writer.bytes)
        case .dropped(let reason): throw Unexpected.drop(reason)
        case .failed: return nil
        case .succeeded(let success):
            peerKey = success.takeMSK().bytes.copied()
            return nil
        }
    }

    func take(_ answer: consuming RADIUSAnswer) {
        conversation.take(answer)
        heard = answer.eapMessage
        serverKey = answer.takeMSK().bytes.copied()
    }
}

@Suite("Many peers at once, through FreeRADIUS")
struct CrowdTests {
    @Test("all get in, each with its own key, over two ports of 256 identifiers each")
    func crowd() throws {
        let server = try RealRADIUSServer(knobs: ["DEFAULT_METHOD": "mschapv2"])
        let sockets = [try LoopbackSocket(), try LoopbackSocket()]
        let crypto = try cryptography()
        let endpoint = UDPEndpoint(address: IPAddress(v4: 0x7F00_0001), port: server.port)
        var client = RADIUSClient(
            RADIUSClientSettings(
                servers: [RADIUSServer(endpoint: endpoint, secret: utf8("test-only"))],
                nas: NASIdentification(identifier: utf8("ikestorm")),
                sourcePorts: sockets.map(\.port),
                waits: [.seconds(5), .seconds(5)]
            ),
            stream: KeyMaterialStream(entity: 3)
        )
        let members = (0..<400).map { Member($0) }
        let start = ContinuousClock.now
        var writer = ByteWriter()
        var output = RADIUSOutput()
        var mostInFlight = 0
        repeat {
            let now = Instant.since(start)
            for (number, member) in members.enumerated() {
                guard let request = try member.answer(crypto, &writer) else { continue }
                let refusal = client.send(request, owner: UInt64(number), at: now, cryptography: crypto, into: &output)
                #expect(refusal == nil)
            }
            mostInFlight = max(mostInFlight, client.inFlightCount)
            for datagram in output.datagrams {
                try sockets.first { $0.port == datagram.sourcePort }?.send(datagram.octets, to: datagram.server.port)
            }
            output.removeAll()
            for socket in sockets {
                while let (octets, _) = try socket.receive(atMost: 1) {
                    let now = Instant.since(start)
                    switch client.receive(
                        octets.rawSpan,
                        from: endpoint,
                        on: socket.port,
                        at: now,
                        cryptography: crypto
                    ) {
                    case .answer(let answer): members[Int(answer.owner)].take(answer)
                    case .dropped: break
                    }
                }
            }
            client.advance(to: .since(start), cryptography: crypto, into: &output)
        } while client.inFlightCount > 0 || members.contains { $0.heard != nil }
        #expect(members.allSatisfy { $0.peerKey?.count == 64 && $0.peerKey == $0.serverKey })
        let keys = members.compactMap { $0.peerKey.map(Hexadecimal.encode) }
        #expect(Set(keys).count == members.count)
        #expect(client.counters.accepts == members.count)
        #expect(client.counters.forged == 0 && client.counters.timeouts == 0)
        #expect(mostInFlight > 256)
    }
}
