import IKEWire
import Primitives
import Runner
import Testing
import UDPTransport
import Workload

/// RFC 7296 section 1.5 in real time.
@Suite("Our responder in real time that gets an ESP packet of no Child SA", .serialized)
struct UnknownSPILiveTests {
    @Test("says so without protection, where a policy wants that", arguments: [0, 10])
    func answers(limit: Int) throws {
        let policy = limit == 0 ? "subnets: []" : "unknown-spis: \(limit)"
        let gateway = try LoopbackGateway(try LoopbackWorkload(policy: policy).validated())
        let target = UDPEndpoint(address: gateway.target.address, port: gateway.target.encapsulatedPort)
        var socket = try UDPSocket(
            bindingTo: UDPEndpoint(address: gateway.target.address, port: 0),
            allowance: Allowance([IPPrefix(address: gateway.target.address, length: 32)])
        )
        var outgoing = try TransmitBatch()
        var incoming = try ReceiveBatch()
        let packet: [UInt8] = [0xDE, 0xAD, 0xBE, 0xEF] + [UInt8](repeating: 7, count: 60)
        // A keepalive and what is too short for anything get no answer, as what is sent behind them shows.
        for datagram in [[0xFF], [1, 2], packet] as [[UInt8]] {
            let isAdded = outgoing.append(datagram.rawSpan, to: target)
            #expect(isAdded)
        }
        let isSent = socket.send(&outgoing)
        #expect(isSent)
        let clock = MonotonicClock()
        let end = clock.now + .milliseconds(limit == 0 ? 300 : 5_000)
        var answers: [[UInt8]] = []
        while answers.isEmpty, clock.now < end {
            let count = try socket.receive(into: &incoming, clock: clock)
            for index in 0..<count { answers.append(incoming.bytes(at: index).copied()) }
        }
        guard limit > 0 else {
            #expect(answers == [])
            return
        }
        // Non-ESP marker, HDR(0, 0), N(INVALID_SPI).
        let answer = try #require(answers.first)
        #expect(answer.count == 4 + Header.byteCount + 12 && answer.prefix(20).allSatisfy { $0 == 0 })
        #expect(Array(answer.suffix(6)) == [0, 11, 0xDE, 0xAD, 0xBE, 0xEF])
    }
}
