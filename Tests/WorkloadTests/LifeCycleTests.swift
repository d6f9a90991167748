import Testing
import Workload

@Suite("How IKE SAs begin and end, as workloads say it")
struct LifeCycleTests {
    struct Said: CustomTestStringConvertible, Sendable {
        let written: String
        let message: String

        var testDescription: String { written }
    }

    @Test(
        "what is wrong is refused, and what cannot come about is warned of",
        arguments: [
            Said(written: "reauthentication: { every: 1h, jitter: 100% }", message: "a jitter of 100% reauthenticates"),
            Said(written: "reauthentication: { every: 1h, order: break }", message: "unknown order"),
            Said(written: "reauthentication: { jitter: 5% }", message: "every"),
            Said(written: "initial-contact: maybe", message: "true or false"),
            Said(written: "window: 0", message: "`0` is too small"),
            Said(written: "reauthentication: { every: 1h }", message: "no client of laptops reauthenticates in it"),
            Said(written: "childless: force", message: "every set-up fails"),
            Said(written: "childless: prefer", message: "IKE_AUTH makes the Child SA"),
            Said(written: "mode: transit", message: "unknown mode"),
            Said(written: "mode: transport\n    mobike: true", message: "MOBIKE moves Child SAs in tunnel mode alone"),
            Said(
                written: "mode: transport\n    configuration: { addresses: [ipv4] }",
                message: "`configuration` has no meaning in transport mode"
            ),
            Said(written: "mode: transport", message: "makes Child SAs in tunnel mode, and every set-up fails"),
            Said(written: "window: 4", message: "requests never overlap"),
        ]
    )
    func says(_ said: Said) {
        let messages = BaseWorkload.messages(BaseWorkload.replacing("nat-keepalive: 20s", with: said.written))
        #expect(messages.contains(said.message), "\(messages)")
    }
}
