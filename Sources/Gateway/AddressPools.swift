import IKEv2
import Primitives

/// A gateway's inner addresses of both families.
struct AddressPools: Sendable {
    /// Which addresses of the pools one client has; by their places, since a gateway has one of these for each client.
    struct Lease: Hashable, Sendable, BitwiseCopyable {
        var ipv4 = Self.none
        var ipv6 = Self.none

        static var none: UInt32 { .max }
    }

    private var ipv4: AddressPool
    private var ipv6: AddressPool
    /// How often a family that the pools have was asked for in vain.
    private(set) var refusedCount: UInt64 = 0

    init(_ prefixes: [IPPrefix]) {
        ipv4 = AddressPool(prefixes, isIPv4: true)
        ipv6 = AddressPool(prefixes, isIPv4: false)
    }

    var usedCount: Int { ipv4.usedCount + ipv6.usedCount }

    /// The addresses of a lease, which grows by those that are wanted, that it does not have, and that are there.
    mutating func extend(_ lease: inout Lease, to wanted: AddressFamilies) -> InnerAddresses {
        if wanted.contains(.ipv4), !Self.take(&lease.ipv4, from: &ipv4) { refusedCount += 1 }
        if wanted.contains(.ipv6), !Self.take(&lease.ipv6, from: &ipv6) { refusedCount += 1 }
        var addresses = InnerAddresses()
        if lease.ipv4 != Lease.none { addresses.insert(ipv4[lease.ipv4]) }
        if lease.ipv6 != Lease.none { addresses.insert(ipv6[lease.ipv6]) }
        return addresses
    }

    /// False where a pool that has addresses has none left.
    private static func take(_ place: inout UInt32, from pool: inout AddressPool) -> Bool {
        guard place == Lease.none, pool.capacity > 0 else { return true }
        guard let free = pool.take() else { return false }
        place = free
        return true
    }

    mutating func release(_ lease: Lease) {
        if lease.ipv4 != Lease.none { ipv4.release(lease.ipv4) }
        if lease.ipv6 != Lease.none { ipv6.release(lease.ipv6) }
    }

    mutating func releaseAll() {
        ipv4.releaseAll()
        ipv6.releaseAll()
    }
}
