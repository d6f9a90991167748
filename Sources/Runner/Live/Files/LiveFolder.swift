import Foundation

/// The files by which a live run is watched over, stopped and tidied up after, in its run folder.
package struct LiveFolder: Sendable {
    package let path: String

    package init(_ path: String) {
        self.path = path
    }

    /// Held by the run for as long as it lives, however it ends.
    var lockPath: String { path + "/live.lock" }
    /// Made by `ikestorm abort`.
    var abortPath: String { path + "/abort" }
    var keysPath: String { path + "/keys" }
    var recordingPath: String { path + "/recording" }
    var safetyPath: String { path + "/safety.json" }

    /// - Parameter part: which part of the run the keys are of, such as `worker-0`.
    func journalPath(of part: String) -> String { "\(keysPath)/\(part).keys" }

    /// The journals of keys that a run left.
    func journals() -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: keysPath)) ?? []
        return names.filter { $0.hasSuffix(".keys") }.sorted().map { keysPath + "/" + $0 }
    }

    /// Removes the journals that hold no key any more.
    func removeEmptyJournals() {
        for journal in journals() where (try? KeyJournal.read(journal))?.isEmpty == true {
            try? FileManager.default.removeItem(atPath: journal)
        }
        // Succeeds only where nothing is left.
        unsafe rmdir(keysPath)
    }

    /// Makes a folder that its owner alone can look into.
    func makePrivateFolder(_ path: String) throws(LiveError) {
        do {
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw .cannotWrite("\(path) cannot be made: \(error.localizedDescription)")
        }
    }

    /// Whether a live run has been here, however it ended: a mistyped name is not a run that left nothing behind.
    var isOfARun: Bool {
        [keysPath, safetyPath, path + "/workload.yaml"].contains { FileManager.default.fileExists(atPath: $0) }
    }

    /// Whether the run is still going on.
    package var isRunning: Bool {
        guard FileManager.default.fileExists(atPath: lockPath), let lock = try? LiveLock(lockPath) else { return false }
        return !lock.isHeld
    }

    /// Removes what only a run that goes on has; its lock is still held.
    func removeControls() {
        for path in [abortPath, lockPath] { try? FileManager.default.removeItem(atPath: path) }
    }

    var isAbortRequested: Bool { FileManager.default.fileExists(atPath: abortPath) }

    /// Asks a run to stop and to delete its SAs, and waits until it has; false when it has not within the time.
    package func abort(waiting seconds: Int) throws(LiveError) -> Bool {
        guard isRunning else { throw .system("\(path) is not a run that is going on") }
        guard FileManager.default.createFile(atPath: abortPath, contents: Data()) else {
            throw .cannotWrite("\(abortPath) cannot be made")
        }
        for _ in 0..<(seconds * 20) {
            guard isRunning else { return true }
            usleep(50_000)
        }
        return !isRunning
    }
}

/// A lock that the system lets go when its process ends, however it ends.
struct LiveLock: ~Copyable {
    private let descriptor: Int32
    /// Whether this process has it now; if not, another one has.
    let isHeld: Bool

    init(_ path: String) throws(LiveError) {
        descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .cannotWrite("\(path) cannot be opened: \(SystemError.text(errno))") }
        isHeld = flock(descriptor, LOCK_EX | LOCK_NB) == 0
    }

    deinit { close(descriptor) }
}
