import GatewayRig
import Workload

/// The workload of the live tests: clients that come to one gateway at a constant rate.
struct LiveWorkload {
    var count = 1
    var rate = "100/s"
    var duration = "2s"
    var ike = "{ rekey: 4h }"
    var child = "{ rekey: 1h }"
    var retransmission = "{ first: 1s, factor: 2, tries: 4 }"
    var path = "{ one-way-delay: 1ms }"
    var faults = ""
    var traffic = ""
    var mobike = false
    var settings = "traffic-selectors: { local: [dynamic], remote: [10.0.0.0/8] }"
    var gatewayLifetimes = "{ ike: { rekey: 4h }, child: { rekey: 1h } }"
    var policy = "pool: [10.128.0.0/10]"
    var fragmentation = "never"
    /// What the clients' identities begin with: `userNNNNN`.
    var longName = ""
    var sources = "10.99.0.0/16"
    var authentication = "{ psk: test-only }"
    var gatewayAuthentication = "{ psk: test-only }"
    var safety = "{ allow-targets: [10.98.1.2], allow-inner: [10.0.0.0/8], allow-identities: [\"user*@example.org\"] }"

    var text: String {
        """
        version: 1
        name: live
        seed: 7
        gateways:
          gw:
            identity: gw.example.org
            policy:
              authentication: \(gatewayAuthentication)
              proposals: { ike: [aes256gcm16-prfsha384-x25519], child: [aes256gcm16-x25519] }
              lifetimes: \(gatewayLifetimes)
              \(policy)
              fragmentation: \(fragmentation)
            real: { addresses: [10.98.1.2] }
        profiles:
          laptop:
            identity: "user%05d\(longName)@example.org"
            authentication: \(authentication)
            proposals: { ike: [aes256gcm16-prfsha384-x25519], child: [aes256gcm16-x25519] }
            lifetimes: { ike: \(ike), child: \(child) }
            retransmission: \(retransmission)
            \(settings)
            mobike: \(mobike)
            fragmentation: \(fragmentation)
        paths:
          home: \(path)
        populations:
          laptops: { count: \(count), profile: laptop, path: home, gateway: gw, sources: ["\(sources)"] }
        arrivals:
          morning: { population: laptops, constant: { rate: \(rate) } }
        \(traffic)
        \(faults)
        safety: \(safety)
        run: { duration: \(duration) }

        """
    }

    func validated() throws -> Workload { try WorkloadFile(text: text, path: "live.yaml").validated() }
}
