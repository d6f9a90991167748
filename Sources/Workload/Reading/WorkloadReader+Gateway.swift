import IKEWire
import Primitives

extension WorkloadReader {
    mutating func gateway(
        _ name: String,
        _ view: RecordView,
        at index: Int,
        populations: [Workload.Population]
    ) -> Workload.Gateway {
        let real = view.view("real").addresses("addresses")
        let policy = policy(view.view("policy"))
        let simulated = view.has("simulated") ? simulated(view.view("simulated"), at: index, real, populations) : nil
        if !view.has("simulated"), !view.has("real") {
            fail(view.node.mark, "the gateway is met nowhere", "add `simulated`, `real` or both")
        }
        if let simulated { checkCosts(simulated.costs, of: policy, view.view("simulated")) }
        return Workload.Gateway(
            name: name,
            identity: view.text("identity"),
            policy: policy,
            simulated: simulated,
            realAddresses: real
        )
    }

    private mutating func policy(_ view: RecordView) -> Workload.Policy {
        let halfOpen = view.view("half-open")
        let timeout = halfOpen.duration("timeout")
        return Workload.Policy(
            authentication: authentication(view),
            proposals: proposals(view),
            lifetimes: lifetimes(view),
            halfOpen: Workload.HalfOpen(
                cookiesAbove: halfOpen.optionalCount("cookies-above"),
                cookiesAbovePerSource: halfOpen.optionalCount("cookies-above-per-source"),
                refuseAbovePerSource: halfOpen.optionalCount("refuse-above-per-source"),
                refuseAbove: halfOpen.optionalCount("refuse-above"),
                timeout: timeout
            ),
            pool: view.prefixes("pool"),
            nameServers: view.addresses("name-servers"),
            subnets: view.prefixes("subnets"),
            liveness: liveness(view),
            retransmission: retransmission(view),
            lifeCycle: lifeCyclePolicy(view),
            radius: radius(view),
            trafficSelectors: view.has("traffic-selectors") ? view.prefixes("traffic-selectors") : Self.everything,
            mode: view.keyword("mode", or: .tunnel),
            replayWindow: replayWindow(view)
        )
    }

    private mutating func simulated(
        _ view: RecordView,
        at index: Int,
        _ real: [IPAddress],
        _ populations: [Workload.Population]
    ) -> Workload.SimulatedGateway {
        let queue = view.view("queue")
        var addresses = view.addresses("addresses")
        // Families that clients use and nobody named an address for get one from the documentation ranges.
        let sources = populations.filter { $0.gateway == index }.flatMap(\.sources)
        for isIPv4 in [true, false] where !addresses.contains(where: { $0.isIPv4 == isIPv4 }) {
            if let address = real.first(where: { $0.isIPv4 == isIPv4 }) {
                addresses.append(address)
            } else if sources.contains(where: { $0.address.isIPv4 == isIPv4 }) {
                addresses.append(Self.documentationAddress(index, isIPv4: isIPv4))
            }
        }
        if addresses.isEmpty { addresses = [Self.documentationAddress(index, isIPv4: true)] }
        return Workload.SimulatedGateway(
            model: view.text("model"),
            cores: view.count("cores"),
            serialShare: view.percent("serial"),
            costs: costs(view),
            internalLatency: view.duration("internal-latency"),
            queuePackets: queue.count("packets"),
            queueByteCount: queue.read("bytes", or: 1) { text throws(UnitProblem) in try Units.size(text) },
            addresses: addresses,
            behindNAT: view.address("behind-nat"),
            esp: espPool(view)
        )
    }

    private mutating func costs(_ view: RecordView) -> CostTableFile {
        guard let node = view.value("costs") else { return .empty }
        guard let path = node.scalar else {
            return CostTableReader.table(
                RecordView(node: node, record: CostTableSchema.root, path: view.path + ".costs")
            )
        }
        guard !path.isEmpty else { return .empty }
        do throws(UnitProblem) {
            let text = try readFile(path)
            do throws(WorkloadErrors) {
                return try CostTableFile(text: text, file: path)
            } catch {
                errors += error.errors.map {
                    WorkloadError(node.mark, "the cost table is wrong: \($0.mark): \($0.problem)", remedy: $0.remedy)
                }
            }
        } catch {
            fail(node.mark, error.problem, error.remedy)
        }
        return .empty
    }

    /// A gateway is simulated only if everything that it may be asked to do has a price.
    private mutating func checkCosts(_ costs: CostTableFile, of policy: Workload.Policy, _ view: RecordView) {
        guard !costs.keyExchanges.isEmpty else { return }
        let methods = (policy.proposals.ike + policy.proposals.child).flatMap { Proposals.keyExchanges(of: $0) }
        for method in Set(methods).sorted() where costs.price(ofKeyExchange: method) == nil {
            fail(
                view.mark("costs"),
                "the cost table has no price for the key exchange \(method), which the policy accepts",
                "add it to the table, or leave it out of the proposals"
            )
        }
    }

    private static func documentationAddress(_ index: Int, isIPv4: Bool) -> IPAddress {
        // 192.0.2.0/24 (RFC 5737) and 2001:db8:ffff::/48 (RFC 3849).
        isIPv4
            ? IPAddress(v4: 0xC000_0200 + UInt32(1 + index % 254))
            : IPAddress(high: 0x2001_0DB8_FFFF_0000, low: UInt64(1 + index))
    }

    private static let everything = [
        IPPrefix(address: IPAddress(v4: 0), length: 0), IPPrefix(address: .unspecified, length: 0),
    ]
}

extension WorkloadReader {
    func proposals(_ view: RecordView) -> Workload.Proposals {
        let proposals = view.view("proposals")
        return Workload.Proposals(ike: proposals.texts("ike"), child: proposals.texts("child"))
    }

    func liveness(_ view: RecordView) -> Duration? { view.view("liveness").optionalDuration("every") }

    mutating func lifetimes(_ view: RecordView) -> Workload.Lifetimes {
        if let name = view.value("lifetimes")?.scalar {
            return (Presets.lifetimes.first { $0.name == name } ?? Presets.lifetimes[0]).value
        }
        let lifetimes = view.view("lifetimes")
        var child = lifetime(lifetimes.view("child"))
        let written = lifetimes.view("child")
        child.packets = written.optionalCount("packets").map { UInt64($0) }
        child.bytes = written.optionalSize("bytes").map { UInt64($0) }
        if child.bytes == 0 {
            fail(
                written.mark("bytes"),
                "a Child SA that may carry nothing is rekeyed at its first packet",
                "write more, such as 1GiB, or `never`"
            )
        }
        if child.hasVolume { child.jitter = written.percent("jitter") }
        return Workload.Lifetimes(ike: lifetime(lifetimes.view("ike")), child: child)
    }

    private mutating func lifetime(_ view: RecordView) -> Workload.Lifetime {
        let rekey = view.optionalDuration("rekey")
        let jitter = view.percent("jitter")
        if jitter == .one {
            fail(view.mark("jitter"), "a jitter of 100% rekeys an SA as soon as it is there", "write less, such as 10%")
        }
        if rekey == nil, view.text("rekey") == "never", view.has("over") {
            fail(view.mark("over"), "`over` counts from the rekeying, and there is none", "remove it")
        }
        return Workload.Lifetime(
            rekey: rekey,
            jitter: rekey == nil ? .zero : jitter,
            over: rekey.map { view.optionalDuration("over") ?? max($0 / 10, .nanoseconds(1)) } ?? .zero
        )
    }

    mutating func retransmission(_ view: RecordView) -> Workload.Retransmission {
        if let name = view.value("retransmission")?.scalar {
            return (Presets.retransmission.first { $0.name == name } ?? Presets.retransmission[0]).value
        }
        let explicit = view.view("retransmission")
        let retransmission = explicit.has("waits") ? listedWaits(explicit) : growingWaits(explicit)
        // A sum that is added to the times of a run has to stay far below the largest time.
        let total = retransmission.waits.reduce(Int128(0)) { $0 + Int128($1.nanoseconds) }
        guard total <= Int128(Duration.hours(24 * 365).nanoseconds) else {
            fail(
                explicit.node.mark,
                "a peer would be given up after more than a year",
                "make the waits shorter, or fewer"
            )
            return Workload.Retransmission(waits: [.seconds(1)])
        }
        return retransmission
    }

    private mutating func listedWaits(_ view: RecordView) -> Workload.Retransmission {
        for key in ["first", "factor", "tries", "at-most"] where view.has(key) {
            fail(view.mark(key), "`\(key)` has no meaning beside `waits`", "remove it")
        }
        return Workload.Retransmission(waits: view.durations("waits"))
    }

    private mutating func growingWaits(_ view: RecordView) -> Workload.Retransmission {
        for key in ["factor", "tries"] where view.has("first") && !view.has(key) {
            fail(view.node.mark, "`\(view.path)` has no `\(key)`", "write { first: 4s, factor: 1.8, tries: 5 }")
        }
        let factor = view.factorMillionths("factor")
        if factor < 1_000_000 { fail(view.mark("factor"), "a factor below 1 makes waits shorter", "write 1 or more") }
        return Workload.Retransmission(
            first: view.duration("first"),
            factorMillionths: max(1_000_000, factor),
            tries: min(60, view.optionalCount("tries") ?? 0),
            atMost: view.optionalDuration("at-most")
        )
    }
}
