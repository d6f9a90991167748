package import IKECrypto
package import Primitives

/// What a driver lends to a machine while it takes one input: the moment, the worker's cryptography, and the output.
///
/// One value serves all machines of a worker in turn; nothing in it belongs to any of them.
package struct Turn: ~Copyable {
    package var now: Instant = .zero
    package var cryptography: Cryptography
    package var output = Output()
    /// The inner addresses that the driver holds ready for the peer, should it ask (RFC 7296 section 2.19).
    package var lease = InnerAddresses()
    /// Whether who decides about EAP behind this end has answered, where the driver asks in the machine's place.
    package var hasBackend = true
    /// The IKE SA that an exchange of this turn made by a rekey; the endpoint takes it.
    var successor: Box<IKESA>?
    /// The IKE SA that lost a simultaneous rekey, and still has to be deleted.
    var redundant: Box<IKESA>?
    private var scratch: [[UInt8]] = []

    /// Where messages are built.
    var writer = ByteWriter(capacity: 2048)

    package init(cryptography: consuming Cryptography) {
        self.cryptography = cryptography
    }

    /// Sends the message that stands in the writer, or all its fragments.
    mutating func sendMessage(over path: Path, _ note: PacketNote) {
        let message = takeWriter()
        output.sendAll(message, over: path, note)
        giveBack(message)
    }

    /// The writer, to be used beside other parts of the turn.
    mutating func takeWriter() -> ByteWriter {
        var taken = ByteWriter()
        swap(&taken, &writer)
        return taken
    }

    mutating func giveBack(_ writer: consuming ByteWriter) {
        self.writer = writer
    }

    /// A buffer whose capacity was used before; give it back with ``giveBack(_:)``.
    mutating func takeScratch() -> [UInt8] {
        scratch.popLast() ?? []
    }

    mutating func giveBack(_ buffer: consuming [UInt8]) {
        var buffer = buffer
        buffer.removeAll(keepingCapacity: true)
        scratch.append(buffer)
    }
}
