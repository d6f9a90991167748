import Metrics
import Primitives
import Results
import Runner
import Simulation
import Synchronization
import Testing
import Workload

/// RFC 4555 in a run: clients that go to another network in the middle of it.
@Suite("A simulated run whose clients move")
struct MovingRunTests {
    private static func text(
        client: Bool = true,
        gateway: Bool = true,
        move: String = "to: lte",
        more: String = "",
        addresses: String = "[192.0.2.1, \"2001:db8::1\"]",
        sources: String = "198.18.0.0/16"
    ) -> String {
        """
        version: 1
        name: moving
        seed: 7
        gateways:
          gw:
            identity: gw.example.org
            policy:
              authentication: { psk: test-only }
              proposals: { ike: [aes128gcm16-prfsha256-x25519], child: [aes128gcm16-x25519] }
              lifetimes: { ike: { rekey: 30s, jitter: 10% }, child: { rekey: 12s, jitter: 10% } }
              liveness: { every: 6s }
              retransmission: { first: 500ms, factor: 2, tries: 3 }
              pool: [10.128.0.0/16]
              mobike: \(gateway)
            simulated: { cores: 2, costs: workloads/costs/strongswan-5.9.json, addresses: \(addresses) }
        profiles:
          laptop:
            identity: "user%05d@example.org"
            authentication: { psk: test-only }
            proposals: { ike: [aes128gcm16-prfsha256-x25519], child: [aes128gcm16-x25519] }
            lifetimes: { ike: { rekey: 30s, jitter: 10% }, child: { rekey: 12s, jitter: 10% } }
            retransmission: { first: 500ms, factor: 2, tries: 6 }
            liveness: { every: 5s }
            mobike: \(client)
        paths:
          office: { one-way-delay: 2ms }
          lte:
            one-way-delay: { per-client: { uniform: [8ms, 60ms] }, jitter: { exponential: { mean: 3ms } } }
            loss: { random: 2% }
            nat: { preset: linux-conntrack }
        populations:
          laptops: { count: 60, profile: laptop, path: office, gateway: gw, sources: ["\(sources)"] }
        arrivals:
          morning: { population: laptops, constant: 60/s }
        faults:
          leave: { kind: move, at: 10s, population: laptops, over: 5s, \(move) }
          \(more)
        run: { duration: 60s }
        """
    }

    @Test("with MOBIKE every IKE SA stays, and the gateway is told once of each move")
    func keepsIKESAs() throws {
        let outcome = try simulate(Self.text())
        let measured = try #require(outcome.measurements.first)
        #expect(measured.counter(.handshakeEstablished).total == 60)
        #expect(measured.counter(.mobikeMoves).total == 60)
        #expect(measured.counter(.mobikeUpdates).total == 60)
        #expect(measured.counter(.mobikeRestarts).total == 0)
        #expect(measured.latency(.mobikeLatency).count == 60)
    }

    @Test("without it at either end everybody begins anew", arguments: [true, false])
    func beginsAnew(_ isClient: Bool) throws {
        let outcome = try simulate(Self.text(client: isClient, gateway: !isClient))
        let measured = try #require(outcome.measurements.first)
        #expect(measured.counter(.mobikeMoves).total == 60)
        #expect(measured.counter(.mobikeUpdates).total == 0)
        #expect(measured.counter(.mobikeRestarts).total == 60)
        #expect(measured.counter(.handshakeEstablished).total == 120)
    }

    @Test("a share of them moves, and moves back")
    func movesBack() throws {
        let back = "back: { kind: move, at: 30s, population: laptops, over: 5s, to: office, share: 50% }"
        let outcome = try simulate(Self.text(more: back))
        let measured = try #require(outcome.measurements.first)
        let moves = measured.counter(.mobikeMoves).total
        #expect((70...110).contains(moves))
        #expect(measured.counter(.mobikeUpdates).total == moves)
        #expect(measured.counter(.handshakeEstablished).total == 60)
    }

    @Test("from one address family to the other, where the gateway says that it can be reached there, and back")
    func changesFamily() throws {
        for sources in [("198.18.0.0/16", "2001:db8:7::/64"), ("2001:db8:7::/64", "198.18.0.0/16")] {
            let back = "back: { kind: move, at: 30s, population: laptops, over: 5s, to: office }"
            let text = Self.text(move: "to: lte, sources: [\"\(sources.1)\"]", more: back, sources: sources.0)
            let outcome = try simulate(text)
            let measured = try #require(outcome.measurements.first)
            #expect(measured.counter(.mobikeUpdates).total == 120)
            #expect(measured.counter(.mobikeRestarts).total == 0)
            #expect(measured.counter(.handshakeEstablished).total == 60)
        }
    }

    @Test("to where a gateway of one family is not, is refused before it runs")
    func refusesFamily() throws {
        let text = Self.text(move: "to: lte, sources: [\"2001:db8:7::/64\"]", addresses: "[192.0.2.1]")
        let errors = #expect(throws: WorkloadErrors.self) { try simulate(text) }
        #expect(errors?.errors.first?.problem == "the clients move to 2001:db8:7::/64, and gw has no IPv6 address")
    }

    @Test(
        "a gateway behind a NAT, and encapsulation that is forced: everybody is served by port 4500",
        arguments: 0..<3
    )
    func usesPort4500(_ way: Int) throws {
        var text = Self.text(client: way == 2, gateway: way == 2)
        if way != 1 { text = text.replacing("cores: 2,", with: "cores: 2, behind-nat: 10.0.0.9,") }
        if way == 1 { text = text.replacing("liveness: { every: 5s }", with: "encapsulation: forced") }
        let ports = Mutex<Set<UInt16>>([])
        let addresses = Mutex<Set<IPAddress>>([])
        let sinks = RunSinks(packet: { packet in
            ports.withLock { _ = $0.insert(min(packet.source.port, packet.destination.port)) }
            addresses.withLock { $0.formUnion([packet.source.address, packet.destination.address]) }
        })
        let outcome = try simulate(text, sinks: sinks)
        #expect(outcome.measurements.first?.counter(.handshakeEstablished).total == (way == 2 ? 60 : 120))
        #expect(ports.withLock { $0 } == [500, 4500])
        // The address behind the NAT is nobody's outside.
        #expect(!addresses.withLock { $0 }.contains(IPAddress(v4: 0x0A00_0009)))
    }

    @Test("workers, shards, windows and the kind of crypto leave no trace in it", arguments: [1, 2, 3, 7, 16])
    func isDeterminate(workers: Int) throws {
        let text = Self.text(
            more: "back: { kind: move, at: 30s, population: laptops, over: 9s, to: office, share: 70% }"
        )
        try expectNoTrace(of: workers, in: text)
    }
}
