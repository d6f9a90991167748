import CAllocations
import Metrics
import Primitives
import Results
import Runner
import Testing
import Workload

// Without optimization much is allocated that has no place in the source.
#if !DEBUG
    /// What the packets of a run allocate: the difference of two runs that differ in how many there are.
    @Suite("Packets of a run and memory", .serialized)
    struct PacketAllocationTests {
        private func simulated(_ flow: String) throws -> (packets: UInt64, allocations: UInt64) {
            var setting = TrafficRunTests.Setting()
            setting.flow = flow
            let workload = try WorkloadFile(text: setting.text, path: "test.yaml").validated()
            let before = callocations_of_process()
            let outcome = try SimulatedRun(workload, options: SimulatedOptions()).run()
            let count = outcome.measurements.first?.counter(.trafficReceived).total ?? 0
            return (count, callocations_of_process() - before)
        }

        @Test(
            "a packet in virtual time allocates nothing",
            arguments: [
                "up: { packets: RATE, size: imix }, down: { packets: RATE, size: imix }",
                "echo: true, up: { packets: RATE, size: 400B }",
            ]
        )
        func allocatesNothing(flow: String) throws {
            let few = try simulated(flow.replacing("RATE", with: "10/s"))
            let many = try simulated(flow.replacing("RATE", with: "60/s"))
            let packets = many.packets - few.packets
            #expect(packets > 60_000)
            // Arrays that grow do so ever more rarely.
            let allocations = Int(many.allocations) - Int(few.allocations)
            #expect(allocations < Int(packets) / 100, "\(allocations) for \(packets) packets")
        }

        private func live(_ flow: String) throws -> (packets: UInt64, allocations: UInt64) {
            var values = LoopbackWorkload(count: 10, rate: "100/s", duration: "3s")
            values.traffic = "traffic: { calls: { population: laptops, \(flow) } }"
            let workload = try values.validated()
            let gateway = try LoopbackGateway(workload)
            let before = callocations_of_process()
            let result = try LiveRun(workload, targets: [gateway.target], options: LiveOptions()).run()
            let allocations = callocations_of_process() - before
            return (result.measurements.first?.counter(.trafficReceived).total ?? 0, allocations)
        }

        /// One in so many packets may: four times a second a client asks about its flows of one way, and lists grow in
        /// which the other end has their packets. On a busy machine, where polls find more at once, some more do.
        @Test(
            "nor does one in real time, at either end",
            arguments: [
                ("echo: true, up: { packets: RATE, size: 400B }", 8),
                ("up: { packets: RATE, size: imix }, down: { packets: RATE, size: imix }", 2),
            ]
        )
        func allocatesNothingLive(flow: String, rarity: Int) throws {
            let few = try live(flow.replacing("RATE", with: "20/s"))
            let many = try live(flow.replacing("RATE", with: "300/s"))
            let packets = many.packets - few.packets
            #expect(packets > 6_000)
            let allocations = Int(many.allocations) - Int(few.allocations)
            #expect(allocations < Int(packets) / rarity, "\(allocations) for \(packets) packets")
        }
    }
#endif
