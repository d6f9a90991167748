/// Where the workers of a run keep what outlives them.
struct WorkerFiles: Sendable {
    /// Nil for a run that keeps nothing.
    let folder: LiveFolder?
    /// What the files of its workers are called.
    let part: String
    let records: Bool

    func keys(ofWorker worker: Int) throws(LiveError) -> KeyJournal? {
        guard let folder else { return nil }
        return try KeyJournal(creating: folder.journalPath(of: "\(part)-\(worker)"))
    }

    func recorder(ofWorker worker: Int, clients: Int) throws(LiveError) -> InputRecorder? {
        guard records, let folder else { return nil }
        return try InputRecorder(
            creating: RecordingHead.path(ofWorker: worker, in: folder.recordingPath),
            clients: clients
        )
    }
}
