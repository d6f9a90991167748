package import IKECrypto
package import IKEWire
import Primitives

/// What it takes to read an IKE SA's messages and to end it: for key tables, and for a journal of live IKE SAs.
///
/// Whoever holds this holds the IKE SA. It goes to files that their owner alone can read, and nowhere else.
package struct ExportedKeys: Sendable {
    package var spis: IKESPIPair
    /// Whether this end is the IKE SA's original initiator.
    package var isInitiator: Bool
    package var cipher: Cipher
    package var integrity: IntegrityAlgorithm?
    package var ei: [UInt8]
    package var er: [UInt8]
    package var ai: [UInt8]
    package var ar: [UInt8]
    package var path: Path
    /// The message ID of this end's next request.
    package var nextRequest: MessageID

    package init(
        spis: IKESPIPair,
        isInitiator: Bool,
        cipher: Cipher,
        integrity: IntegrityAlgorithm?,
        ei: [UInt8],
        er: [UInt8],
        ai: [UInt8],
        ar: [UInt8],
        path: Path,
        nextRequest: MessageID
    ) {
        self.spis = spis
        self.isInitiator = isInitiator
        self.cipher = cipher
        self.integrity = integrity
        self.ei = ei
        self.er = er
        self.ai = ai
        self.ar = ar
        self.path = path
        self.nextRequest = nextRequest
    }
}

extension Channel {
    package var exportedKeys: ExportedKeys {
        ExportedKeys(
            spis: spis,
            isInitiator: isInitiator,
            cipher: suite.cipher,
            integrity: suite.integrity,
            ei: keys.ei.bytes.copied(),
            er: keys.er.bytes.copied(),
            ai: keys.ai.bytes.copied(),
            ar: keys.ar.bytes.copied(),
            path: path,
            nextRequest: nextRequest
        )
    }
}
