import GatewayRig
import Metrics
import Primitives
import Results
import Runner
import Testing
import Workload

@Suite("What strongSwan starts towards the clients of a live run")
struct PeerInitiatedTests {
    @Test("its rekeys, liveness checks and deletes are answered, and both ends stay of one mind")
    func answers() throws {
        let gateway = try RealGateway.start(knobs: ["DPD_DELAY": "1s"])
        let count = 20
        let workload = try LiveWorkload(count: count, rate: "20/s", duration: "9s").validated()
        let story = try gateway.rig.inside { () throws -> Story in
            var story = Story()
            let sinks = RunSinks(event: { story.note($0) })
            _ = try LiveRun(workload, options: LiveOptions()).run(sinks: sinks) { progress in
                // Liveness checks come once a second of their own accord.
                switch progress.time.nanoseconds {
                case 3_000_000_000: story.attempt { try gateway.rekeyChildSAs() }
                case 4_000_000_000: story.attempt { try gateway.rekeyIKESAs() }
                case 6_000_000_000:
                    story.listed = story.attempt { try gateway.associations() } ?? []
                    story.attempt { try gateway.terminate() }
                default: break
                }
            }
            return story
        }
        #expect(story.failures == [])
        #expect(story.count("child-rekeyed", "from-here", "false") == count)
        #expect(story.count("ike-rekeyed", "from-here", "false") == count)
        #expect(story.listed.filter { $0.state == "ESTABLISHED" }.count == count)
        #expect(story.count("closed", "reason", "deleted-by-peer") == count)
        #expect(try gateway.associations() == [])
        let log = try gateway.log()
        #expect(log.contains("sending DPD request"))
        #expect(!log.contains("giving up after"))
    }
}
