import Primitives
import Workload

/// A small workload that is right, and what it says if one place of it is changed.
enum BaseWorkload {
    static let text = """
        version: 1
        name: base
        seed: 7
        gateways:
          gw:
            identity: gw.example.org
            policy:
              authentication: { psk: test-only }
              proposals: { ike: [aes256gcm16-prfsha384-x25519], child: [aes256gcm16-x25519] }
              lifetimes: { ike: { rekey: 4h }, child: { rekey: 1m } }
              pool: [10.128.0.0/10]
            simulated: { cores: 4, costs: costs.json }
            real: { addresses: [192.0.2.10] }
        profiles:
          laptop:
            identity: "user%05d@example.org"
            authentication: { psk: test-only }
            proposals: { ike: [aes256gcm16-prfsha384-x25519], child: [aes256gcm16-x25519] }
            lifetimes: strongswan
            retransmission: { first: 4s, factor: 1.8, tries: 5 }
            reconnect: { after: [timeout], wait: { from: 1s, factor: 2, at-most: 5m, jitter: full }, give-up: never }
            nat-keepalive: 20s
        paths:
          lte:
            one-way-delay: { per-client: { lognormal: { median: 40ms, sigma: 0.4, minimum: 8ms } } }
            loss: { random: 1% }
            nat: { preset: linux-conntrack }
          home: { one-way-delay: 10ms }
        populations:
          laptops: { count: 100, profile: laptop, path: { lte: 70%, home: 30% }, gateway: gw, sources: [198.18.0.0/15] }
        arrivals:
          morning: { population: laptops, ramp: { from: 0/s, to: 10/s, over: 10s } }
        faults:
          restart: { at: 2m, gateway: gw, down: 20s, keeps-state: false }
        thresholds:
          - handshake.latency p99 < 500ms
          - recovery.time(tunnels.up > 99%) < 5m after restart
        run: { duration: 5m }

        """

    static let costs = try? ShippedWorkloads.text("costs/strongswan-5.9.json")

    /// What workloads with certificates and lists name; what is inside the blocks is for others to judge.
    static let files = [
        (name: "ca.pem", text: "An authority\n" + PEM.text("CERTIFICATE", [1, 2, 3])),
        (
            name: "gw.pem",
            text: PEM.text("PRIVATE KEY", [4]) + PEM.text("CERTIFICATE", [5]) + PEM.text("CERTIFICATE", [6])
        ),
        (name: "broken.pem", text: "-----BEGIN CERTIFICATE-----\nAQ!=\n-----END CERTIFICATE-----\n"),
        (name: "clients.csv", text: "identity,psk\n# comment\n\"O=tests, CN=one\",key 1\ntwo@example.org, key 2\r\n"),
        (name: "keyless.csv", text: "one@example.org,key 1\ntwo@example.org\n"),
        (name: "twice.csv", text: "one@example.org\none@example.org\n"),
        (name: "quote.csv", text: "identity,psk\n\"O=tests, CN=one,key 1\n"),
        (name: "columns.csv", text: "one@example.org,key 1\ntwo@example.org,key 2,more\n"),
        (name: "nobody.csv", text: "one@example.org,key 1\n\n,key 2\n"),
        (name: "numbered.csv", text: "one@example.org\nuser%05d@example.org\n"),
        (name: "empty.csv", text: "identity,psk\n# nobody yet\n"),
    ]

    /// Validates a text as the file `base.yaml`, with the shipped cost table as `costs.json`.
    static func workload(_ text: String, overrides: [String] = []) throws(WorkloadErrors) -> Workload {
        try WorkloadFile(text: text, path: "base.yaml", overrides: overrides).validated { name throws(UnitProblem) in
            if let file = files.first(where: { $0.name == name }) { return file.text }
            guard name == "costs.json", let costs else {
                throw UnitProblem("there is no file `\(name)` that can be read")
            }
            return costs
        }
    }

    /// What is said of a text: its errors, or its warnings.
    static func messages(_ text: String, overrides: [String] = []) -> String {
        do throws(WorkloadErrors) {
            let warnings = try workload(text, overrides: overrides).warnings()
            return warnings.map(\.description).joined(separator: "\n")
        } catch {
            return error.description
        }
    }

    static func replacing(_ old: String, with new: String) -> String {
        precondition(text.contains(old), "the base has the text \(old)")
        return text.replacing(old, with: new, maxReplacements: 1)
    }
}
