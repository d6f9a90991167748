import Foundation
import Primitives
import Workload

/// What all workers' recordings of a run have in common: the run's secrets and its workload.
struct RecordingHead {
    var seed: UInt64
    var secrets: LiveSecrets
    var workers: Int
    /// The workload as it was run, with every default written out.
    var text: String

    static func path(in folder: String) -> String { folder + "/run.head" }
    static func path(ofWorker worker: Int, in folder: String) -> String { "\(folder)/worker-\(worker).inputs" }

    init(_ plan: LivePlan) {
        seed = plan.seed
        secrets = plan.secrets
        workers = plan.workerCount
        var workload = plan.workload
        workload.floods = []
        text = workload.resolved()
    }

    func write(to folder: String) throws(LiveError) {
        var writer = ByteWriter(capacity: 1024 + text.utf8.count)
        writer.writeInteger(RecordedInput.magic)
        writer.writeInteger(RecordedInput.version)
        writer.writeInteger(UInt32(workers))
        writer.writeInteger(seed)
        writer.writeInteger(secrets.spiKey)
        writer.write(secrets.material)
        writer.write(utf8: text)
        let file = try PrivateFile(creating: Self.path(in: folder))
        try file.write(writer.bytes, at: 0)
    }

    init(readingFrom folder: String) throws(LiveError) {
        let path = Self.path(in: folder)
        guard let data = FileManager.default.contents(atPath: path) else {
            throw .system("there is no recording in \(folder): a run makes one with --record")
        }
        do throws(DecodeError) {
            try self.init([UInt8](data))
        } catch {
            throw .system("\(path) is no recording that this version reads")
        }
    }

    init(_ octets: [UInt8]) throws(DecodeError) {
        var reader = ByteReader(octets.rawSpan)
        guard try reader.readInteger(as: UInt32.self) == RecordedInput.magic,
            try reader.readInteger(as: UInt16.self) == RecordedInput.version
        else { throw .malformed(.unsupportedFormat) }
        workers = Int(try reader.readInteger(as: UInt32.self))
        seed = try reader.readInteger()
        let spiKey: UInt64 = try reader.readInteger()
        secrets = LiveSecrets(material: try reader.read(32).copied(), spiKey: spiKey)
        text = String(decoding: reader.readRest().copied(), as: UTF8.self)
    }

    func workload() throws(LiveError) -> Workload {
        do throws(WorkloadErrors) {
            return try WorkloadFile(text: text, path: "recording").validated()
        } catch {
            throw .system("the recording's workload is not one that this version reads: \(error)")
        }
    }
}
