import Foundation
import GatewayRig
import Metrics
import Primitives
import Results
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
                CalibrationTrial(.liveness, clientsPerSecond: 20, keyExchange: "x25519")
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

    @Test(
        "the command writes a table with intervals at two rates, which check and run take, and which predicts CPU times"
    )
    func writesTable() throws {
        let gateway = try RealGateway.start(knobs: ["DOS_PROTECTION": "no", "LOG_LEVEL": "-1"])
        let folder = try TemporaryFolder()
        let shipped = Rig.projectDirectory.appending(path: "workloads/costs/calibration.yaml").path
        let number = try gateway.processNumber()
        let words = ["--target", "10.98.1.2", "--allow-target", "10.98.1.2", "--gateway-pid", "\(number)"]
        let calibration = try gateway.rig.run(
            [Rig.ikestorm, "calibrate", shipped] + words + [
                "--gateway", "strongSwan of a test", "--date", "2026-11-28", "--rates", "20,50", "--key-exchanges",
                "x25519",
                "--replications", "1", "--exchanges", "ike-rekey", "--name", "measured-here", "--out",
                folder.path + "/costs.json",
            ]
        )
        #expect(calibration.status == 0, "\(calibration.output)\(calibration.errors)")
        #expect(!calibration.errors.contains("left out"), "\(calibration.errors)")

        let written = try String(contentsOfFile: folder.path + "/costs.json", encoding: .utf8)
        let table = try CostTableFile(text: written, file: "costs.json")
        #expect(table.name == "measured-here" && table.provenance.kind == .measured)
        for words in ["strongSwan of a test", "on 2026-11-28", "with 140 set-ups at 20, 50 clients", "--rates 20,50"] {
            #expect(table.provenance.source.contains(words), "\(table.provenance.source)")
        }
        #expect(table.provenance.source.contains("taken over from another table: "))
        #expect(table.validRange.setUpsPerSecond == 20...50)
        for operation: CostTableFile.Operation in [.ikeSAInit, .ikeAuthPSK, .rekeyIKESA, .delete] {
            #expect(table[operation].interval != nil, "\(operation)")
        }
        #expect(table[.createChildSA].interval == nil && table[.informational].interval == nil)

        // The table is one that a workload can name.
        let costs = ["--set", "gateways.gw.simulated.costs=\(folder.path)/costs.json"]
        let check = try Command.run([Rig.ikestorm, "check", shipped] + costs)
        #expect(check.status == 0, "\(check.output)\(check.errors)")
        let load = ["--set", "populations.laptops.count=60", "--set", "arrivals.steady.constant.rate=20/s"]
        let run = try Command.run([Rig.ikestorm, "run", shipped, "--out", folder.path + "/run"] + costs + load)
        #expect(run.status == 0, "\(run.output)\(run.errors)")
        let result = try String(contentsOfFile: folder.path + "/run/result.json", encoding: .utf8)
        #expect(result.contains("measured-here") && result.contains(table.fingerprint))

        // At a rate in between: CPU time, which other work on the machine hardly changes.
        let process = try GatewayProcess(number)
        let clients = 90
        let workload = try LiveWorkload(count: clients, rate: "30/s", duration: "4s").validated()
        let used = Mutex<[UInt64]>([])
        var options = LiveOptions()
        options.beforeDrain = { _ in used.withLock { $0.append((try? process.cpuNanoseconds) ?? 0) } }
        let chosen = options
        let before = try process.cpuNanoseconds
        let measured = try gateway.rig.inside { try LiveRun(workload, options: chosen).run() }
        #expect(measured.measurements.first?.counter(.handshakeEstablished).total == UInt64(clients))
        let spent = try #require(used.withLock { $0.last }) - before
        // The canary's set-up and its Delete are among them.
        let setUp = table.setUpNanoseconds(keyExchange: "x25519", activeSAs: clients / 2)
        let predicted = Int64(clients + 1) * setUp + table[.delete].baseNanoseconds
        let ratio = Double(predicted) / Double(spent)
        #expect((0.5...2).contains(ratio), "predicted \(predicted) ns, measured \(spent) ns")
    }

    @Test("a process that does not exist cannot be measured")
    func refusesNoProcess() {
        #expect(throws: CalibrationFailure.self) { try GatewayProcess(Int32.max) }
    }
}
