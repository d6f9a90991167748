package import Primitives

/// Some ports of one outer address of a shared NAT, which one subscriber has for itself (RFC 7422).
package struct PortBlock: Hashable, Sendable, BitwiseCopyable {
    package var address: IPAddress
    package var firstPort: UInt16
    package var count: UInt16

    package init(address: IPAddress, firstPort: UInt16, count: UInt16) {
        precondition(count > 0 && UInt32(firstPort) + UInt32(count) <= 65_536, "a block's ports are ports")
        self.address = address
        self.firstPort = firstPort
        self.count = count
    }

    func contains(_ port: UInt16) -> Bool { port >= firstPort && port - firstPort < count }
}

/// All blocks of a shared NAT (RFC 6888): who comes first is served first, and when none is left nobody is.
///
/// Blocks that nobody has had yet go first, then the one that was given back longest ago, so that what is still on its
/// way to an earlier subscriber meets nobody.
package struct PortBlocks: Sendable {
    private let addresses: [IPPrefix]
    private let portsPerBlock: Int
    /// How many blocks there are.
    package let capacity: Int
    private var fresh = 0
    private var returned: [Int] = []
    private var firstReturned = 0

    package init(addresses: [IPPrefix], portsPerBlock: Int) {
        precondition(Self.blocksPerAddress(portsPerBlock) > 0, "an address has room for a block")
        self.addresses = addresses
        self.portsPerBlock = portsPerBlock
        capacity = Self.capacity(of: addresses, portsPerBlock: portsPerBlock)
    }

    /// How many subscribers some addresses have room for.
    package static func capacity(of addresses: [IPPrefix], portsPerBlock: Int) -> Int {
        let count = addresses.reduce(UInt64(0)) { $0.addingReportingOverflow(min($1.count, 1 << 32)).partialValue }
        return Int(clamping: count) * blocksPerAddress(portsPerBlock)
    }

    private static func blocksPerAddress(_ portsPerBlock: Int) -> Int { (65_536 - firstPort) / portsPerBlock }

    /// A NAT hands out no well-known port (RFC 4787 section 4.2.2).
    private static var firstPort: Int { 1_024 }

    package var usedCount: Int { fresh - (returned.count - firstReturned) }

    /// The next block, or nil when all are taken.
    package mutating func take() -> PortBlock? {
        let number: Int
        if fresh < capacity {
            number = fresh
            fresh += 1
        } else if firstReturned < returned.count {
            number = returned[firstReturned]
            firstReturned += 1
            if firstReturned == returned.count {
                returned.removeAll(keepingCapacity: true)
                firstReturned = 0
            }
        } else {
            return nil
        }
        return block(number)
    }

    package mutating func giveBack(_ block: PortBlock) {
        let slot = (Int(block.firstPort) - Self.firstPort) / portsPerBlock
        var before = UInt64(0)
        for prefix in addresses {
            if prefix.contains(block.address) {
                let place = before + prefix.place(of: block.address)
                returned.append(slot * addressCount + Int(place))
                return
            }
            before += prefix.count
        }
        preconditionFailure("a block that is given back was taken here")
    }

    private var addressCount: Int { capacity / Self.blocksPerAddress(portsPerBlock) }

    /// Blocks go round the addresses, so that these are used alike.
    private func block(_ number: Int) -> PortBlock {
        var place = UInt64(number % addressCount)
        for prefix in addresses {
            if place < prefix.count {
                return PortBlock(
                    address: prefix[place],
                    firstPort: UInt16(Self.firstPort + number / addressCount * portsPerBlock),
                    count: UInt16(portsPerBlock)
                )
            }
            place -= prefix.count
        }
        preconditionFailure("the place is below the number of addresses")
    }
}

extension IPPrefix {
    /// Which of its addresses this is.
    fileprivate func place(of other: IPAddress) -> UInt64 { other.low &- address.low }
}
