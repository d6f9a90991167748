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
    /// The families of the inner addresses that the CFG_REQUEST inside asks for.
    package var wantedAddresses: AddressFamilies
    /// Which fragment of its message the datagram is, counted from 1; 0 for a message in one piece.
    package var fragmentNumber: UInt8 = 0
    /// How many fragments the message has; 0 for one in one piece.
    package var fragmentTotal: UInt8 = 0

    package init(
        _ operation: Operation,
        isResponse: Bool,
        keyExchange: KeyExchangeMethod? = nil,
        wanting wantedAddresses: AddressFamilies = []
    ) {
        self.operation = operation
        self.isResponse = isResponse
        self.keyExchange = keyExchange
        self.wantedAddresses = wantedAddresses
    }

    /// Whether the datagram is a message's only one or its first: what counts messages counts these.
    package var beginsMessage: Bool { fragmentNumber <= 1 }
}
