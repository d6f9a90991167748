import Foundation
import IKEWire
import IKEv2
import Metrics
import Primitives
import Results
import Runner
import Testing
import Workload

@Suite("Invariants hold in a swarm of random workloads with random faults")
struct SwarmTests {
    private static var seeds: [UInt64] {
        let environment = ProcessInfo.processInfo.environment
        if let seed = environment["SEED"].flatMap({ UInt64($0) }) { return [seed] }
        return Array(1...(environment["SOAK"] == nil ? 500 : 5000))
    }

    @Test("ends agree on keys and SPIs, no message ID or nonce is used twice, nobody is lost", arguments: seeds)
    func holds(seed: UInt64) throws {
        var random = RandomWorkload(seed: seed)
        let text = random.text()
        let workload = try WorkloadFile(text: text, path: "SEED=\(seed).yaml").validated()
        var options = SimulatedOptions()
        options.seed = seed
        options.crypto = seed % 10 == 0 ? .real : .modelled
        let watcher = WireWatcher()
        let silence = SilenceWatcher()
        let sinks = RunSinks(event: { silence.look(at: $0) }, packet: { watcher.look(at: $0) })
        let outcome = try SimulatedRun(workload, options: options, sinks: sinks).run()
        #expect(outcome.violations == [], "SEED=\(seed)")
        let end = Instant.zero + workload.run.duration
        let oneSided = outcome.oneSided.filter { silence.hasNotComeOut($0, at: end) == false }
        #expect(oneSided == [], "SEED=\(seed)\n\(text)")
        #expect(watcher.violations == [], "SEED=\(seed)")
        #expect(watcher.protectedCount > 0, "SEED=\(seed)")
        #expect(outcome.counter(.handshakeEstablished, of: "c").total > 0, "SEED=\(seed)\n\(text)")
        if random.isFragmented { #expect(watcher.fragmentCount > 0, "SEED=\(seed)\n\(text)") }
    }
}

@Suite("The swarm's workloads")
struct RandomWorkloadTests {
    /// What the texts of the workloads have to say between them.
    static let ingredients = [
        "window: 8", "order: break-before-make", "order: make-before-break", "authentication-lifetime: ",
        "childless: force", "childless: allow", "initial-contact: true", "initial-contact: ignore", "unknown-spis: 3",
        "kind: move", "mobike: true", "shared: {", "encapsulation: forced", "method: mschapv2", "method: md5",
        "method: gtc", "method: [gtc, mschapv2]", "radius: {", "kind: radius-outage", "ecdsa256/clients.pem",
        "ecdsa384/gateway.pem", "ed25519/clients.pem", "rsa2048/clients.pem", "O=swarm, CN=user%d",
        "user%03d.example.org", "mlkem768", "mlkem1024", "kind: loss-burst", "kind: path-down", "kind: restart",
        "kind: nat-flush", "kind: nat-rebind", "%, over: 5s }, child", "remote: [192.168.0.0/16]", "fragmentation: 160",
        "2001:db8:7::/64",
    ]

    @Test("have each ingredient, most of them often")
    func drawAll() {
        var seen = [Int](repeating: 0, count: Self.ingredients.count)
        for seed in 1...500 as ClosedRange<UInt64> {
            var random = RandomWorkload(seed: seed)
            let text = random.text()
            for (index, ingredient) in Self.ingredients.enumerated() where text.contains(ingredient) {
                seen[index] += 1
            }
        }
        for (index, count) in seen.enumerated() {
            #expect(count >= 5, "\(Self.ingredients[index]) is in \(count) workloads")
        }
    }
}

/// Knows which IKE SAs an end gave up in silence, since its peer did not answer: the peer cannot know that before its
/// own request is not answered either.
final class SilenceWatcher {
    private struct Name: Hashable {
        let client: UInt32
        let initiator: String
    }

    private var gaveUp: [Name: Instant] = [:]

    func look(at event: RunSinks.Event) {
        guard event.name == "closed", event.details.contains(where: { $0 == ("reason", "timeout") }),
            let initiator = event.details.first(where: { $0.key == "spi-i" })?.value
        else { return }
        gaveUp[Name(client: event.client, initiator: initiator)] = event.time
    }

    /// Whether all that a client's ends differ in is of IKE SAs that one end gave up so late that the other one need
    /// not have noticed.
    func hasNotComeOut(_ client: OneSidedClient, at end: Instant) -> Bool {
        func known(_ associations: [OneSidedClient.Association]) -> Set<OneSidedClient.Association> {
            Set(
                associations.filter { association in
                    let name = Name(client: client.client, initiator: "\(association.spis.initiator)")
                    return gaveUp[name].map { $0 + RandomWorkload.patience < end } ?? true
                }
            )
        }
        return known(client.ours) == known(client.theirs)
    }
}
