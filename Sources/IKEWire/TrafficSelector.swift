public import Primitives

/// A range of addresses and ports of one protocol (RFC 7296 section 3.13.1).
///
/// ICMP's type and code stand where ports do; OPAQUE ports are a start of 65535 and an end of 0.
public struct TrafficSelector: Hashable, Sendable, BitwiseCopyable {
    /// Says how long the addresses are, which an IPv4-mapped IPv6 address itself cannot.
    public var type: TrafficSelectorType
    /// An IP protocol's number, or 0 for any.
    public var ipProtocol: UInt8
    public var startPort: UInt16
    public var endPort: UInt16
    public var startAddress: IPAddress
    public var endAddress: IPAddress

    /// Everything between two addresses of one family, or the named part of it.
    @inlinable
    public init(
        from startAddress: IPAddress,
        through endAddress: IPAddress,
        ipProtocol: UInt8 = 0,
        ports: ClosedRange<UInt16> = 0...65535
    ) {
        precondition(startAddress.isIPv4 == endAddress.isIPv4, "both ends of a range are of one family")
        self.init(
            type: startAddress.isIPv4 ? .ipv4AddressRange : .ipv6AddressRange,
            ipProtocol: ipProtocol,
            startPort: ports.lowerBound,
            endPort: ports.upperBound,
            startAddress: startAddress,
            endAddress: endAddress
        )
    }

    /// All traffic of a block of addresses.
    public init(_ prefix: IPPrefix) {
        let hostBits = UInt64(prefix.address.byteCount * 8 - prefix.length)
        let last = IPAddress(
            high: prefix.address.high | (hostBits > 64 ? UInt64.max >> (128 - hostBits) : 0),
            low: prefix.address.low | (hostBits == 0 ? 0 : UInt64.max >> (64 - min(hostBits, 64)))
        )
        self.init(from: prefix.address, through: last)
    }

    /// A selector exactly as a peer may send it.
    @inlinable
    public init(
        type: TrafficSelectorType,
        ipProtocol: UInt8,
        startPort: UInt16,
        endPort: UInt16,
        startAddress: IPAddress,
        endAddress: IPAddress
    ) {
        self.type = type
        self.ipProtocol = ipProtocol
        self.startPort = startPort
        self.endPort = endPort
        self.startAddress = startAddress
        self.endAddress = endAddress
    }

    /// How many octets the selector takes on the wire.
    @inlinable
    public var byteCount: Int { type == .ipv4AddressRange ? 16 : 40 }
}

/// A traffic selector over the bytes that hold it.
public struct RawTrafficSelector: ~Escapable {
    public let type: TrafficSelectorType
    /// The second octet: the IP protocol in the types that this implementation knows.
    public let ipProtocol: UInt8
    /// What stands behind the length.
    public let content: RawSpan
    /// The selector, or nil if its type is unknown; such a one is passed over (RFC 7296 section 2.9).
    public let value: TrafficSelector?

    @inlinable @_lifetime(copy content)
    init(type: TrafficSelectorType, ipProtocol: UInt8, content: RawSpan) throws(DecodeError) {
        self.type = type
        self.ipProtocol = ipProtocol
        self.content = content
        let addressByteCount: Int
        switch type {
        case .ipv4AddressRange: addressByteCount = 4
        case .ipv6AddressRange: addressByteCount = 16
        default:
            value = nil
            return
        }
        guard content.byteCount == 4 + 2 * addressByteCount else { throw .malformed(.trafficSelectorLength) }
        var reader = ByteReader(content)
        let startPort = try reader.readInteger(as: UInt16.self)
        let endPort = try reader.readInteger(as: UInt16.self)
        value = TrafficSelector(
            type: type,
            ipProtocol: ipProtocol,
            startPort: startPort,
            endPort: endPort,
            startAddress: try Self.readAddress(from: &reader, byteCount: addressByteCount),
            endAddress: try Self.readAddress(from: &reader, byteCount: addressByteCount)
        )
    }

    @inlinable @_lifetime(reader: copy reader)
    static func readAddress(from reader: inout ByteReader, byteCount: Int) throws(DecodeError) -> IPAddress {
        guard byteCount == 16 else { return IPAddress(v4: try reader.readInteger()) }
        let high = try reader.readInteger(as: UInt64.self)
        return IPAddress(high: high, low: try reader.readInteger())
    }

    @usableFromInline static var headerByteCount: Int { 4 }
}

/// The traffic that one end of a Child SA sends or takes: TSi or TSr (RFC 7296 section 3.13).
public struct TrafficSelectors: ~Escapable {
    /// How many selectors there should be.
    public let count: Int
    @usableFromInline var remainingCount: Int
    @usableFromInline var reader: ByteReader

    @inlinable @_lifetime(copy body)
    public init(_ body: RawSpan) throws(DecodeError) {
        reader = ByteReader(body)
        count = Int(try reader.readInteger(as: UInt8.self))
        remainingCount = count
        try reader.skip(3)
    }

    /// The next selector, or nil behind the last one.
    @inlinable @_lifetime(copy self) @_lifetime(self: copy self)
    public mutating func next() throws(DecodeError) -> RawTrafficSelector? {
        guard !reader.isAtEnd else {
            guard remainingCount == 0 else { throw .malformed(.trafficSelectorCountMismatch) }
            return nil
        }
        guard remainingCount > 0 else { throw .malformed(.trafficSelectorCountMismatch) }
        remainingCount -= 1
        let type = TrafficSelectorType(rawValue: try reader.readInteger())
        let ipProtocol = try reader.readInteger(as: UInt8.self)
        let length = Int(try reader.readInteger(as: UInt16.self))
        guard length >= RawTrafficSelector.headerByteCount else { throw .malformed(.trafficSelectorLength) }
        let content = try reader.read(length - RawTrafficSelector.headerByteCount)
        return try RawTrafficSelector(type: type, ipProtocol: ipProtocol, content: content)
    }
}
