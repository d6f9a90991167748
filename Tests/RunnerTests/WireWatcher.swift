import IKEWire
import Primitives
import Runner
import Testing

/// Looks at every datagram of a run, and says where one breaks what RFC 7296, RFC 5282 and RFC 4303 demand of all.
final class WireWatcher {
    private struct MessageName: Hashable {
        let initiator: IKESPI
        let responder: IKESPI
        let isFromInitiator: Bool
        let isResponse: Bool
        let id: MessageID
        /// Fragment Number and Total Fragments, where the message comes in several datagrams.
        let fragment: [UInt8]
    }

    private struct NonceName: Hashable {
        let initiator: IKESPI
        let responder: IKESPI
        let isFromInitiator: Bool
        let iv: [UInt8]
    }

    /// A packet of a Child SA, whose nonce follows from its sequence number (RFC 4106, RFC 7634).
    private struct PacketName: Hashable {
        let client: UInt32?
        let spi: UInt32
        let sequenceNumber: UInt32
    }

    private var messages: [MessageName: [UInt8]] = [:]
    private var nonces: [NonceName: [UInt8]] = [:]
    private var packets: Set<PacketName> = []
    private(set) var violations: [String] = []
    private(set) var packetCount = 0
    private(set) var protectedCount = 0
    private(set) var fragmentCount = 0

    func look(at packet: RunSinks.Packet) {
        packetCount += 1
        var octets = packet.octets
        if packet.isEncapsulated {
            // RFC 3948 section 2: anything shorter is a keepalive.
            guard octets.count > 4 else { return }
            guard octets.starts(with: [0, 0, 0, 0]) else { return lookAtESP(packet) }
            octets.removeFirst(4)
        } else if packet.source.port == 0, packet.destination.port == 0 {
            return lookAtESP(packet)
        }
        lookAtIKE(octets, at: packet.time)
    }

    /// No sequence number comes twice (RFC 4303 section 3.3.3): nobody sends an ESP packet again.
    private func lookAtESP(_ packet: RunSinks.Packet) {
        var reader = ByteReader(packet.octets.rawSpan)
        guard let spi = try? reader.readInteger(as: UInt32.self),
            let number = try? reader.readInteger(as: UInt32.self)
        else { return violations.append("\(packet.time): an ESP packet without a sequence number") }
        if !packets.insert(PacketName(client: packet.client, spi: spi, sequenceNumber: number)).inserted {
            let name = "\(String(spi, radix: 16)) of client \(packet.client.map { "\($0)" } ?? "?")"
            violations.append("\(packet.time): sequence number \(number) of \(name) twice under one key")
        }
    }

    /// The message ID of a request is used once, but for its octets again (section 2.1), and no IV comes twice.
    private func lookAtIKE(_ octets: [UInt8], at time: Instant) {
        var reader = ByteReader(octets.rawSpan)
        guard let header = try? Header.decode(from: &reader), header.responderSPI != .zero,
            header.exchange != .ikeSAInit
        else { return }
        let isFragment = header.nextPayload == .encryptedFragment
        // What is not protected, as INVALID_IKE_SPI, has neither a window nor a nonce.
        guard isFragment || header.nextPayload == .encrypted else { return }
        protectedCount += 1
        fragmentCount += isFragment ? 1 : 0
        let name = MessageName(
            initiator: header.initiatorSPI,
            responder: header.responderSPI,
            isFromInitiator: header.isFromInitiator,
            isResponse: header.isResponse,
            id: header.messageID,
            fragment: isFragment ? Array(octets[32..<36]) : []
        )
        if let earlier = messages.updateValue(octets, forKey: name), earlier != octets {
            violations.append("\(time): message ID \(header.messageID) has two contents")
        }
        let iv = isFragment ? Array(octets[36..<44]) : Array(octets[32..<40])
        let nonce = NonceName(
            initiator: header.initiatorSPI,
            responder: header.responderSPI,
            isFromInitiator: header.isFromInitiator,
            iv: iv
        )
        if let earlier = nonces.updateValue(octets, forKey: nonce), earlier != octets {
            violations.append("\(time): one nonce twice under one key")
        }
    }
}

extension RunSinks.Packet {
    /// Whether it goes to or from port 4500 of the gateway. A flood's requests may come from any port.
    fileprivate var isEncapsulated: Bool {
        destination.port == 4500 || source.port == 4500 && destination.port != 500
    }
}

@Suite("What watches over a run")
struct WireWatcherTests {
    /// An INFORMATIONAL request with an IV and some octets behind it.
    private func packet(id: UInt8, iv: UInt8, _ content: UInt8, at seconds: Int64 = 1) -> RunSinks.Packet {
        var octets = [UInt8](repeating: 7, count: 16) + [46, 0x20, 37, 0x08, 0, 0, 0, id, 0, 0, 0, 56, 0, 0, 0, 28]
        octets += [UInt8](repeating: iv, count: 8) + [UInt8](repeating: content, count: 16)
        return RunSinks.Packet(
            time: .zero + .seconds(seconds),
            source: UDPEndpoint(address: IPAddress(v4: 1), port: 500),
            destination: UDPEndpoint(address: IPAddress(v4: 2), port: 500),
            octets: octets
        )
    }

    @Test("takes the same octets again, and finds a message ID and a nonce that are used twice")
    func finds() {
        let watcher = WireWatcher()
        watcher.look(at: packet(id: 1, iv: 1, 1))
        watcher.look(at: packet(id: 1, iv: 1, 1, at: 2))
        watcher.look(at: packet(id: 2, iv: 2, 1))
        #expect(watcher.violations == [] && watcher.protectedCount == 3)
        watcher.look(at: packet(id: 2, iv: 3, 1))
        #expect(watcher.violations.count == 1)
        watcher.look(at: packet(id: 3, iv: 2, 1))
        #expect(watcher.violations.count == 2)
    }
    /// An ESP packet, in UDP or by itself.
    private func packet(spi: UInt8, number: UInt8, of client: UInt32, port: UInt16) -> RunSinks.Packet {
        RunSinks.Packet(
            time: .zero + .seconds(1),
            source: UDPEndpoint(address: IPAddress(v4: 1), port: port),
            destination: UDPEndpoint(address: IPAddress(v4: 2), port: port),
            octets: [spi, 0, 0, 0, 0, 0, 0, number] + [UInt8](repeating: 1, count: 24),
            client: client
        )
    }

    @Test("finds a sequence number of ESP that is used twice under one key, whatever way it goes")
    func findsInESP() {
        let watcher = WireWatcher()
        for client in [1, 2] as [UInt32] {
            for spi in [1, 2] as [UInt8] {
                watcher.look(at: packet(spi: spi, number: 1, of: client, port: 0))
                watcher.look(at: packet(spi: spi, number: 2, of: client, port: 4500))
            }
        }
        #expect(watcher.violations == [] && watcher.packetCount == 8)
        watcher.look(at: packet(spi: 2, number: 1, of: 1, port: 4500))
        #expect(watcher.violations.count == 1)
    }
}
