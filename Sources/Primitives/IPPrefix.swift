/// A block of addresses: those that share their first `length` bits.
public struct IPPrefix: Hashable, Sendable, BitwiseCopyable {
    /// The block's first address.
    public let address: IPAddress
    /// In bits of the address's own family: up to 32 or 128.
    public let length: Int

    /// Clears what stands behind the prefix.
    public init(address: IPAddress, length: Int) {
        precondition(length >= 0 && length <= address.byteCount * 8, "a prefix is not longer than its address")
        let mask = Self.mask(address.isIPv4 ? length + 96 : length)
        self.address = IPAddress(high: address.high & mask.high, low: address.low & mask.low)
        self.length = length
    }

    public func contains(_ other: IPAddress) -> Bool {
        guard other.isIPv4 == address.isIPv4 else { return false }
        let mask = Self.mask(address.isIPv4 ? length + 96 : length)
        return other.high & mask.high == address.high && other.low & mask.low == address.low
    }

    public func contains(_ other: IPPrefix) -> Bool { contains(other.address) && other.length >= length }

    /// How many addresses there are, or `UInt64.max` where there are more than that.
    public var count: UInt64 {
        let hostBits = address.byteCount * 8 - length
        return hostBits < 64 ? 1 << UInt64(hostBits) : .max
    }

    /// How many addresses a gateway leases of the block: of four or more all but the first and the last, as strongSwan
    /// does, since hosts may take those for the network and for broadcast.
    public var leasableCount: UInt64 { count >= 4 ? count - 2 : count }

    /// The n-th address of the block, counted from its first.
    public subscript(index: UInt64) -> IPAddress {
        precondition(index < count, "the index is inside the prefix")
        return IPAddress(high: address.high, low: address.low | index)
    }

    private static func mask(_ length: Int) -> (high: UInt64, low: UInt64) {
        // Swift's shift by 64 or more gives 0, so a length of 0 needs no case of its own.
        (~UInt64.zero << (64 - min(length, 64)), ~UInt64.zero << (128 - max(length, 64)))
    }
}

extension IPPrefix: LosslessStringConvertible {
    /// Reads `10.0.0.0/8`, or an address alone; refuses bits behind the prefix, which are more often a slip than meant.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let address = IPAddress(String(parts[0])) else { return nil }
        var length = address.byteCount * 8
        if parts.count == 2 {
            guard parts[1].utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
                let written = Int(parts[1]), written <= length
            else { return nil }
            length = written
        }
        self.init(address: address, length: length)
        guard self.address == address else { return nil }
    }

    public var description: String { "\(address)/\(length)" }
}
