import IKECrypto
import IKEWire
import Primitives

extension Contents {
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

extension Contents {
    /// What TSi and TSr say; nil where one of them is not there or cannot be read.
    var writtenSelectors: (initiator: [TrafficSelector], responder: [TrafficSelector])? {
        guard let initiator = selectors(initiatorSelectors), let responder = selectors(responderSelectors) else {
            return nil
        }
        return (initiator, responder)
    }
}

extension [TrafficSelector] {
    /// All addresses of some families; of none, those of IPv4.
    static func everything(of families: AddressFamilies) -> [TrafficSelector] {
        var selectors: [TrafficSelector] = []
        if families != .ipv6 { selectors.append(TrafficSelector(IPPrefix(address: IPAddress(v4: 0), length: 0))) }
        if families.contains(.ipv6) { selectors.append(TrafficSelector(IPPrefix(address: .unspecified, length: 0))) }
        return selectors
    }

    /// Each of the addresses by itself.
    static func each(of addresses: InnerAddresses) -> [TrafficSelector] {
        var selectors: [TrafficSelector] = []
        addresses.forEachAddress { address in
            selectors.append(TrafficSelector(address))
        }
        return selectors
    }
}

extension Origin {
    /// A random inbound SPI outside the reserved range (RFC 4303 section 2.1); no secret, so that any chance will do.
    mutating func childSPI() -> ChildSPI {
        let span = UInt64(UInt32.max - ChildSPI.first.rawValue) + 1
        return ChildSPI(rawValue: ChildSPI.first.rawValue + UInt32(chance.scaled(below: span)))
    }
}
