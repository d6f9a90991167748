package import Results

/// `ikestorm cleanup RUN`: deletes the IKE SAs that a live run left behind.
package struct CleanupJob {
    private let folder: String

    package init(folder: String) {
        self.folder = folder
    }

    package func run(on console: Console) throws(JobFailure) -> ExitCode {
        let outcome: Cleanup.Outcome
        do throws(LiveError) {
            outcome = try Cleanup(folder: folder).run()
        } catch {
            throw JobFailure(error)
        }
        guard outcome.found > 0 else {
            console.output("\(folder) has left no IKE SA behind\n")
            return .pass
        }
        console.output("\(outcome.found) IKE SAs were left behind, \(outcome.deleted) are deleted\n")
        if outcome.forgotten > 0 {
            console.output(
                "\(outcome.forgotten) are not known to the gateway any more: it answers, but not for them; their keys are "
                    + "wiped\n"
            )
        }
        guard outcome.unanswered > 0 else { return .pass }
        console.errors(
            "\(outcome.unanswered) Deletes had no answer, and the gateway says nothing at all; their keys are kept in "
                + "\(folder)/keys: repeat the clean-up when it can be reached\n"
        )
        return .unreachable
    }
}

/// `ikestorm replay RUN`: repeats a recorded live run in virtual time.
package struct ReplayJob {
    private let folder: String

    package init(folder: String) {
        self.folder = folder
    }

    package func run(on console: Console) throws(JobFailure) -> ExitCode {
        let outcome: RecordedRun.Outcome
        do throws(LiveError) {
            outcome = try RecordedRun(folder: folder).replay()
        } catch {
            throw JobFailure(error)
        }
        console.output(
            "replayed \(outcome.clients) clients, \(outcome.inputs) inputs and \(outcome.datagrams) datagrams, compared "
                + "\(outcome.comparisons) times\n"
        )
        if outcome.isCutShort { console.errors("the recording ends before the run did: it was killed\n") }
        guard outcome.inputs > 0 else {
            console.errors("nothing was recorded that could be compared\n")
            return .inconclusive
        }
        guard let divergence = outcome.divergence else {
            console.output("The replay is the same as the run.\n")
            return .pass
        }
        console.output("The replay parts from the run: \(divergence)\n")
        return .regression
    }
}
