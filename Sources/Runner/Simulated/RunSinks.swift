package import IKECrypto
import IKEWire
package import IKEv2
package import Primitives
import Simulation

/// Where a run's events and packets go as it proceeds; nil for what nobody wants.
package struct RunSinks {
    /// A life-cycle event, in the run's order.
    package struct Event: Sendable {
        package var time: Instant
        package var client: UInt32
        package var isGateway: Bool
        package var name: String
        /// What the event says beside its name, in order.
        package var details: [(key: String, value: String)]

        package init(
            time: Instant,
            client: UInt32,
            isGateway: Bool,
            name: String,
            details: [(key: String, value: String)]
        ) {
            self.time = time
            self.client = client
            self.isGateway = isGateway
            self.name = name
            self.details = details
        }
    }

    /// A UDP datagram as it leaves its sender, in the run's order.
    package struct Packet: Sendable {
        package var time: Instant
        package var source: UDPEndpoint
        package var destination: UDPEndpoint
        package var octets: [UInt8]
        /// Whose it is, by the client's place among all of the run; nil where nobody keeps that.
        package var client: UInt32?

        package init(
            time: Instant,
            source: UDPEndpoint,
            destination: UDPEndpoint,
            octets: [UInt8],
            client: UInt32? = nil
        ) {
            self.client = client
            self.time = time
            self.source = source
            self.destination = destination
            self.octets = octets
        }
    }

    /// What decrypts the messages of one IKE SA.
    package struct Keys: Sendable {
        package var spis: IKESPIPair
        package var suite: IKESuite
        /// SK_ei, SK_er, SK_ai, SK_ar.
        package var ei: [UInt8]
        package var er: [UInt8]
        package var ai: [UInt8]
        package var ar: [UInt8]

        package init(_ channel: borrowing Channel) {
            spis = channel.spis
            suite = channel.suite
            ei = channel.keys.ei.bytes.copied()
            er = channel.keys.er.bytes.copied()
            ai = channel.keys.ai.bytes.copied()
            ar = channel.keys.ar.bytes.copied()
        }
    }

    /// Told the wall clock at the start of a run in real time, in nanoseconds since 1970.
    package var started: ((UInt64) -> Void)?
    package var event: ((Event) -> Void)?
    /// With packets come the keys that decrypt them, each before the first packet that needs them in its second.
    package var packet: ((Packet) -> Void)?
    package var keys: ((Keys) -> Void)?
    /// Of each Child SA that carries traffic.
    package var childKeys: ((ChildKeys) -> Void)?

    package init(
        event: ((Event) -> Void)? = nil,
        packet: ((Packet) -> Void)? = nil,
        keys: ((Keys) -> Void)? = nil
    ) {
        self.event = event
        self.packet = packet
        self.keys = keys
    }

    /// Writes what the shards kept since the last checkpoint: by time, client and the client's own count.
    func write(_ entries: inout [ShardJournal.Entry]) {
        guard let event else { return }
        entries.sort { ($0.time, $0.client, $0.count) < ($1.time, $1.client, $1.count) }
        for entry in entries {
            event(
                Event(
                    time: entry.time,
                    client: entry.client,
                    isGateway: entry.isGateway,
                    name: entry.report.name,
                    details: entry.report.details
                )
            )
        }
    }

    func write(_ packets: inout [ShardJournal.CapturedPacket]) {
        guard let packet else { return }
        packets.sort { $0.order < $1.order }
        for captured in packets {
            packet(
                Packet(
                    time: captured.order.time,
                    source: captured.source,
                    destination: captured.destination,
                    octets: captured.octets,
                    client: captured.order.source
                )
            )
        }
    }
}

extension RunSinks {
    func write(_ captured: inout [CapturedKeys]) {
        guard let keys else { return }
        captured.sort { $0.order < $1.order }
        for entry in captured { keys(entry.keys) }
    }
}

extension Report {
    /// What the event file calls it.
    var name: String {
        switch self {
        case .keysDerived: "keys-derived"
        case .established: "established"
        case .peerIdentified: "peer-identified"
        case .authenticationLimited: "authentication-limited"
        case .addressAssigned: "address-assigned"
        case .nameServerGiven: "name-server-given"
        case .subnetGiven: "subnet-given"
        case .childInstalled: "child-installed"
        case .childRefused: "child-refused"
        case .childRekeyed: "child-rekeyed"
        case .childRekeyFailed: "child-rekey-failed"
        case .childDeleted: "child-deleted"
        case .ikeRekeyed: "ike-rekeyed"
        case .ikeRekeyFailed: "ike-rekey-failed"
        case .retransmitted: "retransmitted"
        case .answeredAgain: "answered-again"
        case .alive: "alive"
        case .peerMoved: "peer-moved"
        case .peerAddressGiven: "peer-address-given"
        case .addressesUpdated: "addresses-updated"
        case .returnRoutable: "return-routable"
        case .refused: "refused"
        case .unknownToPeer: "unknown-to-peer"
        case .childUnknownToPeer: "child-unknown-to-peer"
        case .dropped: "dropped"
        case .closed: "closed"
        }
    }

    var details: [(key: String, value: String)] {
        switch self {
        case .keysDerived(let spis), .established(let spis), .unknownToPeer(let spis): spis.details
        case .addressAssigned(let address), .nameServerGiven(let address): [("address", "\(address)")]
        case .subnetGiven(let subnet): [("subnet", "\(subnet)")]
        case .peerIdentified(_, let isInitialContact): [("initial-contact", "\(isInitialContact)")]
        case .authenticationLimited(let lifetime): [("to", "\(lifetime)")]
        case .childInstalled(let inbound, let outbound): [("inbound", "\(inbound)"), ("outbound", "\(outbound)")]
        case .childRefused(let type), .refused(let type): [("reason", "\(type)")]
        case .childRekeyed(let replaced, let inbound, let outbound, _, let fromHere):
            [
                ("replaced", "\(replaced)"), ("inbound", "\(inbound)"), ("outbound", "\(outbound)"),
                ("from-here", "\(fromHere)"),
            ]
        case .childRekeyFailed(let spi, let reason): [("inbound", "\(spi)"), ("reason", reason.name)]
        case .childDeleted(let spi), .childUnknownToPeer(let spi): [("inbound", "\(spi)")]
        case .ikeRekeyed(let old, let new, _, let fromHere):
            new.details + [("replaced", "\(old.initiator)"), ("from-here", "\(fromHere)")]
        case .ikeRekeyFailed(let spis, let reason): spis.details + [("reason", reason.name)]
        case .retransmitted(let operation): [("operation", "\(operation)")]
        case .peerMoved(let endpoint), .returnRoutable(let endpoint): [("to", "\(endpoint)")]
        case .peerAddressGiven(let address): [("address", "\(address)")]
        case .addressesUpdated(_, let fromHere): [("from-here", "\(fromHere)")]
        case .closed(let spis, let reason): spis.details + [("reason", reason.name)]
        case .answeredAgain, .alive, .dropped: []
        }
    }
}

extension IKESPIPair {
    fileprivate var details: [(key: String, value: String)] {
        [("spi-i", "\(initiator)"), ("spi-r", "\(responder)")]
    }
}
