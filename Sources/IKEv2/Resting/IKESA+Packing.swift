import BasicContainers
import IKECrypto
import IKEWire
import Primitives

// An established IKE SA at rest as octets. Every stored property of it, of its `Channel` and of its Child SAs is either
// written here or what it is while nothing goes on; a test fails when there is one more.

/// What every IKE SA has that rests.
private struct Facts: BitwiseCopyable {
    let spis: IKESPIPair
    let soft: Instant
    let heardAt: Instant
    let sentAt: Instant
    let drawn: Origin.Drawn
    let ivCounter: UInt16
    let nextRequest: UInt16
    let expectedRequest: UInt16
    let localPort: UInt16
    let remotePort: UInt16
    let fragmentPacketByteCount: UInt16
    let bits: UInt16
    let suite: IKESuite
    let answerNote: PacketNote
    let childCount: UInt8

    /// What of it is so; the rest of the record depends on the last four. The role in MOBIKE stands above them.
    enum Bit: UInt16 {
        case isInitiator, isReplacement, isLocalBehindNAT, isPeerBehindNAT, isEncapsulated, arePeerAddresses
        case isPathIPv4, hasHardLifetime, hasInnerIPv4, hasOtherInnerAddresses
    }

    func has(_ bit: Bit) -> Bool { bits & 1 << bit.rawValue != 0 }

    static var mobilityShift: UInt16 { 12 }

    var mobilityRole: MobilityRole { MobilityRole(rawValue: UInt8(bits >> Self.mobilityShift)) ?? .none }
}

/// More Child SAs than these, or more selectors of one, stay awake: a record has 16 bits for its length.
private var mostPacked: Int { 16 }

/// What every Child SA has.
private struct ChildFacts: BitwiseCopyable {
    let soft: Instant
    let inbound: ChildSPI
    let outbound: ChildSPI
    let suite: ChildSuite
    let bits: UInt8
    let localCount: UInt8
    let remoteCount: UInt8

    enum Bit: UInt8 { case isExchangeInitiator, isTransport, hasHardLifetime }

    func has(_ bit: Bit) -> Bool { bits & 1 << bit.rawValue != 0 }
}

extension IKESA.Established {
    /// Appends the IKE SA; false where something goes on, or where it has what few have.
    borrowing func pack(into writer: inout ByteWriter) -> Bool {
        guard isAtRest, draft == nil, extras == nil, channel.canRest, let drawn = origin.drawn,
            let childCount = UInt8(exactly: children.count), let ivCounter = UInt16(exactly: channel.ivCounter),
            let nextRequest = UInt16(exactly: channel.nextRequest.rawValue),
            let expectedRequest = UInt16(exactly: channel.expectedRequest.rawValue)
        else { return false }
        guard children.count <= mostPacked else { return false }
        for index in 0..<children.count where !children[index].canRest { return false }
        let facts = Facts(
            spis: channel.spis,
            soft: soft,
            heardAt: channel.heardAt,
            sentAt: channel.sentAt,
            drawn: drawn,
            ivCounter: ivCounter,
            nextRequest: nextRequest,
            expectedRequest: expectedRequest,
            localPort: channel.path.local.port,
            remotePort: channel.path.remote.port,
            fragmentPacketByteCount: channel.fragmentPacketByteCount,
            bits: bits,
            suite: channel.suite,
            answerNote: channel.lastResponseNote,
            childCount: childCount
        )
        writer.write(raw: facts)
        if facts.has(.hasHardLifetime) { writer.write(raw: hard) }
        writer.write(channel.path.local.address, isIPv4: facts.has(.isPathIPv4))
        writer.write(channel.path.remote.address, isIPv4: facts.has(.isPathIPv4))
        if facts.has(.hasOtherInnerAddresses) {
            writer.write(raw: innerAddresses)
        } else if let address = innerAddresses.ipv4 {
            writer.write(raw: address.v4)
        }
        channel.keys.write(into: &writer)
        for index in 0..<children.count { children[index].pack(into: &writer, innerAddresses) }
        return true
    }

    private var bits: UInt16 {
        var bits: UInt16 = 0
        func add(_ bit: Facts.Bit, if isSo: Bool) { if isSo { bits |= 1 << bit.rawValue } }
        let hasOthers = innerAddresses.ipv6 != nil
        add(.isInitiator, if: channel.isInitiator)
        add(.isReplacement, if: origin.isReplacement)
        add(.isLocalBehindNAT, if: channel.nat.isLocalBehindNAT)
        add(.isPeerBehindNAT, if: channel.nat.isPeerBehindNAT)
        add(.isEncapsulated, if: channel.path.isEncapsulated)
        add(.arePeerAddresses, if: arePeerAddresses)
        add(.isPathIPv4, if: channel.path.local.address.isIPv4 && channel.path.remote.address.isIPv4)
        add(.hasHardLifetime, if: hard != .never)
        add(.hasInnerIPv4, if: !hasOthers && innerAddresses.ipv4 != nil)
        add(.hasOtherInnerAddresses, if: hasOthers)
        bits |= UInt16(channel.mobilityRole.rawValue) << Facts.mobilityShift
        return bits
    }

    /// Reads what `pack` has written.
    ///
    /// - Throws: `DecodeError.truncated` where octets are missing.
    static func unpack(
        _ reader: inout ByteReader,
        answer: [UInt8],
        as origin: Origin
    ) throws(DecodeError) -> IKESA.Established {
        let facts = try reader.read(raw: Facts.self)
        let hard = facts.has(.hasHardLifetime) ? try reader.read(raw: Instant.self) : .never
        let local = try reader.readAddress(isIPv4: facts.has(.isPathIPv4))
        let remote = try reader.readAddress(isIPv4: facts.has(.isPathIPv4))
        var inner = InnerAddresses()
        if facts.has(.hasOtherInnerAddresses) {
            inner = try reader.read(raw: InnerAddresses.self)
        } else if facts.has(.hasInnerIPv4) {
            inner.insert(IPAddress(v4: try reader.read(raw: UInt32.self)))
        }
        var nat = NATStatus()
        nat.isLocalBehindNAT = facts.has(.isLocalBehindNAT)
        nat.isPeerBehindNAT = facts.has(.isPeerBehindNAT)
        let keys = try IKEKeys(facts.suite, from: &reader)
        var channel = Channel(
            spis: facts.spis,
            isInitiator: facts.has(.isInitiator),
            fragmentPacketByteCount: facts.fragmentPacketByteCount,
            suite: facts.suite,
            keys: keys,
            path: Path(
                local: UDPEndpoint(address: local, port: facts.localPort),
                remote: UDPEndpoint(address: remote, port: facts.remotePort),
                isEncapsulated: facts.has(.isEncapsulated)
            ),
            nat: nat,
            firstRequest: MessageID(rawValue: UInt32(facts.nextRequest)),
            firstExpected: MessageID(rawValue: UInt32(facts.expectedRequest)),
            at: facts.sentAt
        )
        channel.heardAt = facts.heardAt
        channel.mobilityRole = facts.mobilityRole
        channel.resume(ivCounter: UInt64(facts.ivCounter), lastResponse: answer, facts.answerNote)
        var sa = IKESA.Established(
            channel,
            origin.resumed(at: facts.drawn, isReplacement: facts.has(.isReplacement)),
            soft: facts.soft,
            hard: hard
        )
        sa.innerAddresses = inner
        sa.arePeerAddresses = facts.has(.arePeerAddresses)
        sa.children.reserveCapacity(Int(facts.childCount))
        for _ in 0..<facts.childCount { sa.children.append(try ChildSA.unpack(&reader, inner)) }
        return sa
    }
}

extension Channel {
    fileprivate var canRest: Bool {
        outstanding == nil && partialRequest == nil && partialResponse == nil && mobility == nil
    }
}

extension ChildSA {
    fileprivate var canRest: Bool {
        status == .active && !isTaskQueued && deletion == .never && localSelectors.count <= mostPacked
            && remoteSelectors.count <= mostPacked
    }

    fileprivate func pack(into writer: inout ByteWriter, _ inner: InnerAddresses) {
        var bits: UInt8 = 0
        func add(_ bit: ChildFacts.Bit, if isSo: Bool) { if isSo { bits |= 1 << bit.rawValue } }
        add(.isExchangeInitiator, if: isExchangeInitiator)
        add(.isTransport, if: isTransport)
        add(.hasHardLifetime, if: hard != .never)
        writer.write(
            raw: ChildFacts(
                soft: soft,
                inbound: inbound,
                outbound: outbound,
                suite: suite,
                bits: bits,
                localCount: UInt8(localSelectors.count),
                remoteCount: UInt8(remoteSelectors.count)
            )
        )
        if hard != .never { writer.write(raw: hard) }
        for selector in localSelectors { writer.write(selector, inner) }
        for selector in remoteSelectors { writer.write(selector, inner) }
        keys.write(into: &writer)
    }

    fileprivate static func unpack(
        _ reader: inout ByteReader,
        _ inner: InnerAddresses
    ) throws(DecodeError) -> ChildSA {
        let facts = try reader.read(raw: ChildFacts.self)
        let hard = facts.has(.hasHardLifetime) ? try reader.read(raw: Instant.self) : .never
        let localSelectors = try reader.readSelectors(facts.localCount, inner)
        let remoteSelectors = try reader.readSelectors(facts.remoteCount, inner)
        let keys = try ChildKeys(facts.suite, from: &reader)
        return ChildSA(
            inbound: facts.inbound,
            outbound: facts.outbound,
            suite: facts.suite,
            keys: keys,
            localSelectors: localSelectors,
            remoteSelectors: remoteSelectors,
            soft: facts.soft,
            hard: hard,
            isExchangeInitiator: facts.has(.isExchangeInitiator),
            isTransport: facts.has(.isTransport)
        )
    }
}

/// How a traffic selector is written: nearly all have all protocols and ports.
private enum SelectorForm: UInt8, BitwiseCopyable {
    /// The inner IPv4 address that the IKE SA's record has anyhow.
    case innerAddress
    /// A range of IPv4 addresses.
    case wholeIPv4
    case any

    init(_ selector: TrafficSelector, _ inner: InnerAddresses) {
        let (start, end) = (selector.startAddress, selector.endAddress)
        guard selector == TrafficSelector(from: start, through: end), start.isIPv4 else {
            self = .any
            return
        }
        self = start == end && start == inner.ipv4 ? .innerAddress : .wholeIPv4
    }
}

extension ByteWriter {
    fileprivate mutating func write(_ address: IPAddress, isIPv4: Bool) {
        if isIPv4 { write(raw: address.v4) } else { write(raw: address) }
    }

    fileprivate mutating func write(_ selector: TrafficSelector, _ inner: InnerAddresses) {
        let form = SelectorForm(selector, inner)
        write(raw: form)
        switch form {
        case .innerAddress: break
        case .wholeIPv4:
            write(raw: selector.startAddress.v4)
            write(raw: selector.endAddress.v4)
        case .any: write(raw: selector)
        }
    }
}

extension ByteReader {
    @_lifetime(self: copy self)
    fileprivate mutating func readAddress(isIPv4: Bool) throws(DecodeError) -> IPAddress {
        isIPv4 ? IPAddress(v4: try read(raw: UInt32.self)) : try read(raw: IPAddress.self)
    }

    @_lifetime(self: copy self)
    fileprivate mutating func readSelectors(
        _ count: UInt8,
        _ inner: InnerAddresses
    ) throws(DecodeError) -> [TrafficSelector] {
        var selectors: [TrafficSelector] = []
        selectors.reserveCapacity(Int(count))
        for _ in 0..<count { selectors.append(try readSelector(inner)) }
        return selectors
    }

    @_lifetime(self: copy self)
    private mutating func readSelector(_ inner: InnerAddresses) throws(DecodeError) -> TrafficSelector {
        switch try read(raw: SelectorForm.self) {
        case .innerAddress:
            guard let address = inner.ipv4 else {
                preconditionFailure("a selector is the inner address where there is one")
            }
            return TrafficSelector(from: address, through: address)
        case .wholeIPv4:
            let start = IPAddress(v4: try read(raw: UInt32.self))
            return TrafficSelector(from: start, through: IPAddress(v4: try read(raw: UInt32.self)))
        case .any: return try read(raw: TrafficSelector.self)
        }
    }
}
