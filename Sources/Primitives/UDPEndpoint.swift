/// An address and a UDP port.
public struct UDPEndpoint: Hashable, Comparable, Sendable, BitwiseCopyable {
    public var address: IPAddress
    public var port: UInt16

    @inlinable
    public init(address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }

    @inlinable
    public static func < (left: UDPEndpoint, right: UDPEndpoint) -> Bool {
        (left.address, left.port) < (right.address, right.port)
    }
}

extension UDPEndpoint: CustomStringConvertible {
    /// `192.0.2.1:500`, `[2001:db8::1]:500`.
    public var description: String { address.isIPv4 ? "\(address):\(port)" : "[\(address)]:\(port)" }
}
