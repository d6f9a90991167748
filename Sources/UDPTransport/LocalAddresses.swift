import CLinux
package import Primitives

/// What this machine can send from.
package enum LocalAddresses {
    /// The address that the system sends from towards a destination.
    package static func source(towards destination: IPAddress) throws(SocketError) -> IPAddress {
        var source = clinux_address()
        _ = unsafe try SocketError.check(clinux_source_towards(clinux_address(destination), &source), .open)
        return IPAddress(source)
    }

    /// Whether sockets can be bound to an address.
    package static func canBind(_ address: IPAddress) -> Bool {
        let endpoint = UDPEndpoint(address: address, port: 0)
        do throws(SocketError) {
            _ = try UDPSocket(bindingTo: endpoint, allowance: .nothing, receiveBuffer: 0, sendBuffer: 0)
            return true
        } catch {
            return false
        }
    }

    /// Raises the limit of open files as far as the system lets, and returns it.
    package static func raiseFileLimit() -> Int { max(0, clinux_raise_file_limit()) }
}
