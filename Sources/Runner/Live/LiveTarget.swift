package import Primitives

/// A gateway in real time: its address, and the ports that it listens on.
package struct LiveTarget: Hashable, Sendable {
    package var address: IPAddress
    /// Where IKE_SA_INIT goes: port 500 (RFC 7296 section 2).
    package var port: UInt16
    /// Where everything goes once a NAT was found: port 4500 (RFC 3948 section 2.2).
    package var encapsulatedPort: UInt16

    package init(address: IPAddress, port: UInt16 = 500, encapsulatedPort: UInt16 = 4500) {
        precondition(port != encapsulatedPort, "a port carries messages with the non-ESP marker, or without it")
        self.address = address
        self.port = port
        self.encapsulatedPort = encapsulatedPort
    }

    var plain: UDPEndpoint { UDPEndpoint(address: address, port: port) }
    var encapsulated: UDPEndpoint { UDPEndpoint(address: address, port: encapsulatedPort) }

    /// Whether the address is this machine's own, which needs no allowance.
    var isLoopback: Bool { Self.loopback.contains { $0.contains(address) } }

    static var loopback: [IPPrefix] {
        [
            IPPrefix(address: IPAddress(v4: 0x7F00_0000), length: 8),
            IPPrefix(address: IPAddress(high: 0, low: 1), length: 128),
        ]
    }
}

extension LiveTarget: LosslessStringConvertible {
    /// Reads `192.0.2.1`, `192.0.2.1:1500`, `192.0.2.1:1500:14500`, `2001:db8::1` or `[2001:db8::1]:1500:14500`.
    package init?(_ text: String) {
        var ports: [Substring] = []
        var host = text[...]
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            host = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
            ports = rest.isEmpty ? [] : rest.dropFirst().split(separator: ":", omittingEmptySubsequences: false)
        } else if text.contains(".") {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            host = parts[0]
            ports = Array(parts.dropFirst())
        }
        guard let address = IPAddress(String(host)), ports.count <= 2 else { return nil }
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
        self.init(address: address, port: port, encapsulatedPort: encapsulatedPort)
    }

    package var description: String {
        guard port != 500 || encapsulatedPort != 4500 else { return "\(address)" }
        return "\(plain):\(encapsulatedPort)"
    }
}
