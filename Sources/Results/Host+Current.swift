import Foundation
package import Primitives

extension Host.Machine {
    /// The machine that this process runs on; nothing in it names the machine or its owner.
    package static func current() -> Host.Machine {
        var name = utsname()
        unsafe uname(&name)
        let system = text(of: &name.sysname) + " " + text(of: &name.release)
        let processor = value(of: "model name", in: contents(of: "/proc/cpuinfo"))
        let memory = value(of: "MemTotal", in: contents(of: "/proc/meminfo"))
        return Host.Machine(
            system: system,
            processor: processor ?? text(of: &name.machine),
            cores: ProcessInfo.processInfo.activeProcessorCount,
            // The kernel counts in KiB and writes kB.
            memoryBytes: (memory?.split(separator: " ").first).flatMap { UInt64($0) }.map { $0 * 1_024 } ?? 0
        )
    }

    /// The value of a key in the `key : value` lines of a file in /proc.
    package static func value(of key: String, in text: String) -> String? {
        for line in text.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":"),
                line[..<colon].trimmingCharacters(in: .whitespaces) == key
            else { continue }
            return line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        }
        return nil
    }

    private static func contents(of path: String) -> String {
        (try? AtomicFile.read(path)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// A C string in an array that Swift sees as a tuple.
    private static func text<Characters>(of characters: inout Characters) -> String {
        unsafe withUnsafeBytes(of: &characters) { buffer in
            // SAFETY: the bytes are read within the closure alone, and end with the array.
            unsafe String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}

extension Host {
    /// What all threads of this process have computed so far.
    package static func cpuTime() -> Primitives.Duration {
        var time = timespec()
        unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return .nanoseconds(Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    /// How many bytes of this process's memory each NUMA node holds now, without files that are mapped; empty where the
    /// kernel knows no nodes.
    package static func memoryBytesByNode() -> [Int: UInt64] {
        let maps = (try? AtomicFile.read("/proc/self/numa_maps")).map { String(decoding: $0, as: UTF8.self) } ?? ""
        return memoryBytesByNode(maps)
    }

    /// The same of a numa_maps's text (proc(5)): each mapping's pages by node, `N0=12`, and how large these are.
    package static func memoryBytesByNode(_ maps: String) -> [Int: UInt64] {
        var bytes: [Int: UInt64] = [:]
        for line in maps.split(separator: "\n") where !line.contains(" file=") {
            var pages: [(node: Int, count: UInt64)] = []
            var pageKiB: UInt64 = 4
            for word in line.split(separator: " ") {
                let parts = word.split(separator: "=")
                guard parts.count == 2, let value = UInt64(parts[1]) else { continue }
                if parts[0] == "kernelpagesize_kB" {
                    pageKiB = value
                } else if parts[0].first == "N", let node = Int(parts[0].dropFirst()) {
                    pages.append((node, value))
                }
            }
            for (node, count) in pages { bytes[node, default: 0] += count * pageKiB * 1_024 }
        }
        return bytes
    }

    /// The most memory that this process has held so far.
    ///
    /// From /proc, since `getrusage` begins with what the process that started this one had held.
    package static func peakMemoryBytes() -> UInt64 {
        let status = (try? AtomicFile.read("/proc/self/status")).map { String(decoding: $0, as: UTF8.self) } ?? ""
        // The kernel counts in KiB and writes kB.
        let number = Host.Machine.value(of: "VmHWM", in: status)?.split(separator: " ").first
        return number.flatMap { UInt64($0) }.map { $0 * 1_024 } ?? 0
    }
}
