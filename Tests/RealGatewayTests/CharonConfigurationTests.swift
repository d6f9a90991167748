import GatewayRig
import Testing

@Suite("What our responder gives to strongSwan's initiators", .serialized)
struct CharonConfigurationTests {
    /// What charon asks for, what our responder has, and what charon has afterwards.
    struct Case: CustomTestStringConvertible {
        let name: String
        let asked: String
        let pool: String
        let nameServers: [String]
        let addresses: [String]
        let selectors: [String]
        var testDescription: String { name }
    }

    private static let both = (asked: "0.0.0.0, ::", pool: "[10.128.0.0/10, \"fd00:7::/112\"]")
    private static let net4 = "10.200.0.0/16"
    private static let net6 = "fd00:200::/64"

    static let cases = [
        Case(
            name: "both families",
            asked: both.asked,
            pool: both.pool,
            nameServers: ["10.200.0.53", "fd00:200::53"],
            addresses: ["10.128.0.1", "fd00:7::1"],
            selectors: ["10.128.0.1/32", "fd00:7::1/128"]
        ),
        Case(
            name: "both families asked for, and IPv4 given",
            asked: both.asked,
            pool: "[10.128.0.0/10]",
            nameServers: ["10.200.0.53"],
            addresses: ["10.128.0.1"],
            selectors: ["10.128.0.1/32"]
        ),
        Case(
            name: "IPv6 alone",
            asked: "::",
            pool: both.pool,
            nameServers: ["fd00:200::53"],
            addresses: ["fd00:7::1"],
            selectors: ["fd00:7::1/128"]
        ),
    ]

    @Test("they get addresses and name servers, and a Child SA for what they have got", arguments: cases)
    func gives(_ values: Case) throws {
        var workload = LiveWorkload()
        let servers = values.nameServers.map { "\"\($0)\"" }.joined(separator: ", ")
        workload.policy = """
            pool: \(values.pool)
                  name-servers: [\(servers)]
                  subnets: [\(Self.net4), "\(Self.net6)"]
            """
        let served = try ServedClients(
            workload,
            knobs: ["VIPS": values.asked, "ASK_NAME_SERVERS": "yes", "REMOTE_TS": "\(Self.net4),\(Self.net6)"]
        )
        try served.clients.initiate()
        let listed = try served.clients.associations()
        #expect(listed.map(\.virtualAddresses) == [values.addresses])
        let child = try #require(listed.first?.children.first)
        #expect(child.localTrafficSelectors == values.selectors)
        #expect(child.remoteTrafficSelectors == [Self.net4, Self.net6])
        let log = try served.clients.log()
        for address in values.addresses { #expect(log.contains("installing new virtual IP \(address)\n")) }
        for server in values.nameServers { #expect(log.contains("installing DNS server \(server) to ")) }
        #expect(log.matches(of: /installing new virtual IP/).count == values.addresses.count)
        #expect(log.matches(of: /installing DNS server/).count == values.nameServers.count)
        // What it has been given it gives back, and somebody else gets it.
        try served.clients.terminate()
        try served.clients.initiate()
        #expect(try served.clients.associations().map(\.virtualAddresses) == [values.addresses])
        #expect(try served.stop().contains("served 2 IKE SAs"))
    }
}
