import IKEWire
import IKEv2
import Load
import Primitives

/// Writes down every input of a worker's clients, and a hash of what each led to.
///
/// Entries gather in memory and go to the file in large pieces; the file holds the run's secrets, and is its owner's.
struct InputRecorder: ~Copyable {
    private let file: PrivateFile
    private var buffer = ByteWriter(capacity: 2 * Self.pieceByteCount)
    private var offset = 0
    /// Where in the buffer the entries begin that no outcome has vouched for yet.
    private var unvouched = 0
    /// The clients that the file knows, by their places in the worker.
    private var isKnown: [Bool]

    init(creating path: String, clients: Int) throws(LiveError) {
        file = try PrivateFile(creating: path)
        isKnown = Array(repeating: false, count: clients)
        buffer.writeInteger(RecordedInput.magic)
        buffer.writeInteger(RecordedInput.version)
        unvouched = buffer.count
    }

    mutating func introduce(_ local: Int, population: Int, _ place: ClientPlace) {
        guard !isKnown[local] else { return }
        isKnown[local] = true
        RecordedInput.ClientRecord(population: population, place: place).write(into: &buffer)
    }

    mutating func arrive(_ client: UInt32, intended: Instant, until departure: Instant, at now: Instant) {
        begin(.arrive, client, now)
        buffer.writeInteger(intended.nanoseconds)
        buffer.writeInteger(departure.nanoseconds)
    }

    mutating func leave(_ client: UInt32, at now: Instant) { begin(.leave, client, now) }

    mutating func move(_ client: UInt32, to route: Route, at now: Instant) {
        begin(.move, client, now)
        for path in [route.plain, route.encapsulated] { RecordedInput.write(path, into: &buffer) }
    }

    mutating func rollOver(_ client: UInt32, by fault: Int, at now: Instant) {
        begin(.rollover, client, now)
        buffer.writeInteger(UInt32(fault))
    }

    mutating func advance(_ client: UInt32, at now: Instant) { begin(.advance, client, now) }

    mutating func receive(_ client: UInt32, _ message: RawSpan, over path: Path, at now: Instant) {
        begin(.receive, client, now)
        RecordedInput.write(path, into: &buffer)
        buffer.writeInteger(UInt16(message.byteCount))
        buffer.write(message)
    }

    mutating func receiveESP(_ client: UInt32, _ spi: ChildSPI, over path: Path, at now: Instant) {
        begin(.receiveESP, client, now)
        RecordedInput.write(path, into: &buffer)
        buffer.writeInteger(spi.rawValue)
    }

    mutating func noteTraffic(_ client: UInt32, heardAt: Instant, sentAt: Instant, at now: Instant) {
        begin(.traffic, client, now)
        buffer.writeInteger(heardAt.nanoseconds)
        buffer.writeInteger(sentAt.nanoseconds)
    }

    mutating func endVolume(_ client: UInt32, of spi: ChildSPI, at now: Instant) {
        begin(.volume, client, now)
        buffer.writeInteger(spi.rawValue)
    }

    mutating func outcome(_ digest: UInt64) throws(LiveError) {
        vouch(.outcome, digest)
        if buffer.count >= Self.pieceByteCount { try flush() }
    }

    mutating func states(_ digest: UInt64) throws(LiveError) {
        vouch(.states, digest)
        try flush()
    }

    mutating func flush() throws(LiveError) {
        guard buffer.count > 0 else { return }
        try file.write(buffer.bytes, at: offset)
        offset += buffer.count
        buffer.removeAll()
        unvouched = 0
    }

    /// Ends the entries so far with a hash over them and over what they led to.
    private mutating func vouch(_ kind: RecordedInput.Kind, _ digest: UInt64) {
        let entries = OutputDigest.of(octets: buffer.span.extracting(unvouched..<buffer.count))
        buffer.writeInteger(kind.rawValue)
        buffer.writeInteger(OutputDigest.of([entries, digest]))
        unvouched = buffer.count
    }

    private mutating func begin(_ kind: RecordedInput.Kind, _ client: UInt32, _ now: Instant) {
        buffer.writeInteger(kind.rawValue)
        buffer.writeInteger(client)
        buffer.writeInteger(now.nanoseconds)
    }

    private static var pieceByteCount: Int { 64 << 10 }
}
