import Metrics
import Primitives
import Results
import Runner
import Testing
import Workload

/// What faults do to a whole run, beside the same run without them.
@Suite("A simulated run with a fault")
struct FaultRunTests {
    private typealias Life = LifeCycleRunTests

    /// Clients behind NATs that take another port for each mapping, and send nothing of their own for a long time.
    private static func behindNAT(_ faults: String, profile: String) -> String {
        Life.text(profile: "nat-keepalive: never", policy: "liveness: { every: 5s }", faults: faults)
            .replacing("liveness: { every: 10s }", with: profile)
            .replacing("lifetimes: { ike: { rekey: 70s }, child: { rekey: 40s } }", with: "lifetimes: strongswan")
            .replacing(
                "loss: { random: 0% } }",
                with: "nat: { preset: linux-conntrack, ports: random, timeout: { one-way: 2m, two-way: 2m } } }"
            )
    }

    /// A run, and how many of each event there were at the gateway.
    private func run(_ text: String, endsMidFlight: Bool = false) throws -> (Measurements, events: [String: Int]) {
        var events: [String: Int] = [:]
        let sinks = RunSinks(event: { event in
            guard event.isGateway else { return }
            let reason = event.details.first { $0.key == "reason" }.map { ":" + $0.value } ?? ""
            events[event.name + reason, default: 0] += 1
        })
        let outcome = try simulate(text, sinks: sinks, endsMidFlight: endsMidFlight)
        return (try #require(outcome.measurements.first), events)
    }

    @Test("a NAT that forgets its mappings cuts off who is silent, and is followed where clients speak first")
    func natFlush() throws {
        let fault = "faults: { flush: { kind: nat-flush, at: 60s, path: lan } }"
        let silent = "liveness: never"
        let without = try run(Self.behindNAT("", profile: silent))
        #expect(without.events["closed:timeout"] == nil)
        // The gateway's checks come to ports that nobody has any more, and it gives all of them up.
        let cut = try run(Self.behindNAT(fault, profile: silent), endsMidFlight: true)
        #expect(cut.events["closed:timeout"] == 40)
        // Their own checks come from other ports, which the gateway follows (RFC 7296 section 2.23).
        let speaking = try run(Self.behindNAT(fault, profile: "liveness: { every: 3s }"))
        let moves = [without, speaking].map { $0.events["peer-moved", default: 0] }
        #expect(moves[1] == moves[0] + 40 && speaking.events["closed:timeout"] == nil)
        for (measured, _) in [without, speaking] {
            #expect(measured.counter(.tunnelsLost).total == 0)
            #expect(measured.counter(.handshakeEstablished).total == 40)
        }
    }

    @Test(
        "a gateway that restarts with its state keeps every client waiting and loses none; without it, all begin anew"
    )
    func restart() throws {
        func fault(_ keepsState: Bool) -> String {
            "faults: { restart: { at: 74s, gateway: gw, down: 4s, keeps-state: \(keepsState) } }"
        }
        let (without, _) = try run(Life.text())
        let (kept, _) = try run(Life.text(faults: fault(true)))
        let (lost, _) = try run(Life.text(faults: fault(false)))
        #expect(without.counter(.retransmissions).total == 0 && kept.counter(.retransmissions).total > 40)
        #expect(kept.counter(.handshakeEstablished).total == 40 && kept.counter(.tunnelsLost).total == 0)
        #expect(lost.counter(.handshakeEstablished).total == 80 && lost.counter(.tunnelsLost).total == 40)
        // A rekey that was due meanwhile is done when the gateway is back.
        let longest = (without.latency(.childRekeyLatency).maximum, kept.latency(.childRekeyLatency).maximum)
        #expect(longest.0 < 1_000_000_000 && longest.1 > 1_000_000_000)
    }
}
