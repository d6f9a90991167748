package import Primitives

/// What the sender of one-way flows asks their other end, through the tunnel: what has come of a flow, and to send
/// packets.
///
/// The other end says nothing by itself. What gets lost is asked for again: a poll names what is known already, and
/// orders that have not been taken stand in the next poll too.
package struct FlowPoll: Hashable, Sendable {
    /// A packet that the other end is to send.
    package struct Order: Hashable, Sendable, BitwiseCopyable {
        /// When it is due, by the other end's clock.
        package var due: UInt64
        /// How long it is, with its inner IP header.
        package var byteCount: UInt16

        package init(due: UInt64, byteCount: UInt16) {
            self.due = due
            self.byteCount = byteCount
        }
    }

    package var flow: UInt32
    /// Since when, by the other end's clock, the arrivals are counted that are known; 0 before its first answer.
    package var since: UInt64
    /// How many of the flow's arrivals are known: those need not be kept any longer.
    package var known: UInt64
    /// When it was sent, by its sender's clock, in nanoseconds.
    package var sentAt: UInt64
    /// The number of the first ordered packet; those behind it follow one by one.
    package var firstOrder: UInt64
    package var orders: [Order]

    package init(
        flow: UInt32,
        since: UInt64 = 0,
        known: UInt64 = 0,
        sentAt: UInt64,
        firstOrder: UInt64 = 1,
        orders: [Order] = []
    ) {
        precondition(orders.count <= Self.mostOrders, "a poll fits a packet")
        self.flow = flow
        self.since = since
        self.known = known
        self.sentAt = sentAt
        self.firstOrder = firstOrder
        self.orders = orders
    }

    package static let mostOrders = 100

    package func write(into writer: inout ByteWriter) {
        writer.writeInteger(Self.magic)
        writer.writeInteger(flow)
        writer.writeInteger(since)
        writer.writeInteger(known)
        writer.writeInteger(sentAt)
        writer.writeInteger(firstOrder)
        writer.writeInteger(UInt16(orders.count))
        for order in orders {
            writer.writeInteger(order.due)
            writer.writeInteger(order.byteCount)
        }
    }

    package init(decoding data: RawSpan) throws(DecodeError) {
        var reader = ByteReader(data)
        guard try reader.readInteger(as: UInt32.self) == Self.magic else { throw .malformed(.unsupportedFormat) }
        flow = try reader.readInteger()
        since = try reader.readInteger()
        known = try reader.readInteger()
        sentAt = try reader.readInteger()
        firstOrder = try reader.readInteger()
        let count = Int(try reader.readInteger(as: UInt16.self))
        guard count <= Self.mostOrders else { throw .malformed(.unsupportedFormat) }
        orders = []
        orders.reserveCapacity(count)
        for _ in 0..<count {
            orders.append(Order(due: try reader.readInteger(), byteCount: try reader.readInteger()))
        }
    }

    /// `IKEQ`.
    private static let magic: UInt32 = 0x494B_4551
}
