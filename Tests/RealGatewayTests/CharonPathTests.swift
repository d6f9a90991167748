import GatewayRig
import Testing

@Suite("Paths between strongSwan's initiators and our responder", .serialized)
struct CharonPathTests {
    /// Who is behind a NAT, and whether our responder says that it is.
    struct Case: CustomTestStringConvertible {
        var clients = false
        var gateway = false
        var isForced = false

        var testDescription: String {
            let ends = [clients ? "the clients" : nil, gateway ? "the gateway" : nil].compactMap(\.self)
            return (ends.isEmpty ? "nobody" : ends.joined(separator: " and ")) + " behind a NAT"
                + (isForced ? ", encapsulation forced" : "")
        }
    }

    static let cases = [
        Case(), Case(isForced: true), Case(clients: true), Case(clients: true, isForced: true), Case(gateway: true),
        Case(clients: true, gateway: true),
    ]

    @Test("strongSwan finds who is behind a NAT, and IKE SAs live over its ports, whoever asks", arguments: cases)
    func finds(_ values: Case) throws {
        var workload = LiveWorkload()
        workload.gatewayLifetimes =
            "{ ike: { rekey: 3s, jitter: 0%, over: 1m }, child: { rekey: 2s, jitter: 0%, over: 1m } }"
        workload.policy = """
            pool: [10.128.0.0/10]
                  liveness: { every: 1s }
                  encapsulation: \(values.isForced ? "forced" : "when-needed")
            """
        let target = values.gateway ? Rig.natAddress : Rig.gatewayAddress
        let served = try ServedClients(workload, knobs: ["CLIENTS": "2", "MOBIKE": "no", "GATEWAY": target]) { rig in
            if values.clients { try rig.putBehindNAT(.clients) }
            if values.gateway { try rig.putBehindNAT(.gateway) }
        }
        let packets = try served.rig.capturing {
            for client in 1...2 { try served.clients.initiate(client) }
            let listed = try served.clients.associations()
            #expect(listed.map(\.state) == ["ESTABLISHED", "ESTABLISHED"])
            #expect(listed.allSatisfy { $0.remoteAddress == target && $0.remotePort == 4500 })
            #expect(listed.allSatisfy { $0.isLocalBehindNAT == values.clients })
            #expect(listed.allSatisfy { $0.isRemoteBehindNAT == (values.gateway || values.isForced) })
            try served.clients.rekeyChildSAs()
            try served.clients.rekeyIKESA(1)
            // Ours reach them: rekeys of both kinds, and questions whether they are there.
            try served.clients.waitForLog(#/parsed CREATE_CHILD_SA request \d+ \[ N\(REKEY_SA\) SA No/#, times: 2)
            try served.clients.waitForLog(#/parsed CREATE_CHILD_SA request \d+ \[ SA No KE \]/#, times: 2)
            try served.clients.waitForLog(#/parsed INFORMATIONAL request \d+ \[ \]/#, times: 2)
        }
        // Port 4500 of its own where it is not behind a NAT, and ports of the NAT's where it is.
        let sources = Set(packets.filter { $0.destination == Rig.gatewayAddress }.map(\.source))
        let ports = Set(packets.filter { $0.destination == Rig.gatewayAddress }.compactMap(\.sourcePort))
        #expect(sources == (values.clients ? [Rig.clientAddress] : ["10.99.0.1", "10.99.0.2"]))
        #expect(values.clients ? ports.allSatisfy { $0 >= 20_000 } && ports.count == 4 : ports == [500, 4500])
        let log = try served.clients.log()
        #expect(!log.contains("giving up after"))
        let said = try served.stop()
        #expect(said.contains("served 2 IKE SAs") && !said.contains("failed"), "\(said)")
    }

    @Test("strongSwan that moves finds our responder at the other address that it was told, when the first is silent")
    func findsAdditionalAddress() throws {
        let other = "10.98.2.2"
        var workload = LiveWorkload()
        workload.gatewayAddresses = "[\(Rig.gatewayAddress), \(other)]"
        workload.policy += "\n      mobike: true"
        let served = try ServedClients(workload, at: ["0.0.0.0"]) { rig in
            try command("ip address add \(other)/32 dev lo", on: .gateway, rig)
            try command("ip route add \(other)/32 via \(Rig.gatewayAddress)", on: .clients, rig)
        }
        try served.clients.initiate()
        let before = try served.clients.associations()
        #expect(before.map(\.remoteAddress) == [Rig.gatewayAddress])
        #expect(try served.clients.log().contains(/parsed IKE_AUTH response 1 .* N\(MOBIKE_SUP\) N\(ADD_4_ADDR\) \]/))
        try command("iptables -w -A OUTPUT -d \(Rig.gatewayAddress) -p udp -j DROP", on: .clients, served.rig)
        try served.clients.leaveAddress()
        let after = try served.clients.waitForAssociations { $0.map(\.remoteAddress) == [other] }
        #expect(after.map(\.remoteAddress) == [other] && after.map(\.localAddress) == [Rig.clientAddress])
        #expect(after.map(\.initiatorSPI) == before.map(\.initiatorSPI))
        // Our own request goes there from the new address, and both ends go on.
        try served.clients.waitForLog(#/parsed INFORMATIONAL request 0 \[ N\(COOKIE2\) \]/#)
        try served.clients.rekeyChildSAs()
        try served.clients.rekeyIKESA()
        try served.clients.terminate()
        let said = try served.stop()
        #expect(said.contains("served 1 IKE SAs") && !said.contains("failed"), "\(said)")
    }

    @Test(
        "strongSwan that loses its IPv4 address goes on by IPv6 to where our responder says that it is, and comes back"
    )
    func changesFamily() throws {
        let other = "fd98:1::2"
        var workload = LiveWorkload()
        workload.policy += "\n      mobike: true"
        let served = try ServedClients(workload, at: [Rig.gatewayAddress, other])
        try served.clients.initiate()
        let before = try served.clients.associations()
        #expect(before.map(\.remoteAddress) == [Rig.gatewayAddress])
        #expect(try served.clients.log().contains(/parsed IKE_AUTH response 1 .* N\(MOBIKE_SUP\) N\(ADD_6_ADDR\) \]/))
        try command("ip -4 address flush dev link0", on: .clients, served.rig)
        let after = try served.clients.waitForAssociations { $0.map(\.remoteAddress) == [other] }
        #expect(after.map(\.remoteAddress) == [other] && after.map(\.localAddress) == ["fd98:1::1"])
        // Our own request goes there, and both ends go on.
        try served.clients.waitForLog(#/parsed INFORMATIONAL request 0 \[ N\(COOKIE2\) \]/#)
        try served.clients.rekeyChildSAs()
        try served.clients.rekeyIKESA()
        try command("ip address add \(Rig.clientAddress)/24 dev link0", on: .clients, served.rig)
        try command("ip -6 address flush dev link0", on: .clients, served.rig)
        let back = try served.clients.waitForAssociations { $0.map(\.remoteAddress) == [Rig.gatewayAddress] }
        #expect(back.map(\.remoteAddress) == [Rig.gatewayAddress] && back.map(\.localAddress) == [Rig.clientAddress])
        try served.clients.rekeyChildSAs()
        try served.clients.terminate()
        let said = try served.stop()
        #expect(said.contains("served 1 IKE SAs") && !said.contains("failed"), "\(said)")
    }

    private func command(_ words: String, on side: Rig.Side, _ rig: Rig) throws {
        let outcome = try rig.run(words.split(separator: " ").map(String.init), on: side)
        #expect(outcome.status == 0, "\(outcome.errors)")
    }
}
