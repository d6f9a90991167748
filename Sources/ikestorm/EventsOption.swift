import ArgumentParser

/// How much `events.ndjson` tells.
enum EventsOption: String, CaseIterable, ExpressibleByArgument {
    case lifeCycle = "life-cycle"
    /// The file is not written.
    case none
}
