import IKECrypto
import IKEWire
import Primitives

/// The data of NAT_DETECTION_SOURCE_IP and NAT_DETECTION_DESTINATION_IP: SHA-1 of the SPIs, the address and the port
/// (RFC 7296 section 2.23).
func natDetectionData(
    _ spis: IKESPIPair,
    _ endpoint: UDPEndpoint,
    _ cryptography: borrowing Cryptography
) -> SHA1Digest {
    var input = InlineArray<34, UInt8>(repeating: 0)
    var count = 0
    func append(_ value: UInt64, byteCount: Int, to input: inout InlineArray<34, UInt8>) {
        for index in 0..<byteCount {
            input[count] = UInt8(truncatingIfNeeded: value >> UInt64(8 * (byteCount - 1 - index)))
            count += 1
        }
    }
    append(spis.initiator.rawValue, byteCount: 8, to: &input)
    append(spis.responder.rawValue, byteCount: 8, to: &input)
    if !endpoint.address.isIPv4 { append(endpoint.address.high, byteCount: 8, to: &input) }
    append(endpoint.address.low, byteCount: endpoint.address.isIPv4 ? 4 : 8, to: &input)
    append(UInt64(endpoint.port), byteCount: 2, to: &input)
    return cryptography.sha1(unsafe input.span.bytes.extracting(0..<count))
}

extension MessageEncoder {
    /// The two notifies by which each end finds a NAT on the way.
    mutating func natDetection(_ spis: IKESPIPair, _ path: Path, _ cryptography: borrowing Cryptography) {
        let source = natDetectionData(spis, path.local, cryptography)
        notify(.natDetectionSourceIP, source.octets)
        let destination = natDetectionData(spis, path.remote, cryptography)
        notify(.natDetectionDestinationIP, destination.octets)
    }
}

extension Contents {
    /// What the peer's notifies say about NATs between it and this end, or nil when it sent none.
    func natStatus(_ spis: IKESPIPair, _ path: Path, _ cryptography: borrowing Cryptography) -> NATStatus? {
        let expectedSource = natDetectionData(spis, path.remote, cryptography)
        let expectedDestination = natDetectionData(spis, path.local, cryptography)
        var sawSource = false
        var sourceMatches = false
        var destinationMatches: Bool?
        forEachNotify { notify in
            switch notify.type {
            case .natDetectionSourceIP:
                // A host with several addresses sends one of these for each.
                sawSource = true
                if expectedSource.isEqual(to: notify.data) { sourceMatches = true }
            case .natDetectionDestinationIP:
                destinationMatches = expectedDestination.isEqual(to: notify.data)
            default: break
            }
        }
        guard sawSource, let destinationMatches else { return nil }
        var status = NATStatus()
        status.isPeerBehindNAT = !sourceMatches
        status.isLocalBehindNAT = !destinationMatches
        return status
    }
}
