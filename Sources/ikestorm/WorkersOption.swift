import ArgumentParser
import Primitives
import Runner
import Workers
import Workload

/// How many threads compute a run.
struct WorkersOption: ExpressibleByArgument {
    let count: Int

    static var auto: WorkersOption { WorkersOption(count: ThisMachine.allowedCores) }

    private init(count: Int) { self.count = count }

    init?(argument: String) {
        if argument == "auto" {
            self = .auto
        } else if let count = Int(argument), (1...1_024).contains(count) {
            self.count = count
        } else {
            return nil
        }
    }

    var defaultValueDescription: String { "auto" }
}

/// How long a live run's workers let more come before they look again.
struct BatchWaitOption: ExpressibleByArgument {
    let duration: Duration

    private static var longest: Duration { .milliseconds(100) }

    init?(argument: String) {
        guard let given = try? Units.duration(argument), given <= Self.longest else { return nil }
        duration = given
    }
}

extension SimulatedOptions.Crypto: ExpressibleByArgument {}
extension Placement: ExpressibleByArgument {}
extension PublicKeyLibrary: ExpressibleByArgument {}
