import Foundation
import IKECrypto
import IKEWire
import IKEv2
import Load
import Primitives
import Workload

/// A live run that was recorded, fed to the same machines again in virtual time.
package struct RecordedRun {
    private let folder: String
    private let head: RecordingHead
    private let workload: Workload

    /// - Parameter folder: the run's folder.
    package init(folder: String) throws(LiveError) {
        self.folder = LiveFolder(folder).recordingPath
        head = try RecordingHead(readingFrom: self.folder)
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
        for worker in 0..<head.workers {
            let path = RecordingHead.path(ofWorker: worker, in: folder)
            guard let data = FileManager.default.contents(atPath: path) else {
                throw .system("\(path), a part of the recording, cannot be read")
            }
            var replay = try WorkerReplay(head, workload, sinks: sinks)
            let octets = [UInt8](data)
            do throws(DecodeError) {
                var reader = ByteReader(octets.rawSpan)
                try replay.readHead(&reader)
                while !reader.isAtEnd, replay.outcome.divergence == nil { try replay.step(&reader) }
            } catch {
                guard case .truncated = error else { throw .system("\(path) is not a recording") }
                replay.outcome.isCutShort = true
            }
            outcome.add(replay.outcome)
        }
        return outcome
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
