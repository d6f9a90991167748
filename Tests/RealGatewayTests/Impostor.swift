import GatewayRig
import Glibc
import Primitives

/// Somebody beside the gateway who sends UDP from its address and ports, while the gateway has them.
struct Impostor {
    let rig: Rig

    /// Why it cannot send.
    struct Failure: Error { let number: Int32 }

    /// Sends from the gateway's address, in its namespace.
    func send(_ octets: [UInt8], from port: UInt16 = 4500, to destination: UDPEndpoint) throws {
        try rig.inside(.gateway) { try Self.send(octets, from: port, to: destination) }
    }

    private static func send(_ octets: [UInt8], from port: UInt16, to destination: UDPEndpoint) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_RAW.rawValue), Int32(IPPROTO_UDP))
        guard descriptor >= 0 else { throw Failure(number: errno) }
        defer { close(descriptor) }
        var writer = ByteWriter()
        writer.writeInteger(port)
        writer.writeInteger(destination.port)
        writer.writeInteger(UInt16(8 + octets.count))
        // No checksum, which IPv4 lets be (RFC 768).
        writer.writeInteger(UInt16(0))
        let datagram = writer.bytes + octets
        var endpoint = sockaddr_in()
        endpoint.sin_family = sa_family_t(AF_INET)
        endpoint.sin_addr.s_addr = destination.address.v4.bigEndian
        let count = unsafe withUnsafePointer(to: endpoint) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                let length = socklen_t(MemoryLayout<sockaddr_in>.size)
                return unsafe sendto(descriptor, datagram, datagram.count, 0, $0, length)
            }
        }
        guard count == datagram.count else { throw Failure(number: errno) }
    }
}
