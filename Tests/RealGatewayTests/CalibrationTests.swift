import Foundation
import GatewayRig
import Primitives
import Runner
import Synchronization
import Testing
import Workload

@Suite("A calibration of strongSwan")
struct CalibrationTests {
    @Test("a few dozen clients give every measured exchange a price between 10 us and 50 ms")
    func measuresPrices() throws {
        let gateway = try RealGateway.start(knobs: ["DOS_PROTECTION": "no", "LOG_LEVEL": "-1"])
        let workload = try LiveWorkload().validated()
        let process = try GatewayProcess(try gateway.processNumber())
        let lines = Mutex<[String]>([])
        let samples = try gateway.rig.inside {
            var calibrator = Calibrator(
                workload,
                target: try #require(LiveTarget(Rig.gatewayAddress)),
                options: LiveOptions(),
                process: process,
                report: { line in lines.withLock { $0.append(line) } }
            )
            calibrator.replications = 1
            return try calibrator.samples(of: [
                CalibrationTrial(.liveness, clientsPerSecond: 10, keyExchange: "x25519"),
                CalibrationTrial(.liveness, clientsPerSecond: 20, keyExchange: "x25519"),
            ])
        }

        #expect(lines.withLock { $0 }.filter { $0.contains("left out") } == [])
        let measured = samples.filter { !$0.counts.isEmpty }
        #expect(Set(measured.map(\.label)) == ["IKE_SA_INIT", "IKE_AUTH", "liveness check", "Delete"])
        for sample in measured {
            let each = sample.nanoseconds / (sample.counts.first?.times ?? 1)
            #expect((10e3...50e6).contains(each), "\(sample.label): \(each) ns")
        }
        #expect(try gateway.associations() == [])
    }

    @Test("a process that does not exist cannot be measured")
    func refusesNoProcess() {
        #expect(throws: CalibrationFailure.self) { try GatewayProcess(Int32.max) }
    }
}
