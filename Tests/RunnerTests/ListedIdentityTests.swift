import Foundation
import Metrics
import Primitives
import Results
import Runner
import Synchronization
import Testing
import Workload

/// Clients whose identities and keys are the lines of a file, at a gateway that knows two of three.
@Suite("A simulated run of clients from a file of 100,000 identities")
struct ListedIdentityTests {
    private static let text = """
        version: 1
        name: listed
        seed: 7
        gateways:
          gw:
            identity: gw.example.org
            policy:
              authentication: { psk-file: known.csv }
              proposals: { ike: [aes128gcm16-prfsha256-x25519], child: [aes128gcm16-x25519] }
              pool: [10.128.0.0/10]
            simulated: { cores: 4, costs: costs.json }
        profiles:
          laptop:
            identity: { file: all.csv }
            authentication: { psk-file: all.csv }
            proposals: { ike: [aes128gcm16-prfsha256-x25519], child: [aes128gcm16-x25519] }
            reconnect: never
        paths:
          home: { one-way-delay: { per-client: { uniform: [1ms, 20ms] } } }
        populations:
          first: { count: 300, profile: laptop, path: home, gateway: gw, sources: [198.18.0.0/16] }
          last: { count: 300, profile: laptop, first-identity: 99701, path: home, gateway: gw, sources: [198.19.0.0/16] }
        arrivals:
          first: { population: first, constant: 100/s }
          last: { population: last, constant: 100/s }
        run: { duration: 8s }
        """

    private static func list(_ numbers: some Sequence<Int>) -> String {
        "identity,psk\n" + numbers.map { "user\($0)@example.org,key \($0)\n" }.joined()
    }

    @Test("gives them their identities in the order of its lines, and each its own key")
    func isInOrder() throws {
        let all = 1...100_000
        let files = [
            "all.csv": Self.list(all), "known.csv": Self.list(all.filter { $0 % 3 != 0 }),
            "costs.json": try String(contentsOfFile: "workloads/costs/strongswan-5.9.json", encoding: .utf8),
        ]
        let workload = try WorkloadFile(text: Self.text, path: "listed.yaml").validated { name throws(UnitProblem) in
            guard let text = files[name] else { throw UnitProblem("there is no file `\(name)`") }
            return text
        }
        let established = Mutex<Set<UInt32>>([])
        let sinks = RunSinks(event: { event in
            guard event.name == "established", !event.isGateway else { return }
            established.withLock { _ = $0.insert(event.client) }
        })
        let outcome = try simulate(workload, sinks: sinks) { $0.crypto = .modelled }
        // The clients' numbers among all of the run, behind the lines that they have.
        let lines = Array(1...300) + Array(99_701...100_000)
        let known = lines.indices.filter { lines[$0] % 3 != 0 }.map { UInt32($0) }
        #expect(established.withLock { $0 } == Set(known))
        for population in ["first", "last"] {
            #expect(outcome.counter(.handshakeEstablished, of: population).total == 200)
            let failed = outcome.counter(.handshakeFailed, of: population).byReason
            #expect(failed.map(\.name) == ["authentication-failed"] && failed.map(\.count) == [100])
        }
    }
}
