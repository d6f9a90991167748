import GatewayRig
import IKEv2
import Metrics
import Primitives
import Results
import Runner
import Synchronization
import Testing
import Workload

/// RFC 7296 sections 2.8.1, 2.8.2 and 2.25: both ends begin at once.
@Suite("Rekeys that cross strongSwan's", .serialized)
struct CrossingRekeyTests {
    private static let count = 200
    /// What a packet takes from one end to the other: each rekey is under way for that long before the other end knows.
    private static let delay: UInt64 = 100

    /// Which SAs both ends rekey, and after how many seconds. The run ends when nothing is under way any more: rekeys
    /// that were refused for now have come again, and their old SAs have been deleted.
    struct Case: CustomTestStringConvertible {
        var child: UInt64?
        var ike: UInt64?
        let duration: String
        var testDescription: String { child == nil ? "IKE SAs" : ike == nil ? "Child SAs" : "both" }
    }

    /// Ours come earlier than the gateway's by the delay: it has its SAs that much earlier than we have, so that both
    /// ends send at the same time.
    private static func lifetime(_ seconds: UInt64?) -> String {
        seconds.map { "{ rekey: \($0 * 1_000 - delay)ms, jitter: 0%, over: 1m }" } ?? "{ rekey: 4h }"
    }

    @Test(
        "200 clients and the gateway rekey at once: no SA is lost, none is left over, and both lists agree",
        arguments: [
            Case(child: 10, duration: "19s"),
            Case(ike: 10, duration: "19s"),
            Case(child: 20, ike: 20, duration: "39s"),
        ]
    )
    func cross(_ values: Case) throws {
        var knobs = ["DOS_PROTECTION": "no", "MOBIKE": "no", "DELETE_REKEYED_DELAY": "1"]
        if let child = values.child { knobs["CHILD_REKEY"] = "\(child)s" }
        if let ike = values.ike { (knobs["IKE_REKEY"], knobs["IKE_OVER"]) = ("\(ike)s", "60s") }
        let gateway = try RealGateway.start(knobs: knobs)
        let workload = try LiveWorkload(
            count: Self.count,
            rate: "100/s",
            duration: values.duration,
            ike: Self.lifetime(values.ike),
            child: Self.lifetime(values.child),
            retransmission: "{ first: 1s, factor: 1.2, tries: 4 }",
            path: "{ one-way-delay: \(Self.delay)ms }"
        ).validated()
        let listed = Mutex<[ListedIKESA]>([])
        var options = LiveOptions()
        options.beforeDrain = { _ in listed.withLock { $0 = (try? gateway.associations()) ?? [] } }
        let chosen = options
        let story = try gateway.rig.inside { () throws -> Story in
            var story = Story()
            let sinks = RunSinks(event: { story.note($0) })
            story.result = try LiveRun(workload, options: chosen).run(sinks: sinks)
            return story
        }
        let log = try gateway.log()
        let crossed = Crossings(log)
        #expect(story.failures == [])
        if values.child != nil { #expect(crossed.children >= Self.count / 2, "\(crossed)") }
        if values.ike != nil { #expect(crossed.ikeSAs >= Self.count / 2, "\(crossed)") }

        let result = try #require(story.result)
        let measured = try #require(result.measurements.first)
        #expect(measured.counter(.handshakeOffered).total == UInt64(Self.count))
        #expect(measured.counter(.handshakeEstablished).total == UInt64(Self.count))
        #expect(measured.counter(.tunnelsLost).byReason == [])
        let theirs = listed.withLock { $0 }
        #expect(theirs.count == Self.count)
        #expect(theirs.filter { $0.state != "ESTABLISHED" || $0.children.map(\.state) != ["INSTALLED"] } == [])
        let ours = Set(result.associations.filter { $0.state == .established }.map(Pair.init))
        #expect(ours.count == Self.count)
        #expect(ours.symmetricDifference(Set(theirs.map(Pair.init))) == [])
        #expect(result.leftBehind == 0)
        #expect(try gateway.associations() == [])
    }
}

/// The collisions that charon says it has seen.
private struct Crossings: CustomStringConvertible {
    let children: Int
    let ikeSAs: Int
    let refusals: Int

    init(_ log: String) {
        children = log.matches(of: /CHILD_SA rekey collision (won|lost)/).count
        ikeSAs = log.matches(of: /IKE_SA rekey collision (won|lost)/).count
        refusals = log.matches(of: /TEMP_FAIL|TEMPORARY_FAILURE/).count
    }

    var description: String { "\(children) Child SAs and \(ikeSAs) IKE SAs crossed, \(refusals) refused for now" }
}
