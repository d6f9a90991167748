/// Where a capture stops being one, and how: nothing behind that place can be read.
package struct CaptureFault: Error, Hashable, Sendable {
    package var problem: Problem
    /// The first octet of the structure that is wrong, counted from 0.
    package var offset: UInt64

    package init(_ problem: Problem, at offset: UInt64) {
        self.problem = problem
        self.offset = offset
    }

    package enum Problem: String, Hashable, Sendable, CaseIterable {
        /// Neither pcap nor pcapng begins so.
        case notACapture
        /// The file ends within a structure.
        case cut
        /// A length that no writer writes, or that differs at the two ends of a block.
        case length
        /// A packet of an interface that was never described.
        case interface
        /// More interfaces than any capture has.
        case interfaces
        /// A section whose byte order cannot be told.
        case byteOrder
        /// A resolution of timestamps that cannot be computed with.
        case resolution
    }
}
