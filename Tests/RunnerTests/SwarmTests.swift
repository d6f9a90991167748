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
        if Self.seeds.count == 1 { print(text) }
        let workload = try WorkloadFile(text: text, path: "SEED=\(seed).yaml").validated()
        let watcher = WireWatcher()
        let silence = SilenceWatcher()
        let failures = FailureWatcher(workload, random.causes)
        let sinks = RunSinks(
            event: {
                silence.look(at: $0)
                failures.look(at: $0)
            },
            packet: { watcher.look(at: $0) }
        )
        let outcome = try simulate(workload, sinks: sinks, endsMidFlight: true) { options in
            options.seed = seed
            options.crypto = seed % 10 == 0 ? .real : .modelled
        }
        let end = Instant.zero + workload.run.duration
        let oneSided = outcome.oneSided.filter { silence.hasNotComeOut($0, at: end) == false }
        #expect(oneSided == [], "SEED=\(seed)\n\(text)")
        #expect(watcher.protectedCount > 0, "SEED=\(seed)")
        let (offered, received) = (
            outcome.counter(.trafficOffered, of: "c").total, outcome.counter(.trafficReceived, of: "c").total
        )
        #expect((received > 0) == text.contains("traffic: {"), "SEED=\(seed)\n\(text)")
        #expect(received + outcome.counter(.trafficLost, of: "c").total <= offered, "SEED=\(seed)")
        failures.look(at: outcome)
        #expect(failures.violations == [], "SEED=\(seed)\n\(text)")
        #expect(outcome.counter(.handshakeEstablished, of: "c").total > 0, "SEED=\(seed)\n\(text)")
        if random.strangers != nil {
            #expect(outcome.counter(.handshakeFailed, of: "s").total > 0, "SEED=\(seed)\n\(text)")
        }
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
        "2001:db8:7::/64", "us] }, jitter", "mode: transport",
        "method: tls", "method: [mschapv2, tls]", "method: [md5, tls]", "only: true", "pem, eap: {", "half: {",
        "rest: {",
        "traffic: {", "pattern: poisson", "size: imix", "keeps-old: true", "client-certificates: ", "psk: guessed",
        "password-derived: guessed", "expired-", "foreign/", "behind-nat: ", "addresses: [192.0.2.1, ",
        "sources: [\"2001:db8:9::/64\"]", "sources: [198.22.0.0/16]", "addresses: [ipv6]", "addresses: [ipv4, ipv6]",
        "settings: [name-servers, subnets]", "name-servers: [10.200.0.53", "subnets: [10.200.0.0/16",
        "ports-per-client: ", "-modp3072", "-modp4096", "-modp2048s256", "-ecp192", "sha256-mlkem768", "-mlkem1024]",
        "far-0:", "far-1:", "-ke1_mlkem1024", "psk-derived: secret", "psk-derived: guessed", "[ecdsa-p256, ",
        "rsa-pkcs1-sha384", "refused-child-rekeys: ",
        "psk-file: ", "identity: { file: ", "lists/guessed.csv", ", packets: ", ", bytes: ", "esp: { cores: ",
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

    @Test("have carriers' NATs whose ports run out, where clients move to them")
    func exhaustPorts() throws {
        var exhausted = 0
        for seed in 1...500 as ClosedRange<UInt64> where exhausted < 5 {
            var random = RandomWorkload(seed: seed)
            let text = random.text()
            guard text.contains("ports-per-client: "), text.contains("to: wan") else { continue }
            let workload = try WorkloadFile(text: text, path: "SEED=\(seed).yaml").validated()
            let outcome = try simulate(workload, endsMidFlight: true) { options in
                options.seed = seed
                options.crypto = .modelled
            }
            if outcome.counter(.natExhausted, of: "c").total > 0 { exhausted += 1 }
        }
        #expect(exhausted == 5)
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
        look(at: event.name, event.details, of: event.client, at: event.time)
    }

    func look(at name: String, _ details: [(key: String, value: String)], of client: UInt32, at time: Instant) {
        guard name == "closed", details.contains(where: { $0 == ("reason", "timeout") }),
            let initiator = details.first(where: { $0.key == "spi-i" })?.value
        else { return }
        gaveUp[Name(client: client, initiator: initiator)] = time
    }

    /// Whether all that a client's ends differ in is of IKE SAs that one end gave up so late that the other one need
    /// not have noticed.
    func hasNotComeOut(_ found: OneSidedClient, at end: Instant) -> Bool {
        let (ours, theirs) = (found.ours.map(Self.named), found.theirs.map(Self.named))
        return hasNotComeOut(of: found.client, ours, theirs, at: end)
    }

    /// The same of IKE SAs by the initiator's SPI and by all that there is to them.
    func hasNotComeOut(
        of client: UInt32,
        _ ours: [(initiator: String, whole: String)],
        _ theirs: [(initiator: String, whole: String)],
        at end: Instant
    ) -> Bool {
        func known(_ associations: [(initiator: String, whole: String)]) -> Set<String> {
            let known = associations.filter { association in
                let late = gaveUp[Name(client: client, initiator: association.initiator)]
                return late.map { $0 + RandomWorkload.patience < end } ?? true
            }
            return Set(known.map(\.whole))
        }
        return known(ours) == known(theirs)
    }

    private static func named(_ association: OneSidedClient.Association) -> (initiator: String, whole: String) {
        ("\(association.spis.initiator)", association.description)
    }
}

@Suite("What knows of silent ends")
struct SilenceWatcherTests {
    /// Whether a gateway is excused at 100 s that alone has IKE SAs, of which the client gave up the first one.
    private func isExcused(
        at seconds: Int64,
        client: UInt32 = 1,
        _ reason: String = "timeout",
        theirs: [String] = ["a"]
    ) -> Bool {
        let watcher = SilenceWatcher()
        let details = [(key: "spi-i", value: "a"), (key: "spi-r", value: "b"), (key: "reason", value: reason)]
        watcher.look(at: "closed", details, of: client, at: .zero + .seconds(seconds))
        let left = theirs.map { (initiator: $0, whole: $0) }
        return watcher.hasNotComeOut(of: 1, [], left, at: .zero + .seconds(100))
    }

    @Test("excuses an end whose peer gave up not long ago, and nothing else")
    func excuses() {
        #expect(isExcused(at: 90))
        #expect(!isExcused(at: 60))
        #expect(!isExcused(at: 90, client: 2))
        #expect(!isExcused(at: 90, "deleted-by-peer"))
        #expect(!isExcused(at: 90, theirs: ["a", "c"]))
    }
}
