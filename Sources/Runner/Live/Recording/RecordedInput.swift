import IKEv2
import Load
import Primitives

/// One entry of a recording: what a client was given, or what came of it.
enum RecordedInput {
    /// The kinds of entries, by their first octet.
    enum Kind: UInt8, CaseIterable {
        /// Who a client is: before anything else of it.
        case client = 1
        case arrive
        case leave
        case advance
        case receive
        /// What the input before it led to.
        case outcome
        /// The IKE SAs of all clients of the worker.
        case states
        /// The client goes on from another address.
        case move
        /// The client goes by other certificates, as a fault of the workload says.
        case rollover
        /// An ESP packet, of which the SPI matters alone.
        case receiveESP
        /// When ESP packets last came and left.
        case traffic
        /// A Child SA has carried what it may.
        case volume
    }

    /// What a client is, so that it can be made again.
    struct ClientRecord {
        var population: UInt16
        var place: ClientPlace

        func write(into writer: inout ByteWriter) {
            writer.writeInteger(Kind.client.rawValue)
            writer.writeInteger(place.index)
            writer.writeInteger(population)
            writer.writeInteger(place.number)
            writer.writeInteger(place.entity)
            for path in [place.route.plain, place.route.encapsulated] { RecordedInput.write(path, into: &writer) }
        }

        /// - Parameter spiKey: the run's, which is in the recording's head.
        init(_ reader: inout ByteReader, spiKey: UInt64) throws(DecodeError) {
            let index: UInt32 = try reader.readInteger()
            population = try reader.readInteger()
            let number: UInt32 = try reader.readInteger()
            let entity: UInt64 = try reader.readInteger()
            let plain = try RecordedInput.path(&reader)
            let encapsulated = try RecordedInput.path(&reader)
            guard Route.areAlike(plain, encapsulated) else { throw .malformed(.unsupportedFormat) }
            let route = Route(plain: plain, encapsulated: encapsulated)
            place = ClientPlace(number: number, index: index, entity: entity, route: route, spiKey: spiKey)
        }

        init(population: Int, place: ClientPlace) {
            self.population = UInt16(population)
            self.place = place
        }
    }

    static func write(_ path: Path, into writer: inout ByteWriter) {
        for endpoint in [path.local, path.remote] {
            writer.writeInteger(endpoint.address.high)
            writer.writeInteger(endpoint.address.low)
            writer.writeInteger(endpoint.port)
        }
        writer.writeInteger(path.isEncapsulated ? 1 as UInt8 : 0)
    }

    static func path(_ reader: inout ByteReader) throws(DecodeError) -> Path {
        let local = try endpoint(&reader)
        let remote = try endpoint(&reader)
        return Path(local: local, remote: remote, isEncapsulated: try reader.readInteger(as: UInt8.self) == 1)
    }

    private static func endpoint(_ reader: inout ByteReader) throws(DecodeError) -> UDPEndpoint {
        let address = IPAddress(high: try reader.readInteger(), low: try reader.readInteger())
        return UDPEndpoint(address: address, port: try reader.readInteger())
    }

    /// "IKER", and so 1 for the first octet of a later format.
    static var magic: UInt32 { 0x494B_4552 }
    static var version: UInt16 { 2 }
}
