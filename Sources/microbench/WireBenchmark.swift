import IKEWire
import Primitives

/// Builds and takes apart IKE_SA_INIT requests as they come from a usual client.
func benchmarkWire() {
    let request = Request()
    var writer = ByteWriter(capacity: 1500)
    request.encode(into: &writer)
    let byteCount = writer.count

    let encoding = (0..<3).map { _ in
        price(of: 300_000) {
            writer.removeAll()
            request.encode(into: &writer)
        }
    }
    let datagram = writer.bytes
    var sum = 0
    let decoding = (0..<3).map { _ in
        price(of: 300_000) { sum &+= (try? Request.decode(datagram.rawSpan)) ?? 0 }
    }
    precondition(sum > 0, "what was encoded decodes")
    printFigure("encode IKE_SA_INIT, \(byteCount) octets", encoding.min() ?? 0, "ns")
    printFigure("decode IKE_SA_INIT, \(byteCount) octets", decoding.min() ?? 0, "ns")
}

private func price(of count: Int, _ operation: () -> Void) -> Double {
    let watch = Stopwatch()
    for _ in 0..<count { operation() }
    return Double(watch.nanoseconds) / Double(count)
}

struct Request {
    let header = Header(
        initiatorSPI: IKESPI(rawValue: 0x0123_4567_89AB_CDEF),
        responderSPI: .zero,
        exchange: .ikeSAInit,
        flags: .initiator,
        messageID: .zero
    )
    let proposals = [
        Proposal(
            protocolID: .ike,
            transforms: [.encryption(.aesGCM16, keyLength: 256), .prf(.hmacSHA384), .keyExchange(.curve25519)]
        )
    ]
    let publicValue = [UInt8](repeating: 0xAB, count: 32)
    let hash = [UInt8](repeating: 0xCD, count: 20)

    func encode(into writer: inout ByteWriter) {
        var encoder = MessageEncoder(header, into: &writer)
        encoder.securityAssociation(proposals)
        encoder.keyExchange(.curve25519, publicValue)
        encoder.nonce(publicValue)
        encoder.notify(.natDetectionSourceIP, hash)
        encoder.notify(.natDetectionDestinationIP, hash)
        encoder.notify(.ikev2FragmentationSupported)
        encoder.finish(into: &writer)
    }

    /// Looks into every payload, transforms too.
    static func decode(_ datagram: RawSpan) throws(DecodeError) -> Int {
        var decoder = try MessageDecoder(datagram)
        var sum = 0
        while let payload = try decoder.payloads.next() {
            switch payload.type {
            case .securityAssociation:
                var proposals = try SecurityAssociation(payload.body).proposals
                while let proposal = try proposals.next() {
                    var transforms = proposal.transforms
                    while let transform = try transforms.next() { sum += Int(transform.id) }
                }
            case .keyExchange: sum += try KeyExchange(payload.body).data.byteCount
            case .nonce: sum += try Nonce(payload.body).data.byteCount
            case .notify: sum += Int(try Notify(payload.body).type.rawValue)
            default: throw .malformed(.unsupportedFormat)
            }
        }
        return sum
    }
}
