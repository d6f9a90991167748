/// Names an IKE SA at one of its two ends; 0 stands for an end that has not chosen yet (RFC 7296 section 3.1).
public struct IKESPI: RawRepresentable, Hashable, Sendable, BitwiseCopyable, CustomStringConvertible {
    public let rawValue: UInt64

    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    @inlinable public static var zero: Self { Self(rawValue: 0) }

    public static let byteCount = 8

    public var description: String { hexadecimal(rawValue, digits: 16) }
}

/// Names a Child SA at the end that receives on it (RFC 7296 section 3.3.1).
public struct ChildSPI: RawRepresentable, Hashable, Sendable, BitwiseCopyable, CustomStringConvertible {
    public let rawValue: UInt32

    @inlinable
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The smallest SPI that is not reserved (RFC 4303 section 2.1).
    @inlinable public static var first: Self { Self(rawValue: 256) }

    public static let byteCount = 4

    public var description: String { hexadecimal(UInt64(rawValue), digits: 8) }
}

/// Pairs a request with its response, and tells a repeated one (RFC 7296 section 2.2).
public struct MessageID: RawRepresentable, Hashable, Comparable, Sendable, BitwiseCopyable, CustomStringConvertible {
    public let rawValue: UInt32

    @inlinable
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    @inlinable public static var zero: Self { Self(rawValue: 0) }

    /// The ID behind this one; an IKE SA must be closed or rekeyed before its IDs run out.
    @inlinable
    public var next: Self {
        precondition(rawValue != .max, "an IKE SA is rekeyed before its message IDs run out")
        return Self(rawValue: rawValue + 1)
    }

    @inlinable
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    public var description: String { String(rawValue) }
}

private func hexadecimal(_ value: UInt64, digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: digits - text.count) + text
}
