import Foundation
import Primitives
import Runner
import Testing
import Workload

/// A small workload that a seed decides: its clients, paths, lifetimes and faults.
struct RandomWorkload: CustomStringConvertible {
    let seed: UInt64
    private var stream: RandomStream
    /// What the gateway and the clients say of fragments.
    private(set) var fragmentation: [String] = []
    private(set) var authentication = "{ psk: test-only }"
    /// Who decides about EAP at the first gateway, and when that is away.
    private var radius = ""
    private var outage = ""

    /// Whether both ends take fragments, and one end's are so small that IKE_AUTH has several.
    var isFragmented: Bool { !fragmentation.contains("never") && fragmentation.contains("160") }

    init(seed: UInt64) {
        self.seed = seed
        stream = RandomStream(seed: seed, entity: 1, purpose: .test)
    }

    var description: String { "SEED=\(seed)" }

    private mutating func pick(_ range: ClosedRange<UInt64>) -> UInt64 {
        range.lowerBound + stream.below(range.upperBound - range.lowerBound + 1)
    }

    private mutating func one(of texts: [String]) -> String { texts[Int(stream.below(UInt64(texts.count)))] }

    /// The workload's text; faults end early enough for everybody to come back, and for either end to find out that the
    /// other has no longer what it has.
    mutating func text() -> String {
        var child = one(of: [
            "aes128gcm16", "aes128gcm16-x25519", "aes256gcm16-ecp256", "chacha20poly1305", "aes128-sha256",
            "aes192-sha1-esn",
            "aes128gcm8-x448",
        ])
        let cipher = one(of: [
            "aes128gcm16-prfsha256", "chacha20poly1305-prfsha384", "aes256-sha384-prfsha512", "aes192gcm12-prfsha1",
            "aes256-sha512",
        ])
        let group = one(of: ["x25519", "ecp256", "ecp521"])
        var ike = "\(cipher)-\(group)"
        let sources = one(of: ["198.18.0.0/16", "198.18.0.0/16", "2001:db8:7::/64"])
        let cookies = one(of: ["never", "0", "5"])
        // A stream of its own, so that what was drawn before there were fragments is drawn still.
        var sizes = RandomStream(seed: seed, entity: 2, purpose: .test)
        fragmentation = (0..<2).map { _ in ["never", "160", "200", "standard"][Int(sizes.below(4))] }
        // And one for the key exchanges that follow the first, half of the time (RFC 9370).
        var additional = RandomStream(seed: seed, entity: 6, purpose: .test)
        let further = ["", "", "-ke1_mlkem768", "-ke2_mlkem1024-ke5_ecp384"]
        ike += further[Int(additional.below(4))]
        if ["x25519", "ecp256", "x448"].contains(where: child.hasSuffix) { child += further[Int(additional.below(4))] }
        // In a dozen fragments an exchange too often ends by timeout, and at the end of a run one end alone knows it.
        if (ike + child).contains("mlkem") {
            fragmentation = fragmentation.map { $0 == "never" ? $0 : "standard" }
        }
        var mobility = RandomStream(seed: seed, entity: 3, purpose: .test)
        let mobike = (0..<2).map { _ in mobility.below(4) > 0 }
        let encapsulation = (0..<2).map { _ in mobility.below(4) > 0 ? "when-needed" : "forced" }
        let shared = mobility.below(2) == 0 ? ", shared: { addresses: [203.0.113.0/30] }" : ""
        drawEAP()
        return """
            version: 1
            name: swarm
            gateways:
              gw:
                identity: gw.example.org
                policy:
                  authentication: \(authentication)
                  \(radius)
                  proposals: { ike: [\(ike)], child: [\(child)] }
                  lifetimes: { ike: { rekey: \(pick(12...60))s, jitter: \(pick(0...30))% }, child: { rekey: \(pick(4...40))s, jitter: \(pick(0...30))% } }
                  half-open: { cookies-above: \(cookies), cookies-above-per-source: never, refuse-above-per-source: never }
                  liveness: { every: \(pick(5...20))s }
                  retransmission: { first: 500ms, factor: 2, tries: 4 }
                  pool: [10.128.0.0/24]
                  fragmentation: \(fragmentation[0])
                  mobike: \(mobike[0])
                  encapsulation: \(encapsulation[0])
                simulated: { cores: \(pick(1...3)), costs: workloads/costs/strongswan-5.9.json }
              other:
                identity: other.example.org
                policy:
                  authentication: \(authentication)
                  proposals: { ike: [\(ike)], child: [\(child)] }
                  lifetimes: { ike: { rekey: \(pick(12...60))s }, child: { rekey: \(pick(4...40))s } }
                  liveness: { every: 15s }
                  retransmission: { first: 500ms, factor: 2, tries: 4 }
                  pool: [10.129.0.0/24]
                simulated: { cores: 1, costs: workloads/costs/strongswan-5.9.json }
            profiles:
              p:
                identity: "user%05d@example.org"
                authentication: \(authentication)
                proposals: { ike: [\(ike)], child: [\(child)] }
                lifetimes: { ike: { rekey: \(pick(12...60))s, jitter: \(pick(0...30))% }, child: { rekey: \(pick(4...40))s, jitter: \(pick(0...30))% } }
                retransmission: { first: 500ms, factor: 2, tries: 4 }
                reconnect: { after: [timeout, delete, expired, refused, authentication], wait: { from: 1s, factor: 2, at-most: 8s, jitter: full }, give-up: never }
                liveness: { every: \(pick(5...20))s }
                nat-keepalive: 20s
                fragmentation: \(fragmentation[1])
                mobike: \(mobike[1])
                encapsulation: \(encapsulation[1])
                children: \(pick(1...3))
            paths:
              lan:
                one-way-delay: { per-client: { uniform: [1ms, \(pick(2...80))ms] }, jitter: { exponential: { mean: \(pick(1...5))ms } }, keep-order: \(one(of: ["true", "false"])) }
                loss: { random: \(pick(0...8))% }
                duplication: \(pick(0...5))%
                \(one(of: ["nat: { preset: linux-conntrack }", "mtu: 1400"]))
              wan: { one-way-delay: { per-client: { uniform: [1ms, 30ms] } }, nat: { preset: rfc4787-minimum\(shared) } }
            populations:
              c: { count: \(pick(5...30)), profile: p, path: lan, gateway: gw, sources: ["\(sources)"] }
              d: { count: \(pick(1...5)), profile: p, path: lan, gateway: other, sources: [198.19.0.0/16] }
            arrivals:
              a: { population: c, constant: \(pick(5...40))/s }
              b: { population: d, constant: 5/s }
            faults:
            \(faults())\(outage)
            run: { duration: 110s }
            """
    }

    /// By a stream of their own, as fragments.
    private func moves() -> [String] {
        var draws = RandomStream(seed: seed, entity: 4, purpose: .test)
        func pick(_ range: ClosedRange<UInt64>) -> UInt64 {
            range.lowerBound + draws.below(range.upperBound - range.lowerBound + 1)
        }
        return ["wan", "lan"].filter { _ in pick(0...1) == 0 }.map { path in
            "  to-\(path): { kind: move, at: \(pick(2...20))s, population: c, to: \(path), over: \(pick(1...9))s, "
                + "share: \(pick(10...100))% }"
        }
    }

    /// Draws from a stream of its own whether clients authenticate by EAP, and who decides about that.
    private mutating func drawEAP() {
        var stream = RandomStream(seed: seed, entity: 5, purpose: .test)
        let methods = ["mschapv2", "md5", "gtc", "[gtc, mschapv2]"]
        guard stream.below(3) == 0 else { return }
        let method = methods[Int(stream.below(4))]
        authentication = "{ psk: test-only, eap: { method: \(method), password-derived: secret } }"
        let workers = ["4", "16", "free"][Int(stream.below(3))]
        let (sockets, latency) = (1 + stream.below(8), 1 + stream.below(60))
        let (start, length) = (2 + stream.below(10), 1 + stream.below(8))
        guard stream.below(3) > 0 else { return }
        radius = """
            radius: { latency: { exponential: { mean: \(latency)ms } }, sockets: \(sockets), workers: \(workers), waits: [1s, 1s] }
            """
        outage = "\n  away: { kind: radius-outage, at: \(start)s, for: \(length)s, gateway: gw }"
    }

    private mutating func faults() -> String {
        let all = [
            "  burst: { kind: loss-burst, at: \(pick(2...12))s, for: \(pick(1...8))s, path: lan, loss: { random: \(pick(20...90))% } }",
            "  down: { kind: path-down, at: \(pick(2...12))s, for: \(pick(1...10))s, path: lan }",
            "  flush: { kind: nat-flush, at: \(pick(2...25))s, path: lan }",
            "  rebind: { kind: nat-rebind, at: \(pick(2...25))s, path: lan, share: \(pick(10...100))% }",
            "  restart: { kind: restart, at: \(pick(5...20))s, gateway: gw, down: \(pick(1...6))s, keeps-state: \(one(of: ["true", "false"])) }",
        ]
        return (all.filter { _ in stream.below(2) == 0 } + moves()).joined(separator: "\n")
    }
}

@Suite("Invariants hold in a swarm of random workloads with random faults")
struct SwarmTests {
    private static var seeds: [UInt64] {
        let environment = ProcessInfo.processInfo.environment
        if let seed = environment["SEED"].flatMap({ UInt64($0) }) { return [seed] }
        return Array(1...(environment["SOAK"] == nil ? 200 : 5000))
    }

    @Test("ends agree on keys and SPIs, no message ID or nonce is used twice, nobody is lost", arguments: seeds)
    func holds(seed: UInt64) throws {
        var random = RandomWorkload(seed: seed)
        let text = random.text().replacingOccurrences(of: "faults:\n\nrun", with: "run")
        let workload = try WorkloadFile(text: text, path: "SEED=\(seed).yaml").validated()
        var options = SimulatedOptions()
        options.seed = seed
        options.crypto = seed % 10 == 0 ? .real : .modelled
        let watcher = WireWatcher()
        let sinks = RunSinks(packet: { watcher.look(at: $0) })
        let outcome = try SimulatedRun(workload, options: options, sinks: sinks).run()
        #expect(outcome.violations == [], "SEED=\(seed)")
        #expect(outcome.oneSided == [], "SEED=\(seed)\n\(text)")
        #expect(watcher.violations == [], "SEED=\(seed)")
        #expect(watcher.protectedCount > 0, "SEED=\(seed)")
        if random.isFragmented { #expect(watcher.fragmentCount > 0, "SEED=\(seed)") }
    }
}
