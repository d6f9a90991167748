import Foundation
import Primitives

/// Which clock a process counts its time by: the same for all of one system that has been booted once.
enum ClockName {
    static let own: UInt64 = {
        let boot = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
        // A container may count from another moment (time_namespaces(7)).
        let offsets = try? String(contentsOfFile: "/proc/self/timens_offsets", encoding: .utf8)
        guard let boot, let offsets else { return UInt64.random(in: .min ... .max) }
        return StableName.hash(of: boot + offsets)
    }()
}
