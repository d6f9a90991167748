package import IKECrypto
package import Primitives

/// What a server has decided, or wants to know next.
package struct RADIUSAnswer: ~Copyable {
    package enum Verdict: Hashable, Sendable { case accept, reject, challenge }

    package let owner: UInt64
    package let verdict: Verdict
    /// The EAP packet for the peer; empty when the server sent none.
    package let eapMessage: [UInt8]
    /// What the next request has to carry.
    package let state: [UInt8]?
    /// Which server has answered, counted from 0.
    package let server: Int
    /// Of an Access-Accept: 64 octets, or empty when the method derives no key.
    package let msk: SecretBytes
    /// How long the access may last (RFC 2865 section 5.27).
    package let sessionTimeout: Duration?
    /// How long after its first sending the request was answered.
    package let latency: Duration

    /// The key itself, for who keeps it.
    package consuming func takeMSK() -> SecretBytes { msk }
}

/// What came of a datagram.
package enum RADIUSReceipt: ~Copyable {
    case answer(RADIUSAnswer)
    case dropped(RADIUSDropReason)
}

/// Why a datagram was discarded.
package enum RADIUSDropReason: Hashable, Sendable {
    case malformed(DecodeError)
    /// It comes from no server, or to no port of the client.
    case unknownServer
    /// Nobody waits for it: it was answered before, or given up.
    case notAwaited
    /// It was not made by who knows the secret (RFC 2865 section 3, RFC 3579 section 3.2).
    case forged
    /// It answers nothing.
    case unexpectedCode
}

/// Why a request was not answered.
package enum RADIUSFailure: Hashable, Sendable {
    /// No server answered in time.
    case timeout
}

/// Why a request was not sent.
package enum RADIUSRefusal: Hashable, Sendable {
    /// As many requests as there are identifiers wait for their answers.
    case busy
    /// It does not fit a packet.
    case tooLong
}

/// One EAP conversation as the servers see it: the name, and what each answer adds for the next request.
package struct RADIUSConversation: Sendable {
    package let userName: [UInt8]
    package let callingStationID: [UInt8]?
    package let calledStationID: [UInt8]?
    private var state: [UInt8]?
    private var server: Int?

    package init(userName: [UInt8], callingStationID: [UInt8]? = nil, calledStationID: [UInt8]? = nil) {
        self.userName = userName
        self.callingStationID = callingStationID
        self.calledStationID = calledStationID
    }

    /// The request that carries an EAP packet of the peer.
    package func request(_ eapMessage: [UInt8]) -> AccessRequest {
        AccessRequest(
            userName: userName,
            eapMessage: eapMessage,
            state: state,
            callingStationID: callingStationID,
            calledStationID: calledStationID,
            server: server
        )
    }

    /// From a challenge on, only the server that sent it knows the conversation.
    package mutating func take(_ answer: borrowing RADIUSAnswer) {
        state = answer.state
        server = answer.server
    }
}
