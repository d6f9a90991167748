import IKEWire
import Primitives
import Testing

@Suite("A message")
struct MessageTests {
    let header = Header(
        initiatorSPI: IKESPI(rawValue: 1),
        responderSPI: IKESPI(rawValue: .max),
        exchange: .informational,
        flags: [.initiator, .response],
        messageID: MessageID(rawValue: .max)
    )

    @Test(
        "keeps what is unknown in it",
        arguments: [
            Payload(PayloadType(rawValue: 200), isCritical: true, .unknown([1, 2, 3])),
            Payload(PayloadType(rawValue: 49), .unknown([])),
            Payload(.notify, .notify(NotifyType(rawValue: 40960), protocolID: .ah, spi: [1, 2, 3, 4], data: [5])),
            Payload(.notify, .notify(NotifyType(rawValue: 9999), protocolID: .none, spi: [], data: [])),
            Payload(.delete, .delete(ProtocolID(rawValue: 9), spiByteCount: 3, count: 2, spis: [1, 2, 3, 4, 5, 6])),
            Payload(.identificationInitiator, .identification(IdentificationType(rawValue: 200), [1])),
            Payload(.authentication, .authentication(AuthenticationMethod(rawValue: 200), [1])),
            Payload(.keyExchange, .keyExchange(KeyExchangeID(rawValue: 1024), [])),
            Payload(.configuration, .configuration(.set, [.init(.init(rawValue: 0x7FFF), [1, 2])])),
            Payload(
                .trafficSelectorsInitiator,
                .trafficSelectors([
                    .unknown(.securityLabel, secondOctet: 9, [1, 2, 3]),
                    .known(TrafficSelector(IPPrefix("10.0.0.0/8")!)),
                    .known(TrafficSelector(IPPrefix("2001:db8::/32")!)),
                    // An IPv6 selector whose addresses are IPv4 addresses in disguise.
                    .known(
                        TrafficSelector(
                            type: .ipv6AddressRange,
                            ipProtocol: 6,
                            startPort: .max,
                            endPort: 0,
                            startAddress: IPAddress(v4: 1),
                            endAddress: IPAddress(v4: .max)
                        )
                    ),
                ])
            ),
            Payload(
                .securityAssociation,
                .securityAssociation([
                    Proposal(
                        number: 7,
                        protocolID: ProtocolID(rawValue: 77),
                        spi: [1, 2, 3],
                        transforms: [
                            Transform(type: TransformType(rawValue: 99), id: 1, unknownAttributes: [0x80, 0x0F, 1, 2]),
                            Transform(
                                type: .encryption,
                                id: 65535,
                                keyLength: 256,
                                unknownAttributes: [0x00, 0x0E, 0x00, 0x02, 0xAA, 0xBB, 0x80, 0x20, 0, 0]
                            ),
                        ]
                    ),
                    Proposal(number: 8, protocolID: .esp, transforms: []),
                ])
            ),
            Payload(.encrypted, .encrypted(firstType: PayloadType(rawValue: 250), [1, 2, 3])),
            Payload(.encryptedFragment, .encryptedFragment(firstType: .none, number: 2, total: 2, [1])),
        ]
    )
    func unknown(_ payload: Payload) throws {
        let message = Message(header: header, payloads: [Payload(.nonce, .nonce(Array(0..<16))), payload])
        var writer = ByteWriter()
        message.encode(into: &writer)
        let decoded = try Message(decoding: writer.span)
        #expect(decoded.payloads == message.payloads)
        #expect(decoded.header.messageID == header.messageID)
    }

    @Test("is written through a buffer that is reused, without a new one")
    func reuse() throws {
        let proposal = try Proposal(notation: "aes256gcm16-prfsha384-x25519", protocolID: .ike)
        var writer = ByteWriter(capacity: 1500)
        let before = unsafe writer.span.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
        for _ in 0..<3 {
            writer.removeAll()
            var encoder = MessageEncoder(header, into: &writer)
            encoder.securityAssociation([proposal])
            encoder.keyExchange(.curve25519, [UInt8](repeating: 7, count: 32))
            encoder.beginEncrypted(ivByteCount: 8)
            encoder.trafficSelectors(initiator: [TrafficSelector(from: IPAddress(v4: 0), through: IPAddress(v4: .max))])
            _ = encoder.endEncrypted(icvByteCount: 16)
            encoder.finish(into: &writer)
            let after = unsafe writer.span.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
            #expect(after == before)
        }
    }

    @Test("that is too long for one datagram is cut into fragments that join to the same payloads")
    func fragments() throws {
        var inside = ByteWriter()
        var payloads = MessageEncoder(payloadsInto: &inside)
        payloads.vendorID([UInt8](repeating: 1, count: 100))
        payloads.notify(.initialContact)
        let first = payloads.firstType
        payloads.finish(into: &inside)

        var joined: [UInt8] = []
        for number in 1...2 {
            var writer = ByteWriter()
            var encoder = MessageEncoder(header, into: &writer)
            encoder.beginEncryptedFragment(number: UInt16(number), of: 2, firstType: first, ivByteCount: 8)
            let part = number == 1 ? inside.bytes[..<60] : inside.bytes[60...]
            encoder.append(Array(part))
            let region = encoder.endEncrypted(icvByteCount: 16)
            encoder.finish(into: &writer)

            var sequence = try MessageDecoder(writer.span).payloads
            let raw = try #require(try next(&sequence))
            #expect(raw.firstType == (number == 1 ? .vendorID : .none))
            #expect(raw.contentOffset == region.ivStart)
            #expect(raw.number == number)
            joined += writer.bytes[region.plaintext].dropLast()
        }
        let decoded = try Payload.decodeAll(PayloadSequence(first: first, bytes: joined.rawSpan))
        #expect(decoded.map(\.type) == [.vendorID, .notify])
    }

    /// The fragment at the head of a sequence, in values that outlive it.
    private func next(
        _ sequence: inout PayloadSequence
    ) throws -> (firstType: PayloadType, number: Int, contentOffset: Int)? {
        guard let payload = try sequence.next() else { return nil }
        let fragment = try EncryptedFragment(payload)
        return (fragment.firstType, Int(fragment.number), fragment.contentOffset)
    }
}
