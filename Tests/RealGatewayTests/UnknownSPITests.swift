import GatewayRig
import IKEWire
import IKEv2
import Metrics
import Primitives
import Results
import Runner
import Synchronization
import Testing
import Workload

/// RFC 7296 sections 1.5 and 2.21.4.
@Suite("Unknown SPIs between our clients and strongSwan", .serialized)
struct UnknownSPITests {
    private static func settings(_ more: String) -> String {
        "traffic-selectors: { local: [dynamic], remote: [10.0.0.0/8] }\n    " + more
    }

    @Test("a gateway that lost its IKE SAs is silent about them: our clients ask, give up, and come again")
    func restarts() throws {
        let gateway = try RealGateway.start()
        let count = 10
        let workload = try LiveWorkload(
            count: count,
            rate: "50/s",
            duration: "10s",
            retransmission: "{ first: 300ms, factor: 1.5, tries: 3 }",
            settings: Self.settings(
                "liveness: { every: 1s }\n"
                    + "    reconnect: { after: [timeout], wait: { from: 500ms, factor: 1 } }\n    unknown-spis: 10"
            )
        ).validated()
        let listed = Mutex<[ListedIKESA]>([])
        var options = LiveOptions()
        options.beforeDrain = { _ in listed.withLock { $0 = (try? gateway.associations()) ?? [] } }
        let chosen = options
        let story = try gateway.rig.inside { () throws -> Story in
            var story = Story()
            story.result = try LiveRun(workload, options: chosen).run(sinks: RunSinks(event: { story.note($0) })) {
                guard $0.time == .zero + .seconds(2) else { return }
                story.listed = story.attempt { try gateway.associations() } ?? []
                story.attempt { try gateway.restart() }
            }
            return story
        }
        let measured = try #require(story.result?.measurements.first)
        #expect(story.failures == [])
        #expect(measured.counter(.handshakeEstablished).total == UInt64(2 * count))
        #expect(measured.counter(.tunnelsLost).byReason.map(\.name) == ["timeout"])
        #expect(measured.counter(.tunnelsLost).total == UInt64(count))
        // strongSwan 5.9.8 drops what it has no IKE SA for.
        #expect(measured.counter(.unknownIKESPI).total == 0)
        let (before, after) = (Set(story.listed.map(Pair.init)), Set(listed.withLock { $0 }.map(Pair.init)))
        #expect(before.count == count && after.count == count && before.intersection(after) == [])
        let ours = story.result?.associations.filter { $0.state == .established }.map(Pair.init) ?? []
        #expect(Set(ours) == after)
        #expect(story.result?.leftBehind == 0)
        #expect(try gateway.associations() == [])
    }

    @Test("an INVALID_IKE_SPI that the gateway has not sent makes our clients ask it, and nothing else")
    func asks() throws {
        let gateway = try RealGateway.start()
        let count = 3
        let workload = try LiveWorkload(count: count, duration: "13s").validated()
        let impostor = Impostor(rig: gateway.rig)
        let story = try gateway.rig.inside { () throws -> Story in
            var story = Story()
            story.result = try LiveRun(workload, options: LiveOptions()).run(
                sinks: RunSinks(event: { story.note($0) })
            ) { progress in
                // A hint counts when nothing has come for ten seconds.
                guard progress.time == .zero + .seconds(11) else { return }
                story.listed = story.attempt { try gateway.associations() } ?? []
                for association in story.listed {
                    story.attempt { try impostor.send(Self.refusal(of: association), to: association.remote()) }
                }
            }
            return story
        }
        #expect(story.failures == [])
        #expect(story.listed.count == count)
        #expect(story.result?.measurements.first?.counter(.unknownIKESPI).total == UInt64(count))
        #expect(story.result?.measurements.first?.counter(.tunnelsLost).total == 0)
        let ours = story.result?.associations.filter { $0.state == .established }.map(Pair.init) ?? []
        #expect(Set(ours) == Set(story.listed.map(Pair.init)))
        // An empty request of each client, which comes behind IKE_AUTH.
        let log = try gateway.log()
        let asked = log.split(separator: "\n").filter { $0.contains("parsed INFORMATIONAL request 2 [ ]") }
        #expect(asked.count == count, "\(log.suffix(4000))")
        #expect(story.result?.leftBehind == 0)
    }

    @Test(
        "our clients answer a request of an IKE SA and a packet of a Child SA that they do not have",
        arguments: [0, 10]
    )
    func answers(_ limit: Int) throws {
        let gateway = try RealGateway.start()
        let count = 3
        let more = limit == 0 ? "children: 1" : "unknown-spis: \(limit)"
        let workload = try LiveWorkload(count: count, duration: "4s", settings: Self.settings(more)).validated()
        let impostor = Impostor(rig: gateway.rig)
        let (story, said) = try gateway.rig.inside { () throws -> (Story, [Message]) in
            var story = Story()
            var said: [Message] = []
            let sinks = RunSinks(
                event: { story.note($0) },
                packet: { packet in
                    guard packet.destination.address == IPAddress(Rig.gatewayAddress), packet.octets.count > 4,
                        let message = try? Message(decoding: packet.octets.dropMarker().rawSpan),
                        message.header.initiatorSPI == Self.request.initiatorSPI
                    else { return }
                    said.append(message)
                }
            )
            story.result = try LiveRun(workload, options: LiveOptions()).run(sinks: sinks) { progress in
                guard progress.time == .zero + .seconds(2) else { return }
                story.listed = story.attempt { try gateway.associations() } ?? []
                for association in story.listed {
                    story.attempt {
                        var writer = ByteWriter()
                        writer.appendZeros(4)
                        Message(header: Self.request, payloads: []).encode(into: &writer)
                        try impostor.send(writer.bytes, to: association.remote())
                        try impostor.send(Self.packet, to: association.remote())
                    }
                }
            }
            return (story, said)
        }
        #expect(story.failures == [])
        #expect(story.listed.count == count)
        let log = try gateway.log()
        let told = log.split(separator: "\n").filter { $0.contains("parsed INFORMATIONAL request 2 [ N(INVAL_SPI) ]") }
        if limit == 0 {
            #expect(said == [] && told == [])
        } else {
            // HDR(SPIs and message ID of the request), N(INVALID_IKE_SPI), without protection.
            var header = Self.request
            header.flags = [.initiator, .response]
            header.nextPayload = .notify
            let notify = Payload.Content.notify(.invalidIKESPI, protocolID: .none, spi: [], data: [])
            #expect(said.map(\.header) == Array(repeating: header, count: count))
            #expect(said.map(\.payloads) == Array(repeating: [Payload(.notify, notify)], count: count))
            // HDR, SK {N(INVALID_SPI)} over the IKE SA, which the gateway answers.
            #expect(told.count == count, "\(log.suffix(4000))")
        }
        // Neither end has lost anything by it.
        let ours = story.result?.associations.filter { $0.state == .established }.map(Pair.init) ?? []
        #expect(Set(ours) == Set(story.listed.map(Pair.init)))
        #expect(story.result?.leftBehind == 0)
        #expect(try gateway.associations() == [])
    }

    /// A request of an IKE SA that nobody has.
    private static let request = Header(
        initiatorSPI: IKESPI(rawValue: 0x1122_3344_5566_7788),
        responderSPI: IKESPI(rawValue: 0x99AA_BBCC_DDEE_FF00),
        exchange: .informational,
        flags: [],
        messageID: MessageID(rawValue: 7)
    )

    /// A packet of a Child SA that nobody has.
    private static let packet: [UInt8] = [0xDE, 0xAD, 0xBE, 0xEF] + [UInt8](repeating: 7, count: 60)

    /// HDR, N(INVALID_IKE_SPI) with the SPIs of an IKE SA, as one that had lost it would answer a request.
    private static func refusal(of association: ListedIKESA) -> [UInt8] {
        let header = Header(
            initiatorSPI: IKESPI(rawValue: association.initiatorSPI),
            responderSPI: IKESPI(rawValue: association.responderSPI),
            exchange: .informational,
            flags: .response,
            messageID: MessageID(rawValue: 2)
        )
        var writer = ByteWriter()
        writer.appendZeros(4)
        let notify = Payload.Content.notify(.invalidIKESPI, protocolID: .none, spi: [], data: [])
        Message(header: header, payloads: [Payload(.notify, notify)]).encode(into: &writer)
        return writer.bytes
    }
}

extension ListedIKESA {
    /// Where the other end is, as the gateway sees it.
    fileprivate func remote() throws -> UDPEndpoint {
        UDPEndpoint(address: try #require(IPAddress(remoteAddress)), port: UInt16(remotePort))
    }
}

extension [UInt8] {
    /// Without the four zeros in front of what is no ESP (RFC 7296 section 2.23).
    fileprivate func dropMarker() -> [UInt8] { starts(with: [0, 0, 0, 0]) ? Array(dropFirst(4)) : self }
}
