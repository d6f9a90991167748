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
    /// IKE_AUTH that carries EAP, or asks for it (RFC 7296 section 2.16); the one with AUTH at the end is `ikeAuth`.
    case eap
    case ikeIntermediate
    case followUp
}

/// What a sender put into a datagram, carried beside its octets in a simulation only.
///
/// Every IKE SA keeps two of these, so that they are packed.
package struct PacketNote: Hashable, Sendable, BitwiseCopyable {
    package var operation: Operation
    /// The method of the KE payload inside, if there is one.
    package var keyExchange: KeyExchangeMethod?
    /// Which fragment of its message the datagram is, counted from 1; 0 for a message in one piece.
    package var fragmentNumber: UInt8 = 0
    /// How many fragments the message has; 0 for one in one piece.
    package var fragmentTotal: UInt8 = 0
    /// The flags in the lower four bits, the wanted families above them.
    private var bits: UInt8 = 0

    package init(
        _ operation: Operation,
        isResponse: Bool,
        keyExchange: KeyExchangeMethod? = nil,
        wanting wantedAddresses: AddressFamilies = .none
    ) {
        self.operation = operation
        self.keyExchange = keyExchange
        self.isResponse = isResponse
        self.wantedAddresses = wantedAddresses
    }

    package var isResponse: Bool {
        get { bits & 1 != 0 }
        set { set(1, newValue) }
    }

    package var isRetransmission: Bool {
        get { bits & 2 != 0 }
        set { set(2, newValue) }
    }

    /// IKE_SA_INIT that returns a cookie.
    package var hasCookie: Bool {
        get { bits & 4 != 0 }
        set { set(4, newValue) }
    }

    /// The AUTH payload inside is a signature.
    package var isSigned: Bool {
        get { bits & 8 != 0 }
        set { set(8, newValue) }
    }

    /// The families of the inner addresses that the CFG_REQUEST inside asks for.
    package var wantedAddresses: AddressFamilies {
        get { AddressFamilies(rawValue: bits >> 4) }
        set { bits = bits & 0x0F | newValue.rawValue << 4 }
    }

    private mutating func set(_ bit: UInt8, _ isSet: Bool) { bits = isSet ? bits | bit : bits & ~bit }

    /// Whether the datagram is a message's only one or its first: what counts messages counts these.
    package var beginsMessage: Bool { fragmentNumber <= 1 }
}
