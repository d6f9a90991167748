import Primitives
import Testing
import Workload

@Suite("A simulated gateway's serial section")
struct SerialSectionTests {
    private static func text(_ serial: String) -> String {
        BaseWorkload.replacing("cores: 4,", with: "cores: 4, serial: \(serial),")
    }

    @Test(
        "is read, written and read again",
        arguments: [("20%", 200_000_000), ("12.5%", 125_000_000), ("0.0000001%", 1), ("100%", 1_000_000_000)]
            as [(String, UInt32)]
    )
    func roundTrip(written: String, partsPerBillion: UInt32) throws {
        let workload = try BaseWorkload.workload(Self.text(written))
        #expect(workload.gateways[0].simulated?.serialShare == Probability(partsPerBillion: partsPerBillion))
        #expect(workload.resolved().contains("      serial: \(written)\n"))
        #expect(try WorkloadFile(text: workload.resolved(), path: "resolved.yaml").validated() == workload)
    }

    @Test("of nothing is what a gateway has that says nothing of it, and leaves no trace in what is written")
    func none() throws {
        let workload = try BaseWorkload.workload(BaseWorkload.text)
        #expect(workload.gateways[0].simulated?.serialShare == .zero)
        #expect(!workload.resolved().contains("serial"))
        #expect(try BaseWorkload.workload(Self.text("0%")).resolved() == workload.resolved())
    }

    @Test("can be set from the command line")
    func override() throws {
        let workload = try BaseWorkload.workload(BaseWorkload.text, overrides: ["gateways.gw.simulated.serial=35%"])
        #expect(workload.gateways[0].simulated?.serialShare == .percent(35))
    }

    @Test(
        "is a share with its unit, and nothing else",
        arguments: [
            ("20", "`20` has no unit; write 20%"), ("0.2", "`0.2` has no unit"), ("20ms", "`20ms` is not a percentage"),
            ("101%", "at most 100%"), ("half", "`half` is not a number"), ("[20%]", "a percentage such as 10%"),
        ]
    )
    func strict(written: String, says: String) {
        let message = BaseWorkload.messages(Self.text(written))
        #expect(message.hasPrefix("base.yaml:12:36: ") && message.contains(says), "\(message)")
        #expect(!message.contains("warning"))
    }
}
