import GatewayRig
import Primitives
import Runner
import Synchronization
import Testing
import Workload

@Suite("What strongSwan gives to those who ask", .serialized)
struct LiveConfigurationTests {
    @Test("addresses of both families, name servers and subnets, and a Child SA that carries both families")
    func givesEverything() throws {
        let gateway = try RealGateway.start(knobs: [
            "NAME_SERVERS": "10.200.0.53,fd00:200::53", "SUBNETS": "10.200.0.0/16,fd00:200::/64",
            "LOCAL_TS": "10.200.0.0/16,fd00:200::/64",
        ])
        var live = LiveWorkload(count: 3)
        live.settings = """
            traffic-selectors: { local: [dynamic], remote: [10.0.0.0/8, "fd00:200::/32"] }
                configuration: { addresses: [ipv4, ipv6], settings: [name-servers, subnets] }
            """
        live.safety = """
            { allow-targets: [10.98.1.2], allow-inner: [10.0.0.0/8, "fd00:200::/32"], allow-identities: ["user*"] }
            """
        live.policy = "pool: [10.128.0.0/10, \"fd00:7::/112\"]"
        let workload = try live.validated()
        let listed = Mutex<[ListedIKESA]>([])
        var options = LiveOptions()
        options.beforeDrain = { _ in listed.withLock { $0 = (try? gateway.associations()) ?? [] } }
        let chosen = options
        let (result, given) = try gateway.rig.inside {
            var given: [String] = []
            let sinks = RunSinks(event: { event in
                let isOfConfiguration = ["address-assigned", "name-server-given", "subnet-given"].contains(event.name)
                if event.client == 0, isOfConfiguration { given += event.details.map(\.value) }
            })
            let result = try LiveRun(workload, options: chosen).run(sinks: sinks)
            return (result, given)
        }

        #expect(result.associations.count == 3)
        #expect(given.count == 6)
        #expect(Set(given.dropFirst(2)) == ["10.200.0.53", "fd00:200::53", "10.200.0.0/16", "fd00:200::/64"])
        let pools = [IPPrefix("10.128.0.0/10")!, IPPrefix("fd00:7::/112")!]
        let addresses = given.prefix(2).compactMap { IPAddress($0) }
        #expect(zip(pools, addresses).allSatisfy { $0.contains($1) } && addresses.count == 2)
        // Both ends' Child SA carries exactly these addresses.
        let theirs = listed.withLock { $0 }
        #expect(theirs.count == 3)
        let first = try #require(theirs.first { $0.remoteIdentity == "user00001@example.org" })
        let selectors = try #require(first.children.first?.remoteTrafficSelectors)
        #expect(selectors.sorted() == ["\(addresses[0])/32", "\(addresses[1])/128"].sorted())
    }
}
