import Primitives
import UDPTransport

/// Sends datagrams of 300 octets over loopback, from one address or from a million, and receives them, 64 at a time.
func benchmarkUDP() {
    do {
        try exchange("one source", sources: 1)
        try exchange("1M sources", sources: 1 << 20)
    } catch {
        fail("udp", error)
    }
}

private func exchange(_ name: String, sources: UInt64) throws(SocketError) {
    let loopback = IPPrefix(address: IPAddress(v4: 0x7F00_0000), length: 8)
    let any = UDPEndpoint(address: IPAddress(v4: 0), port: 0)
    var receiver = try UDPSocket(
        bindingTo: UDPEndpoint(address: loopback[1], port: 0),
        allowance: .nothing
    )
    var sender = try UDPSocket(bindingTo: any, allowance: .loopback)
    var outgoing = try TransmitBatch()
    var incoming = try ReceiveBatch()
    let clock = MonotonicClock()
    let payload = [UInt8](repeating: 0x5A, count: 300)
    var sending: UInt64 = 0
    var receiving: UInt64 = 0
    let batches = 4_000
    var source: UInt64 = 0
    var octets = 0
    for _ in 0..<batches {
        let whileSending = Stopwatch()
        for _ in 0..<64 {
            source = (source &+ 40_503) % sources
            guard outgoing.append(payload.rawSpan, from: loopback[2 + source], to: receiver.local) else { break }
        }
        let isSent = sender.send(&outgoing)
        sending += whileSending.nanoseconds
        let whileReceiving = Stopwatch()
        var count = 0
        while isSent, count < 64 {
            let more = try receiver.receive(into: &incoming, clock: clock)
            if more == 0 { break }
            for index in 0..<more { octets &+= incoming[index].byteCount }
            count += more
        }
        receiving += whileReceiving.nanoseconds
    }
    precondition(octets == Int(receiver.counters.received) * 300, "what was received is what was sent")
    let count = Double(receiver.counters.received)
    printFigure("UDP send, loopback, 300 B, \(name)", Double(sending) / count, "ns/datagram")
    printFigure("UDP receive, loopback, 300 B, \(name)", Double(receiving) / count, "ns/datagram")
}
