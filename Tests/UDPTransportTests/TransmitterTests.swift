import CLinux
import Primitives
import Testing
import UDPTransport

@Suite("What a full socket leaves in a batch")
struct TransmitterTests {
    @Test(
        "the datagrams that did not go move to the front with their bytes, sources and destinations",
        arguments: 0...5
    )
    func keepsTheRest(sent: Int) throws {
        var receiver = try UDPSocket(bindingTo: endpoint("127.0.0.1"), allowance: .nothing)
        let source = clinux_udp_open(clinux_address(high: 0, low: 0xFFFF_0000_0000), 0, 0, 0)
        defer { clinux_close(source) }
        let transmitter = try unsafe #require(clinux_transmitter_create(5, 1_000, 0))
        defer { unsafe clinux_transmitter_destroy(transmitter) }
        let messages = (0..<5).map { index in [UInt8](repeating: UInt8(index), count: 3 + index) }
        for (index, message) in messages.enumerated() {
            let local = clinux_address(high: 0, low: 0xFFFF_7F00_0001 + UInt64(index))
            let remote = clinux_address(high: 0, low: 0xFFFF_7F00_0001)
            let count = Int32(message.count)
            #expect(
                unsafe clinux_transmitter_append(transmitter, message, count, local, remote, receiver.local.port, 1)
                    == 1
            )
        }

        unsafe clinux_transmitter_drop(transmitter, Int32(sent))
        let left = unsafe clinux_transmitter_count(transmitter)
        #expect(left == 5 - Int32(sent))
        if left > 0 { #expect(unsafe clinux_transmitter_send(transmitter, source, 0, left) == left) }

        var buffers = try ReceiveBatch()
        let arrivals = try receive(5 - sent, on: &receiver, into: &buffers)
        #expect(arrivals.map(\.bytes) == Array(messages[sent...]))
        #expect(arrivals.map(\.datagram.source.address.description) == (sent..<5).map { "127.0.0.\($0 + 1)" })
    }
}
