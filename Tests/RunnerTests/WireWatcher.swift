import IKEWire
import Primitives
import Runner
import Testing

/// Looks at every datagram of a run, and says where one breaks what RFC 7296 and RFC 5282 demand of all of them.
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

    private var messages: [MessageName: [UInt8]] = [:]
    private var nonces: [NonceName: [UInt8]] = [:]
    private(set) var violations: [String] = []
    private(set) var protectedCount = 0
    private(set) var fragmentCount = 0

    /// The message ID of a request is used once, but for its octets again (section 2.1), and no IV comes twice.
    func look(at packet: RunSinks.Packet) {
        var octets = packet.octets
        // ESP by itself.
        if packet.source.port == 0 { return }
        if packet.destination.port == 4500 || packet.source.port == 4500 {
            guard octets.count > 4, octets.starts(with: [0, 0, 0, 0]) else { return }
            octets.removeFirst(4)
        }
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
            violations.append("\(packet.time): message ID \(header.messageID) has two contents")
        }
        let iv = isFragment ? Array(octets[36..<44]) : Array(octets[32..<40])
        let nonce = NonceName(
            initiator: header.initiatorSPI,
            responder: header.responderSPI,
            isFromInitiator: header.isFromInitiator,
            iv: iv
        )
        if let earlier = nonces.updateValue(octets, forKey: nonce), earlier != octets {
            violations.append("\(packet.time): one nonce twice under one key")
        }
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
}
