/// `ikestorm abort RUN`: asks a live run to drain, and waits until it has ended.
package struct AbortJob {
    private let folder: String
    private let seconds: Int

    package init(folder: String, seconds: Int) {
        self.folder = folder
        self.seconds = seconds
    }

    package func run(on console: Console) throws(JobFailure) {
        do throws(LiveError) {
            guard try LiveFolder(folder).abort(waiting: seconds) else {
                throw LiveError.system("\(folder) has been asked to stop, and has not ended within \(seconds) s")
            }
        } catch {
            throw JobFailure(error)
        }
        console.output("\(folder) has ended\n")
    }
}
