import Primitives
import Testing

@Suite("Instants and durations")
struct TimeTests {
    @Test("a moment and a length of time add up")
    func arithmetic() {
        let start = Instant.zero + .seconds(2)
        #expect(start + .milliseconds(5) - start == .milliseconds(5))
        #expect(start - (start + .milliseconds(5)) == .milliseconds(-5))
        #expect(start + .milliseconds(-500) == start - .milliseconds(500))
        #expect(Duration.minutes(2) == .seconds(120) && Duration.hours(1) == .minutes(60))
        #expect(Duration.seconds(7) / 2 == .milliseconds(3_500) && Duration.seconds(7) * 2 == .seconds(14))
        #expect(Instant.never > start && Instant.zero < start)
    }

    @Test("time does not go below the run's start")
    func beforeTheStart() async {
        await #expect(processExitsWith: .failure) { print(Instant.zero - Duration.nanoseconds(1)) }
    }

    @Test(
        "a duration is written in the largest unit that it fills",
        arguments: [
            (0, "0s"), (1, "1ns"), (-1_500, "-1.5us"), (20_000_000, "20ms"), (1_000_000_001, "1.000000001s"),
            (90_000_000_000, "90s"),
        ] as [(Int64, String)]
    )
    func descriptions(nanoseconds: Int64, text: String) {
        #expect(Duration(nanoseconds: nanoseconds).description == text)
    }

    @Test("an instant is written in seconds")
    func instants() {
        #expect("\(Instant(nanoseconds: 1_250_000_000))" == "1.25s")
        #expect("\(Instant.never)" == "never")
    }
}
