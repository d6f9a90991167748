import IKEWire
import Primitives
import Runner
import Testing

/// RFC 7296 section 2.8: on which of two Child SAs each end sends while one takes the place of the other.
@Suite("Who sends on a Child SA's successor, and from when on")
struct RekeyedSenderTests {
    /// How long anything is on its way.
    private static let way = Duration.milliseconds(20)
    /// The 10 ms until a packet is due, and more than a gateway takes for a message by its cost table.
    private static let patience = Duration.milliseconds(15)

    private static func text(byClients: Bool) -> String {
        var setting = TrafficRunTests.Setting(ike: "{ rekey: 24h }", child: "{ rekey: 8h }")
        setting.path = "one-way-delay: 20ms"
        if byClients {
            setting.child = "{ rekey: 10s, jitter: 10% }"
        } else {
            setting.gatewayLifetimes = "{ ike: { rekey: 24h }, child: { rekey: 10s, jitter: 10% } }"
        }
        (setting.up, setting.down) = ("{ packets: 100/s, size: 100B }", "{ packets: 100/s, size: 100B }")
        return setting.text.replacing("count: 30,", with: "count: 5,")
    }

    @Test(
        "who has asked for it does at once, the other end when a packet has come on it or the old one is gone",
        arguments: [true, false]
    )
    func moves(byClients: Bool) throws {
        var watches: [UInt32: Watch] = [:]
        let sinks = RunSinks(packet: { packet in
            guard let client = packet.client else { return }
            watches[client, default: Watch()].look(at: packet)
        })
        // Lifetimes may end with a Delete on its way.
        _ = try simulate(Self.text(byClients: byClients), sinks: sinks, endsMidFlight: true)
        #expect(watches.count == 5)
        for watch in watches.values {
            let (asking, asked) = byClients ? (watch.client, watch.gateway) : (watch.gateway, watch.client)
            // Of a minute, from the first second on, in each 9 s to 10 s.
            #expect(asked.answers.count >= 5)
            for (index, answer) in asked.answers.enumerated() where answer < .zero + .seconds(58) {
                expectChange(index, at: answer, asking, asked)
            }
            for end in [asking, asked] { #expect(end.changes.count <= asked.answers.count, "nobody goes back") }
        }
    }

    /// - Parameter answer: when the response left that makes the successor known to the end that has asked for it.
    private func expectChange(_ index: Int, at answer: Instant, _ asking: Watch.End, _ asked: Watch.End) {
        guard asking.changes.count > index, asked.changes.count > index else {
            Issue.record("an end never sends on the successor of Child SA \(index)")
            return
        }
        let (first, second) = (asking.changes[index], asked.changes[index])
        // Each end has a packet to send every 10 ms.
        #expect(first.at >= answer + Self.way && first.at <= answer + Self.way + Self.patience)
        // Its Delete of the old one leaves with the response, and may come before its first packet on the new one.
        let notice = asking.deletes.first { $0 >= answer }.map { min($0, first.at) } ?? first.at
        #expect(second.at >= notice + Self.way && second.at <= first.at + Self.way + .milliseconds(10))
        // Until then it goes on with the old one, the successor of which is there.
        #expect(second.before > answer + Self.way)
    }
}

/// What is seen of one client's tunnel.
private struct Watch {
    /// What one end sends.
    struct End {
        /// Packets under an SPI that none has had before: when the first one left, and the last one under the other.
        var changes: [(at: Instant, before: Instant)] = []
        /// Responses of CREATE_CHILD_SA, and requests of INFORMATIONAL, which are Deletes: nothing else is asked here.
        var answers: [Instant] = []
        var deletes: [Instant] = []
        private var spi: UInt32?
        private var sentAt = Instant.zero

        mutating func sendPacket(_ spi: UInt32, at time: Instant) {
            if let last = self.spi, last != spi { changes.append((time, sentAt)) }
            (self.spi, sentAt) = (spi, time)
        }
    }

    var client = End()
    var gateway = End()

    mutating func look(at packet: RunSinks.Packet) {
        var reader = ByteReader(packet.octets.rawSpan)
        let isUp = IPPrefix("198.18.0.0/16")?.contains(packet.source.address) == true
        var end = isUp ? client : gateway
        // Without a NAT, ESP is no UDP.
        if packet.source.port == 0 {
            if let spi = try? reader.readInteger(as: UInt32.self) { end.sendPacket(spi, at: packet.time) }
        } else if let header = try? Header.decode(from: &reader) {
            if header.exchange == .createChildSA, header.isResponse { end.answers.append(packet.time) }
            if header.exchange == .informational, !header.isResponse { end.deletes.append(packet.time) }
        }
        if isUp { client = end } else { gateway = end }
    }
}
