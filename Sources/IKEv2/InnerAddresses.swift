package import Primitives

/// The families of which a client wants inner addresses (RFC 7296 section 3.15.1).
package struct AddressFamilies: OptionSet, Hashable, Sendable, BitwiseCopyable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let ipv4 = AddressFamilies(rawValue: 1)
    package static let ipv6 = AddressFamilies(rawValue: 2)

    /// None of them: `[]` goes through the generic initialiser of all sets, which takes 200 ns.
    package static var none: AddressFamilies { AddressFamilies(rawValue: 0) }
}

/// The inner addresses of one client: one of each family at the most.
///
/// Every established IKE SA has these, so that they are packed.
package struct InnerAddresses: Hashable, Sendable, BitwiseCopyable {
    private var high: UInt64 = 0
    private var low: UInt64 = 0
    private var v4: UInt32 = 0
    package private(set) var families = AddressFamilies.none

    package init() {}

    /// - Parameter addresses: of two addresses of one family the later one counts.
    package init(_ addresses: IPAddress...) {
        for address in addresses { insert(address) }
    }

    package var isEmpty: Bool { families.isEmpty }

    package var ipv4: IPAddress? { families.contains(.ipv4) ? IPAddress(v4: v4) : nil }
    package var ipv6: IPAddress? { families.contains(.ipv6) ? IPAddress(high: high, low: low) : nil }

    package mutating func insert(_ address: IPAddress) {
        if address.isIPv4 {
            v4 = address.v4
            families.insert(.ipv4)
        } else {
            (high, low) = (address.high, address.low)
            families.insert(.ipv6)
        }
    }

    /// Those of some families only.
    package func of(_ wanted: AddressFamilies) -> InnerAddresses {
        var some = InnerAddresses()
        if wanted.contains(.ipv4), let ipv4 { some.insert(ipv4) }
        if wanted.contains(.ipv6), let ipv6 { some.insert(ipv6) }
        return some
    }

    /// Visits the IPv4 address first.
    package func forEachAddress(_ body: (IPAddress) -> Void) {
        if let ipv4 { body(ipv4) }
        if let ipv6 { body(ipv6) }
    }
}
