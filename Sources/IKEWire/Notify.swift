public import Primitives

/// An error, or news about the exchange (RFC 7296 section 3.10).
public struct Notify: ~Escapable {
    /// What the SPI belongs to; none if there is no SPI.
    public let protocolID: ProtocolID
    public let spi: RawSpan
    public let type: NotifyType
    public let data: RawSpan

    @inlinable @_lifetime(copy body)
    public init(_ body: RawSpan) throws(DecodeError) {
        var reader = ByteReader(body)
        protocolID = ProtocolID(rawValue: try reader.readInteger())
        let spiByteCount = Int(try reader.readInteger(as: UInt8.self))
        type = NotifyType(rawValue: try reader.readInteger())
        spi = try reader.read(spiByteCount)
        data = reader.readRest()
    }

    /// The Child SA that the notify is about, or nil if its SPI has another length.
    @inlinable
    public var childSPI: ChildSPI? {
        guard spi.byteCount == ChildSPI.byteCount else { return nil }
        var reader = ByteReader(spi)
        return (try? reader.readInteger()).map(ChildSPI.init(rawValue:))
    }

    /// The data as one integer, such as the key exchange that INVALID_KE_PAYLOAD asks for, or nil if it has another
    /// length.
    @inlinable
    public func integer<Integer: FixedWidthInteger & BitwiseCopyable>(as type: Integer.Type) -> Integer? {
        guard data.byteCount == MemoryLayout<Integer>.size else { return nil }
        var reader = ByteReader(data)
        return try? reader.readInteger()
    }
}
