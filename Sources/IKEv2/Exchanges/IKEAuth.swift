import IKECrypto
import IKEWire
import Primitives

extension Contents {
    /// The inner IPv4 address of a CFG_REPLY.
    var assignedAddress: IPAddress? {
        guard hasConfiguration, let payload = try? Configuration(configuration), payload.type == .reply else {
            return nil
        }
        var attributes = payload.attributes
        while let attribute = try? attributes.next() {
            guard attribute.type == .internalIPv4Address, attribute.value.byteCount == 4 else { continue }
            var reader = ByteReader(attribute.value)
            return (try? reader.readInteger()).map(IPAddress.init(v4:))
        }
        return nil
    }

    /// Whether a CFG_REQUEST asks for an inner IPv4 address (RFC 7296 section 3.15.1).
    var requestsAddress: Bool {
        guard hasConfiguration, let payload = try? Configuration(configuration), payload.type == .request else {
            return false
        }
        var attributes = payload.attributes
        while let attribute = try? attributes.next() {
            if attribute.type == .internalIPv4Address { return true }
        }
        return false
    }

    func selectors(_ body: RawSpan) -> [TrafficSelector]? {
        guard var payload = try? TrafficSelectors(body) else { return nil }
        var selectors: [TrafficSelector] = []
        do throws(DecodeError) {
            while let selector = try payload.next() {
                // A selector of an unknown type is skipped (RFC 7296 section 3.13.1).
                if let value = selector.value { selectors.append(value) }
            }
        } catch {
            return nil
        }
        return selectors
    }
}

extension TrafficSelector {
    static let allIPv4 = TrafficSelector(
        type: .ipv4AddressRange,
        ipProtocol: 0,
        startPort: 0,
        endPort: .max,
        startAddress: IPAddress(v4: 0),
        endAddress: IPAddress(v4: .max)
    )
}

extension Origin {
    /// A random inbound SPI outside the reserved range (RFC 4303 section 2.1); no secret, so that any chance will do.
    mutating func childSPI() -> ChildSPI {
        let span = UInt64(UInt32.max - ChildSPI.first.rawValue) + 1
        return ChildSPI(rawValue: ChildSPI.first.rawValue + UInt32(chance.scaled(below: span)))
    }
}
