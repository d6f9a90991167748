import Metrics
import Primitives
import Results
import Runner
import Testing
import Workload

/// RFC 7296 section 3.15 in a run: clients ask for addresses of both families, name servers and subnets.
@Suite("A simulated run whose clients ask to be configured")
struct ConfigurationRunTests {
    /// 20 clients ask for everything, 20 for an IPv6 address alone; packets flow in the tunnels of all.
    private static func text(
        pool: String = "10.128.0.0/16, \"fd00:7::/112\"",
        gives: String =
            "name-servers: [10.200.0.53, \"fd00:200::53\"]\n      subnets: [10.200.0.0/16, \"fd00:200::/64\"]"
    ) -> String {
        func profile(_ name: String, _ configuration: String) -> String {
            """
              \(name):
                identity: "\(name)%03d@example.org"
                authentication: { psk: test-only }
                proposals: { ike: [aes128gcm16-prfsha256-x25519], child: [aes128gcm16-x25519] }
                lifetimes: { ike: { rekey: 20s, over: 30s }, child: { rekey: 9s, over: 30s } }
                retransmission: { first: 500ms, factor: 2, tries: 6 }
                reauthentication: { every: 25s, order: make-before-break }
                configuration: \(configuration)
            """
        }
        return """
            version: 1
            name: configuration
            seed: 7
            gateways:
              gw:
                identity: gw.example.org
                policy:
                  authentication: { psk: test-only }
                  proposals: { ike: [aes128gcm16-prfsha256-x25519], child: [aes128gcm16-x25519] }
                  pool: [\(pool)]
                  \(gives)
                simulated: { cores: 2, costs: workloads/costs/strongswan-5.9.json }
            profiles:
            \(profile("all", "{ addresses: [ipv4, ipv6], settings: [name-servers, subnets] }"))
            \(profile("six", "{ addresses: [ipv6] }"))
            paths:
              lan: { one-way-delay: { per-client: { uniform: [2ms, 20ms] } }, loss: { random: 2% } }
            populations:
              all: { count: 20, profile: all, path: lan, gateway: gw, sources: [198.18.0.0/16] }
              six: { count: 20, profile: six, path: lan, gateway: gw, sources: [198.19.0.0/16] }
            arrivals:
              all: { population: all, constant: 20/s }
              six: { population: six, constant: 20/s }
            traffic:
              all: { population: all, up: { packets: 2/s, size: 200B } }
              six: { population: six, down: { packets: 2/s, size: 200B } }
            run: { duration: 60s }
            """
    }

    /// What each client was given, and how often it was given something.
    private final class Gifts {
        var values: [UInt32: Set<String>] = [:]
        var counts: [UInt32: Int] = [:]

        func look(at event: RunSinks.Event) {
            guard !event.isGateway, ["address-assigned", "name-server-given", "subnet-given"].contains(event.name)
            else { return }
            for detail in event.details { values[event.client, default: []].insert(detail.value) }
            counts[event.client, default: 0] += 1
        }

        /// The addresses among them that are of a prefix.
        func addresses(of client: UInt32, in prefix: String) -> [IPAddress] {
            (values[client] ?? []).compactMap { IPAddress($0) }.filter { IPPrefix(prefix)!.contains($0) }
        }
    }

    @Test("the pool gives each an address of each family, which is nobody else's, with all that it asked for")
    func givesEverything() throws {
        let gifts = Gifts()
        let outcome = try simulate(Self.text(), sinks: RunSinks(event: { gifts.look(at: $0) }))
        let settings: Set = ["10.200.0.53", "fd00:200::53", "10.200.0.0/16", "fd00:200::/64"]
        for client in 0..<20 as Range<UInt32> {
            #expect(gifts.values[client]?.isSuperset(of: settings) == true)
            #expect(!gifts.addresses(of: client, in: "10.128.0.0/16").isEmpty)
            #expect(!gifts.addresses(of: client, in: "fd00:7::/112").isEmpty)
            // Six things, from IKE_AUTH on and with every reauthentication.
            #expect(gifts.counts[client].map { $0 >= 12 && $0 % 6 == 0 } == true)
        }
        for client in 20..<40 as Range<UInt32> {
            let sixes = gifts.addresses(of: client, in: "fd00:7::/112")
            #expect(!sixes.isEmpty && Set(sixes.map { "\($0)" }) == gifts.values[client])
        }
        for population in ["all", "six"] {
            #expect(outcome.counter(.handshakeEstablished, of: population).total == 20)
            #expect(outcome.counter(.reauthenticationEstablished, of: population).total >= 20)
            #expect(outcome.counter(.childRekeyEstablished, of: population).total >= 20 * 4)
            #expect(outcome.counter(.ikeRekeyEstablished, of: population).total >= 20)
            #expect(outcome.counter(.trafficReceived, of: population).total > 20 * 100)
        }
    }

    @Test("no two clients have one address at a time")
    func sharesNothing() throws {
        var owners: [String: UInt32] = [:]
        var shared: [String] = []
        let sinks = RunSinks(event: { event in
            guard event.name == "address-assigned", !event.isGateway, event.time < .zero + .seconds(15),
                let address = event.details.first?.value
            else { return }
            if let owner = owners.updateValue(event.client, forKey: address), owner != event.client {
                shared.append("\(address): \(owner) and \(event.client)")
            }
        })
        // Before anybody reauthenticates nobody gives an address back.
        _ = try simulate(Self.text(), sinks: sinks)
        #expect(owners.count == 20 * 2 + 20 && shared == [])
    }

    @Test("a gateway gives what it has, and who gets no address is told")
    func givesWhatThereIs() throws {
        let gifts = Gifts()
        let text = Self.text(pool: "10.128.0.0/16", gives: "name-servers: [10.200.0.53]")
        let outcome = try simulate(text, sinks: RunSinks(event: { gifts.look(at: $0) }))
        #expect(outcome.counter(.handshakeEstablished, of: "all").total == 20)
        for client in 0..<20 as Range<UInt32> {
            let addresses = gifts.addresses(of: client, in: "10.128.0.0/16").map { "\($0)" }
            #expect(gifts.values[client] == Set(addresses + ["10.200.0.53"]))
        }
        #expect(outcome.counter(.handshakeEstablished, of: "six").total == 0)
        let reasons = outcome.counter(.handshakeFailed, of: "six").byReason.map(\.name)
        #expect(reasons == ["refused:INTERNAL_ADDRESS_FAILURE"])
    }

    @Test("workers, shards, windows and the kind of cryptography leave no trace in it", arguments: [1, 2, 3, 7, 16])
    func isDeterministic(workers: Int) throws {
        try expectNoTrace(of: workers, in: Self.text())
    }
}
