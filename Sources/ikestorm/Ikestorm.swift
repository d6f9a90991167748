import ArgumentParser
import Glibc
import Results
import Runner

@main
struct Ikestorm: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ikestorm",
        abstract: "Offers IKEv2 load to a VPN gateway, simulated or real, and says what happens.",
        discussion: """
            Begin with `ikestorm init first.yaml` and `ikestorm run first.yaml`.

            EXIT CODES
              0 passed, 64 usage, 65 bad workload, 69 target unreachable, 70 a mistake of ikestorm itself,
              73 files cannot be written, 75 inconclusive (the generator was late, or what is compared does not say),
              96 safety abort, 97 steady state failed, 98 regression, 99 threshold failed,
              105 interrupted and drained, 130 interrupted by force
            """,
        version: IkestormVersion.text,
        subcommands: [
            RunCommand.self, CheckCommand.self, DiffCommand.self, InitCommand.self, SchemaCommand.self,
            GatewayCommand.self, SinkCommand.self, PKICommand.self, AbortCommand.self, CleanupCommand.self,
            ReplayCommand.self, CalibrateCommand.self, CapacityCommand.self, InspectCommand.self, MatrixCommand.self,
            CompareCommand.self, BaselineCommand.self, DoctorCommand.self, VersionCommand.self,
        ]
    )

    /// Parses the words and runs what they say; everything that can end a command has its exit code here.
    static func main() {
        // A file that is as large as it may be is an error of the write, which is told like a full disk.
        signal(SIGXFSZ, SIG_IGN)
        let console = Console.standard()
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch let failure as JobFailure {
            console.errors(failure.message + "\n")
            exit(withError: ArgumentParser.ExitCode(failure.code.rawValue))
        } catch {
            let code = exitCode(for: error)
            // The parser's own number for bad words is the system's, and ours is the same everywhere.
            guard code == .validationFailure else { exit(withError: error) }
            console.errors(fullMessage(for: error) + "\n")
            exit(withError: ArgumentParser.ExitCode(Results.ExitCode.usage.rawValue))
        }
    }
}

extension Results.ExitCode {
    /// Ends the command with this code, where it is not a success.
    func end() throws {
        guard self != .pass else { return }
        throw ArgumentParser.ExitCode(rawValue)
    }
}
