import GatewayRig
import Runner

/// What happened in a live run.
struct Story: Sendable {
    var result: LiveResult?
    /// What the gateway listed while the run went on.
    var listed: [ListedIKESA] = []
    /// What failed of the run, and of what a test did meanwhile.
    private(set) var failures: [String] = []
    private var events: [RunSinks.Event] = []

    mutating func note(_ event: RunSinks.Event) {
        events.append(event)
        if event.name.contains("failed") { failures.append("\(event)") }
    }

    @discardableResult
    mutating func attempt<Value>(_ body: () throws -> Value) -> Value? {
        do { return try body() } catch { failures.append("\(error)") }
        return nil
    }

    func count(_ name: String, _ key: String, _ value: String) -> Int {
        events.filter { $0.name == name && $0.details.contains { $0.key == key && $0.value == value } }.count
    }
}
