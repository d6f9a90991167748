import Glibc
import IKEWire
import Primitives

/// Somebody who sends IKE_SA_INIT requests, and takes no notice of what comes back.
final class Bystander {
    private let descriptor: Int32

    /// Why it cannot send.
    struct Failure: Error { let number: Int32 }

    init(_ address: String) throws {
        guard let address = IPAddress(address) else { throw Failure(number: EINVAL) }
        descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        let status = unsafe withUnsafePointer(to: Self.endpoint(address)) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw Failure(number: errno) }
    }

    deinit { close(descriptor) }

    /// Sends a request to the gateway, again every half a second.
    func send(message number: UInt8, times: Int) throws {
        let octets = Self.request(number)
        for time in 0..<times {
            if time > 0 { usleep(500_000) }
            let count = unsafe withUnsafePointer(to: Self.endpoint(IPAddress(v4: 0x0A62_0102))) {
                unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { gateway in
                    unsafe sendto(
                        descriptor,
                        octets,
                        octets.count,
                        0,
                        gateway,
                        socklen_t(MemoryLayout<sockaddr_in>.size)
                    )
                }
            }
            guard count == octets.count else { throw Failure(number: errno) }
        }
        usleep(100_000)
    }

    private static func endpoint(_ address: IPAddress) -> sockaddr_in {
        var endpoint = sockaddr_in()
        endpoint.sin_family = sa_family_t(AF_INET)
        endpoint.sin_port = UInt16(500).bigEndian
        endpoint.sin_addr.s_addr = address.v4.bigEndian
        return endpoint
    }

    /// HDR, SAi1, KEi, Ni
    private static func request(_ number: UInt8) -> [UInt8] {
        let transforms: [Transform] = [
            .encryption(.aesGCM16, keyLength: 256), .prf(.hmacSHA384), .keyExchange(.curve25519),
        ]
        let message = Message(
            header: Header(
                initiatorSPI: IKESPI(rawValue: UInt64(number)),
                responderSPI: .zero,
                exchange: .ikeSAInit,
                flags: .initiator,
                messageID: .zero
            ),
            payloads: [
                Payload(
                    .securityAssociation,
                    .securityAssociation([Proposal(protocolID: .ike, transforms: transforms)])
                ),
                Payload(.keyExchange, .keyExchange(.curve25519, [UInt8](repeating: number, count: 32))),
                Payload(.nonce, .nonce([UInt8](repeating: number, count: 32))),
            ]
        )
        var writer = ByteWriter()
        message.encode(into: &writer)
        return writer.bytes
    }
}
