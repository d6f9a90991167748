package import Primitives

/// A gateway in real time: its address, and the ports that it listens on.
package struct LiveTarget: Hashable, Sendable {
    package var address: IPAddress
    /// Where IKE_SA_INIT goes: port 500 (RFC 7296 section 2).
    package var port: UInt16
    /// Where everything goes once a NAT was found: port 4500 (RFC 3948 section 2.2).
    package var encapsulatedPort: UInt16
    /// Where it is besides, by the same ports: clients that move may go there (RFC 4555 section 3.4).
    package var others: [IPAddress]

    package init(
        address: IPAddress,
        port: UInt16 = 500,
        encapsulatedPort: UInt16 = 4500,
        others: [IPAddress] = []
    ) {
        precondition(port != encapsulatedPort, "a port carries messages with the non-ESP marker, or without it")
        self.address = address
        self.port = port
        self.encapsulatedPort = encapsulatedPort
        self.others = others
    }

    var addresses: [IPAddress] { [address] + others }

    /// The target at one of its addresses alone.
    func at(_ address: IPAddress) -> LiveTarget {
        LiveTarget(address: address, port: port, encapsulatedPort: encapsulatedPort)
    }

    /// Where a client with a source of a family goes; nil where the target has no address of that.
    func reached(byIPv4 isIPv4: Bool) -> LiveTarget? {
        addresses.first { $0.isIPv4 == isIPv4 }.map { at($0) }
    }

    var plain: UDPEndpoint { UDPEndpoint(address: address, port: port) }
    var encapsulated: UDPEndpoint { UDPEndpoint(address: address, port: encapsulatedPort) }

    /// Whether all that it has is this machine's own, which needs no allowance.
    var isLoopback: Bool {
        addresses.allSatisfy { address in Self.loopback.contains { $0.contains(address) } }
    }

    static var loopback: [IPPrefix] {
        [
            IPPrefix(address: IPAddress(v4: 0x7F00_0000), length: 8),
            IPPrefix(address: IPAddress(high: 0, low: 1), length: 128),
        ]
    }
}

extension LiveTarget: LosslessStringConvertible {
    /// Reads `192.0.2.1`, `192.0.2.1:1500`, `192.0.2.1:1500:14500`, `2001:db8::1` or `[2001:db8::1]:1500:14500`, and
    /// behind commas the addresses where it is besides.
    package init?(_ text: String) {
        let places = text.split(separator: ",", omittingEmptySubsequences: false)
        let others = places.dropFirst().map { IPAddress(String($0)) }
        guard let (host, ports) = Self.parts(of: places[0]), let address = IPAddress(String(host)), ports.count <= 2,
            others.allSatisfy({ $0 != nil }), Set(others + [address]).count == places.count
        else { return nil }
        var numbers: [UInt16] = []
        for port in ports {
            guard port.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
                let number = UInt16(port), number > 0
            else { return nil }
            numbers.append(number)
        }
        let port = numbers.first ?? 500
        let encapsulatedPort = numbers.count > 1 ? numbers[1] : 4500
        guard port != encapsulatedPort else { return nil }
        self.init(
            address: address,
            port: port,
            encapsulatedPort: encapsulatedPort,
            others: others.compactMap(\.self)
        )
    }

    /// The address, without brackets, and the ports behind it.
    private static func parts(of text: Substring) -> (host: Substring, ports: [Substring])? {
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            let host = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
            return (host, rest.isEmpty ? [] : rest.dropFirst().split(separator: ":", omittingEmptySubsequences: false))
        }
        guard text.contains(".") else { return (text, []) }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        return (parts[0], Array(parts.dropFirst()))
    }

    package var description: String {
        let first = port == 500 && encapsulatedPort == 4500 ? "\(address)" : "\(plain):\(encapsulatedPort)"
        return ([first] + others.map(\.description)).joined(separator: ",")
    }
}
