import Foundation
import Runner
import Testing
import Workers

@Suite("Runs that are pinned to the same CPUs")
struct PinnedNeighbourTests {
    @Test("are those of other processes of the program, by the CPUs that both have")
    func listed() throws {
        let root = NSTemporaryDirectory() + "ikestorm-proc-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: root) }
        func add(_ process: Int, _ name: String, _ threads: [String]) throws {
            for (number, cpus) in threads.enumerated() {
                let folder = "\(root)/\(process)/task/\(process + number)"
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
                try Data("Name:\t\(name)\nCpus_allowed:\tff\nCpus_allowed_list:\t\(cpus)\n".utf8)
                    .write(to: URL(filePath: folder + "/status"))
            }
            try Data((name + "\n").utf8).write(to: URL(filePath: "\(root)/\(process)/comm"))
        }
        try add(10, "ikestorm", ["0-7", "0", "2"])
        try add(20, "ikestorm", ["0-7", "4"])
        try add(30, "bash", ["0"])
        try add(40, "ikestorm", ["0-7"])
        try add(7, "ikestorm", ["2", "3", "1"])
        #expect(
            PinnedNeighbour.find(on: [0, 1, 2], except: 99, root: root) == [
                PinnedNeighbour(process: 7, cpus: [1, 2]), PinnedNeighbour(process: 10, cpus: [0, 2]),
            ]
        )
        #expect(PinnedNeighbour.find(on: [0, 1, 2], except: 7, root: root).map(\.process) == [10])
        #expect(PinnedNeighbour.find(on: [5], except: 99, root: root).isEmpty)
        #expect(PinnedNeighbour.find(on: [0], except: 99, root: root + "/nowhere").isEmpty)
    }

    @Test("are found where the kernel lists them")
    func found() throws {
        let cpu = try #require(try CPUTopology.current().allowed.last).number
        let own = Int(ProcessInfo.processInfo.processIdentifier)
        let name = try String(contentsOfFile: "/proc/\(own)/comm", encoding: .utf8).trimmingCharacters(in: .newlines)
        let mailbox = Mailbox<[PinnedNeighbour]>()
        try PinnedThread(cpu: cpu) { mailbox.post(PinnedNeighbour.find(on: [cpu], except: 0, named: name)) }.join()
        let neighbours = try #require(mailbox.takeAll().first)
        #expect(neighbours.contains(PinnedNeighbour(process: own, cpus: [cpu])))
    }
}
