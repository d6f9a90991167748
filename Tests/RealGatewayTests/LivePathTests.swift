import GatewayRig
import Metrics
import Primitives
import Results
import Runner
import Synchronization
import Testing
import Workload

@Suite("Paths between a live run and strongSwan", .serialized)
struct LivePathTests {
    @Test("strongSwan follows clients whose NAT gives them new ports, and their IKE SAs go on")
    func rebinds() throws {
        let gateway = try RealGateway.start()
        let count = 20
        let workload = try LiveWorkload(
            count: count,
            rate: "20/s",
            duration: "6s",
            child: "{ rekey: 2s, over: 20s }",
            path: "{ one-way-delay: 1ms, nat: { preset: linux-conntrack } }",
            faults: "faults: { rebind: { kind: nat-rebind, at: 2500ms, path: home, share: 100% } }"
        ).validated()
        let listed = Mutex<(before: [ListedIKESA], after: [ListedIKESA])>(([], []))
        var options = LiveOptions()
        options.beforeDrain = { _ in listed.withLock { $0.after = (try? gateway.associations()) ?? [] } }
        let chosen = options
        let result = try gateway.rig.inside {
            try LiveRun(workload, options: chosen).run { progress in
                guard progress.time == .zero + .seconds(2) else { return }
                listed.withLock { $0.before = (try? gateway.associations()) ?? [] }
            }
        }
        let measured = try #require(result.measurements.first)
        #expect(measured.counter(.handshakeEstablished).total == UInt64(count))
        #expect(measured.counter(.childRekeyFailed).byReason == [])
        let (before, after) = listed.withLock { $0 }
        #expect(Set(before.map(\.remotePort)) == [4500])
        #expect(after.count == count)
        #expect(!after.map(\.remotePort).contains(4500))
        // The same IKE SAs, at the same addresses.
        #expect(Set(before.map(\.initiatorSPI)) == Set(after.map(\.initiatorSPI)))
        #expect(Set(before.map(\.remoteAddress)) == Set(after.map(\.remoteAddress)))
        #expect(result.leftBehind == 0)
        #expect(try gateway.associations() == [])
    }

    @Test("clients that share one address are told apart by their ports, over IPv4 and with cookies")
    func sharesAnAddress() throws {
        let gateway = try RealGateway.start(knobs: ["COOKIE_THRESHOLD_IP": "2", "BLOCK_THRESHOLD": "0"])
        let workload = try LiveWorkload(count: 60, rate: "60/s", duration: "6s").validated()
        var options = LiveOptions()
        options.sources = [try #require(IPPrefix("10.98.1.1/32"))]
        let chosen = options
        let result = try gateway.rig.inside { try LiveRun(workload, options: chosen).run() }
        let measured = try #require(result.measurements.first)
        #expect(measured.counter(.handshakeEstablished).total == 60)
        #expect(measured.counter(.handshakeFailed).byReason == [])
        #expect(result.touched.sources.map(\.address) == [try #require(IPAddress("10.98.1.1"))])
        #expect(try gateway.associations() == [])
    }

    @Test("IPv6 carries a run as IPv4 does; sources that are not there are replaced, and that is said")
    func goesOverIPv6() throws {
        let gateway = try RealGateway.start()
        var parts = LiveWorkload(count: 20, rate: "20/s", duration: "4s", child: "{ rekey: 1s, over: 20s }")
        parts.sources = "2001:db8:1::/64"
        parts.safety = "{ allow-targets: [\"fd98:1::2\"], \(LiveSafetyTests.allowed) }"
        let workload = try parts.validated()
        let target = LiveTarget(address: try #require(IPAddress("fd98:1::2")))
        let result = try gateway.rig.inside {
            try LiveRun(workload, targets: [target], options: LiveOptions()).run()
        }
        let measured = try #require(result.measurements.first)
        #expect(measured.counter(.handshakeEstablished).total == 20)
        #expect(measured.counter(.childRekeyEstablished).total >= 40)
        #expect(result.touched.sources.map(\.address) == [try #require(IPAddress("fd98:1::1"))])
        #expect(result.warnings.count == 1)
        #expect(result.warnings.first?.contains("share the address fd98:1::1") == true)
        #expect(result.leftBehind == 0)
        #expect(try gateway.associations() == [])
    }
}
