import Runner
import Testing

@Suite("What a sink counts of a flow")
struct FlowCountTests {
    @Test(
        "what is missing, out of order and doubled, by the numbers that came",
        arguments: [
            ([1, 2, 3], 0, 0, 0), ([1, 3, 2], 0, 1, 0), ([1, 4], 2, 0, 0), ([3], 2, 0, 0), ([1, 1, 2, 1], 0, 0, 2),
            ([1, 5, 2, 2, 5], 2, 1, 2), ([100, 200], 198, 0, 0), ([1, 64, 1], 62, 0, 1), ([], 0, 0, 0),
        ] as [([UInt64], UInt64, UInt64, UInt64)]
    )
    func counts(numbers: [UInt64], missing: UInt64, reordered: UInt64, doubled: UInt64) {
        var flow = FlowCount()
        for number in numbers { flow.count(number) }
        #expect(flow.missing == missing)
        #expect(flow.reordered == reordered)
        #expect(flow.doubled == doubled)
    }
}
