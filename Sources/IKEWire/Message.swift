public import Primitives

/// A message with everything in it, copied out of its datagram: for inspection and tests, not for the hot path.
public struct Message: Hashable, Sendable {
    public var header: Header
    public var payloads: [Payload]

    public init(header: Header, payloads: [Payload]) {
        self.header = header
        self.payloads = payloads
    }

    /// Decodes the header, every payload in the clear and everything inside them.
    public init(decoding datagram: RawSpan) throws(DecodeError) {
        let decoder = try MessageDecoder(datagram)
        header = decoder.header
        payloads = try Payload.decodeAll(decoder.payloads)
    }

    /// Appends the message as a correct sender writes it: what is reserved becomes zero.
    public func encode(into writer: inout ByteWriter) {
        var encoder = MessageEncoder(header, into: &writer)
        for payload in payloads { payload.encode(into: &encoder) }
        encoder.finish(into: &writer)
    }
}

/// One payload of a message, copied out of its datagram.
public struct Payload: Hashable, Sendable {
    public var type: PayloadType
    public var isCritical: Bool
    public var content: Content

    public init(_ type: PayloadType, isCritical: Bool = false, _ content: Content) {
        self.type = type
        self.isCritical = isCritical
        self.content = content
    }

    public enum Content: Hashable, Sendable {
        case securityAssociation([Proposal])
        case keyExchange(KeyExchangeID, [UInt8])
        case identification(IdentificationType, [UInt8])
        case certificate(CertificateEncoding, [UInt8])
        case certificateRequest(CertificateEncoding, authorities: [UInt8])
        case authentication(AuthenticationMethod, [UInt8])
        case nonce([UInt8])
        case notify(NotifyType, protocolID: ProtocolID, spi: [UInt8], data: [UInt8])
        case delete(ProtocolID, spiByteCount: UInt8, count: UInt16, spis: [UInt8])
        case vendorID([UInt8])
        case trafficSelectors([Selector])
        case configuration(ConfigurationType, [ConfigurationAttribute])
        case eap([UInt8])
        case encrypted(firstType: PayloadType, [UInt8])
        case encryptedFragment(firstType: PayloadType, number: UInt16, total: UInt16, [UInt8])
        case unknown([UInt8])
    }

    /// A traffic selector of a known type, or the octets of another.
    public enum Selector: Hashable, Sendable {
        case known(TrafficSelector)
        case unknown(TrafficSelectorType, secondOctet: UInt8, [UInt8])
    }
}

extension Payload {
    /// Decodes payloads up to the last one.
    public static func decodeAll(_ payloads: consuming PayloadSequence) throws(DecodeError) -> [Payload] {
        var sequence = payloads
        var all: [Payload] = []
        while let payload = try sequence.next() { all.append(try Payload(decoding: payload)) }
        return all
    }

    public init(decoding payload: borrowing RawPayload) throws(DecodeError) {
        type = payload.type
        isCritical = payload.isCritical
        content = try Self.content(of: payload)
    }

    private static func content(of payload: borrowing RawPayload) throws(DecodeError) -> Content {
        let body = payload.body
        switch payload.type {
        case .securityAssociation:
            return .securityAssociation(try SecurityAssociation(body).copied())
        case .keyExchange:
            let keyExchange = try KeyExchange(body)
            return .keyExchange(keyExchange.method, keyExchange.data.copied())
        case .identificationInitiator, .identificationResponder:
            let identification = try Identification(body)
            return .identification(identification.type, identification.data.copied())
        case .certificate:
            let certificate = try Certificate(body)
            return .certificate(certificate.encoding, certificate.data.copied())
        case .certificateRequest:
            let request = try CertificateRequest(body)
            return .certificateRequest(request.encoding, authorities: request.authorities.copied())
        case .authentication:
            let authentication = try Authentication(body)
            return .authentication(authentication.method, authentication.data.copied())
        case .nonce: return .nonce(try Nonce(body).data.copied())
        case .notify: return notify(try Notify(body))
        case .delete: return delete(try Delete(body))
        case .vendorID: return .vendorID(body.copied())
        case .trafficSelectorsInitiator, .trafficSelectorsResponder:
            return .trafficSelectors(try selectors(in: TrafficSelectors(body)))
        case .configuration: return try configuration(try Configuration(body))
        case .eap: return .eap(try EAP(body).body.copied())
        case .encrypted: return .encrypted(firstType: payload.nextType, body.copied())
        case .encryptedFragment: return fragment(try EncryptedFragment(payload))
        default: return .unknown(body.copied())
        }
    }

    private static func notify(_ notify: borrowing Notify) -> Content {
        .notify(notify.type, protocolID: notify.protocolID, spi: notify.spi.copied(), data: notify.data.copied())
    }

    private static func delete(_ delete: borrowing Delete) -> Content {
        .delete(
            delete.protocolID,
            spiByteCount: UInt8(delete.spiByteCount),
            count: UInt16(delete.count),
            spis: delete.spis.copied()
        )
    }

    private static func selectors(in payload: consuming TrafficSelectors) throws(DecodeError) -> [Selector] {
        var payload = payload
        var all: [Selector] = []
        while let selector = try payload.next() {
            if let value = selector.value {
                all.append(.known(value))
            } else {
                all.append(.unknown(selector.type, secondOctet: selector.ipProtocol, selector.content.copied()))
            }
        }
        return all
    }

    private static func configuration(_ configuration: borrowing Configuration) throws(DecodeError) -> Content {
        var attributes = configuration.attributes
        var all: [ConfigurationAttribute] = []
        while let attribute = try attributes.next() {
            all.append(ConfigurationAttribute(attribute.type, attribute.value.copied()))
        }
        return .configuration(configuration.type, all)
    }

    private static func fragment(_ fragment: borrowing EncryptedFragment) -> Content {
        .encryptedFragment(
            firstType: fragment.firstType,
            number: fragment.number,
            total: fragment.total,
            fragment.content.copied()
        )
    }
}

extension Payload {
    /// Appends the payload behind those that the encoder has written.
    public func encode(into encoder: inout MessageEncoder) {
        switch content {
        case .encrypted(let firstType, let bytes):
            encoder.encodedEncrypted(.encrypted, isCritical: isCritical, firstType: firstType) { $0.write(bytes) }
        case .encryptedFragment(let firstType, let number, let total, let bytes):
            encoder.encodedEncrypted(.encryptedFragment, isCritical: isCritical, firstType: firstType) { writer in
                writer.writeInteger(number)
                writer.writeInteger(total)
                writer.write(bytes)
            }
        default:
            encoder.begin(type, isCritical: isCritical)
            encodeBody(into: &encoder)
            encoder.end()
        }
    }

    private func encodeBody(into encoder: inout MessageEncoder) {
        switch content {
        case .securityAssociation(let proposals): encoder.append(proposals)
        case .keyExchange(let method, let data):
            encoder.append(method.rawValue)
            encoder.append(0 as UInt16)
            encoder.append(data)
        case .identification(let type, let data): encoder.append(type.rawValue, reserved: 3, data)
        case .certificate(let encoding, let data): encoder.append(encoding.rawValue, reserved: 0, data)
        case .certificateRequest(let encoding, let data): encoder.append(encoding.rawValue, reserved: 0, data)
        case .authentication(let method, let data): encoder.append(method.rawValue, reserved: 3, data)
        case .nonce(let data), .vendorID(let data), .eap(let data), .unknown(let data): encoder.append(data)
        case .notify(let type, let protocolID, let spi, let data):
            encoder.append(protocolID.rawValue)
            encoder.append(UInt8(spi.count))
            encoder.append(type.rawValue)
            encoder.append(spi)
            encoder.append(data)
        case .delete(let protocolID, let spiByteCount, let count, let spis):
            encoder.append(protocolID.rawValue)
            encoder.append(spiByteCount)
            encoder.append(count)
            encoder.append(spis)
        case .trafficSelectors(let selectors):
            encoder.append(UInt8(selectors.count), reserved: 3, [])
            for selector in selectors { selector.encode(into: &encoder) }
        case .configuration(let type, let attributes):
            encoder.append(type.rawValue, reserved: 3, [])
            for attribute in attributes { encoder.append(attribute) }
        case .encrypted, .encryptedFragment:
            preconditionFailure("an Encrypted payload is not encoded as a plain one")
        }
    }
}

extension Payload.Selector {
    fileprivate func encode(into encoder: inout MessageEncoder) {
        switch self {
        case .known(let selector): encoder.append(selector)
        case .unknown(let type, let secondOctet, let content):
            encoder.append(type.rawValue)
            encoder.append(secondOctet)
            encoder.append(UInt16(RawTrafficSelector.headerByteCount + content.count))
            encoder.append(content)
        }
    }
}

extension Message: CustomStringConvertible {
    /// The message in the notation of RFC 7296, such as `IKE_SA_INIT request 0: SA, KE, Nonce`.
    public var description: String {
        let kind = header.isResponse ? "response" : "request"
        let names = payloads.map(\.description).joined(separator: ", ")
        return "\(header.exchange) \(kind) \(header.messageID): \(names.isEmpty ? "no payload" : names)"
    }
}

extension Payload: CustomStringConvertible {
    public var description: String {
        switch content {
        case .notify(let type, _, _, _): "N(\(type.name ?? String(type.rawValue)))"
        case .configuration(let type, _): "CP(\(type))"
        case .delete(let protocolID, _, let count, _): protocolID == .ike ? "D(IKE)" : "D(\(protocolID) \(count))"
        case .encryptedFragment(_, let number, let total, _): "SKF(\(number)/\(total))"
        default: type.description
        }
    }
}
