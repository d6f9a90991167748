import Foundation
package import Results

/// A gateway that runs on this machine, whose CPU time the system tells.
package struct GatewayProcess: Sendable {
    package let number: Int32

    package init(_ number: Int32) throws(CalibrationFailure) {
        self.number = number
        guard Self.cpuNanoseconds(of: number) != nil else {
            throw CalibrationFailure(.usage, "there is no process \(number) whose CPU time can be read")
        }
    }

    /// The CPU time of all threads that the process has now.
    package var cpuNanoseconds: UInt64 {
        get throws(CalibrationFailure) {
            guard let time = Self.cpuNanoseconds(of: number) else {
                throw CalibrationFailure(.unreachable, "the gateway's process \(number) has ended")
            }
            return time
        }
    }

    private static func cpuNanoseconds(of number: Int32) -> UInt64? {
        let folder = "/proc/\(number)/task"
        guard let threads = try? FileManager.default.contentsOfDirectory(atPath: folder), !threads.isEmpty else {
            return nil
        }
        var sum: UInt64 = 0
        for thread in threads {
            // In nanoseconds where the kernel keeps them, else in ticks of 10 ms.
            let schedule = ThisMachine.contents(of: "\(folder)/\(thread)/schedstat").split(separator: " ")
            if schedule.count == 3, let time = UInt64(schedule[0]) {
                sum += time
            } else if let time = ticks(ThisMachine.contents(of: "\(folder)/\(thread)/stat")) {
                sum += time * (1_000_000_000 / UInt64(max(1, sysconf(Int32(_SC_CLK_TCK)))))
            }
        }
        return sum
    }

    /// utime and stime, the 14th and 15th field; the second one is a name in parentheses, which may hold anything.
    static func ticks(_ stat: String) -> UInt64? {
        guard let end = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[end...].split(separator: " ")
        guard fields.count > 13, let user = UInt64(fields[12]), let system = UInt64(fields[13]) else { return nil }
        return user + system
    }
}

/// Why a calibration ended without a table.
package struct CalibrationFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package var code: ExitCode
    package var description: String

    package init(_ code: ExitCode, _ description: String) {
        self.code = code
        self.description = description
    }
}
