import Foundation
import IKECrypto
import IKEWire
import IKEv2
import Load
import Primitives
import Workload

/// A live run that was recorded, fed to the same machines again in virtual time.
package struct RecordedRun {
    /// The recording's folder; nil where its files are in memory.
    private let folder: String?
    private let head: RecordingHead
    private let workload: Workload

    /// - Parameter folder: the run's folder.
    package init(folder: String) throws(LiveError) {
        let recording = LiveFolder(folder).recordingPath
        self.folder = recording
        head = try RecordingHead(readingFrom: recording)
        workload = try head.workload()
    }

    /// - Parameter head: what the file `run.head` of a recording holds.
    package init(head octets: [UInt8]) throws(LiveError) {
        folder = nil
        do throws(DecodeError) {
            head = try RecordingHead(octets)
        } catch {
            throw .system("this is no head of a recording that this version reads")
        }
        workload = try head.workload()
    }

    /// What a replay came to.
    package struct Outcome: Hashable, Sendable {
        package var clients = 0
        package var inputs: UInt64 = 0
        package var datagrams: UInt64 = 0
        /// How often the states of all IKE SAs were compared.
        package var comparisons = 0
        /// The first input that led to something else than in the live run, in words; nil where none did.
        package var divergence: String?
        /// The recording ends in the middle of an entry, as that of a killed run does.
        package var isCutShort = false
    }

    /// Feeds every input to the machines, and compares what they do with what they did.
    ///
    /// - Parameter sinks: get the events and datagrams at the moments at which they were, worker by worker.
    package func replay(sinks: RunSinks = RunSinks()) throws(LiveError) -> Outcome {
        var outcome = Outcome()
        guard let folder else { return outcome }
        for worker in 0..<head.workers {
            let path = RecordingHead.path(ofWorker: worker, in: folder)
            guard let data = FileManager.default.contents(atPath: path) else {
                throw .system("\(path), a part of the recording, cannot be read")
            }
            guard let part = try replay([UInt8](data), sinks: sinks) else {
                throw .system("\(path) is not a recording")
            }
            outcome.add(part)
        }
        return outcome
    }

    /// Feeds the inputs of one worker to its machines.
    ///
    /// - Parameters:
    ///   - octets: what a worker's file of a recording holds.
    ///   - goesOn: it does not end where something else comes of an input.
    /// - Returns: Nil for what is no recording.
    package func replay(
        _ octets: [UInt8],
        goesOn: Bool = false,
        sinks: RunSinks = RunSinks()
    ) throws(LiveError) -> Outcome? {
        var replay = try WorkerReplay(head, workload, sinks: sinks)
        do throws(DecodeError) {
            var reader = ByteReader(octets.rawSpan)
            try replay.readHead(&reader)
            while !reader.isAtEnd, goesOn || replay.outcome.divergence == nil { try replay.step(&reader) }
        } catch {
            guard case .truncated = error else { return nil }
            replay.outcome.isCutShort = true
        }
        return replay.outcome
    }
}

extension RecordedRun.Outcome {
    fileprivate mutating func add(_ other: RecordedRun.Outcome) {
        clients += other.clients
        inputs += other.inputs
        datagrams += other.datagrams
        comparisons += other.comparisons
        divergence = divergence ?? other.divergence
        isCutShort = isCutShort || other.isCutShort
    }
}
