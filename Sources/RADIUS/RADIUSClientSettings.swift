package import Primitives

/// A server, and the secret that it shares with this client.
package struct RADIUSServer: Hashable, Sendable {
    package let endpoint: UDPEndpoint
    package let secret: [UInt8]

    package init(endpoint: UDPEndpoint, secret: [UInt8]) {
        self.endpoint = endpoint
        self.secret = secret
    }
}

/// What a client is told.
package struct RADIUSClientSettings: Sendable {
    /// In order of preference.
    package let servers: [RADIUSServer]
    package let nas: NASIdentification
    /// The client's own ports; each has 256 identifiers towards every server.
    package let sourcePorts: [UInt16]
    /// How long each sending to one server waits for the answer.
    package let waits: [Duration]
    /// How long a request lives, whatever the servers do.
    package let giveUpAfter: Duration
    /// How long a server that did not answer is asked last.
    package let deadTime: Duration

    package init(
        servers: [RADIUSServer],
        nas: NASIdentification,
        sourcePorts: [UInt16],
        waits: [Duration] = Self.usualWaits,
        giveUpAfter: Duration = .seconds(30),
        deadTime: Duration = .seconds(60)
    ) {
        precondition(!servers.isEmpty && servers.count <= 64, "there are 1 to 64 servers")
        precondition(!sourcePorts.isEmpty, "a client has a port")
        precondition(!waits.isEmpty && waits.allSatisfy { $0 > .zero }, "every sending waits for some time")
        self.servers = servers
        self.nas = nas
        self.sourcePorts = sourcePorts
        self.waits = waits
        self.giveUpAfter = giveUpAfter
        self.deadTime = deadTime
    }

    /// What strongSwan's eap-radius does unless told otherwise: 2 s x 1.4^n, 4 sendings (strongswan.conf).
    package static let usualWaits: [Duration] = [
        .milliseconds(2000), .milliseconds(2800), .milliseconds(3920), .milliseconds(5488),
    ]
}

/// What a client has done so far.
package struct RADIUSCounters: Hashable, Sendable {
    package var requests = 0
    package var retransmissions = 0
    package var failovers = 0
    package var accepts = 0
    package var rejects = 0
    package var challenges = 0
    package var timeouts = 0
    package var refusals = 0
    package var forged = 0
    package var malformed = 0
    /// Answers that nobody waited for, duplicates above all, and datagrams that are no answers.
    package var stray = 0
}

/// What a client wants to be done, lent by its driver.
package struct RADIUSOutput: Sendable {
    /// A packet on its way.
    package struct Datagram: Hashable, Sendable {
        package let server: UDPEndpoint
        package let sourcePort: UInt16
        package let octets: [UInt8]
    }

    package var datagrams: [Datagram] = []
    /// Requests that have ended without an answer.
    package var failures: [(owner: UInt64, reason: RADIUSFailure)] = []

    package init() {}

    package mutating func removeAll() {
        datagrams.removeAll(keepingCapacity: true)
        failures.removeAll(keepingCapacity: true)
    }
}
