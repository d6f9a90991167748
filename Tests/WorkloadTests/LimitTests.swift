import Testing
import Workload

@Suite("What a workload may have no more of")
struct LimitTests {
    private func problem(_ text: String) -> String {
        do throws(WorkloadErrors) {
            _ = try BaseWorkload.workload(text)
            return ""
        } catch {
            return error.errors.map { "\($0)" }.joined(separator: "\n")
        }
    }

    @Test("traffic of more than 500 kinds is refused", arguments: [500, 501])
    func traffics(count: Int) {
        let flows = (0..<count).map { "  t\($0): { population: laptops, up: { packets: 1/s, size: 100B } }" }
        let said = problem(BaseWorkload.replacing("run: {", with: "traffic:\n\(flows.joined(separator: "\n"))\nrun: {"))
        #expect(said.contains("501 kinds of traffic are more than 500") == (count > 500), "\(said)")
        #expect(count > 500 || said.isEmpty, "\(said)")
    }

    @Test(
        "a queue before an ESP pool in which a packet could wait for more than an hour is refused",
        arguments: [("1ms", 1_000_000, true), ("1s", 7_200, true), ("1s", 7_202, false), ("1s", 1_000_000, false)]
    )
    func waits(perPacket: String, packets: Int, isTaken: Bool) {
        let esp = "esp: { cores: 2, per-packet: \(perPacket), queue: { packets: \(packets) } }"
        let said = problem(BaseWorkload.replacing("cores: 4,", with: "cores: 4, \(esp),"))
        #expect(isTaken ? said.isEmpty : said.contains("in a queue of \(packets)"), "\(said)")
    }
}
