public import Primitives

/// Appends one message to a buffer: the header, then payload by payload, each length filled in when it is known.
///
/// The encoder takes the writer's buffer for as long as it lives and gives it back in `finish`, so that nothing is
/// copied; nothing is allocated either while the buffer's capacity suffices.
///
///     var encoder = MessageEncoder(header, into: &writer)
///     encoder.keyExchange(.curve25519, publicValue)
///     encoder.nonce(nonce)
///     encoder.finish(into: &writer)
public struct MessageEncoder: ~Copyable {
    @usableFromInline var writer: ByteWriter
    @usableFromInline let messageStart: Int

    /// Where the type of the next payload is to be written, or nil in front of a chain without a header.
    @usableFromInline var nextTypeOffset: Int?

    /// The type of the first payload.
    public private(set) var firstType: PayloadType = .none

    @usableFromInline var payloadStart: Int?
    @usableFromInline var proposalStart = 0
    @usableFromInline var encryptedStart: Int?
    @usableFromInline var encryptedContentStart = 0
    @usableFromInline var ivByteCount = 0
    @usableFromInline let hasHeader: Bool

    /// Padding beyond what blocks need, which a receiver must accept (RFC 7296 section 3.14); it goes in front of the
    /// pad length.
    public var extraPadding = 0

    /// Starts a message behind what the writer already holds.
    public init(_ header: Header, into writer: inout ByteWriter) {
        self.writer = ByteWriter()
        messageStart = writer.count
        nextTypeOffset = writer.count + Header.nextPayloadOffset
        hasHeader = true
        swap(&self.writer, &writer)
        var header = header
        header.nextPayload = .none
        header.encode(into: &self.writer)
    }

    /// Starts payloads without a header, as they stand inside an Encrypted payload that is sent in fragments
    /// (RFC 7383 section 2.5).
    public init(payloadsInto writer: inout ByteWriter) {
        self.writer = ByteWriter()
        messageStart = writer.count
        nextTypeOffset = nil
        hasHeader = false
        swap(&self.writer, &writer)
    }

    /// Fills in the message's length and gives the buffer back.
    public consuming func finish(into writer: inout ByteWriter) {
        precondition(payloadStart == nil && encryptedStart == nil, "a message is finished behind its last payload")
        if hasHeader {
            self.writer.patch(UInt32(self.writer.count - messageStart), at: messageStart + Header.lengthOffset)
        }
        swap(&self.writer, &writer)
    }

    /// How many octets the message has so far.
    public var byteCount: Int { writer.count - messageStart }
}

extension MessageEncoder {
    /// Starts a payload, whose body follows through `append` until `end`.
    public mutating func begin(_ type: PayloadType, isCritical: Bool = false) {
        precondition(payloadStart == nil, "a payload ends before the next one begins")
        payloadStart = writer.count
        appendGenericHeader(type, isCritical: isCritical)
    }

    /// Ends the payload that `begin` started.
    public mutating func end() {
        guard let start = payloadStart else { preconditionFailure("only a payload that has begun ends") }
        patchPayloadLength(from: start)
        payloadStart = nil
    }

    public mutating func append<Integer: FixedWidthInteger & BitwiseCopyable>(_ value: Integer) {
        writer.writeInteger(value)
    }

    public mutating func append(_ bytes: RawSpan) { writer.write(bytes) }
    public mutating func append(_ bytes: [UInt8]) { writer.write(bytes) }
    public mutating func appendZeros(_ byteCount: Int) { writer.appendZeros(byteCount) }

    private mutating func appendGenericHeader(_ type: PayloadType, isCritical: Bool) {
        if let offset = nextTypeOffset {
            writer.patch(type.rawValue, at: offset)
        }
        if firstType == .none { firstType = type }
        nextTypeOffset = writer.count
        // The next payload's type, the critical bit, and the length: the first and the last are filled in later.
        writer.writeInteger(isCritical ? 0x0080_0000 : 0 as UInt32)
    }

    private mutating func patchPayloadLength(from start: Int) {
        let length = writer.count - start
        precondition(length <= Int(UInt16.max), "a payload's length fits its 16 bits")
        writer.patch(UInt16(length), at: start + 2)
    }
}

/// Where the parts of an Encrypted payload stand in the writer's buffer, to be encrypted in place.
public struct EncryptedRegion: Hashable, Sendable, BitwiseCopyable {
    /// The first octet of the message, where the authenticated data begins.
    public let messageStart: Int
    /// Room for the initialization vector; in front of it the associated data of an AEAD ends (RFC 5282 section 5.1).
    public let ivStart: Int
    /// The payloads, padding and pad length, in the clear until the caller encrypts them.
    public let plaintextStart: Int
    /// Room for the checksum; in front of it ends what an integrity algorithm of its own covers.
    public let icvStart: Int
    public let end: Int

    @inlinable public var associatedData: Range<Int> { messageStart..<ivStart }
    @inlinable public var iv: Range<Int> { ivStart..<plaintextStart }
    @inlinable public var plaintext: Range<Int> { plaintextStart..<icvStart }
    @inlinable public var icv: Range<Int> { icvStart..<end }
}

extension MessageEncoder {
    /// Starts the Encrypted payload; the payloads that follow are inside it until `endEncrypted`.
    public mutating func beginEncrypted(ivByteCount: Int, isCritical: Bool = false) {
        precondition(encryptedStart == nil && payloadStart == nil, "there is one Encrypted payload, behind others")
        encryptedStart = writer.count
        appendGenericHeader(.encrypted, isCritical: isCritical)
        appendVectorRoom(ivByteCount)
    }

    /// Starts an Encrypted Fragment, whose part of the payloads follows through `append` until `endEncrypted`.
    ///
    /// The first fragment names the first payload's type, the others say none (RFC 7383 section 2.5).
    public mutating func beginEncryptedFragment(
        number: UInt16,
        of total: UInt16,
        firstType: PayloadType,
        ivByteCount: Int
    ) {
        precondition(encryptedStart == nil && payloadStart == nil, "a message holds one fragment, behind others")
        precondition(number >= 1 && number <= total, "fragments are numbered from 1 up to the total")
        let start = writer.count
        encryptedStart = start
        appendGenericHeader(.encryptedFragment, isCritical: false)
        writer.patch((number == 1 ? firstType : .none).rawValue, at: start)
        writer.writeInteger(number)
        writer.writeInteger(total)
        appendVectorRoom(ivByteCount)
    }

    /// Pads to whole blocks, leaves room for the checksum, fills in all lengths and says what stands where.
    ///
    /// The padding is as short as `blockByteCount` and `extraPadding` permit; AEADs need none, so that only the pad
    /// length is added (RFC 5282 section 3).
    public mutating func endEncrypted(blockByteCount: Int = 1, icvByteCount: Int) -> EncryptedRegion {
        guard let start = encryptedStart else { preconditionFailure("only an Encrypted payload that has begun ends") }
        precondition(payloadStart == nil, "the last payload inside has ended")
        let plaintextByteCount = writer.count - encryptedContentStart - ivByteCount
        let remainder = (plaintextByteCount + extraPadding + 1) % blockByteCount
        let paddingByteCount = extraPadding + (remainder == 0 ? 0 : blockByteCount - remainder)
        writer.appendZeros(paddingByteCount)
        writer.writeInteger(UInt8(paddingByteCount))
        let icvStart = writer.count
        writer.appendZeros(icvByteCount)
        patchPayloadLength(from: start)
        writer.patch(UInt32(writer.count - messageStart), at: messageStart + Header.lengthOffset)
        encryptedStart = nil
        return EncryptedRegion(
            messageStart: messageStart,
            ivStart: encryptedContentStart,
            plaintextStart: encryptedContentStart + ivByteCount,
            icvStart: icvStart,
            end: writer.count
        )
    }

    /// Appends an Encrypted payload or fragment whose content is already encrypted.
    mutating func encodedEncrypted(
        _ type: PayloadType,
        isCritical: Bool,
        firstType: PayloadType,
        _ body: (inout ByteWriter) -> Void
    ) {
        let start = writer.count
        appendGenericHeader(type, isCritical: isCritical)
        writer.patch(firstType.rawValue, at: start)
        body(&writer)
        patchPayloadLength(from: start)
    }

    private mutating func appendVectorRoom(_ byteCount: Int) {
        encryptedContentStart = writer.count
        ivByteCount = byteCount
        writer.appendZeros(byteCount)
    }
}
