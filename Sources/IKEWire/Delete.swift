public import Primitives

/// SAs that the sender has deleted (RFC 7296 section 3.11).
public struct Delete: ~Escapable {
    public let protocolID: ProtocolID
    /// How many SPIs follow: none for the IKE SA, which the header names.
    public let count: Int
    @usableFromInline let spiByteCount: Int
    public let spis: RawSpan

    @inlinable @_lifetime(copy body)
    public init(_ body: RawSpan) throws(DecodeError) {
        var reader = ByteReader(body)
        protocolID = ProtocolID(rawValue: try reader.readInteger())
        spiByteCount = Int(try reader.readInteger(as: UInt8.self))
        count = Int(try reader.readInteger(as: UInt16.self))
        switch protocolID {
        case .ike: guard spiByteCount == 0, count == 0 else { throw .malformed(.spiLength) }
        case .ah, .esp: guard spiByteCount == ChildSPI.byteCount else { throw .malformed(.spiLength) }
        default: break
        }
        spis = reader.readRest()
        guard spis.byteCount == count * spiByteCount else { throw .malformed(.spiCountMismatch) }
    }

    /// The SPI at an index, of a Delete for ESP or AH.
    @inlinable
    public func childSPI(at index: Int) -> ChildSPI {
        precondition(spiByteCount == ChildSPI.byteCount, "only a Delete for ESP or AH holds Child SPIs")
        var value: UInt32 = 0
        for offset in 0..<4 { value = value << 8 | UInt32(spis[index * 4 + offset]) }
        return ChildSPI(rawValue: value)
    }
}
