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
    let spis: InlineArray<2, UInt64> = [spis.initiator.rawValue.bigEndian, spis.responder.rawValue.bigEndian]
    let address: InlineArray<2, UInt64> = [endpoint.address.high.bigEndian, endpoint.address.low.bigEndian]
    let port = InlineArray<1, UInt16>(repeating: endpoint.port.bigEndian)
    // SAFETY: integers have no padding, so that their bytes are initialized.
    let addressOctets = unsafe address.span.bytes
    return cryptography.sha1(
        unsafe spis.span.bytes,
        // An IPv4 address stands in the last four octets.
        addressOctets.extracting(last: endpoint.address.byteCount),
        unsafe port.span.bytes
    )
}

/// What the two notifies say by which each end finds a NAT on the way.
struct NATDetection: BitwiseCopyable {
    let source: SHA1Digest
    let destination: SHA1Digest

    /// - Parameter isForced: whether the peer is to believe that this end is behind a NAT: the source is one that
    ///   nobody has (RFC 7296 section 2.23).
    init(_ spis: IKESPIPair, _ path: Path, isForced: Bool, _ cryptography: borrowing Cryptography) {
        let local = isForced ? UDPEndpoint(address: .unspecified, port: 0) : path.local
        source = natDetectionData(spis, local, cryptography)
        destination = natDetectionData(spis, path.remote, cryptography)
    }
}

extension MessageEncoder {
    mutating func natDetection(_ detection: NATDetection) {
        detection.source.withBytes { notify(.natDetectionSourceIP, $0) }
        detection.destination.withBytes { notify(.natDetectionDestinationIP, $0) }
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
