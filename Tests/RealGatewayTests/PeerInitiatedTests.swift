import GatewayRig
import IKEWire
import IKEv2
import Metrics
import Primitives
import Results
import Runner
import Synchronization
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

    @Test("a Child SA that it deletes is gone at both ends, and the IKE SA and its other Child SAs live on")
    func deletesChild() throws {
        let gateway = try RealGateway.start()
        let count = 5
        let workload = try LiveWorkload(
            count: count,
            rate: "50/s",
            duration: "5s",
            settings: "traffic-selectors: { local: [dynamic], remote: [10.0.0.0/8] }\n    children: 2"
        ).validated()
        let listed = Mutex<[ListedIKESA]>([])
        var options = LiveOptions()
        options.beforeDrain = { _ in listed.withLock { $0 = (try? gateway.associations()) ?? [] } }
        let chosen = options
        let (story, deleted) = try gateway.rig.inside { () throws -> (Story, [ListedIKESA.ChildSA]) in
            var story = Story()
            var deleted: [ListedIKESA.ChildSA] = []
            let sinks = RunSinks(event: { story.note($0) })
            story.result = try LiveRun(workload, options: chosen).run(sinks: sinks) { progress in
                switch progress.time.nanoseconds {
                case 2_000_000_000:
                    story.listed = story.attempt { try gateway.associations() } ?? []
                    // One of each client's, and of the first both.
                    deleted = story.listed.enumerated().flatMap { $1.children.prefix($0 == 0 ? 2 : 1) }
                    for child in deleted { story.attempt { try gateway.deleteChildSA(child.number) } }
                case 3_000_000_000: story.attempt { try gateway.rekeyIKESAs() }
                default: break
                }
            }
            return (story, deleted)
        }
        let result = try #require(story.result)
        #expect(story.failures == [])
        #expect(story.listed.map(\.children.count) == Array(repeating: 2, count: count))
        #expect(deleted.count == count + 1)
        for child in deleted {
            #expect(story.count("child-deleted", "inbound", "\(ChildSPI(rawValue: child.outboundSPI))") == 1)
        }
        // Our answer names our own half of each.
        let log = try gateway.log()
        for child in deleted {
            let digits = String(child.outboundSPI, radix: 16)
            let spi = String(repeating: "0", count: 8 - digits.count) + digits
            #expect(log.contains("received DELETE for ESP CHILD_SA with SPI \(spi)"), "\(log.suffix(4000))")
        }
        // The IKE SAs were rekeyed after that, and have what was left.
        let after = listed.withLock { $0 }.filter { $0.state == "ESTABLISHED" }
        #expect(story.count("ike-rekeyed", "from-here", "false") == count)
        #expect(after.map(\.children.count).sorted() == [0, 1, 1, 1, 1])
        let ours = result.associations.filter { $0.state == .established }.map(Pair.init)
        #expect(Set(ours) == Set(after.map(Pair.init)))
        #expect(result.measurements.first?.counter(.tunnelsLost).total == 0)
        #expect(result.leftBehind == 0)
        #expect(try gateway.associations() == [])
    }
}
