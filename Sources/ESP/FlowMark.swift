package import Primitives

/// What the data of a flow's packet begins with, so that its receiver can tell loss, order, repetition and latency.
package struct FlowMark: Hashable, Sendable, BitwiseCopyable {
    /// Names the flow in its run.
    package var flow: UInt32
    /// Counts the flow's packets.
    package var number: UInt64
    /// When the packet was due, not when it was sent: latency counts from here.
    package var time: Instant

    package init(flow: UInt32, number: UInt64, time: Instant) {
        self.flow = flow
        self.number = number
        self.time = time
    }

    package static let byteCount = 24

    /// Writes the mark at the beginning of a packet's data.
    package func write(into data: inout MutableRawSpan) {
        data.storeBytes(of: Self.magic.bigEndian, toByteOffset: 0, as: UInt32.self)
        data.storeBytes(of: flow.bigEndian, toByteOffset: 4, as: UInt32.self)
        data.storeBytes(of: number.bigEndian, toByteOffset: 8, as: UInt64.self)
        data.storeBytes(of: time.nanoseconds.bigEndian, toByteOffset: 16, as: UInt64.self)
    }

    /// Reads the mark at the beginning of a packet's data; what follows it is filling.
    package init(decoding data: RawSpan) throws(DecodeError) {
        var reader = ByteReader(data)
        guard try reader.readInteger(as: UInt32.self) == Self.magic else { throw .malformed(.unsupportedFormat) }
        self.init(
            flow: try reader.readInteger(),
            number: try reader.readInteger(),
            time: Instant(nanoseconds: try reader.readInteger())
        )
    }

    /// `IKES`.
    private static let magic: UInt32 = 0x494B_4553
}
