import Capture
import Primitives

/// Takes any octets as a pcapng file: its datagrams are read, and written as they were.
package func fuzzCapture(_ input: [UInt8]) {
    var reader = PCAPNGReader(input.rawSpan)
    while let packet = try? reader.next() {
        guard let udp = try? packet.udp else { continue }
        var writer = ByteWriter()
        udp.encode(into: &writer)
        guard let again = try? UDPPacket(decoding: writer.span) else {
            preconditionFailure("a packet that was written is read")
        }
        precondition(again.datagram.elementsEqual(udp.datagram), "a packet keeps its datagram")
        precondition(again.source == udp.source && again.destination == udp.destination, "a packet keeps its endpoints")
    }
}
