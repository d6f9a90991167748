import Primitives
import Testing
import Workload

@Suite("A rollover of certificates in a workload")
struct RolloverTests {
    private func shipped() throws -> Workload {
        try Workload.load(ShippedWorkloads.path("certificate-rollover.yaml"))
    }

    @Test("says what the gateway and its clients change to, and is written as it was read")
    func reads() throws {
        let workload = try shipped()
        guard case .certificateRollover(let rollover) = workload.faults[0].effect else {
            Issue.record("\(workload.faults[0])")
            return
        }
        #expect(rollover.gateway == 0 && rollover.population == 0 && rollover.keepsOld == false)
        #expect(rollover.share == Probability(partsPerBillion: 500_000_000))
        #expect(rollover.certificates?.credentials.count == 1)
        #expect(rollover.clientCertificates?.credentials.count == 120)
        #expect(rollover.authorities?.certificates.count == 1)
        #expect(workload.faults[0].end == .minutes(3))
        #expect(try WorkloadFile(text: workload.resolved(), path: "resolved.yaml").validated() == workload)
    }

    @Test(
        "is refused where the clients are not those of the gateway, or nobody is there to change",
        arguments: [
            ("faults.abrupt.gateway=gw-steps", "go to another gateway than the one that changes"),
            ("faults.abrupt.certificates=nowhere.pem", "nowhere.pem"),
            ("faults.abrupt.kind=restart", "has no meaning in a fault of kind restart"),
        ]
    )
    func refuses(_ override: String, _ problem: String) {
        let path = ShippedWorkloads.path("certificate-rollover.yaml")
        do {
            _ = try WorkloadFile(contentsOf: path, overrides: [override]).validated()
            Issue.record("it is taken")
        } catch {
            #expect("\(error)".contains(problem), "\(error)")
        }
    }
}
