import Foundation
import IKECrypto
import IKEWire
import IKEv2
import Primitives

/// The keys of a worker's live IKE SAs, in a file that outlives the process: what `ikestorm cleanup` deletes them with.
///
/// Each IKE SA has a slot of the file, which is written before IKE_AUTH leaves and wiped when the IKE SA is gone.
struct KeyJournal: ~Copyable {
    private let file: PrivateFile
    private var slots: [IKESPIPair: Int] = [:]
    private var free: [Int] = []
    private var slotCount = 0
    private var writer = ByteWriter(capacity: Self.slotByteCount)

    init(creating path: String) throws(LiveError) {
        file = try PrivateFile(creating: path)
    }

    /// Keeps an IKE SA's keys, or what has changed of them.
    mutating func keep(_ keys: ExportedKeys, source: UDPEndpoint) throws(LiveError) {
        let slot = slots[keys.spis] ?? free.popLast() ?? slotCount
        if slot == slotCount { slotCount += 1 }
        slots[keys.spis] = slot
        writer.removeAll()
        JournaledSA(keys: keys, source: source).write(into: &writer)
        writer.appendZeros(Self.slotByteCount - writer.count)
        try file.write(writer.bytes, at: slot * Self.slotByteCount)
    }

    func holds(_ spis: IKESPIPair) -> Bool { slots[spis] != nil }

    /// Notes the message ID that the next request of an IKE SA will have.
    mutating func advance(_ spis: IKESPIPair, to next: MessageID) throws(LiveError) {
        guard let slot = slots[spis] else { return }
        writer.removeAll()
        writer.writeInteger(next.rawValue)
        try file.write(writer.bytes, at: slot * Self.slotByteCount + JournaledSA.nextRequestOffset)
    }

    /// Wipes the keys of an IKE SA that is gone.
    mutating func forget(_ spis: IKESPIPair) throws(LiveError) {
        guard let slot = slots.removeValue(forKey: spis) else { return }
        free.append(slot)
        try file.write([UInt8](repeating: 0, count: Self.slotByteCount), at: slot * Self.slotByteCount)
    }

    /// What a journal holds, by slot: the IKE SAs that nobody has deleted.
    static func read(_ path: String) throws(LiveError) -> [(slot: Int, sa: JournaledSA)] {
        guard let data = FileManager.default.contents(atPath: path) else { throw .system("\(path) cannot be read") }
        let octets = [UInt8](data)
        var found: [(slot: Int, sa: JournaledSA)] = []
        for slot in 0..<(octets.count / slotByteCount) {
            let slice = Array(octets[(slot * slotByteCount)..<((slot + 1) * slotByteCount)])
            do throws(DecodeError) {
                if let sa = try JournaledSA(slice.rawSpan) { found.append((slot, sa)) }
            } catch {
                throw .system("\(path) is not a journal of keys: its entry \(slot) does not decode")
            }
        }
        return found
    }

    /// Wipes a slot of a journal that nobody writes any more.
    static func wipe(slot: Int, of path: String) throws(LiveError) {
        let file = try PrivateFile(updating: path)
        try file.write([UInt8](repeating: 0, count: slotByteCount), at: slot * slotByteCount)
    }

    static var slotByteCount: Int { 512 }
}

/// One slot of a journal.
struct JournaledSA: Sendable {
    var keys: ExportedKeys
    /// Where its packets come from as the network sees them, in front of any NAT that we play.
    var source: UDPEndpoint

    static var nextRequestOffset: Int { 4 }

    func write(into writer: inout ByteWriter) {
        writer.writeInteger(Self.magic)
        writer.writeInteger(keys.nextRequest.rawValue)
        writer.writeInteger(keys.spis.initiator.rawValue)
        writer.writeInteger(keys.spis.responder.rawValue)
        writer.writeInteger(keys.isInitiator ? 1 as UInt8 : 0)
        writer.writeInteger(keys.path.isEncapsulated ? 1 as UInt8 : 0)
        writer.writeInteger(keys.cipher.rawValue)
        writer.writeInteger(keys.integrity?.rawValue ?? 0)
        for endpoint in [keys.path.local, keys.path.remote, source] {
            writer.writeInteger(endpoint.address.high)
            writer.writeInteger(endpoint.address.low)
            writer.writeInteger(endpoint.port)
        }
        for key in [keys.ei, keys.er, keys.ai, keys.ar] {
            writer.writeInteger(UInt8(key.count))
            writer.write(key)
        }
    }

    init(keys: ExportedKeys, source: UDPEndpoint) {
        self.keys = keys
        self.source = source
    }

    /// Nil for a slot that is free.
    init?(_ octets: RawSpan) throws(DecodeError) {
        var reader = ByteReader(octets)
        let magic: UInt32 = try reader.readInteger()
        guard magic != 0 else { return nil }
        guard magic == Self.magic else { throw .malformed(.unsupportedFormat) }
        let next = MessageID(rawValue: try reader.readInteger())
        let spis = IKESPIPair(
            initiator: IKESPI(rawValue: try reader.readInteger()),
            responder: IKESPI(rawValue: try reader.readInteger())
        )
        let isInitiator = try reader.readInteger(as: UInt8.self) == 1
        let isEncapsulated = try reader.readInteger(as: UInt8.self) == 1
        guard let cipher = Cipher(rawValue: try reader.readInteger()) else { throw .malformed(.unsupportedFormat) }
        let integrity = IntegrityAlgorithm(rawValue: try reader.readInteger())
        let local = try Self.endpoint(&reader)
        let remote = try Self.endpoint(&reader)
        source = try Self.endpoint(&reader)
        keys = ExportedKeys(
            spis: spis,
            isInitiator: isInitiator,
            cipher: cipher,
            integrity: integrity,
            ei: try Self.key(&reader),
            er: try Self.key(&reader),
            ai: try Self.key(&reader),
            ar: try Self.key(&reader),
            path: Path(local: local, remote: remote, isEncapsulated: isEncapsulated),
            nextRequest: next
        )
    }

    private static func endpoint(_ reader: inout ByteReader) throws(DecodeError) -> UDPEndpoint {
        let address = IPAddress(high: try reader.readInteger(), low: try reader.readInteger())
        return UDPEndpoint(address: address, port: try reader.readInteger())
    }

    private static func key(_ reader: inout ByteReader) throws(DecodeError) -> [UInt8] {
        let count: UInt8 = try reader.readInteger()
        return try reader.read(Int(count)).copied()
    }

    /// "IKEJ", and so 1 for the first octet of a later format.
    private static var magic: UInt32 { 0x494B_454A }
}
