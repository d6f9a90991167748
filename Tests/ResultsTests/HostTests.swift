import Foundation
import Results
import Testing

@Suite("The host of a run")
struct HostTests {
    @Test("it is this machine, without its name")
    func current() {
        let machine = Host.Machine.current()
        #expect(machine.system.hasPrefix("Linux "))
        #expect(!machine.processor.isEmpty)
        #expect(machine.cores >= 1)
        #expect(machine.memoryBytes > 1 << 26)
        #expect(!machine.system.contains(ProcessInfo.processInfo.hostName))
    }

    @Test("memory that was held once stays in the peak")
    func peak() {
        let before = Host.peakMemoryBytes()
        #expect(before > 1 << 20)
        let block = [UInt8](repeating: 1, count: Int(before) + 1 << 26)
        #expect(block.last == 1)
        #expect(Host.peakMemoryBytes() >= before + 1 << 25)
    }

    @Test("a value of /proc is what stands behind its key's colon")
    func values() {
        let text = "processor\t: 0\nmodel name\t: A: b @ 2 GHz\n\nMemTotal:       8141932 kB\n"
        #expect(Host.Machine.value(of: "model name", in: text) == "A: b @ 2 GHz")
        #expect(Host.Machine.value(of: "MemTotal", in: text) == "8141932 kB")
        #expect(Host.Machine.value(of: "model", in: text) == nil)
    }
}
