package import Foundation
import Synchronization

/// A network of two namespaces that belongs to one test, and goes away with it.
///
/// `Tests/Gateways/network.sh` says which addresses are where. A test that cannot have its rig fails: what a gateway
/// that does not run would have said is unknown.
package final class Rig: Sendable {
    /// The gateway's address in every rig.
    package static let gatewayAddress = "10.98.1.2"
    /// The clients' own address in every rig; all of 10.99.0.0/16 can be bound as well.
    package static let clientAddress = "10.98.1.1"

    /// Where the gateway is, too, behind a NAT of its own.
    package static let natAddress = "10.97.0.1"

    /// Which of the two namespaces a program runs in.
    package enum Side: String, Sendable {
        case clients
        case gateway
    }

    package let name: String
    private let directory: URL
    private let knobs: [String: String]

    package init(knobs: [String: String] = [:]) throws {
        Self.removeWhatDeadTestsLeft
        let number = Self.count.withLock { count in
            count += 1
            return count
        }
        name = "test-\(getpid())-\(number)"
        directory = FileManager.default.temporaryDirectory.appending(path: "ikestorm-rig-\(name)")
        self.knobs = knobs
        _ = try script("network.sh", "up")
    }

    deinit {
        _ = try? script("network.sh", "down")
        try? FileManager.default.removeItem(at: directory)
    }

    /// Puts the clients at 10.99.0.0/16, or the gateway, behind a NAT.
    package func putBehindNAT(_ side: Side) throws { _ = try script("network.sh", "nat", side.rawValue) }

    /// Starts a program in one of the namespaces.
    package func start(
        _ arguments: [String],
        on side: Side = .clients,
        environment: [String: String] = [:]
    ) throws -> Command {
        let variables = environment.merging(["SIDE": side.rawValue]) { $1 }
        return try Command([Self.path(of: "network.sh"), "exec", name] + arguments, environment: variables)
    }

    /// Runs a program in one of the namespaces to its end.
    package func run(
        _ arguments: [String],
        on side: Side = .clients,
        environment: [String: String] = [:],
        atMost seconds: Double = 120
    ) throws -> Command.Outcome {
        try start(arguments, on: side, environment: environment).wait(atMost: seconds)
    }

    /// What passes the link while something is done: what was sent to the gateway, and what came from it.
    package func capturing(_ body: () throws -> Void) throws -> [CapturedPacket] {
        try capture(body)
        return try script("capture.sh", "read").split(separator: "\n").map(CapturedPacket.init)
    }

    /// Leaves what passes the link meanwhile in `captureFile`.
    package func capture(_ body: () throws -> Void) throws {
        _ = try script("capture.sh", "start")
        try body()
        _ = try script("capture.sh", "stop")
    }

    /// Sends one packet to `markPort` of the gateway: what was sent before it is before it in a capture.
    package func sendMark() throws {
        let outcome = try run(["bash", "-c", "echo mark >/dev/udp/\(Self.gatewayAddress)/\(Self.markPort)"])
        guard outcome.status == 0 else { throw Command.Failure.failed(["mark"], outcome) }
    }

    /// Nobody listens there: UDP's discard port.
    package static let markPort = 9

    /// The last capture, for tools that read one.
    package var captureFile: String { file("capture.pcapng") }

    /// Where a file of the rig's scripts is, by its path in RUNROOT/NAME.
    package func file(_ path: String) -> String { directory.appending(path: "\(name)/\(path)").path }

    /// Runs one of the rig's scripts, which has to succeed, and returns what it printed.
    ///
    /// - Parameter knobs: more of them, or others than the rig has.
    package func script(
        _ script: String,
        _ verb: String,
        _ arguments: String...,
        knobs more: [String: String] = [:]
    ) throws -> String {
        let variables = knobs.merging(more) { $1 }.merging(["RUNROOT": directory.path]) { $1 }
        return try Command.output(of: [Self.path(of: script), verb, name] + arguments, environment: variables)
    }

    /// The project's root: what paths such as `workloads/quickstart.yaml` start from.
    package static let projectDirectory = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The command under test: the one that was built together with this test.
    package static let ikestorm = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appending(path: "ikestorm").path

    private static func path(of script: String) -> String {
        projectDirectory.appending(path: "Tests/Gateways/\(script)").path
    }

    private static let count = Mutex(0)

    /// A test that was killed leaves its namespaces; they carry its process number.
    private static let removeWhatDeadTestsLeft: Void = {
        let namespaces = (try? FileManager.default.contentsOfDirectory(atPath: "/run/netns")) ?? []
        for namespace in namespaces {
            let parts = namespace.split(separator: "-")
            guard namespace.hasPrefix("ikestorm-test-"), namespace.hasSuffix("-gateway"), parts.count == 5,
                let process = Int32(parts[2]), kill(process, 0) != 0, errno == ESRCH
            else { continue }
            _ = try? Command.output(of: [path(of: "network.sh"), "down", "test-\(parts[2])-\(parts[3])"])
        }
    }()
}

/// A packet that passed a rig's link.
package struct CapturedPacket: Equatable, Sendable {
    package let source: String
    package let sourcePort: Int?
    package let destination: String
    package let destinationPort: Int?
    package let frameByteCount: Int

    /// Reads a line of `capture.sh read`; ports are empty where there is no UDP.
    package init(line: Substring) throws {
        let fields = line.split(separator: " ", omittingEmptySubsequences: false)
        guard fields.count == 5, let frameByteCount = Int(fields[4]) else { throw Malformed(line: String(line)) }
        source = String(fields[0])
        sourcePort = Int(fields[1])
        destination = String(fields[2])
        destinationPort = Int(fields[3])
        self.frameByteCount = frameByteCount
    }

    /// A line that is not what the script prints.
    package struct Malformed: Error { package let line: String }
}
