import Foundation
import Primitives
import Results
import Simulation
import Workload

/// The files that grow while a run goes on, in a folder that is marked incomplete until its end.
final class RunFiles {
    let folder: RunFolder
    private let names: ClientNames
    private var events: EventLog?
    private var capture: CaptureFiles?

    init(
        _ folder: RunFolder,
        _ workload: Workload,
        keepsEvents: Bool = true,
        capturesPackets: Bool,
        targets: [LiveTarget] = []
    ) throws(ResultError) {
        self.folder = folder
        names = ClientNames(workload)
        try folder.write(workload.resolved(), to: "workload.yaml")
        if keepsEvents { events = try EventLog(folder["events.ndjson"]) }
        if capturesPackets {
            capture = try CaptureFiles(in: folder, workload, targets: targets)
        }
    }

    /// What the run has to say about its files.
    var warnings: [String] {
        switch capture {
        case .some(let capture): capture.warnings
        case .none: []
        }
    }

    var sinks: RunSinks {
        var sinks = RunSinks()
        if events != nil { sinks.event = { [self] in events?.append(line(of: $0)) } }
        if capture != nil {
            sinks.started = { [self] in capture?.start(epochNanoseconds: $0) }
            sinks.packet = { [self] in capture?.append($0) }
            sinks.keys = { [self] in capture?.append($0) }
            sinks.childKeys = { [self] in capture?.append($0) }
        }
        return sinks
    }

    /// Takes the folder away again: the run has not begun.
    func discard() {
        events = nil
        capture = nil
        try? FileManager.default.removeItem(atPath: folder.path)
    }

    private func line(of event: RunSinks.Event) -> EventLine {
        var details = event.details.map { EventLine.Detail($0.key, .text($0.value)) }
        if event.isGateway { details.insert(EventLine.Detail("at", .text(names.gateway(of: event.client))), at: 0) }
        return EventLine(event.time, event.name, subject: names.name(of: event.client), details: details)
    }

    /// Gives every file its name, the results among them; a live run has no window log.
    ///
    /// What cannot be written is told, and the folder stays marked.
    func finish(_ result: RunResult, _ log: WindowLog?) -> [ResultError] {
        var errors: [ResultError] = []
        do throws(ResultError) {
            if let events = events.take() { try events.finish() }
        } catch {
            errors.append(error)
        }
        do throws(ResultError) {
            if let capture = capture.take() { try capture.finish() }
        } catch {
            errors.append(error)
        }
        do throws(ResultError) {
            if let log { try folder.write(WindowLogFile.text(of: log), to: WindowLogFile.name) }
        } catch {
            errors.append(error)
        }
        let isWhole = errors.isEmpty
        errors += folder.writeReports(of: result)
        // Where a file is missing, the reports are written all the same, and the folder is marked again.
        if !isWhole {
            do throws(ResultError) {
                try folder.write("A file of this run could not be written.\n", to: RunFolder.marker)
            } catch {
                errors.append(error)
            }
        }
        return errors
    }
}
