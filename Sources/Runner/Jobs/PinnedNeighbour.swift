import Foundation
import Workers

/// Another run of this machine, some of whose workers are pinned to CPUs where this run's would be, too.
package struct PinnedNeighbour: Hashable, Sendable {
    package var process: Int
    package var cpus: [Int]

    package init(process: Int, cpus: [Int]) {
        self.process = process
        self.cpus = cpus
    }

    /// Looks for them among the processes that this user may look at, in the order of their numbers.
    ///
    /// - Parameters:
    ///   - cpus: those that this run's workers are pinned to.
    ///   - own: this process, which is not among them.
    ///   - name: of the program.
    ///   - root: where the kernel's list of processes is; another one for tests.
    package static func find(
        on cpus: Set<Int>,
        except own: Int = Int(ProcessInfo.processInfo.processIdentifier),
        named name: String = "ikestorm",
        root: String = "/proc"
    ) -> [PinnedNeighbour] {
        let files = FileManager.default
        let processes = ((try? files.contentsOfDirectory(atPath: root)) ?? []).compactMap { Int($0) }.sorted()
        return processes.compactMap { process in
            let folder = "\(root)/\(process)"
            guard process != own, ThisMachine.contents(of: folder + "/comm") == name + "\n" else { return nil }
            let threads = (try? files.contentsOfDirectory(atPath: folder + "/task")) ?? []
            let pinned = threads.compactMap { cpu(ofThread: "\(folder)/task/\($0)/status") }
            let shared = cpus.intersection(pinned)
            return shared.isEmpty ? nil : PinnedNeighbour(process: process, cpus: shared.sorted())
        }
    }

    /// The only CPU that a thread may run on; nil where it may run on several.
    private static func cpu(ofThread file: String) -> Int? {
        let key = "Cpus_allowed_list:"
        let line = ThisMachine.contents(of: file).split(separator: "\n").first { $0.hasPrefix(key) }
        return line.flatMap { Int($0.dropFirst(key.count).trimmingCharacters(in: .whitespaces)) }
    }

    /// Says so where a run's workers would have to share their CPUs. A single worker is pinned to none.
    static func warn(workers: Int, _ placement: Placement, on console: Console) {
        guard workers > 1, let topology = try? CPUTopology.current() else { return }
        for neighbour in find(on: Set(topology.place(workers: workers, placement).map(\.number))) {
            let numbers = neighbour.cpus.map(String.init).joined(separator: ", ")
            console.errors(
                "warning: process \(neighbour.process) has workers of another run on CPU \(numbers), where this run's are "
                    + "pinned, too: both are slower, and late where they are live; `taskset --cpu-list` gives a run CPUs "
                    + "of its own\n"
            )
        }
    }
}
