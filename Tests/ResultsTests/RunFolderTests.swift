import Foundation
import Metrics
import Primitives
import Results
import Testing

@Suite("The run folder")
struct RunFolderTests {
    @Test("a finished run is in a folder named by time and seed, and reads back as it was")
    func roundTrip() throws {
        let temporary = try TemporaryFolder()
        let folder = try RunFolder.create(in: temporary.path, name: "rekey-storm", seed: 42, startedAt: 1_795_000_000)
        #expect(folder.path == temporary.path + "/rekey-storm/20261118T110640Z-42")
        #expect(folder.writeReports(of: SampleRun.result).isEmpty)
        #expect(folder.isComplete)
        #expect(
            try temporary.names(in: folder.path)
                == ["environment.json", "histograms", "junit.xml", "result.json", "series.csv", "summary.md"]
        )
        #expect(
            try temporary.names(in: folder["histograms"]) == [
                "child.rekey.latency.json", "child.rekey.latency.laptops.json", "child.rekey.latency.phones.json",
                "handshake.latency.json", "handshake.latency.laptops.json", "handshake.latency.phones.json",
            ]
        )
        let read = try RunFolder(existing: folder.path).read()
        #expect(JSONReport.text(of: read) == JSONReport.text(of: SampleRun.result))
        #expect(read.record.series == SampleRun.record.series)
        let scope = MeasurementScope(population: "phones")
        #expect(read.record.measurements(in: scope)?.latencies == nonempty(SampleRun.record.measurements(in: scope)))
    }

    /// What was never measured is in result.json too, with a count of zero.
    private func nonempty(_ measurements: Measurements?) -> [MetricName: LatencyRecord]? {
        guard let measurements else { return nil }
        var latencies = measurements.latencies
        for metric in MetricName.allCases
        where metric.kind == .latency && !metric.isOfFeature && latencies[metric] == nil {
            latencies[metric] = LatencyRecord()
        }
        return latencies
    }

    @Test("on another machine every file is the same, but for environment.json and host")
    func machines() throws {
        let temporary = try TemporaryFolder()
        var other = SampleRun.result
        other.record.host.workers = 16
        other.record.host.wallClock = .seconds(9)
        other.record.host.startedAt += 1
        other.record.host.machine.system = "another"
        let folders = try [SampleRun.result, other].map { result in
            let folder = try RunFolder.create(in: temporary.path, name: "a", seed: 1, startedAt: 0)
            #expect(folder.writeReports(of: result).isEmpty)
            return folder
        }
        for name in ["series.csv", "junit.xml", "summary.md", "histograms/handshake.latency.json"] {
            #expect(try AtomicFile.read(folders[0][name]) == AtomicFile.read(folders[1][name]))
        }
        #expect(try AtomicFile.read(folders[0]["result.json"]) != AtomicFile.read(folders[1]["result.json"]))
    }

    @Test("runs that start in one second have folders of their own")
    func collisions() throws {
        let temporary = try TemporaryFolder()
        let paths = try (0..<3).map { _ in
            try RunFolder.create(in: temporary.path, name: "a", seed: 1, startedAt: 0).path
        }
        let stem = temporary.path + "/a/19700101T000000Z-1"
        #expect(paths == [stem, stem + "-2", stem + "-3"])
    }

    @Test("a killed run leaves what it had, marked incomplete, and is not taken for a result")
    func killed() throws {
        let temporary = try TemporaryFolder()
        let folder = try RunFolder.create(in: temporary.path, name: "a", seed: 1, startedAt: 0)
        var log = try EventLog(folder["events.ndjson"])
        log.append(EventLine(.zero, "established", subject: "laptops/1"))
        try folder.write(JSONReport.text(of: SampleRun.result), to: "result.json")
        // The process ends here: nothing is finished.
        #expect(try temporary.names(in: folder.path) == ["events.ndjson.partial", "incomplete", "result.json"])
        #expect(!folder.isComplete)
        let error = #expect(throws: ResultError.self) { _ = try RunFolder(existing: folder.path).read() }
        #expect(
            error?.description
                == folder.path + ": the run is marked incomplete: it was killed, or it is still going on"
        )
        #expect(try RunFolder(existing: folder.path).read(allowsIncomplete: true).verdict == .thresholdsFailed)
        try log.finish()
    }

    @Test("a file that cannot be written leaves the others written and the folder marked")
    func partly() throws {
        let temporary = try TemporaryFolder()
        let folder = try RunFolder.create(at: temporary.path + "/new/run")
        try FileManager.default.createDirectory(atPath: folder["junit.xml"], withIntermediateDirectories: true)
        let errors = folder.writeReports(of: SampleRun.result)
        #expect(errors.map(\.description) == [folder["junit.xml"] + ": it is a folder"])
        #expect(!folder.isComplete)
        #expect(
            try temporary.names(in: folder.path) == [
                "environment.json", "histograms", "incomplete", "junit.xml", "result.json", "series.csv", "summary.md",
            ]
        )
    }

    @Test("a folder that the user names must be new or empty")
    func named() throws {
        let temporary = try TemporaryFolder()
        #expect(throws: Never.self) { try RunFolder.create(at: temporary.path) }
        let error = #expect(throws: ResultError.self) { _ = try RunFolder.create(at: temporary.path) }
        #expect(error?.problem == "there are files in it: a run wants a folder of its own")
        let other = #expect(throws: ResultError.self) { _ = try RunFolder.create(at: temporary.path + "/incomplete") }
        #expect(other?.problem == "a part of the path is not a folder")
        let root = #expect(throws: ResultError.self) {
            _ = try RunFolder.create(in: temporary.path + "/incomplete", name: "a", seed: 1, startedAt: 0)
        }
        #expect(root?.problem == "a part of the path is not a folder")
        let none = #expect(throws: ResultError.self) { _ = try RunFolder(existing: temporary.path + "/none") }
        #expect(none?.problem == "there is no such file or folder")
    }

    @Test(
        "no workload's name leads out of the folder of runs",
        arguments: [
            ("rekey-storm", "rekey-storm"), ("../../etc", "_.._.._etc"), ("..", "_.."), ("", "_"), ("a/b", "a_b"),
            ("\u{1B}[2J é", "__2J__"), (String(repeating: "a", count: 300), String(repeating: "a", count: 100)),
        ]
    )
    func names(_ name: String, _ file: String) {
        #expect(RunFolder.fileName(name) == file)
    }

    @Test("flows have histograms and series of their own, beside a population of the same name")
    func flows() throws {
        let temporary = try TemporaryFolder()
        var result = SampleRun.withFlows
        result.record.flows[3].name = "phones"
        result.record.measurements[7].scope.flow = "phones"
        result.record.measurements[2].latencies[.trafficRoundTrip] = LatencyRecord(buckets: [
            LatencyRecord.Bucket(highest: 7, count: 3)
        ])
        let folder = try RunFolder.create(in: temporary.path, name: "a", seed: 1, startedAt: 0)
        #expect(folder.writeReports(of: result).isEmpty)
        let names = try temporary.names(in: folder["histograms"]).filter { $0.hasPrefix("traffic.") }
        #expect(
            names.filter { !$0.contains("jitter") } == [
                "traffic.latency.calls.json", "traffic.latency.calls_down.json", "traffic.latency.calls_up.json",
                "traffic.latency.json", "traffic.round-trip.phones-2.json", "traffic.round-trip.phones.json",
            ]
        )
        let read = try folder.read()
        #expect(read.record.series == result.record.series)
        for scope in [MeasurementScope(population: "phones"), MeasurementScope(flow: "phones")] {
            let times = result.record.measurements(in: scope)?.latency(.trafficRoundTrip)
            #expect(times != nil && read.record.measurements(in: scope)?.latency(.trafficRoundTrip) == times)
        }
    }

    @Test("two populations whose names a file system cannot tell apart keep their histograms")
    func alike() throws {
        let temporary = try TemporaryFolder()
        var record = SampleRun.record
        record.measurements[1].scope.population = "a b"
        record.measurements[2].scope.population = "a/b"
        record.populations[0].name = "a b"
        record.populations[1].name = "a/b"
        let folder = try RunFolder.create(in: temporary.path, name: "a", seed: 1, startedAt: 0)
        #expect(folder.writeReports(of: RunResult(record, steadyState: [], thresholds: [])).isEmpty)
        let read = try folder.read()
        for index in 1...2 {
            let latency = read.record.measurements[index].latency(.handshakeLatency)
            #expect(latency == record.measurements[index].latency(.handshakeLatency))
        }
    }

    @Test("a run whose names are hostile is written and read")
    func hostile() throws {
        let temporary = try TemporaryFolder()
        let hostile = SampleRun.hostile
        let folder = try RunFolder.create(in: temporary.path, name: hostile.record.name, seed: 1, startedAt: 0)
        #expect(folder.writeReports(of: hostile).isEmpty)
        #expect(try JSONReport.text(of: folder.read()) == JSONReport.text(of: hostile))
    }

    @Test("a histogram that does not belong to the result is refused")
    func foreign() throws {
        let temporary = try TemporaryFolder()
        let folder = try RunFolder.create(in: temporary.path, name: "a", seed: 1, startedAt: 0)
        #expect(folder.writeReports(of: SampleRun.result).isEmpty)
        let file = "histograms/handshake.latency.json"
        let text = String(decoding: try AtomicFile.read(folder[file]), as: UTF8.self)
        try folder.write(text.replacing("[1527400000, 2]", with: "[1527400000, 3]"), to: file)
        let error = #expect(throws: ResultError.self) { _ = try folder.read() }
        #expect(error?.description == folder[file] + ": count: it is not what the buckets say: 227")
    }
}

@Suite("Files that appear whole or not at all")
struct AtomicFileTests {
    @Test("writing replaces what was there, with the mode that is asked for")
    func replaces() throws {
        let temporary = try TemporaryFolder()
        let path = temporary.path + "/keys"
        try AtomicFile.write([1, 2, 3], to: path, mode: 0o600)
        try AtomicFile.write([4], to: path, mode: 0o600)
        #expect(try AtomicFile.read(path) == [4])
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        #expect(try temporary.names(in: temporary.path) == ["keys"])
    }

    @Test("what a killed run left aside does not stop the next one")
    func leftovers() throws {
        let temporary = try TemporaryFolder()
        try AtomicFile.write([9, 9, 9, 9], to: temporary.path + "/a.partial")
        try AtomicFile.write([1], to: temporary.path + "/a")
        #expect(try temporary.names(in: temporary.path) == ["a"])
    }

    @Test("a folder that vanishes is an error that names the file")
    func vanished() throws {
        let temporary = try TemporaryFolder()
        let path = temporary.path + "/gone/a"
        let error = #expect(throws: ResultError.self) { try AtomicFile.write([1], to: path) }
        #expect(error?.description == path + ": there is no such file or folder")
    }

    @Test("a full disk is said in plain words")
    func full() throws {
        let device = try OpenFile(writing: "/dev/full")
        var error: ResultError?
        do throws(ResultError) { try device.write([1]) } catch let caught { error = caught }
        #expect(error?.description == "/dev/full: the disk is full")
    }

    @Test("a stream gets its name at the end, with everything in it")
    func stream() throws {
        let temporary = try TemporaryFolder()
        let path = temporary.path + "/big"
        var file = try StreamedFile(path)
        for index in 0..<100_000 { try file.append([UInt8(truncatingIfNeeded: index), 10]) }
        #expect(try temporary.names(in: temporary.path) == ["big.partial"])
        try file.finish()
        #expect(try temporary.names(in: temporary.path) == ["big"])
        #expect(try AtomicFile.read(path).count == 200_000)
    }
}
