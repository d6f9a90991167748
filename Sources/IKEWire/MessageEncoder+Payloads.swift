public import Primitives

extension MessageEncoder {
    /// Offers proposals, or answers with the one that was chosen.
    public mutating func securityAssociation(_ proposals: [Proposal]) {
        precondition(!proposals.isEmpty, "a Security Association payload holds a proposal")
        begin(.securityAssociation)
        append(proposals)
        end()
    }

    /// Offers one configured proposal with an SPI of its own, without a copy of the proposal being made.
    public mutating func securityAssociation(_ proposal: Proposal, number: UInt8, spi: RawSpan) {
        begin(.securityAssociation)
        proposal.encode(number: number, spi: spi, isLast: true, into: &writer)
        end()
    }

    /// Offers configured proposals that all name the same SPI.
    public mutating func securityAssociation(_ proposals: [Proposal], spi: RawSpan) {
        precondition(!proposals.isEmpty, "a Security Association payload holds a proposal")
        begin(.securityAssociation)
        for index in proposals.indices {
            let number = proposals[index].number
            proposals[index].encode(number: number, spi: spi, isLast: index == proposals.count - 1, into: &writer)
        }
        end()
    }

    /// Offers what was encoded before, with an SPI written over what stands at each of the offsets.
    public mutating func securityAssociation(encoded: [UInt8], spi: RawSpan, at offsets: [Int]) {
        begin(.securityAssociation)
        let start = writer.count
        writer.write(encoded)
        if !spi.isEmpty {
            for offset in offsets { writer.patch(spi, at: start + offset) }
        }
        end()
    }

    /// Starts the one proposal of an answer, whose transforms follow.
    public mutating func beginProposal(number: UInt8, protocolID: ProtocolID, spi: RawSpan, transformCount: Int) {
        proposalStart = writer.count
        writer.writeInteger(0 as UInt32)
        writer.writeInteger(number)
        writer.writeInteger(protocolID.rawValue)
        writer.writeInteger(UInt8(spi.byteCount))
        writer.writeInteger(UInt8(transformCount))
        writer.write(spi)
    }

    public mutating func transform(_ type: TransformType, id: UInt16, keyLength: UInt16?, isLast: Bool) {
        Transform.encode(type, id: id, keyLength: keyLength, isLast: isLast, others: RawSpan(), into: &writer)
    }

    public mutating func endProposal() {
        writer.patch(UInt16(writer.count - proposalStart), at: proposalStart + 2)
    }

    public mutating func keyExchange(_ method: KeyExchangeID, _ data: RawSpan) {
        begin(.keyExchange)
        append(method.rawValue)
        append(0 as UInt16)
        append(data)
        end()
    }

    public mutating func nonce(_ data: RawSpan) {
        precondition(Nonce.byteCounts.contains(data.byteCount), "a nonce has 16 to 256 octets")
        payload(.nonce, data)
    }

    /// Says one thing that concerns no SA but that of the message.
    public mutating func notify(_ type: NotifyType, _ data: RawSpan) {
        beginNotify(type, protocolID: .none, spiByteCount: 0)
        append(data)
        end()
    }

    /// Says one thing that needs no data.
    public mutating func notify(_ type: NotifyType) {
        beginNotify(type, protocolID: .none, spiByteCount: 0)
        end()
    }

    /// Says one thing whose data is an integer, such as the key exchange that INVALID_KE_PAYLOAD asks for.
    public mutating func notify<Integer: FixedWidthInteger & BitwiseCopyable>(_ type: NotifyType, integer: Integer) {
        beginNotify(type, protocolID: .none, spiByteCount: 0)
        append(integer)
        end()
    }

    /// Says one thing about a Child SA, such as which one is rekeyed.
    public mutating func notify(_ type: NotifyType, protocolID: ProtocolID, spi: ChildSPI) {
        beginNotify(type, protocolID: protocolID, spiByteCount: ChildSPI.byteCount)
        append(spi.rawValue)
        end()
    }

    public mutating func notify(_ type: NotifyType, protocolID: ProtocolID, spi: RawSpan, data: RawSpan) {
        beginNotify(type, protocolID: protocolID, spiByteCount: spi.byteCount)
        append(spi)
        append(data)
        end()
    }

    private mutating func beginNotify(_ type: NotifyType, protocolID: ProtocolID, spiByteCount: Int) {
        begin(.notify)
        append(protocolID.rawValue)
        append(UInt8(spiByteCount))
        append(type.rawValue)
    }

    /// Deletes the IKE SA, and with it all its Child SAs.
    public mutating func deleteIKESA() {
        beginDelete(.ike, count: 0, spiByteCount: 0)
        end()
    }

    /// Deletes one Child SA, named by the sender's own SPI.
    public mutating func delete(_ protocolID: ProtocolID = .esp, _ spi: ChildSPI) {
        beginDelete(protocolID, count: 1, spiByteCount: ChildSPI.byteCount)
        append(spi.rawValue)
        end()
    }

    /// Deletes several Child SAs.
    public mutating func delete(_ protocolID: ProtocolID = .esp, _ spis: [ChildSPI]) {
        beginDelete(protocolID, count: spis.count, spiByteCount: ChildSPI.byteCount)
        for spi in spis { append(spi.rawValue) }
        end()
    }

    private mutating func beginDelete(_ protocolID: ProtocolID, count: Int, spiByteCount: Int) {
        begin(.delete)
        append(protocolID.rawValue)
        append(UInt8(spiByteCount))
        append(UInt16(count))
    }
}

extension MessageEncoder {
    public mutating func identification(initiator type: IdentificationType, _ data: RawSpan) {
        typed(.identificationInitiator, type.rawValue, data)
    }

    public mutating func identification(responder type: IdentificationType, _ data: RawSpan) {
        typed(.identificationResponder, type.rawValue, data)
    }

    public mutating func authentication(_ method: AuthenticationMethod, _ data: RawSpan) {
        typed(.authentication, method.rawValue, data)
    }

    public mutating func certificate(_ encoding: CertificateEncoding, _ data: RawSpan) {
        begin(.certificate)
        append(encoding.rawValue)
        append(data)
        end()
    }

    public mutating func certificateRequest(_ encoding: CertificateEncoding, authorities: RawSpan) {
        begin(.certificateRequest)
        append(encoding.rawValue)
        append(authorities)
        end()
    }

    public mutating func trafficSelectors(initiator selectors: [TrafficSelector]) {
        trafficSelectors(.trafficSelectorsInitiator, selectors)
    }

    public mutating func trafficSelectors(responder selectors: [TrafficSelector]) {
        trafficSelectors(.trafficSelectorsResponder, selectors)
    }

    private mutating func trafficSelectors(_ type: PayloadType, _ selectors: [TrafficSelector]) {
        precondition(selectors.count <= Int(UInt8.max), "a TS payload counts its selectors in one octet")
        begin(type)
        append(UInt8(selectors.count))
        appendZeros(3)
        for selector in selectors { append(selector) }
        end()
    }

    public mutating func configuration(_ type: ConfigurationType, _ attributes: [ConfigurationAttribute]) {
        begin(.configuration)
        append(type.rawValue)
        appendZeros(3)
        for attribute in attributes { append(attribute) }
        end()
    }

    public mutating func vendorID(_ data: RawSpan) { payload(.vendorID, data) }

    /// Passes an EAP message on, whole.
    public mutating func eap(_ message: RawSpan) { payload(.eap, message) }

    /// A payload of any type whose body is already encoded.
    public mutating func payload(_ type: PayloadType, isCritical: Bool = false, _ body: RawSpan) {
        begin(type, isCritical: isCritical)
        append(body)
        end()
    }

    private mutating func typed(_ payload: PayloadType, _ value: UInt8, _ data: RawSpan) {
        begin(payload)
        append(value)
        appendZeros(3)
        append(data)
        end()
    }
}

extension MessageEncoder {
    public mutating func keyExchange(_ method: KeyExchangeID, _ data: [UInt8]) { keyExchange(method, data.rawSpan) }
    public mutating func nonce(_ data: [UInt8]) { nonce(data.rawSpan) }
    public mutating func notify(_ type: NotifyType, _ data: [UInt8]) { notify(type, data.rawSpan) }
    public mutating func vendorID(_ data: [UInt8]) { vendorID(data.rawSpan) }

    public mutating func notify(_ type: NotifyType, protocolID: ProtocolID, spi: [UInt8], data: [UInt8]) {
        notify(type, protocolID: protocolID, spi: spi.rawSpan, data: data.rawSpan)
    }

    public mutating func identification(initiator type: IdentificationType, _ data: [UInt8]) {
        identification(initiator: type, data.rawSpan)
    }

    public mutating func identification(responder type: IdentificationType, _ data: [UInt8]) {
        identification(responder: type, data.rawSpan)
    }

    public mutating func authentication(_ method: AuthenticationMethod, _ data: [UInt8]) {
        authentication(method, data.rawSpan)
    }

    public mutating func certificate(_ encoding: CertificateEncoding, _ data: [UInt8]) {
        certificate(encoding, data.rawSpan)
    }

    public mutating func certificateRequest(_ encoding: CertificateEncoding, authorities: [UInt8]) {
        certificateRequest(encoding, authorities: authorities.rawSpan)
    }

    public mutating func payload(_ type: PayloadType, isCritical: Bool = false, _ body: [UInt8]) {
        payload(type, isCritical: isCritical, body.rawSpan)
    }
}

// Parts of payload bodies.
extension MessageEncoder {
    mutating func append(_ proposals: [Proposal]) {
        for index in proposals.indices {
            let proposal = proposals[index]
            let isLast = index == proposals.count - 1
            proposal.encode(number: proposal.number, spi: proposal.spi.rawSpan, isLast: isLast, into: &writer)
        }
    }

    mutating func append(_ selector: TrafficSelector) { selector.encode(into: &writer) }

    mutating func append(_ attribute: ConfigurationAttribute) {
        append(attribute.type.rawValue & 0x7FFF)
        append(UInt16(attribute.value.count))
        append(attribute.value)
    }

    /// An octet, octets that are reserved, and the rest of a body.
    mutating func append(_ octet: UInt8, reserved byteCount: Int, _ data: [UInt8]) {
        append(octet)
        appendZeros(byteCount)
        append(data)
    }
}

extension Proposal {
    /// How many octets stand in front of a proposal's SPI.
    public static var headerByteCount: Int { RawProposal.headerByteCount }

    /// Appends the proposal as a substructure of an SA payload, under this number and with this SPI.
    public func encode(number: UInt8, spi: RawSpan, isLast: Bool, into writer: inout ByteWriter) {
        let start = writer.count
        // Whether more follow, a reserved octet, and the length, which is filled in later.
        writer.writeInteger(isLast ? 0 : UInt32(ProposalSequence.moreFollow) << 24)
        writer.writeInteger(number)
        writer.writeInteger(protocolID.rawValue)
        writer.writeInteger(UInt8(spi.byteCount))
        writer.writeInteger(UInt8(transforms.count))
        writer.write(spi)
        for index in transforms.indices {
            transforms[index].encode(isLast: index == transforms.count - 1, into: &writer)
        }
        writer.patch(UInt16(writer.count - start), at: start + 2)
    }
}

extension Transform {
    func encode(isLast: Bool, into writer: inout ByteWriter) {
        let others = unknownAttributes.rawSpan
        Self.encode(type, id: id, keyLength: keyLength, isLast: isLast, others: others, into: &writer)
    }

    fileprivate static func encode(
        _ type: TransformType,
        id: UInt16,
        keyLength: UInt16?,
        isLast: Bool,
        others: RawSpan,
        into writer: inout ByteWriter
    ) {
        let length = RawTransform.headerByteCount + (keyLength == nil ? 0 : 4) + others.byteCount
        // Whether more follow, a reserved octet, the length; then the type, a reserved octet, the ID.
        let marker = isLast ? 0 : UInt32(TransformSequence.moreFollow) << 24
        writer.writeInteger(marker | UInt32(UInt16(length)))
        writer.writeInteger(UInt32(type.rawValue) << 24 | UInt32(id))
        if let keyLength {
            writer.writeInteger(RawTransform.keyLengthAttribute)
            writer.writeInteger(keyLength)
        }
        writer.write(others)
    }
}

extension TrafficSelector {
    func encode(into writer: inout ByteWriter) {
        writer.writeInteger(type.rawValue)
        writer.writeInteger(ipProtocol)
        writer.writeInteger(UInt16(byteCount))
        writer.writeInteger(startPort)
        writer.writeInteger(endPort)
        encode(startAddress, into: &writer)
        encode(endAddress, into: &writer)
    }

    private func encode(_ address: IPAddress, into writer: inout ByteWriter) {
        if type == .ipv4AddressRange {
            writer.writeInteger(UInt32(truncatingIfNeeded: address.low))
        } else {
            writer.writeInteger(address.high)
            writer.writeInteger(address.low)
        }
    }
}
