import ArgumentParser
import Runner
import Workers

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

extension SimulatedOptions.Crypto: ExpressibleByArgument {}
extension Placement: ExpressibleByArgument {}
extension PublicKeyLibrary: ExpressibleByArgument {}
