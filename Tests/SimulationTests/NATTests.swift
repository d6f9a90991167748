import Primitives
import Simulation
import Testing

@Suite("NAT")
struct NATTests {
    private let gateway = UDPEndpoint(address: IPAddress(v4: 0xC000_020A), port: 500)
    private let gatewayNATT = UDPEndpoint(address: IPAddress(v4: 0xC000_020A), port: 4_500)
    private let stranger = UDPEndpoint(address: IPAddress(v4: 0xC000_0263), port: 500)
    private let inner = IPAddress(v4: 0xC0A8_0002)
    private let outer = IPAddress(v4: 0xC633_6405)

    private func nat() -> NAT {
        NAT(innerAddress: inner, outerAddress: outer, seed: 1, name: 77)
    }

    private func behaviour(
        mapping: NATBehaviour.Dependence = .endpointIndependent,
        filtering: NATBehaviour.Dependence = .addressAndPortDependent,
        ports: NATBehaviour.PortChoice = .preserve,
        isRefreshedFromOutside: Bool = true
    ) -> NATBehaviour {
        NATBehaviour(
            mapping: mapping,
            filtering: filtering,
            timeoutOneWay: .seconds(30),
            timeoutTwoWay: .seconds(120),
            ports: ports,
            isRefreshedFromOutside: isRefreshedFromOutside
        )
    }

    private func second(_ count: Int64) -> Instant { .zero + .seconds(count) }

    @Test("an answer comes back to who asked")
    func roundTrip() {
        var nat = nat()
        let mapped = nat.outbound(from: 500, to: gateway, at: .zero, behaviour())
        #expect(mapped == UDPEndpoint(address: outer, port: 500))
        let answer = nat.inbound(to: mapped, from: gateway, at: second(1), behaviour())
        #expect(answer == .forwarded(to: UDPEndpoint(address: inner, port: 500)))
    }

    @Test(
        "what a mapping is reused for",
        arguments: [
            (.endpointIndependent, true, true), (.addressDependent, true, false),
            (.addressAndPortDependent, false, false),
        ] as [(NATBehaviour.Dependence, Bool, Bool)]
    )
    func mapping(dependence: NATBehaviour.Dependence, forOtherPort: Bool, forOtherAddress: Bool) {
        let behaviour = behaviour(mapping: dependence, ports: .random)
        var nat = nat()
        let first = nat.outbound(from: 4_500, to: gateway, at: .zero, behaviour)
        #expect(nat.outbound(from: 4_500, to: gateway, at: .zero, behaviour) == first)
        #expect((nat.outbound(from: 4_500, to: gatewayNATT, at: .zero, behaviour) == first) == forOtherPort)
        #expect((nat.outbound(from: 4_500, to: stranger, at: .zero, behaviour) == first) == forOtherAddress)
        #expect(nat.outbound(from: 500, to: gateway, at: .zero, behaviour) != first)
    }

    @Test(
        "whom a mapping lets in",
        arguments: [
            (.endpointIndependent, true, true), (.addressDependent, true, false),
            (.addressAndPortDependent, false, false),
        ] as [(NATBehaviour.Dependence, Bool, Bool)]
    )
    func filtering(dependence: NATBehaviour.Dependence, otherPort: Bool, otherAddress: Bool) {
        let behaviour = behaviour(filtering: dependence)
        var nat = nat()
        let mapped = nat.outbound(from: 500, to: gateway, at: .zero, behaviour)
        let inside = NAT.Inbound.forwarded(to: UDPEndpoint(address: inner, port: 500))
        #expect(nat.inbound(to: mapped, from: gateway, at: .zero, behaviour) == inside)
        #expect(nat.inbound(to: mapped, from: gatewayNATT, at: .zero, behaviour) == (otherPort ? inside : .filtered))
        #expect(nat.inbound(to: mapped, from: stranger, at: .zero, behaviour) == (otherAddress ? inside : .filtered))
        let unused = UDPEndpoint(address: outer, port: 501)
        #expect(nat.inbound(to: unused, from: gateway, at: .zero, behaviour) == .unmapped)
        let elsewhere = UDPEndpoint(address: IPAddress(v4: 0xC633_6406), port: 500)
        #expect(nat.inbound(to: elsewhere, from: gateway, at: .zero, behaviour) == .unmapped)
    }

    @Test("a mapping that only saw packets from inside lives 30 s, one that saw both 120 s")
    func timeouts() {
        var nat = nat()
        let mapped = nat.outbound(from: 500, to: gateway, at: .zero, behaviour())
        var oneWay = nat
        #expect(oneWay.inbound(to: mapped, from: gateway, at: second(30), behaviour()) == .unmapped)
        #expect(nat.inbound(to: mapped, from: gateway, at: second(29), behaviour()) != .unmapped)
        var idle = nat
        #expect(idle.inbound(to: mapped, from: gateway, at: second(29 + 120), behaviour()) == .unmapped)
        #expect(nat.inbound(to: mapped, from: gateway, at: second(29 + 119), behaviour()) != .unmapped)
    }

    @Test("keepalives from inside keep a mapping, those from outside where the NAT lets them")
    func refresh() {
        let strict = behaviour(isRefreshedFromOutside: false)
        var nat = nat()
        let mapped = nat.outbound(from: 4_500, to: gatewayNATT, at: .zero, strict)
        for time in [100, 200, 300] as [Int64] {
            _ = nat.inbound(to: mapped, from: gatewayNATT, at: second(time - 90), strict)
            #expect(nat.outbound(from: 4_500, to: gatewayNATT, at: second(time), strict) == mapped)
        }
        #expect(nat.inbound(to: mapped, from: gatewayNATT, at: second(400), strict) != .unmapped)
        #expect(nat.inbound(to: mapped, from: gatewayNATT, at: second(421), strict) == .unmapped)
    }

    @Test("a mapping of several remote endpoints lives as long as its last")
    func sharedMapping() {
        let behaviour = behaviour(filtering: .endpointIndependent, ports: .random)
        var nat = nat()
        let mapped = nat.outbound(from: 500, to: gateway, at: .zero, behaviour)
        #expect(nat.outbound(from: 500, to: stranger, at: second(20), behaviour) == mapped)
        #expect(nat.outbound(from: 500, to: gatewayNATT, at: second(45), behaviour) == mapped)
        #expect(nat.inbound(to: mapped, from: gateway, at: second(46), behaviour) != .unmapped)
    }

    @Test("ports are preserved, counted up or drawn", arguments: NATBehaviour.PortChoice.allCases)
    func ports(choice: NATBehaviour.PortChoice) {
        let behaviour = behaviour(mapping: .addressAndPortDependent, ports: choice)
        var nat = nat()
        let first = nat.outbound(from: 500, to: gateway, at: .zero, behaviour).port
        let second = nat.outbound(from: 4_500, to: gateway, at: .zero, behaviour).port
        switch choice {
        case .preserve: #expect(first == 500 && second == 4_500)
        case .sequential: #expect(second == first + 1 && first >= 1_024)
        case .random: #expect(first >= 1_024 && second >= 1_024 && first != second)
        }
    }

    @Test("a flush forgets, a rebinding moves")
    func flushAndRebind() {
        var flushed = nat()
        let mapped = flushed.outbound(from: 500, to: gateway, at: .zero, behaviour())
        var rebound = flushed
        flushed.flush()
        #expect(flushed.sessionCount == 0)
        #expect(flushed.inbound(to: mapped, from: gateway, at: .zero, behaviour()) == .unmapped)

        rebound.rebind()
        #expect(rebound.inbound(to: mapped, from: gateway, at: .zero, behaviour()) == .unmapped)
        let moved = rebound.outbound(from: 500, to: gateway, at: .zero, behaviour())
        #expect(moved.port != mapped.port && moved.address == outer)
        #expect(rebound.inbound(to: moved, from: gateway, at: .zero, behaviour()) != .unmapped)

        let newAddress = IPAddress(v4: 0xC633_6409)
        rebound.rebind(to: newAddress)
        #expect(rebound.inbound(to: moved, from: gateway, at: .zero, behaviour()) == .unmapped)
        #expect(rebound.outbound(from: 500, to: gateway, at: .zero, behaviour()).address == newAddress)
    }

    @Test("a rebinding gives a mapping of several sessions one new port")
    func rebindShared() {
        var nat = nat()
        _ = nat.outbound(from: 500, to: gateway, at: .zero, behaviour())
        _ = nat.outbound(from: 500, to: stranger, at: .zero, behaviour())
        nat.rebind()
        let first = nat.outbound(from: 500, to: gateway, at: .zero, behaviour())
        #expect(nat.outbound(from: 500, to: stranger, at: .zero, behaviour()) == first)
        #expect(first.port != 500)
    }

    @Test("with more remote endpoints than room, the one that was idle longest goes")
    func overflow() {
        let behaviour = behaviour(mapping: .addressAndPortDependent, ports: .random)
        var nat = nat()
        let mapped = (0..<7).map { index in
            let remote = UDPEndpoint(address: gateway.address, port: UInt16(500 + index))
            return nat.outbound(from: 500, to: remote, at: .zero + .milliseconds(Int64(index)), behaviour)
        }
        #expect(nat.sessionCount == 6)
        let now = second(1)
        for index in 0..<7 {
            let remote = UDPEndpoint(address: gateway.address, port: UInt16(500 + index))
            #expect((nat.inbound(to: mapped[index], from: remote, at: now, behaviour) == .unmapped) == (index == 0))
        }
    }
}
