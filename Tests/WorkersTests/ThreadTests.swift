import CLinux
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

    @Test("workers are spread over the nodes in turn, and share CPUs only where they must")
    func spread() {
        let topology = CPUTopology(
            allowed: [(0, 0), (1, 0), (2, 0), (8, 1), (9, 1)].map { CPUTopology.CPU(number: $0.0, node: $0.1) }
        )
        #expect(topology.spread(workers: 3).map(\.number) == [0, 8, 1])
        #expect(topology.spread(workers: 7).map(\.number) == [0, 8, 1, 9, 2, 0, 8])
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
