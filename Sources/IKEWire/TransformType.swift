/// What a transform chooses (RFC 7296 section 3.3.2).
public struct TransformType: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
    public let rawValue: UInt8

    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    @inlinable public static var encryption: Self { Self(rawValue: 1) }
    @inlinable public static var prf: Self { Self(rawValue: 2) }
    @inlinable public static var integrity: Self { Self(rawValue: 3) }
    @inlinable public static var keyExchange: Self { Self(rawValue: 4) }
    @inlinable public static var extendedSequenceNumbers: Self { Self(rawValue: 5) }
    @inlinable public static var additionalKeyExchange1: Self { Self(rawValue: 6) }
    @inlinable public static var additionalKeyExchange2: Self { Self(rawValue: 7) }
    @inlinable public static var additionalKeyExchange3: Self { Self(rawValue: 8) }
    @inlinable public static var additionalKeyExchange4: Self { Self(rawValue: 9) }
    @inlinable public static var additionalKeyExchange5: Self { Self(rawValue: 10) }
    @inlinable public static var additionalKeyExchange6: Self { Self(rawValue: 11) }
    @inlinable public static var additionalKeyExchange7: Self { Self(rawValue: 12) }

    /// The number of an additional key exchange, from 1 to 7 (RFC 9370 section 2.2.1); nil for any other type.
    @inlinable public var additionalKeyExchange: Int? { (6...12).contains(rawValue) ? Int(rawValue) - 5 : nil }
}

extension TransformType: CustomStringConvertible {
    /// What the RFCs call this value, or nil where they do not.
    public var name: String? {
        switch self {
        case .encryption: "ENCR"
        case .prf: "PRF"
        case .integrity: "INTEG"
        case .keyExchange: "KE"
        case .extendedSequenceNumbers: "ESN"
        case .additionalKeyExchange1: "ADDKE1"
        case .additionalKeyExchange2: "ADDKE2"
        case .additionalKeyExchange3: "ADDKE3"
        case .additionalKeyExchange4: "ADDKE4"
        case .additionalKeyExchange5: "ADDKE5"
        case .additionalKeyExchange6: "ADDKE6"
        case .additionalKeyExchange7: "ADDKE7"
        default: nil
        }
    }

    public var description: String { name ?? "TransformType(\(rawValue))" }
}
