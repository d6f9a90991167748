import Primitives
import UDPTransport

extension UDPSocket {
    /// Binds the port of a command that answers others; `option` is how its user says which.
    init(
        serving address: IPAddress,
        _ port: UInt16,
        _ option: String,
        _ allowance: Allowance
    ) throws(LiveError) {
        let local = UDPEndpoint(address: address, port: port)
        do throws(SocketError) {
            self = try UDPSocket(bindingTo: local, allowance: allowance, gathers: true)
        } catch {
            throw .system(
                "nothing can answer on \(address), port \(port): \(SystemError.text(error.number)); write an "
                    + "address of this machine after --address, or another port after \(option)"
            )
        }
    }
}

extension Allowance {
    /// The prefixes that an answer goes to without anybody's saying so.
    static let served = [
        IPPrefix(address: IPAddress(v4: 0x7F00_0000), length: 8),
        IPPrefix(address: IPAddress(high: 0, low: 1), length: 128),
    ]
}
