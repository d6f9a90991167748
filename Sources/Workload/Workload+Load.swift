package import Primitives

extension Workload {
    /// Clients of one profile that go to one gateway.
    package struct Population: Hashable, Sendable {
        package var name: String
        package var count: Int
        package var profile: Int
        /// The paths and the share of the clients on each; the shares add up to 1.
        package var paths: [PathShare]
        package var gateway: Int
        /// The outer addresses that its clients have, in order.
        package var sources: [IPPrefix]
        /// The number that the first client puts in its identity.
        package var firstIdentity: Int

        package struct PathShare: Hashable, Sendable {
            package var path: Int
            package var share: Probability
        }

        /// The outer address of a client: clients go around the sources, so that each has its own while they last.
        package func source(ofClient index: Int) -> IPAddress {
            let total = sources.reduce(UInt64(0)) { total, prefix in
                let (sum, overflow) = total.addingReportingOverflow(prefix.count)
                return overflow ? .max : sum
            }
            var place = UInt64(index) % total
            for prefix in sources {
                if place < prefix.count { return prefix[place] }
                place -= prefix.count
            }
            preconditionFailure("the place is below the number of addresses")
        }
    }

    /// How clients of a population come, and whether they go again.
    package struct Arrival: Hashable, Sendable {
        package var name: String
        package var population: Int
        /// When the first may come.
        package var start: Duration
        package var pattern: Pattern
        /// How long a client stays before it deletes its IKE SA; nil stays to the end.
        package var stay: Distribution?

        package enum Pattern: Hashable, Sendable {
            /// Evenly spaced, for a while or to the end.
            case constant(rate: Rate, lasting: Duration?)
            /// A rate that changes in a straight line, and then holds or ends.
            case ramp(from: Rate, to: Rate, over: Duration, holds: Bool)
            /// Independent of one another, for a while or to the end.
            case poisson(rate: Rate, lasting: Duration?)
            /// This many clients, evenly spread over a short time.
            case spike(clients: Int, over: Duration)
            case trace([TraceEntry])
        }

        /// A line of a trace: when a client comes, when it goes, and which client it is.
        package struct TraceEntry: Hashable, Sendable {
            package var at: Duration
            /// nil stays to the end.
            package var until: Duration?
            /// nil is any idle client.
            package var client: Int?
        }
    }

    /// Something that goes wrong at a known time.
    package struct Fault: Hashable, Sendable {
        package var name: String
        package var at: Duration
        package var effect: Effect

        package init(name: String, at: Duration, effect: Effect) {
            self.name = name
            self.at = at
            self.effect = effect
        }

        package enum Effect: Hashable, Sendable {
            /// The paths lose packets this way instead of their own.
            case lossBurst(paths: [Int], loss: Loss, lasting: Duration)
            /// The paths carry nothing.
            case pathDown(paths: [Int], lasting: Duration)
            /// The NATs of these paths forget every mapping, as after a reboot.
            case natFlush(paths: [Int])
            /// The NATs of a share of the clients give their mappings a new outer address and port.
            case natRebind(paths: [Int], share: Probability)
            /// A share of a population goes to another path, each client at a moment of its own, and has another
            /// address there: one of `sources`, or one of the population's own that nobody has had.
            case move(population: Int, share: Probability, to: Int, over: Duration, sources: [IPPrefix])
            /// The gateway is down for a while, and comes back with its SAs or without them.
            case gatewayRestart(gateway: Int, down: Duration, keepsState: Bool)
            /// No RADIUS server answers the gateway.
            case radiusOutage(gateway: Int, lasting: Duration)
            /// A gateway and a share of its clients change their certificates, and whom they believe.
            case certificateRollover(CertificateRollover)
            /// What a share of the clients, and their gateway to them, send through tunnels is caught on its way, and
            /// comes once more, so much later.
            case replay(paths: [Int], share: Probability, after: Duration, lasting: Duration)
        }

        /// When the fault is over and recovery can begin.
        package var end: Duration {
            switch effect {
            case .lossBurst(_, _, let lasting), .pathDown(_, let lasting), .radiusOutage(_, let lasting),
                .replay(_, _, _, let lasting):
                at + lasting
            case .natFlush, .natRebind, .certificateRollover: at
            case .move(_, _, _, let over, _): at + over
            case .gatewayRestart(_, let down, _): at + down
            }
        }
    }

    /// Hostile load that `safety` has to allow by name.
    package struct Flood: Hashable, Sendable {
        package var name: String
        package var kind: Kind
        package var gateway: Int
        package var at: Duration
        package var lasting: Duration
        package var rate: Rate
        /// The addresses that the flood pretends to come from, drawn at random.
        package var sources: [IPPrefix]

        package enum Kind: String, CaseIterable, Hashable, Sendable {
            /// IKE_SA_INIT requests that never answer a cookie demand (RFC 7296 section 2.6).
            case cookieFlood = "cookie-flood"
        }
    }
}

extension Workload {
    /// Events per time, exactly: 400 per second is (400, 1 s).
    package struct Rate: Hashable, Sendable {
        package var count: UInt64
        package var per: Duration

        package init(count: UInt64, per: Duration) {
            self.count = count
            self.per = per
        }

        /// Events per second, in thousandths, rounded down.
        package var perSecondThousandths: UInt64 {
            let (high, low) = count.multipliedFullWidth(by: 1_000_000_000_000)
            let divisor = UInt64(per.nanoseconds)
            return high < divisor ? divisor.dividingFullWidth((high, low)).quotient : .max
        }
    }
}
