import Testing
import Workload

@Suite("The keys of what ESP does")
struct ESPKeyTests {
    private static func messages(_ changes: [(old: String, new: String)]) -> String {
        var text = BaseWorkload.text
        for change in changes {
            #expect(text.contains(change.old))
            text = text.replacing(change.old, with: change.new, maxReplacements: 1)
        }
        return BaseWorkload.messages(text)
    }

    private static func traffic(_ keys: String) -> (old: String, new: String) {
        let flow = "office: { population: laptops, \(keys), up: { packets: 100/s, size: 72B } }"
        return ("arrivals:\n", "traffic:\n  \(flow)\narrivals:\n")
    }

    @Test("are read at either end, are in the resolved text, and are left out of it unless they are written")
    func read() throws {
        let text = BaseWorkload.text
            .replacing("    nat-keepalive: 20s\n", with: "    nat-keepalive: 20s\n    replay-window: 4096\n")
            .replacing("      pool:", with: "      replay-window: 32\n      pool:")
            .replacing("arrivals:\n", with: Self.traffic("padding: 1400B, dummies: 10").new)
        let workload = try BaseWorkload.workload(text)
        #expect(workload.profiles[0].replayWindow.size == 4_096)
        #expect(workload.gateways[0].policy.replayWindow.size == 32)
        #expect(workload.traffic[0].padding == 1_400 && workload.traffic[0].dummies == 10)
        let resolved = workload.resolved()
        #expect(try WorkloadFile(text: resolved, path: "resolved.yaml").validated() == workload)
        let plain = try BaseWorkload.workload(BaseWorkload.text)
        #expect(plain.profiles[0].replayWindow.size == 64 && plain.gateways[0].policy.replayWindow.size == 64)
        for key in ["replay-window", "padding", "dummies"] {
            #expect(resolved.contains(key) && !plain.resolved().contains(key))
        }
    }

    @Test(
        "say what is wrong with a window, at either end",
        arguments: [
            ("1000", "no power of two"), ("33", "no power of two"), ("16", "32"), ("8192", "4096"), ("wide", "number"),
        ]
    )
    func windows(_ written: String, _ complaint: String) {
        for place in ["    nat-keepalive: 20s\n", "      pool: [10.128.0.0/10]\n"] {
            let indent = String(place.prefix { $0 == " " })
            let found = Self.messages([(place, place + "\(indent)replay-window: \(written)\n")])
            #expect(found.contains("base.yaml:") && found.contains(complaint), "\(found)")
        }
    }

    @Test("say which windows are next to a wrong one")
    func nextWindows() {
        let found = Self.messages([("      pool:", "      replay-window: 1000\n      pool:")])
        #expect(found.contains("write 512 or 1024"))
    }

    @Test(
        "say what is wrong with padding and dummies",
        arguments: [
            ("padding: 71B", "72B to 9000B"), ("padding: 9001B", "72B to 9000B"), ("padding: 1400", "1400B"),
            ("dummies: 0", "the least is 1"), ("dummies: 10/s", "write 10"),
        ]
    )
    func padding(_ keys: String, _ complaint: String) {
        let found = Self.messages([Self.traffic(keys)])
        #expect(found.contains("base.yaml:") && found.contains(complaint), "\(found)")
    }

    @Test("refuse to pad what does not tell its own length: ICMP in transport mode")
    func transport() {
        let echo = Self.traffic("protocol: icmp, echo: true, padding: 1400B")
        let mode = (old: "    nat-keepalive: 20s\n", new: "    nat-keepalive: 20s\n    mode: transport\n")
        #expect(Self.messages([echo, mode]).contains("does not tell how long it is"))
        #expect(!Self.messages([echo]).contains("does not tell how long it is"))
        #expect(!Self.messages([Self.traffic("padding: 1400B"), mode]).contains("does not tell how long it is"))
    }

    @Test("count for what a pool of ESP is warned of, dummies and padding alike")
    func pool() throws {
        // 10,000 packets a second in all, of 51 us each without padding: half a core.
        func warns(_ keys: String) throws -> Bool {
            let text = BaseWorkload.text
                .replacing("cores: 4,", with: "cores: 4, esp: { cores: 1, per-packet: 50us, per-kilobyte: 10us },")
                .replacing("arrivals:\n", with: Self.traffic(keys).new)
            return try BaseWorkload.workload(text).warnings().contains { $0.description.contains("cores of ESP") }
        }
        #expect(try !warns("pattern: constant"))
        #expect(try !warns("padding: 4000B"))
        #expect(try warns("padding: 9000B"))
        #expect(try !warns("dummies: 2"))
        #expect(try warns("dummies: 1"))
        #expect(try warns("padding: 4000B, dummies: 2"))
    }
}
