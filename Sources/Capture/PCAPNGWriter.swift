package import Primitives

/// Writes a pcapng capture of datagrams, block by block, into a buffer that the caller saves.
///
/// The file has one section and one interface of raw IP packets with timestamps in nanoseconds
/// (draft-ietf-opsawg-pcapng sections 4.1 to 4.3). Its bytes depend on nothing but what is written.
package struct PCAPNGWriter: Sendable {
    /// The wall time of the run's start, in nanoseconds since 1970.
    package var epochNanoseconds: UInt64

    /// Appends what stands at the head of a file.
    package init(epochNanoseconds: UInt64, application: String, into writer: inout ByteWriter) {
        self.epochNanoseconds = epochNanoseconds
        Self.writeBlock(.sectionHeader, into: &writer) { writer in
            writer.writeInteger(PCAPNG.byteOrderMagic)
            writer.writeInteger(1 as UInt16)
            writer.writeInteger(0 as UInt16)
            // How long the section is, is not said: nobody skips it.
            writer.writeInteger(UInt64.max)
            Self.writeOption(.application, application, into: &writer)
            Self.writeEndOfOptions(into: &writer)
        }
        Self.writeBlock(.interfaceDescription, into: &writer) { writer in
            writer.writeInteger(PCAPNG.rawIPLinkType)
            writer.writeInteger(0 as UInt16)
            writer.writeInteger(0 as UInt32)
            writer.writeInteger(PCAPNG.Option.timestampResolution.rawValue)
            writer.writeInteger(1 as UInt16)
            writer.writeInteger(9 as UInt8)
            writer.appendZeros(3)
            Self.writeEndOfOptions(into: &writer)
        }
    }

    /// Appends one datagram, with what there is to say about it, such as that the path lost it.
    package func write(
        _ datagram: RawSpan,
        from source: UDPEndpoint,
        to destination: UDPEndpoint,
        at instant: Instant,
        comment: String? = nil,
        into writer: inout ByteWriter
    ) {
        let timestamp = epochNanoseconds + instant.nanoseconds
        let packet = UDPPacket(
            source: source,
            destination: destination,
            datagram: datagram,
            isESP: source.port == 0 && destination.port == 0
        )
        let start = Self.begin(.enhancedPacket, into: &writer)
        writer.writeInteger(0 as UInt32)
        writer.writeInteger(timestamp)
        writer.writeInteger(UInt32(packet.byteCount))
        writer.writeInteger(UInt32(packet.byteCount))
        packet.encode(into: &writer)
        Self.pad(packet.byteCount, into: &writer)
        if let comment {
            Self.writeOption(.comment, comment, into: &writer)
            Self.writeEndOfOptions(into: &writer)
        }
        Self.end(start, into: &writer)
    }
}

extension PCAPNGWriter {
    private static func writeBlock(
        _ type: PCAPNG.Block,
        into writer: inout ByteWriter,
        _ body: (inout ByteWriter) -> Void
    ) {
        let start = begin(type, into: &writer)
        body(&writer)
        end(start, into: &writer)
    }

    private static func begin(_ type: PCAPNG.Block, into writer: inout ByteWriter) -> Int {
        let start = writer.count
        writer.writeInteger(type.rawValue)
        writer.writeInteger(0 as UInt32)
        return start
    }

    /// Fills in the block's length, which stands at both of its ends.
    private static func end(_ start: Int, into writer: inout ByteWriter) {
        let byteCount = UInt32(writer.count - start + 4)
        writer.patch(byteCount, at: start + 4)
        writer.writeInteger(byteCount)
    }

    private static func writeOption(_ option: PCAPNG.Option, _ text: String, into writer: inout ByteWriter) {
        writer.writeInteger(option.rawValue)
        writer.writeInteger(UInt16(text.utf8.count))
        writer.write(utf8: text)
        pad(text.utf8.count, into: &writer)
    }

    private static func writeEndOfOptions(into writer: inout ByteWriter) { writer.writeInteger(0 as UInt32) }

    /// Fills up to a whole number of 32-bit words.
    private static func pad(_ byteCount: Int, into writer: inout ByteWriter) {
        writer.appendZeros((4 - byteCount % 4) % 4)
    }
}

/// Numbers of the pcapng format.
enum PCAPNG {
    static let byteOrderMagic: UInt32 = 0x1A2B_3C4D
    static let rawIPLinkType: UInt16 = 101

    enum Block: UInt32 {
        case interfaceDescription = 1
        case enhancedPacket = 6
        case sectionHeader = 0x0A0D_0D0A
    }

    enum Option: UInt16 {
        case end = 0
        case comment = 1
        case application = 4
        case timestampResolution = 9
    }
}
