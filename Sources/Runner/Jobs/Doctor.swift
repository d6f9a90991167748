import Foundation
import IKECrypto
import Primitives
import Results
import UDPTransport
import Workers

/// `ikestorm doctor`: what this machine can do, and what would have to be changed for more.
package enum Doctor {
    package struct Finding: Hashable, Sendable {
        package var isGood: Bool
        package var subject: String
        package var text: String
        /// What to do about it.
        package var remedy: String?

        init(_ isGood: Bool, _ subject: String, _ text: String, remedy: String? = nil) {
            self.isGood = isGood
            self.subject = subject
            self.text = text
            self.remedy = isGood ? nil : remedy
        }
    }

    /// - Parameter allocatorVersion: of mimalloc, which the command is linked with: major · 100 + minor · 10 + patch.
    package static func findings(allocatorVersion: Int) -> [Finding] {
        [machine, cores, memory, allocator(allocatorVersion)]
            + [crypto, packets]
            + [
                clock, udpBuffers, openFiles, port(500), port(4_500), namespaces,
                program("tshark", for: "reading captures"),
            ]
    }

    package static func text(of findings: [Finding]) -> String {
        let width = findings.reduce(0) { max($0, $1.subject.count) }
        return findings.map { finding in
            let space = String(repeating: " ", count: width - finding.subject.count)
            let remedy = finding.remedy.map { "; " + $0 } ?? ""
            return "\(finding.isGood ? "✓" : "✗") \(finding.subject)\(space)  \(finding.text)\(remedy)\n"
        }.joined()
    }

    private static var machine: Finding {
        let machine = Results.Host.Machine.current()
        return Finding(true, "machine", "\(machine.system), \(machine.processor)")
    }

    private static var cores: Finding {
        guard let topology = try? CPUTopology.current() else {
            return Finding(false, "cores", "the kernel does not say which may be used", remedy: "use --workers 1")
        }
        let nodes = topology.nodeCount
        let count = topology.allowed.count
        return Finding(
            true,
            "cores",
            "\(count) may be used, on \(nodes) NUMA node" + (nodes == 1 ? "" : "s") + ": --workers auto is \(count)"
        )
    }

    private static var memory: Finding {
        Finding(true, "memory", Humane.bytes(Results.Host.Machine.current().memoryBytes))
    }

    private static func allocator(_ version: Int) -> Finding {
        let name = "mimalloc \(version / 100).\(version / 10 % 10).\(version % 10)"
        let file = "/sys/kernel/mm/transparent_hugepage/enabled"
        let choice = (try? AtomicFile.read(file)).map { String(decoding: $0, as: UTF8.self) } ?? "[never]"
        guard choice.contains("[never]") else { return Finding(true, "allocator", name + ", in pages of 2 MiB") }
        let remedy = "for simulated runs that are about a tenth faster, as root: echo madvise >\(file)"
        return Finding(false, "allocator", name + ": the kernel gives pages of 4 KiB", remedy: remedy)
    }

    private static var crypto: Finding {
        guard let obstacle = PublicKeyLibrary.obstacle else {
            return Finding(
                true,
                "crypto",
                "\(CryptoLibrary.version), and \(MultiBufferLibrary.version) for several operations at once"
            )
        }
        return Finding(
            MultiBufferLibrary.state == .unfitProcessor,
            "crypto",
            "\(CryptoLibrary.version), one operation at a time",
            remedy: "\(obstacle): runs with real cryptography take a third of the time, given AVX-512 IFMA"
        )
    }

    /// Who computes ESP packets, and how to have it faster.
    private static var packets: Finding {
        guard let absence = IPsecMB.absence else {
            let text = "\(IPsecMB.version) by \(IPsecMB.instructions), and what it is slower with by "
            return Finding(true, "ESP", text + CryptoLibrary.version)
        }
        let purpose = "for AES-GCM in a quarter of the time: "
        switch absence {
        case .notFound:
            return Finding(
                false,
                "ESP",
                "\(CryptoLibrary.version), without libipsec-mb",
                remedy: purpose + "`apt-get install libipsec-mb1`"
            )
        case .otherVersion:
            return Finding(
                false,
                "ESP",
                "\(CryptoLibrary.version), since \(IPsecMB.version) is not \(IPsecMB.neededVersion)",
                remedy: purpose + "build with the header of the libipsec-mb that is here (libipsec-mb-dev)"
            )
        case .notBuilt:
            #if arch(x86_64)
                let remedy = purpose + "`apt-get install libipsec-mb-dev`, then `make clean build`"
                return Finding(false, "ESP", "\(CryptoLibrary.version): built without libipsec-mb", remedy: remedy)
            #else
                return Finding(true, "ESP", CryptoLibrary.version)
            #endif
        case .noInstructions: return Finding(true, "ESP", "\(CryptoLibrary.version): there are no AES instructions")
        }
    }

    /// A clock that is read without the kernel: live runs read it for each packet.
    private static var clock: Finding {
        let folder = "/sys/devices/system/clocksource/clocksource0/"
        let name = ThisMachine.contents(of: folder + "current_clocksource").trimmingCharacters(in: .newlines)
        guard !["hpet", "acpi_pm", "jiffies", "refined-jiffies"].contains(name) else {
            return Finding(
                false,
                "clock",
                "\(name), which the kernel has to be asked for",
                remedy: "live runs are late by it: see \(folder)available_clocksource for tsc or kvm-clock"
            )
        }
        return Finding(true, "clock", name.isEmpty ? "the kernel does not say which" : name)
    }

    /// Whether a socket of a live run gets the buffers that it asks for; root gets them whatever the limit is.
    private static var udpBuffers: Finding {
        let wanted = UDPSocket.usualBufferByteCount
        let limits = ["rmem_max", "wmem_max"].map { name in
            (
                name: name,
                byteCount: Int(ThisMachine.contents(of: "/proc/sys/net/core/" + name).trimmingCharacters(in: .newlines))
                    ?? 0
            )
        }
        let isRoot = geteuid() == 0
        let small = isRoot ? [] : limits.filter { $0.byteCount < wanted }
        return Finding(
            small.isEmpty,
            "UDP buffers",
            isRoot
                ? "as large as is asked for" : "at most \(Humane.bytes(UInt64(limits.map(\.byteCount).min() ?? 0)))",
            remedy: "packets of bursts are lost in them: as root, `sysctl -w "
                + small.map { "net.core.\($0.name)=\(wanted)" }.joined(separator: " ") + "`"
        )
    }

    private static var openFiles: Finding {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return Finding(false, "open files", "the limit is not known")
        }
        return Finding(
            limit.rlim_cur >= 256,
            "open files",
            "\(limit.rlim_cur), at most \(limit.rlim_max)",
            remedy: "raise it with `ulimit -n`: many sources want many sockets"
        )
    }

    /// Whether a UDP port can be bound on every address: nothing is sent.
    private static func port(_ number: UInt16) -> Finding {
        let subject = "UDP port \(number)"
        let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        guard descriptor >= 0 else { return Finding(false, subject, "there are no sockets of IPv4") }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = number.bigEndian
        let outcome = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if outcome == 0 { return Finding(true, subject, "can be bound") }
        let code = errno
        if code == EADDRINUSE {
            return Finding(false, subject, "is in use", remedy: "another IKE daemon is running: stop it for live runs")
        }
        return Finding(
            false,
            subject,
            "cannot be bound: " + ResultError(file: "", errno: code).problem,
            remedy: "live runs from this port want root or CAP_NET_BIND_SERVICE"
        )
    }

    private static var namespaces: Finding {
        let limit = UInt64(
            ThisMachine.contents(of: "/proc/sys/user/max_net_namespaces").trimmingCharacters(in: .newlines)
        )
        let isRoot = geteuid() == 0
        return Finding(
            isRoot && limit ?? 0 > 0,
            "namespaces",
            isRoot ? "\(limit ?? 0) network namespaces allowed" : "this user is not root",
            remedy: "the tests with real gateways want network namespaces: run them as root"
        )
    }

    private static func program(_ name: String, for purpose: String) -> Finding {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        let found = folders.map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
        return Finding(found != nil, name, found ?? "is missing", remedy: "`apt-get install \(name)`, for \(purpose)")
    }
}
