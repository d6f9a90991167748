import Results

/// What `ikestorm init` writes: a small workload that runs as it is, every part with a word about it.
package enum StarterWorkload {
    package static func write(to path: String) throws(JobFailure) {
        do throws(ResultError) {
            // Nothing that is there is written over: an init by mistake costs nobody a workload.
            let file = try OpenFile(creating: path)
            try file.write(Array(text.utf8))
        } catch {
            throw JobFailure(writing: error)
        }
    }

    package static let text = """
        # A first workload: 200 clients connect within 10 seconds, and rekey their Child SAs every minute.
        #
        #   ikestorm check FILE    says what is wrong with it, and what cannot happen in it
        #   ikestorm run FILE      runs it against the simulated gateway, in virtual time
        #   ikestorm run FILE --set populations.clients.count=5000
        version: 1
        name: first
        seed: 1
        gateways:
          gw:
            identity: gw.example.org
            policy:                      # the gateway's own configuration
              authentication: { psk: test-only }
              proposals: { ike: [aes256gcm16-prfsha384-x25519], child: [aes256gcm16-x25519] }
              lifetimes: { ike: { rekey: 4h }, child: { rekey: 1h } }
              pool: [10.128.0.0/16]
            simulated:
              cores: 2
              costs:                     # what each operation costs one core, in nanoseconds
                schema: ikestorm-cost-table/1
                name: starter
                provenance: { source: "Round numbers near strongSwan's.", kind: estimate }
                valid-range: { active-sas: [0, 5000], set-ups-per-second: [1, 700] }
                operations:
                  ike-sa-init: { base-ns: 170000 }
                  cookie-check: { base-ns: 4000 }
                  cookie-demand: { base-ns: 25000 }
                  refuse: { base-ns: 40000 }
                  discard: { base-ns: 6000 }
                  ike-auth-psk: { base-ns: 330000 }
                  create-child-sa: { base-ns: 210000 }
                  rekey-ike-sa: { base-ns: 230000 }
                  informational: { base-ns: 90000 }
                  delete: { base-ns: 140000 }
                  retransmission-answered: { base-ns: 30000 }
                  own-request: { base-ns: 90000 }
                  own-response: { base-ns: 80000 }
                  own-retransmission: { base-ns: 25000 }
                  half-open-expiry: { base-ns: 20000 }
                key-exchanges:
                  x25519: { base-ns: 120000 }
        profiles:
          client:                        # what a client is: its lifetimes, its patience, its keepalives
            identity: "user%05d@example.org"
            authentication: { psk: test-only }
            proposals: { ike: [aes256gcm16-prfsha384-x25519], child: [aes256gcm16-x25519] }
            lifetimes: { ike: { rekey: 4h }, child: { rekey: 1m, jitter: 10% } }
            retransmission: strongswan
            liveness: { every: 30s }
            traffic-selectors: { local: [dynamic], remote: [10.0.0.0/8] }
        paths:
          home:                          # the network between a client and the gateway
            one-way-delay: { per-client: { uniform: [5ms, 25ms] } }
            loss: { random: 0.1% }
            nat: { preset: linux-conntrack }
        populations:
          clients: { count: 200, profile: client, path: home, gateway: gw, sources: [198.18.0.0/15] }
        arrivals:
          start: { population: clients, constant: 20/s }
        thresholds:                      # what the run must show; exit code 99 where it does not
          - handshake.success > 99%
          - handshake.latency p99 < 5s
          - tunnels.up last > 99%
        run: { duration: 3m }

        """
}
