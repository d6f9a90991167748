import Foundation
import Testing
import Workload

/// The workloads that ship, found beside the sources.
enum ShippedWorkloads {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "workloads")

    static let names: [String] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return files.filter { $0.hasSuffix(".yaml") }.sorted()
    }()

    static func path(_ name: String) -> String { folder.appending(path: name).path }

    static func text(_ name: String) throws -> String { try String(contentsOfFile: path(name), encoding: .utf8) }
}

@Suite("Shipped workloads")
struct ShippedWorkloadTests {
    @Test("all of them are there")
    func exist() {
        let wanted = [
            "certificate-rollover", "cookie-flood", "esp-imix", "lossy-mobile", "mobike-commute", "mobike-wave",
            "nat-rebind-under-load", "nat-timeout", "post-quantum-migration", "quickstart", "radius-outage",
            "reconnect-storm", "rekey-storm", "rekey-under-load", "replay-attack", "restart",
        ]
        #expect(Set(wanted.map { $0 + ".yaml" }).isSubset(of: ShippedWorkloads.names))
    }

    @Test("each is valid, tells its story first, and is named as its file", arguments: ShippedWorkloads.names)
    func isValid(_ name: String) throws {
        let workload = try Workload.load(ShippedWorkloads.path(name))
        #expect(workload.name + ".yaml" == name)
        #expect(try ShippedWorkloads.text(name).hasPrefix("# "))
    }
}
