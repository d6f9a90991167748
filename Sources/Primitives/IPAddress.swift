/// An IPv4 or IPv6 address in 128 bits; IPv4 is held as ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2).
public struct IPAddress: Hashable, Comparable, Sendable, BitwiseCopyable {
    public let high: UInt64
    public let low: UInt64

    @inlinable
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    @inlinable
    public init(v4: UInt32) {
        self.init(high: 0, low: 0xFFFF_0000_0000 | UInt64(v4))
    }

    /// :: of IPv6.
    @inlinable public static var unspecified: IPAddress { IPAddress(high: 0, low: 0) }

    @inlinable public var isIPv4: Bool { high == 0 && low >> 32 == 0xFFFF }

    /// The 32 bits of an IPv4 address.
    @inlinable public var v4: UInt32 {
        precondition(isIPv4, "only an IPv4 address has 32 bits")
        return UInt32(truncatingIfNeeded: low)
    }

    /// How many octets the address has on the wire: 4 or 16.
    @inlinable public var byteCount: Int { isIPv4 ? 4 : 16 }

    /// The octet at an offset from the front of the address as it is on the wire.
    @inlinable
    public func byte(at offset: Int) -> UInt8 {
        precondition(offset >= 0 && offset < byteCount, "the offset is inside the address")
        let place = isIPv4 ? offset + 12 : offset
        let half = place < 8 ? high : low
        return UInt8(truncatingIfNeeded: half >> (56 - 8 * UInt64(place & 7)))
    }

    /// Writes the octets as they are on the wire: 4 or 16 of them.
    public func write(into writer: inout ByteWriter) {
        if isIPv4 {
            writer.writeInteger(v4)
        } else {
            writer.writeInteger(high)
            writer.writeInteger(low)
        }
    }

    @inlinable
    public static func < (left: IPAddress, right: IPAddress) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}

extension IPAddress: LosslessStringConvertible {
    /// Reads dotted decimal or the forms of RFC 4291 section 2.2; no zone, no leading zeros in IPv4.
    public init?(_ text: String) {
        let octets = Array(text.utf8)
        if octets.contains(UInt8(ascii: ":")) {
            guard let address = Self.parseIPv6(octets) else { return nil }
            self = address
        } else {
            guard let v4 = Self.parseIPv4(octets[...]) else { return nil }
            self.init(v4: v4)
        }
    }

    /// RFC 5952 for IPv6: lower case, the longest run of two or more zero groups left out, the first of equal ones.
    public var description: String {
        if isIPv4 {
            return (0..<4).map { String(byte(at: $0)) }.joined(separator: ".")
        }
        let groups = (0..<8).map { UInt16(byte(at: 2 * $0)) << 8 | UInt16(byte(at: 2 * $0 + 1)) }
        var longest = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8 && groups[end] == 0 { end += 1 }
            if end - start > longest.count && end - start > 1 { longest = start..<end }
            start = max(end, start + 1)
        }
        func text(_ groups: ArraySlice<UInt16>) -> String {
            groups.map { String($0, radix: 16) }.joined(separator: ":")
        }
        if longest.isEmpty { return text(groups[...]) }
        return text(groups[..<longest.lowerBound]) + "::" + text(groups[longest.upperBound...])
    }

    private static func parseIPv4(_ text: ArraySlice<UInt8>) -> UInt32? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var address: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.count), part.count == 1 || part.first != UInt8(ascii: "0") else { return nil }
            var value: UInt32 = 0
            for character in part {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(character) else { return nil }
                value = value * 10 + UInt32(character - UInt8(ascii: "0"))
            }
            guard value <= 255 else { return nil }
            address = address << 8 | value
        }
        return address
    }

    private static func parseIPv6(_ text: [UInt8]) -> IPAddress? {
        var groups: [UInt16] = []
        var gap: Int?
        var rest = text[...]
        if rest.starts(with: "::".utf8) {
            gap = 0
            rest = rest.dropFirst(2)
        }
        while !rest.isEmpty {
            let part = rest.prefix { $0 != UInt8(ascii: ":") }
            if part.contains(UInt8(ascii: ".")) {
                guard part.count == rest.count, let v4 = parseIPv4(part) else { return nil }
                groups += [UInt16(truncatingIfNeeded: v4 >> 16), UInt16(truncatingIfNeeded: v4)]
                break
            }
            guard let group = parseGroup(part) else { return nil }
            groups.append(group)
            rest = rest.dropFirst(part.count)
            if rest.isEmpty { break }
            if rest.starts(with: "::".utf8) {
                guard gap == nil else { return nil }
                gap = groups.count
                rest = rest.dropFirst(2)
            } else {
                rest = rest.dropFirst()
                guard !rest.isEmpty else { return nil }
            }
        }
        if let gap {
            guard groups.count < 8 else { return nil }
            groups.insert(contentsOf: repeatElement(0, count: 8 - groups.count), at: gap)
        }
        guard groups.count == 8 else { return nil }
        func half(_ groups: ArraySlice<UInt16>) -> UInt64 { groups.reduce(0) { $0 << 16 | UInt64($1) } }
        return IPAddress(high: half(groups[..<4]), low: half(groups[4...]))
    }

    private static func parseGroup(_ digits: ArraySlice<UInt8>) -> UInt16? {
        guard (1...4).contains(digits.count) else { return nil }
        var value: UInt16 = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt16(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt16(digit - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | UInt16(digit - UInt8(ascii: "A") + 10)
            default: return nil
            }
        }
        return value
    }
}
