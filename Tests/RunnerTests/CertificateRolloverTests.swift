import Metrics
import Primitives
import Results
import Runner
import Testing
import Workload

@Suite("A gateway and its clients change their certificates in the middle of a run")
struct CertificateRolloverTests {
    /// The shipped workload with 20 clients at each gateway.
    private func run(
        _ overrides: [String] = [],
        sinks: RunSinks = RunSinks(),
        _ change: (inout SimulatedOptions) -> Void = { _ in }
    ) throws -> SimulatedOutcome {
        let counts = ["populations.abrupt.count=20", "populations.steps.count=20"]
        let path = "workloads/certificate-rollover.yaml"
        let workload = try WorkloadFile(contentsOf: path, overrides: counts + overrides).validated()
        return try simulate(workload, sinks: sinks) { options in
            options.crypto = .modelled
            change(&options)
        }
    }

    @Test("at once: those who have not changed are refused until they have, and in steps nobody is")
    func fails() throws {
        var refused: [UInt32: [Instant]] = [:]
        let sinks = RunSinks(event: { event in
            guard event.name == "closed", !event.isGateway,
                event.details.contains(where: { $0 == ("reason", "authentication-failed") })
            else { return }
            refused[event.client, default: []].append(event.time)
        })
        let outcome = try run(sinks: sinks)
        // About half of the first population's 20, each for three minutes from its first reauthentication on.
        #expect((6...14).contains(refused.count) && refused.keys.allSatisfy { $0 < 20 })
        for times in refused.values {
            #expect(times.allSatisfy { $0 > .zero + .minutes(3) && $0 < .zero + .minutes(6) + .seconds(1) })
            #expect(times.count >= 5)
        }
        let abrupt = outcome.counter(.handshakeFailed, of: "abrupt").byReason.map(\.name)
        #expect(abrupt == ["authentication-failed"])
        // Each comes back by a handshake, the others reauthenticate as ever.
        #expect(outcome.counter(.handshakeEstablished, of: "abrupt").total == 20 + UInt64(refused.count))
        #expect(outcome.counter(.reauthenticationFailed, of: "abrupt").total == UInt64(refused.count))
        #expect(outcome.counter(.handshakeEstablished, of: "steps").total == 20)
        #expect(outcome.counter(.handshakeFailed, of: "steps").total == 0)
        #expect(outcome.counter(.reauthenticationFailed, of: "steps").total == 0)
        #expect(outcome.counter(.reauthenticationEstablished, of: "steps").total > 20 * 8)
        // Child SAs are rekeyed under IKE SAs that stand, whatever was changed meanwhile.
        #expect(outcome.counter(.childRekeyFailed, of: "abrupt").total == 0)
    }

    @Test("a gateway that goes on believing the old authority is itself refused by who does not believe the new one")
    func refusesGateway() throws {
        let outcome = try run(["faults.abrupt.keeps-old=true"])
        let failed = outcome.counter(.handshakeFailed, of: "abrupt")
        #expect(failed.byReason.map(\.name) == ["untrusted-certificate"])
        #expect(outcome.counter(.handshakeEstablished, of: "abrupt").total > 20)
    }

    @Test("workers, shards and the kind of cryptography leave no trace in it")
    func isTheSame() throws {
        let one = try run()
        let other = try run { options in
            options.workers = 3
            options.crypto = .real
            options.overrides = SimulationOverrides(shardCount: 7)
        }
        #expect(other.digest == one.digest)
        #expect(other.measurements == one.measurements)
        #expect(other.series == one.series)
    }
}
