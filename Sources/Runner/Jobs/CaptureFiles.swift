import Capture
import IKECrypto
import IKEWire
import IKEv2
import Primitives
import Results
import Workload

/// `capture.pcapng` and the key tables beside it, with which Wireshark shows every IKE message in clear.
///
/// The packets are those of both ends as they leave: what a path loses afterwards is in the capture.
struct CaptureFiles: ~Copyable {
    private var capture: StreamedFile
    private var keyTable: StreamedFile
    private var format: PCAPNGWriter
    private var buffer = ByteWriter()
    private var known: Set<IKESPIPair> = []
    /// Why a file ended before the run did.
    private var failure: ResultError?
    /// IKE SAs whose algorithms Wireshark has no name for.
    private var unknownCount = 0

    /// - Parameter targets: a live run's, whose ports Wireshark does not know as those of IKE.
    init(in folder: RunFolder, epoch: Int64, targets: [LiveTarget]) throws(ResultError) {
        var head = ByteWriter()
        format = PCAPNGWriter(
            epochNanoseconds: UInt64(clamping: epoch) * 1_000_000_000,
            application: "ikestorm",
            into: &head
        )
        var capture = try StreamedFile(folder["capture.pcapng"])
        try capture.append(head.bytes)
        let keyTable = try StreamedFile(folder[KeyLog.ikeFileName], mode: 0o600)
        let ports = DecodeAs.entries(targets.map { (plain: $0.port, encapsulated: $0.encapsulatedPort) })
        if !ports.isEmpty { try folder.write(ports, to: DecodeAs.fileName) }
        self.capture = capture
        self.keyTable = keyTable
    }

    /// Counts the packets' times from the wall clock at the run's start.
    mutating func start(epochNanoseconds: UInt64) { format.epochNanoseconds = epochNanoseconds }

    mutating func append(_ packet: RunSinks.Packet) {
        buffer.removeAll()
        format.write(
            packet.octets.rawSpan,
            from: packet.source,
            to: packet.destination,
            at: packet.time,
            into: &buffer
        )
        guard failure == nil else { return }
        do throws(ResultError) { try capture.append(buffer.bytes) } catch { failure = error }
    }

    mutating func append(_ keys: RunSinks.Keys) {
        guard known.insert(keys.spis).inserted else { return }
        buffer.removeAll()
        let isKnown = KeyLog.writeIKESA(
            initiatorSPI: keys.spis.initiator,
            responderSPI: keys.spis.responder,
            encryption: EncryptionID(rawValue: keys.suite.cipher.id),
            keyLength: keys.suite.cipher.keyLengthAttribute,
            integrity: IntegrityID(rawValue: keys.suite.integrity?.rawValue ?? 0),
            encryptionKeys: (keys.ei, keys.er),
            integrityKeys: (keys.ai, keys.ar),
            into: &buffer
        )
        if !isKnown { unknownCount += 1 }
        guard failure == nil else { return }
        do throws(ResultError) { try keyTable.append(buffer.bytes) } catch { failure = error }
    }

    /// What is to be known of the capture, if anything.
    var warning: String? {
        guard unknownCount > 0 else { return nil }
        return "Wireshark 4.0 has no name for the cipher of \(unknownCount) IKE SAs, such as ChaCha20-Poly1305: "
            + "their messages stay encrypted in the capture"
    }

    consuming func finish() throws(ResultError) {
        if let failure { throw failure }
        try capture.finish()
        try keyTable.finish()
    }
}
