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

    @Test("pages of all sizes count for the node that they are on, and mapped files do not")
    func nodes() {
        let maps = """
            7f0000000000 default anon=12 dirty=12 active=0 N0=10 N1=2 kernelpagesize_kB=4
            7f0040000000 default anon=3 dirty=3 N12=3 kernelpagesize_kB=2048
            7f0080000000 default file=/usr/lib/libc.so.6 mapped=40 N1=40 kernelpagesize_kB=4
            7f00c0000000 bind:0 heap anon=1 dirty=1 N0=1 kernelpagesize_kB=4

            """
        #expect(Host.memoryBytesByNode(maps) == [0: 11 * 4_096, 1: 2 * 4_096, 12: 3 << 21])
        #expect(Host.memoryBytesByNode("") == [:])
        #expect(Host.memoryBytesByNode().values.reduce(0, +) > 1 << 20)
    }

    @Test("a value of /proc is what stands behind its key's colon")
    func values() {
        let text = "processor\t: 0\nmodel name\t: A: b @ 2 GHz\n\nMemTotal:       8141932 kB\n"
        #expect(Host.Machine.value(of: "model name", in: text) == "A: b @ 2 GHz")
        #expect(Host.Machine.value(of: "MemTotal", in: text) == "8141932 kB")
        #expect(Host.Machine.value(of: "model", in: text) == nil)
    }
}
