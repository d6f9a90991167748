/// The sequence number of an ESP packet, all 64 bits of it; without ESN the upper half is 0 (RFC 4303 section 2.2).
package struct SequenceNumber: RawRepresentable, Hashable, Comparable, Sendable, BitwiseCopyable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }

    /// What a counter begins with: the first packet has 1.
    package static let zero = Self(rawValue: 0)

    /// The last one, behind which an SA has ended (RFC 4303 section 3.3.3).
    package static func last(usesESN: Bool) -> Self {
        Self(rawValue: usesESN ? .max : UInt64(UInt32.max))
    }

    /// What a packet carries.
    package var low: UInt32 { UInt32(truncatingIfNeeded: rawValue) }

    /// What both ends keep.
    package var high: UInt32 { UInt32(truncatingIfNeeded: rawValue &>> 32) }

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}
