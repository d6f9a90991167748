package import IKECrypto
import IKEWire

/// What a message is for: the gateway model prices it by this, since it cannot look into what is encrypted.
package enum Operation: UInt8, Sendable, BitwiseCopyable, CaseIterable {
    case ikeSAInit
    case ikeAuth
    case createChild
    case rekeyChild
    case rekeyIKE
    case liveness
    case delete
    case informational
    case cookieDemand
    case refusal
    case natKeepalive
}

/// What a sender put into a datagram, carried beside its octets in a simulation only.
package struct PacketNote: Hashable, Sendable, BitwiseCopyable {
    package var operation: Operation
    package var isResponse: Bool
    package var isRetransmission = false
    /// IKE_SA_INIT that returns a cookie.
    package var hasCookie = false
    /// The AUTH payload inside is a signature.
    package var isSigned = false
    /// The method of the KE payload inside, if there is one.
    package var keyExchange: KeyExchangeMethod?

    package init(_ operation: Operation, isResponse: Bool, keyExchange: KeyExchangeMethod? = nil) {
        self.operation = operation
        self.isResponse = isResponse
        self.keyExchange = keyExchange
    }
}
