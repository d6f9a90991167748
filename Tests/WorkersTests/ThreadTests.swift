import CLinux
import Foundation
import Testing
import Workers

@Suite("Threads and CPUs")
struct ThreadTests {
    @Test("the process may run somewhere, and each CPU is listed once")
    func current() throws {
        let numbers = try CPUTopology.current().allowed.map(\.number)
        #expect(!numbers.isEmpty)
        #expect(numbers == Array(Set(numbers)).sorted())
    }

    @Test("workers are spread over the nodes in turn, or fill one after the other, and share CPUs only where they must")
    func placement() {
        let topology = CPUTopology(
            allowed: [(0, 0), (1, 0), (2, 0), (8, 1), (9, 1)].map { CPUTopology.CPU(number: $0.0, node: $0.1) }
        )
        #expect(topology.place(workers: 3, .spread).map(\.number) == [0, 8, 1])
        #expect(topology.place(workers: 7, .spread).map(\.number) == [0, 8, 1, 9, 2, 0, 8])
        #expect(topology.place(workers: 4, .packed).map(\.number) == [0, 1, 2, 8])
        #expect(topology.place(workers: 7, .packed).map(\.number) == [0, 1, 2, 8, 9, 0, 1])
    }

    @Test("nodes are read from the system, also where CPUs are numbered across them", arguments: [1, 2, 4])
    func nodes(count: Int) throws {
        let system = try FakeSystem(cpuCount: 8) { $0 % count }
        let all = CPUTopology(allowed: Array(0..<8), root: system.root)
        #expect(all.nodeCount == count)
        #expect(all.allowed.map(\.node) == (0..<8).map { $0 % count })
        #expect(all.place(workers: 4, .spread).map(\.node) == (0..<4).map { $0 % count })
        #expect(Set(all.place(workers: 8 / count, .packed).map(\.node)) == [0])
        // What the process inherits: half of the CPUs, which may leave nodes out.
        let some = CPUTopology(allowed: [0, 4, 5], root: system.root)
        #expect(some.nodeCount == Set([0, 4, 5].map { $0 % count }).count)
        #expect(some.place(workers: 3, .packed).map(\.number) == [0, 4, 5])
    }

    @Test("what this thread has written to is on a node, and what nobody has touched on none")
    func memory() throws {
        let pages = 16
        let page = 65_536
        let map = unsafe mmap(nil, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        let memory = try unsafe #require(map)
        defer { unsafe munmap(memory, pages * page) }
        let addresses = (0..<pages).map { UInt(bitPattern: memory) + UInt($0 * page) }
        #expect(memoryNodes(of: addresses) == [])
        unsafe memory.storeBytes(of: 1, as: UInt8.self)
        let nodes = try #require(memoryNodes(of: addresses))
        #expect(nodes.count == 1, "one page")
        #expect(nodes.allSatisfy { (0..<1_024).contains($0) })
    }

    @Test("a system that says nothing of nodes has one")
    func noNodes() throws {
        let system = try FakeSystem(cpuCount: 3) { _ in nil }
        #expect(CPUTopology(allowed: [0, 1, 2], root: system.root).allowed.map(\.node) == [0, 0, 0])
        #expect(CPUTopology(allowed: [0, 1], root: "/nowhere").nodeCount == 1)
    }

    /// The part of a sysfs that says which CPUs are on which nodes.
    private final class FakeSystem {
        let root = NSTemporaryDirectory() + "ikestorm-sysfs-\(UUID())"

        init(cpuCount: Int, _ node: (Int) -> Int?) throws {
            for cpu in 0..<cpuCount {
                let folder = "\(root)/devices/system/cpu/cpu\(cpu)"
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
                guard let node = node(cpu) else { continue }
                try FileManager.default.createSymbolicLink(
                    atPath: "\(folder)/node\(node)",
                    withDestinationPath: "../../node/node\(node)"
                )
            }
        }

        deinit { try? FileManager.default.removeItem(atPath: root) }
    }

    @Test("a thread runs on the CPU that it is pinned to")
    func pinned() throws {
        for cpu in try CPUTopology.current().allowed {
            let seen = Mailbox<Int>()
            try PinnedThread(cpu: cpu.number) { seen.post(Int(clinux_current_cpu())) }.join()
            #expect(seen.takeAll() == [cpu.number])
        }
    }

    private struct Failure: Error, Equatable {
        let code: Int
    }

    @Test("what a thread throws, its join throws")
    func failure() throws {
        let thread = try PinnedThread(cpu: nil) { throw Failure(code: 7) }
        #expect(throws: Failure(code: 7)) { try thread.join() }
    }

    @Test("a CPU that is not there is an error, not a thread elsewhere", arguments: [8_191, 9_999])
    func noSuchCPU(cpu: Int) {
        #expect(throws: WorkerError.cannotStartThread(cpu: cpu, error: 22)) { _ = try PinnedThread(cpu: cpu) {} }
    }

    @Test("a mailbox gives every letter once, each sender's in order")
    func mailbox() throws {
        let mailbox = Mailbox<(sender: Int, number: Int)>()
        let threads = try (0..<4).map { sender in
            try PinnedThread(cpu: nil) { for number in 0..<500 { mailbox.post((sender, number)) } }
        }
        var letters = mailbox.takeAll()
        for thread in threads { try thread.join() }
        letters += mailbox.takeAll()
        for sender in 0..<4 {
            #expect(letters.filter { $0.sender == sender }.map(\.number) == Array(0..<500))
        }
        #expect(mailbox.takeAll().isEmpty)
    }
}
