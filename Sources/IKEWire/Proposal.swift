public import Primitives

/// A set of algorithms for one protocol, of which a peer chooses one of each type (RFC 7296 section 3.3.1).
public struct Proposal: Hashable, Sendable {
    /// Counts from 1; the answer repeats the number of the proposal that was chosen.
    public var number: UInt8
    public var protocolID: ProtocolID
    /// Empty for the IKE SA of IKE_SA_INIT, 8 octets where an IKE SA is rekeyed, 4 for a Child SA.
    public var spi: [UInt8]
    public var transforms: [Transform]

    @inlinable
    public init(number: UInt8 = 1, protocolID: ProtocolID, spi: [UInt8] = [], transforms: [Transform]) {
        self.number = number
        self.protocolID = protocolID
        self.spi = spi
        self.transforms = transforms
    }
}

/// A proposal over the bytes that hold it.
public struct RawProposal: ~Escapable {
    public let number: UInt8
    public let protocolID: ProtocolID
    public let spi: RawSpan
    public let transforms: TransformSequence

    @inlinable @_lifetime(copy spi, copy transforms)
    init(number: UInt8, protocolID: ProtocolID, spi: RawSpan, transforms: consuming TransformSequence) {
        self.number = number
        self.protocolID = protocolID
        self.spi = spi
        self.transforms = transforms
    }

    /// The SPI of a Child SA, or nil if it has another length.
    @inlinable
    public var childSPI: ChildSPI? {
        guard spi.byteCount == ChildSPI.byteCount else { return nil }
        var reader = ByteReader(spi)
        return (try? reader.readInteger()).map(ChildSPI.init(rawValue:))
    }

    /// The SPI of the IKE SA that replaces another, or nil if it has another length.
    @inlinable
    public var ikeSPI: IKESPI? {
        guard spi.byteCount == IKESPI.byteCount else { return nil }
        var reader = ByteReader(spi)
        return (try? reader.readInteger()).map(IKESPI.init(rawValue:))
    }

    /// The proposal, copied so that it outlives its datagram.
    public func copied() throws(DecodeError) -> Proposal {
        var proposal = Proposal(number: number, protocolID: protocolID, spi: spi.copied(), transforms: [])
        var remaining = transforms
        while let transform = try remaining.next() { proposal.transforms.append(try transform.copied()) }
        return proposal
    }

    @usableFromInline static var headerByteCount: Int { 8 }
}

/// The Security Association payload: proposals in the sender's order of preference (RFC 7296 section 3.3).
public struct SecurityAssociation: ~Escapable {
    public let proposals: ProposalSequence

    @inlinable @_lifetime(copy body)
    public init(_ body: RawSpan) throws(DecodeError) {
        guard !body.isEmpty else { throw .malformed(.emptySecurityAssociation) }
        proposals = ProposalSequence(reader: ByteReader(body))
    }

    /// All proposals and their transforms, copied; an error anywhere among them is found here.
    public func copied() throws(DecodeError) -> [Proposal] {
        var all: [Proposal] = []
        var remaining = proposals
        while let proposal = try remaining.next() { all.append(try proposal.copied()) }
        return all
    }

    /// Reads all proposals and transforms without keeping them, so that an error anywhere is found first.
    @inlinable
    public func validate() throws(DecodeError) {
        var proposals = proposals
        while let proposal = try proposals.next() {
            var transforms = proposal.transforms
            while try transforms.next() != nil {}
        }
    }
}

/// The proposals of a Security Association payload, one after the other.
public struct ProposalSequence: ~Escapable {
    @usableFromInline var reader: ByteReader
    @usableFromInline var isFinished = false

    @inlinable @_lifetime(copy reader)
    init(reader: consuming ByteReader) { self.reader = reader }

    /// The next proposal, or nil behind the last one.
    @inlinable @_lifetime(copy self) @_lifetime(self: copy self)
    public mutating func next() throws(DecodeError) -> RawProposal? {
        guard !isFinished else {
            try reader.expectEnd()
            return nil
        }
        let marker = try reader.readInteger(as: UInt8.self)
        guard marker == 0 || marker == Self.moreFollow else { throw .malformed(.badSubstructureMarker) }
        isFinished = marker == 0
        try reader.skip(1)
        let length = Int(try reader.readInteger(as: UInt16.self))
        guard length >= RawProposal.headerByteCount else { throw .malformed(.proposalLengthTooSmall) }
        let number = try reader.readInteger(as: UInt8.self)
        let protocolID = ProtocolID(rawValue: try reader.readInteger())
        let spiByteCount = Int(try reader.readInteger(as: UInt8.self))
        let transformCount = Int(try reader.readInteger(as: UInt8.self))
        var rest = ByteReader(try reader.read(length - RawProposal.headerByteCount))
        let spi = try rest.read(spiByteCount)
        let transforms = TransformSequence(reader: ByteReader(rest.readRest()), count: transformCount)
        return RawProposal(number: number, protocolID: protocolID, spi: spi, transforms: transforms)
    }

    @usableFromInline static var moreFollow: UInt8 { 2 }
}
