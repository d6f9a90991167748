import IKECrypto
import Primitives

/// Cuts TLS messages into EAP-TLS packets, and puts them together again (RFC 5216 sections 2.1.5 and 3.1).
struct TLSFragments {
    /// What a packet was.
    enum Received {
        /// It starts the conversation.
        case start
        /// It has no data: an acknowledgement.
        case nothing
        /// More is to come, and wants an acknowledgement.
        case part
        case whole([UInt8])
        /// It has data while a message is being sent.
        case unexpected
    }

    private let fragmentByteCount: Int
    private var incoming: [UInt8] = []
    private var announced: Int?
    private var outgoing: [UInt8] = []
    private var sentByteCount = 0

    init(fragmentByteCount: Int) {
        precondition(fragmentByteCount > 0, "a fragment carries something")
        self.fragmentByteCount = fragmentByteCount
    }

    /// Whether a message has not been sent to its end.
    var hasMore: Bool { sentByteCount < outgoing.count }

    /// Takes a packet; one that is refused or not expected changes nothing.
    mutating func receive(_ data: RawSpan) throws(DecodeError) -> Received {
        var reader = ByteReader(data)
        let flags: UInt8 = try reader.readInteger()
        var total = announced
        if flags & Self.lengthIncluded != 0 {
            let length = Int(try reader.readInteger(as: UInt32.self))
            guard length <= Self.longestMessage, total ?? length == length else { throw .malformed(.eapMethodData) }
            total = length
        }
        let isLast = flags & Self.moreFragments == 0
        let part = reader.readRest()
        if flags & Self.start != 0 { return .start }
        if part.isEmpty {
            guard isLast, incoming.isEmpty else { throw .malformed(.eapMethodData) }
            return .nothing
        }
        // Half a duplex: who is sending a message gets acknowledgements only.
        guard !hasMore else { return .unexpected }
        let byteCount = incoming.count + part.byteCount
        guard byteCount <= total ?? Self.longestMessage, !isLast || byteCount == total ?? byteCount else {
            throw .malformed(.eapMethodData)
        }
        incoming += part.copied()
        announced = total
        if !isLast { return .part }
        let whole = incoming
        incoming = []
        announced = nil
        return .whole(whole)
    }

    /// Begins a message; what has not been sent of the one before is forgotten.
    mutating func send(_ message: [UInt8]) {
        outgoing = message
        sentByteCount = 0
    }

    /// Appends the next part of the message, or an acknowledgement when there is none.
    mutating func writeNext(into writer: inout ByteWriter) {
        let end = min(outgoing.count, sentByteCount + fragmentByteCount)
        let isFirstOfMany = sentByteCount == 0 && end < outgoing.count
        let flags = (isFirstOfMany ? Self.lengthIncluded : 0) | (end < outgoing.count ? Self.moreFragments : 0)
        writer.writeInteger(flags)
        if isFirstOfMany { writer.writeInteger(UInt32(outgoing.count)) }
        writer.write(Array(outgoing[sentByteCount..<end]))
        sentByteCount = end
    }

    static func isStart(_ data: RawSpan) -> Bool { !data.isEmpty && data[0] & start != 0 }

    static func writeStart(into writer: inout ByteWriter) { writer.writeInteger(start) }

    private static let lengthIncluded: UInt8 = 0x80
    private static let moreFragments: UInt8 = 0x40
    private static let start: UInt8 = 0x20

    /// More than a chain of certificates takes, and no more than a peer may make one keep.
    private static let longestMessage = 65_536
}

/// What both halves of EAP-TLS share: a connection, and its messages in fragments.
struct TLSExchange: ~Copyable {
    var connection: TLSConnection
    var fragments: TLSFragments
    private(set) var isFinished = false

    init(connection: consuming TLSConnection, fragmentByteCount: Int) {
        self.connection = connection
        fragments = TLSFragments(fragmentByteCount: fragmentByteCount)
    }

    /// Takes a step of the handshake; what it has to say is ready to be sent.
    mutating func handshake(
        _ message: [UInt8],
        sealing octet: UInt8? = nil,
        _ cryptography: borrowing Cryptography,
        _ stream: inout KeyMaterialStream
    ) -> TLSConnection.Progress {
        var output = ByteWriter()
        let randomness = cryptography.secret(count: 32, from: &stream)
        var progress = connection.handshake(message.rawSpan, randomness: randomness, into: &output)
        if progress == .finished {
            isFinished = true
            if let octet, connection.isTLS13 {
                let randomness = cryptography.secret(count: 32, from: &stream)
                let isSealed = connection.seal(octet, randomness: randomness, into: &output)
                if !isSealed { progress = .failed(.libraryFailed) }
            }
        }
        fragments.send(output.bytes)
        return progress
    }

    /// The MSK (RFC 5216 section 2.3, RFC 9190 section 2.3); empty when there is no connection to export it from.
    borrowing func msk() -> SecretBytes {
        do throws(CryptoError) {
            return connection.isTLS13
                ? try connection.exportKey(
                    label: "EXPORTER_EAP_TLS_Key_Material",
                    context: [EAPType.tls.rawValue]
                )
                : try connection.exportKey(label: "client EAP encryption", context: nil)
        } catch {
            return SecretBytes()
        }
    }

    /// The octet by which a server says that it will send no more handshake messages (RFC 9190 section 2.5).
    static let commitment: UInt8 = 0
}
