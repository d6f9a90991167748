package import Primitives

extension Workload {
    /// A kind of client.
    package struct Profile: Hashable, Sendable {
        package var name: String
        package var identity: IdentityTemplate
        package var authentication: Authentication
        package var proposals: Proposals
        package var lifetimes: Lifetimes
        package var retransmission: Retransmission
        package var reconnect: Reconnect
        /// How long an IKE SA is silent before the client asks whether the peer is alive; nil never asks.
        package var liveness: Duration?
        /// How often a client behind NAT sends a keepalive (RFC 3948 section 2.3); nil sends none.
        package var natKeepalive: Duration?
        package var fragmentation = Fragmentation.never
        package var lifeCycle = LifeCycle()
        package var mobility = Mobility()
        package var trafficSelectors: TrafficSelectors
        package var configuration: Configuration
        /// Child SAs in all: the first comes with IKE_AUTH, the others with CREATE_CHILD_SA.
        package var children: Int
        package var mode = Mode.tunnel
        package var replayWindow = ReplayWindow()

        /// Whether the client asks for an inner address in the Configuration payload.
        /// What it may reach behind the gateway: in transport mode nothing but the gateway itself.
        package var innerPrefixes: [IPPrefix] { mode == .tunnel ? trafficSelectors.remote : [] }
        package var requestsAddress: Bool { mode == .tunnel && trafficSelectors.local.contains(.dynamic) }
    }

    /// What the client asks for in the Configuration payload (RFC 7296 section 2.19).
    package struct Configuration: Hashable, Sendable {
        /// The families of its inner addresses.
        package var addresses: [Family]
        package var settings: [Setting]

        package enum Family: String, CaseIterable, Hashable, Sendable {
            case ipv4, ipv6
        }

        package enum Setting: String, CaseIterable, Hashable, Sendable {
            case nameServers = "name-servers"
            case subnets
        }
    }

    /// Traffic selectors as the client proposes them (RFC 7296 section 2.9).
    package struct TrafficSelectors: Hashable, Sendable {
        package var local: [Selector]
        package var remote: [IPPrefix]

        package enum Selector: Hashable, Sendable {
            /// The inner address that the gateway assigns.
            case dynamic
            case prefix(IPPrefix)
        }
    }

    /// When a request is sent again, and when its sender gives up.
    package struct Retransmission: Hashable, Sendable {
        /// The wait after each sending: `waits[0]` after the first, and after the last of them the peer is dead.
        package var waits: [Duration]

        /// How long after the first sending the peer is given up.
        package var givesUpAfter: Duration { waits.reduce(.zero, +) }
    }

    /// What a client does after it failed to set up an IKE SA or lost one.
    package struct Reconnect: Hashable, Sendable {
        /// Reasons to try again; after any other the client stays down. Empty never reconnects.
        package var after: [Reason]
        /// The wait before the n-th attempt in a row; the last one repeats.
        package var waits: [Duration]
        /// The share of a wait that is drawn at random: 0 waits exactly, 1 (full) waits between zero and the wait.
        package var jitter: Probability
        /// Attempts in a row until the client gives up; nil never does.
        package var giveUpAfter: Int?

        package enum Reason: String, CaseIterable, Hashable, Sendable {
            /// No answer to the last retransmission, in a set-up or in a liveness check.
            case timeout
            /// The gateway deleted the IKE SA.
            case delete
            /// The gateway refused with an error notify.
            case refused
            /// AUTHENTICATION_FAILED from either end.
            case authentication
            /// The IKE SA reached its hard lifetime.
            case expired
        }
    }

    /// An identity with a number in it, such as `user%05d@example.org`, or a list of identities.
    package struct IdentityTemplate: Hashable, Sendable {
        package var prefix: String
        /// The least number of digits, or nil if the identity has no number.
        package var digits: Int?
        package var suffix: String
        /// The identities one by one; client 1 has the first.
        package private(set) var file: IdentityFile?

        package init(prefix: String, digits: Int?, suffix: String) {
            self.prefix = prefix
            self.digits = digits
            self.suffix = suffix
        }

        package init(_ file: IdentityFile) {
            self.init(prefix: file.path, digits: nil, suffix: "")
            self.file = file
        }

        /// The identity of the client with this number.
        package func identity(_ number: Int) -> String {
            if let file { return file.entries[max(0, number - 1) % file.entries.count].identity }
            guard let digits else { return prefix + suffix }
            let text = String(number)
            return prefix + String(repeating: "0", count: max(0, digits - text.utf8.count)) + text + suffix
        }
    }
}

extension Workload.IdentityTemplate: CustomStringConvertible {
    package var description: String {
        guard let digits else { return prefix + suffix }
        return prefix + (digits > 1 ? "%0\(digits)d" : "%d") + suffix
    }
}
