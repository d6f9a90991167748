import Foundation
import Synchronization

/// FreeRADIUS on loopback, which belongs to one test and goes away with it.
///
/// `Tests/Gateways/freeradius.sh` says what it is configured to do.
package final class RealRADIUSServer: Sendable {
    package let port: UInt16
    private let name: String
    private let directory: URL

    /// Starts FreeRADIUS with the knobs of the script, such as `["DEFAULT_METHOD": "tls"]`; beside the gateway of a
    /// rig, where one is given.
    package init(knobs: [String: String] = [:], beside rig: Rig? = nil) throws {
        Self.removeWhatDeadTestsLeft
        let number = Self.count.withLock { count in
            count += 1
            return count
        }
        name = "radius-\(getpid())-\(number)"
        directory = FileManager.default.temporaryDirectory.appending(path: "ikestorm-rig-\(name)")
        port = try rig == nil ? Self.freePort() : 1812
        let variables = knobs.merging(["RUNROOT": directory.path, "PORT": "\(port)"]) { $1 }
        guard let rig else {
            _ = try Command.output(of: [Self.script, "up", name], environment: variables)
            return
        }
        let outcome = try rig.run([Self.script, "up", name], on: .gateway, environment: variables)
        guard outcome.status == 0 else { throw NotStarted(output: outcome.errors) }
    }

    /// Why a server beside a gateway is not there.
    package struct NotStarted: Error { package let output: String }

    deinit {
        _ = try? run("down")
        try? FileManager.default.removeItem(at: directory)
    }

    /// A file of the server's directory, such as `ca.pem`.
    package func file(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: directory.appending(path: "\(self.name)/\(name)")))
    }

    /// What it logged.
    package func log() throws -> String { try run("log") }

    private func run(_ verb: String) throws -> String {
        try Command.output(of: [Self.script, verb, name], environment: ["RUNROOT": directory.path])
    }

    private static let script = Rig.projectDirectory.appending(path: "Tests/Gateways/freeradius.sh").path

    private static let count = Mutex(0)

    /// A test that was killed leaves its server; its directory carries the test's process number.
    private static let removeWhatDeadTestsLeft: Void = {
        let folder = FileManager.default.temporaryDirectory
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        for name in names where name.hasPrefix("ikestorm-rig-radius-") {
            let parts = name.split(separator: "-")
            guard parts.count == 5, let process = Int32(parts[3]), kill(process, 0) != 0, errno == ESRCH else {
                continue
            }
            let directory = folder.appending(path: name)
            _ = try? Command.output(
                of: [script, "down", parts[2...].joined(separator: "-")],
                environment: ["RUNROOT": directory.path]
            )
            try? FileManager.default.removeItem(at: directory)
        }
    }()

    /// A port of loopback that nobody has now.
    private static func freePort() throws -> UInt16 { try LoopbackSocket().port }
}

/// A UDP socket on 127.0.0.1, with a port that the system chose.
package final class LoopbackSocket: Sendable {
    package struct Failed: Error { package let number: Int32 }

    package let port: UInt16
    private let descriptor: Int32

    package init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        guard descriptor >= 0 else { throw Failed(number: errno) }
        var address = Self.address(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isBound else {
            let number = errno
            close(descriptor)
            throw Failed(number: number)
        }
        port = UInt16(bigEndian: address.sin_port)
    }

    deinit { close(descriptor) }

    package func send(_ octets: [UInt8], to port: UInt16) throws {
        var address = Self.address(port: port)
        let sent = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe sendto(descriptor, octets, octets.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard sent == octets.count else { throw Failed(number: errno) }
    }

    /// The next datagram and the port that it comes from; nil when none comes in time.
    package func receive(atMost milliseconds: Int32) throws -> (octets: [UInt8], port: UInt16)? {
        var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&wanted, 1, milliseconds) > 0 else { return nil }
        var octets = [UInt8](repeating: 0, count: 8192)
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let capacity = octets.count
        let count = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe recvfrom(descriptor, &octets, capacity, 0, $0, &length)
            }
        }
        guard count >= 0 else { throw Failed(number: errno) }
        return (Array(octets[..<count]), UInt16(bigEndian: address.sin_port))
    }

    private static func address(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }
}
