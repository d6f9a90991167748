import GatewayRig
import Glibc
import Testing

@Suite("The rig of the real-gateway tests")
struct RigTests {
    @Test("strongSwan's own initiator establishes, rekeys and deletes, and both ends list the same SPIs")
    func establishes() throws {
        let gateway = try RealGateway.start()
        let clients = try RealClients.start(in: gateway.rig)
        try clients.initiate()

        let established = try #require(try gateway.associations().first)
        #expect(established.state == "ESTABLISHED")
        #expect(established.remoteIdentity == "user-1@example.org")
        #expect(established.remoteAddress == "10.99.0.1")
        #expect(established.children.map(\.state) == ["INSTALLED"])
        #expect(established.children.map(\.remoteTrafficSelectors) == [["10.128.0.1/32"]])
        let seenByClient = try #require(try clients.associations().first)
        #expect(seenByClient.initiatorSPI == established.initiatorSPI)
        #expect(seenByClient.responderSPI == established.responderSPI)
        #expect(seenByClient.children.map(\.inboundSPI) == established.children.map(\.outboundSPI))

        try gateway.rekeyChildSAs()
        let installed = try #require(try gateway.associations().first).children.filter { $0.state == "INSTALLED" }
        #expect(installed.count == 1)
        #expect(installed.map(\.inboundSPI) != established.children.map(\.inboundSPI))

        try gateway.terminate()
        #expect(try gateway.associations() == [])
        #expect(try gateway.log().contains("deleting IKE_SA"))
    }

    @Test("a capture has every packet of an exchange, in order")
    func captures() throws {
        let gateway = try RealGateway.start(knobs: ["MOBIKE": "no"])
        let clients = try RealClients.start(in: gateway.rig)
        let packets = try gateway.rig.capturing { try clients.initiate() }

        #expect(packets.map(\.source) == ["10.99.0.1", Rig.gatewayAddress, "10.99.0.1", Rig.gatewayAddress])
        #expect(packets.map(\.destinationPort) == [500, 500, 4500, 4500])
    }

    @Test("an idle link carries nothing")
    func isQuiet() throws {
        let rig = try Rig()
        #expect(try rig.capturing {} == [])
    }

    @Test("a program on either side sees that side's addresses", arguments: [Rig.Side.clients, .gateway])
    func runsInside(side: Rig.Side) throws {
        let rig = try Rig()
        let outcome = try rig.run(["ip", "-brief", "address", "show", "dev", "link0"], on: side)
        let address = side == .clients ? Rig.clientAddress : Rig.gatewayAddress
        #expect(outcome.status == 0)
        #expect(outcome.output.contains(" \(address)/24"))
    }

    @Test("a program that takes too long is ended, and its status tells of signals")
    func endsPrograms() throws {
        #expect(throws: Command.Failure.self) { try Command.run(["sleep", "60"], atMost: 0.1) }
        let program = try Command(["sleep", "60"])
        program.interrupt()
        #expect(try program.wait(atMost: 5).status == 128 + SIGINT)
    }

    @Test("a gateway that refuses its configuration fails the test that asked for it")
    func refusesBadConfiguration() {
        #expect(throws: Command.Failure.self) { try RealGateway.start(knobs: ["IKE_PROPOSALS": "rot13"]) }
    }
}

@Suite("strongSwan's list of SAs")
struct ListedIKESATests {
    @Test("an IKE SA with two Child SAs is read, with one without any")
    func parses() throws {
        let text = """
            list-sa event {psk {uniqueid=4 version=2 state=ESTABLISHED remote-host=10.99.1.0 remote-port=4500 \
            remote-id=user-256@example.org initiator=yes initiator-spi=9ce0843040f69c74 \
            responder-spi=5d0e5f46ad9f23e2 remote-vips=[10.128.0.2] child-sas {net-2 {name=net state=DELETED \
            spi-in=3100391d spi-out=162baae9 remote-ts=[10.128.0.2/32]} net-3 {name=net state=INSTALLED \
            spi-in=ac57f36a spi-out=f306d115 remote-ts=[10.128.0.2/32 10.1.0.0/16]}}}}
            list-sa event {psk {uniqueid=5 state=CONNECTING child-sas {}}}
            list-sas reply {}
            """
        let associations = try ListedIKESA.parse(text)

        #expect(associations.map(\.number) == [4, 5])
        #expect(associations.map(\.isInitiator) == [true, false])
        #expect(associations[0].initiatorSPI == 0x9ce0_8430_40f6_9c74)
        #expect(associations[0].remotePort == 4500)
        #expect(associations[0].children.map(\.state) == ["DELETED", "INSTALLED"])
        #expect(associations[0].children[1].outboundSPI == 0xf306_d115)
        #expect(associations[0].children[1].remoteTrafficSelectors == ["10.128.0.2/32", "10.1.0.0/16"])
        #expect(associations[1].children.isEmpty)
    }

    @Test("a line that ends too early is refused")
    func refuses() {
        #expect(throws: (any Error).self) { try ListedIKESA.parse("list-sa event {psk {uniqueid=4 child-sas {") }
    }
}
