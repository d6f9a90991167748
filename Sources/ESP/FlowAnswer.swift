package import Primitives

/// What the other end of one-way flows answers to a poll.
package struct FlowAnswer: Hashable, Sendable {
    /// A packet that has come.
    package struct Arrival: Hashable, Sendable, BitwiseCopyable {
        package var number: UInt64
        /// By the clock of who received it.
        package var time: UInt64

        package init(number: UInt64, time: UInt64) {
            self.number = number
            self.time = time
        }
    }

    package var flow: UInt32
    /// Since when the other end knows of the flow, by its clock: where that changes, it has forgotten all before.
    package var since: UInt64
    /// The poll's own time.
    package var pollSentAt: UInt64
    /// When the poll came, by the clock of who answers.
    package var pollCameAt: UInt64
    /// Names that clock: two ends that name the same one share it.
    package var clock: UInt64
    /// The number of the last packet that was ordered and is or has been sent.
    package var ordered: UInt64
    /// How long after its time the latest of them left, in nanoseconds, at most.
    package var lateness: UInt64
    /// Arrivals that could not be kept until they were known.
    package var overflowCount: UInt64
    /// How many arrivals come before the first of these.
    package var firstArrival: UInt64
    package var arrivals: [Arrival]

    package init(
        flow: UInt32,
        since: UInt64,
        pollSentAt: UInt64,
        pollCameAt: UInt64,
        clock: UInt64,
        ordered: UInt64,
        lateness: UInt64,
        overflowCount: UInt64,
        firstArrival: UInt64,
        arrivals: [Arrival]
    ) {
        precondition(arrivals.count <= Self.mostArrivals, "an answer fits a packet")
        self.flow = flow
        self.since = since
        self.pollSentAt = pollSentAt
        self.pollCameAt = pollCameAt
        self.clock = clock
        self.ordered = ordered
        self.lateness = lateness
        self.overflowCount = overflowCount
        self.firstArrival = firstArrival
        self.arrivals = arrivals
    }

    package static let mostArrivals = 64

    package func write(into writer: inout ByteWriter) {
        writer.writeInteger(Self.magic)
        writer.writeInteger(flow)
        for word in [since, pollSentAt, pollCameAt, clock, ordered, lateness, overflowCount, firstArrival] {
            writer.writeInteger(word)
        }
        writer.writeInteger(UInt16(arrivals.count))
        for arrival in arrivals {
            writer.writeInteger(arrival.number)
            writer.writeInteger(arrival.time)
        }
    }

    package init(decoding data: RawSpan) throws(DecodeError) {
        var reader = ByteReader(data)
        guard try reader.readInteger(as: UInt32.self) == Self.magic else { throw .malformed(.unsupportedFormat) }
        flow = try reader.readInteger()
        since = try reader.readInteger()
        pollSentAt = try reader.readInteger()
        pollCameAt = try reader.readInteger()
        clock = try reader.readInteger()
        ordered = try reader.readInteger()
        lateness = try reader.readInteger()
        overflowCount = try reader.readInteger()
        firstArrival = try reader.readInteger()
        let count = Int(try reader.readInteger(as: UInt16.self))
        guard count <= Self.mostArrivals else { throw .malformed(.unsupportedFormat) }
        arrivals = []
        arrivals.reserveCapacity(count)
        for _ in 0..<count {
            arrivals.append(Arrival(number: try reader.readInteger(), time: try reader.readInteger()))
        }
    }

    /// `IKEA`.
    private static let magic: UInt32 = 0x494B_4541
}
