import Capture
import IKECrypto
import IKEWire
import IKEv2
import Primitives
import Results
import Workload

/// `capture.pcapng` and the key tables beside it, with which Wireshark shows every IKE message in clear, and the
/// packets of every Child SA.
///
/// The packets are those of both ends as they leave: what a path loses afterwards is in the capture.
struct CaptureFiles: ~Copyable {
    private var capture: StreamedFile
    private var keyTable: StreamedFile
    /// Of Child SAs; nil without traffic.
    private var childKeyTable: StreamedFile?
    /// The families of the outer addresses, which the table of Child SAs has to name.
    private let families: [Bool]
    private var format: PCAPNGWriter
    private var buffer = ByteWriter()
    private var known: Set<IKESPIPair> = []
    private var knownChildren: Set<ChildSPI> = []
    /// Why a file ended before the run did.
    private var failure: ResultError?
    /// IKE SAs whose algorithms Wireshark has no name for.
    private var unknownCount = 0
    /// Child SAs whose algorithms it has no name for, and such as use extended sequence numbers.
    private var unknownChildCount = 0
    private var extendedCount = 0

    /// - Parameter targets: a live run's, whose ports Wireshark does not know as those of IKE.
    init(in folder: RunFolder, _ workload: Workload, targets: [LiveTarget]) throws(ResultError) {
        var head = ByteWriter()
        let format = PCAPNGWriter(
            epochNanoseconds: UInt64(clamping: workload.run.epoch) * 1_000_000_000,
            application: "ikestorm",
            into: &head
        )
        var capture = try StreamedFile(folder["capture.pcapng"])
        try capture.append(head.bytes)
        let keyTable = try StreamedFile(folder[KeyLog.ikeFileName], mode: 0o600)
        let ports = DecodeAs.entries(targets.map { (plain: $0.port, encapsulated: $0.encapsulatedPort) })
        if !ports.isEmpty { try folder.write(ports, to: DecodeAs.fileName) }
        var childKeyTable: StreamedFile?
        if !workload.traffic.isEmpty {
            childKeyTable = try StreamedFile(folder[KeyLog.espFileName], mode: 0o600)
            try folder.write(WiresharkPreferences.text, to: WiresharkPreferences.fileName)
        }
        let simulated = workload.gateways.flatMap { $0.simulated?.addresses ?? [] }
        let addresses = targets.isEmpty ? simulated : targets.flatMap(\.addresses)
        families = [true, false].filter { isIPv4 in addresses.contains { $0.isIPv4 == isIPv4 } }
        self.format = format
        self.capture = capture
        self.keyTable = keyTable
        self.childKeyTable = childKeyTable
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

    mutating func append(_ keys: RunSinks.ChildKeys) {
        buffer.removeAll()
        for way in keys.directions where knownChildren.insert(way.spi).inserted {
            var isKnown = true
            for isIPv4 in families {
                isKnown = KeyLog.writeESPSA(
                    source: nil,
                    destination: nil,
                    isIPv4: isIPv4,
                    spi: way.spi,
                    encryption: keys.cipher,
                    integrity: keys.integrity,
                    encryptionKey: way.encryption,
                    integrityKey: way.integrity,
                    into: &buffer
                )
            }
            if !isKnown { unknownChildCount += 1 } else if keys.usesESN { extendedCount += 1 }
        }
        guard failure == nil else { return }
        do throws(ResultError) { try childKeyTable?.append(buffer.bytes) } catch { failure = error }
    }

    /// What is to be known of the capture.
    var warnings: [String] {
        var warnings: [String] = []
        if unknownCount > 0 {
            warnings.append(
                "Wireshark 4.0 has no name for the cipher of \(unknownCount) IKE SAs, such as ChaCha20-Poly1305: "
                    + "their messages stay encrypted in the capture"
            )
        }
        if unknownChildCount > 0 {
            warnings.append(
                "Wireshark 4.0 has no name for the algorithms of \(unknownChildCount) ESP SAs, such as "
                    + "ChaCha20-Poly1305: their packets stay encrypted in the capture"
            )
        }
        if extendedCount > 0 {
            warnings.append(
                "Wireshark 4.0 knows no extended sequence numbers, which \(extendedCount) ESP SAs have: it takes "
                    + "their integrity values for wrong"
            )
        }
        return warnings
    }

    consuming func finish() throws(ResultError) {
        if let failure { throw failure }
        try capture.finish()
        try keyTable.finish()
        if let table = childKeyTable.take() { try table.finish() }
    }
}
