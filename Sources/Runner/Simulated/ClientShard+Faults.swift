import BasicContainers
import DequeModule
import Gateway
import IKECrypto
import IKEWire
import IKEv2
import Load
import Primitives
import Simulation
import Workload

/// A flood's pretended initiators: none of them is there to answer.
struct FloodState: Sendable {
    var flood: Int
    var count: UInt64 = 0
    var chance: RandomStream
}

// Faults: each shard applies them to its own clients at their instant, before anything else of that instant.
extension ClientShard {
    mutating func scheduleFaults() {
        for (number, fault) in plan.workload.faults.enumerated() {
            push(fault: number, isEnd: false, at: .zero + fault.at)
            switch fault.effect {
            case .lossBurst(_, _, let lasting): push(fault: number, isEnd: true, at: .zero + fault.at + lasting)
            case .pathDown(_, let lasting): push(fault: number, isEnd: true, at: .zero + fault.at + lasting)
            case .replay(_, _, _, let lasting): push(fault: number, isEnd: true, at: .zero + fault.at + lasting)
            case .natFlush, .natRebind, .gatewayRestart, .radiusOutage, .move, .certificateRollover: break
            }
        }
    }

    private mutating func push(fault: Int, isEnd: Bool, at time: Instant) {
        let count = UInt64(fault) * 2 + (isEnd ? 1 : 0)
        let order = EventOrder(time: time, class: EventClass.fault, source: plan.faultEntity, count: count)
        queue.push(
            Event(
                order: order,
                target: 0,
                kind: ShardEvent.fault.rawValue,
                small: UInt32(fault),
                first: isEnd ? 1 : 0
            )
        )
    }

    mutating func applyFault(_ event: Event) {
        let fault = plan.workload.faults[Int(event.small)]
        let isEnd = event.first == 1
        switch fault.effect {
        case .lossBurst(let paths, let loss, _):
            for path in paths {
                links[path].loss = Loss(isEnd ? plan.workload.paths[path].loss : loss)
            }
        case .pathDown(let paths, _):
            for path in paths { links[path].isUp = isEnd }
        case .natFlush(let paths):
            for local in 0..<clients.count where paths.contains(clients[local].path) {
                clients[local].nat?.value.flush()
                if clients[local].isBehindNAT { disturb(local, .natRebinding, until: turn.now) }
            }
        case .natRebind(let paths, let share):
            for local in 0..<clients.count
            where paths.contains(clients[local].path)
                && clients[local].client.place.isHit(by: Int(event.small), share: share, seed: plan.seed)
            {
                clients[local].nat?.value.rebind()
                if clients[local].isBehindNAT { disturb(local, .natRebinding, until: turn.now) }
            }
        case .replay: replays.change(Int(event.small), isEnd)
        case .certificateRollover(let rollover): rollOver(rollover, fault: Int(event.small))
        case .move: scheduleMoves(event)
        case .gatewayRestart(let gateway, let down, let keepsState):
            for local in 0..<clients.count where clients[local].gateway == gateway {
                disturb(local, .restart, until: turn.now + down)
            }
            guard !keepsState else { return }
            boots[gateway] += 1
            for local in 0..<clients.count where clients[local].gateway == gateway {
                clients[local].halves.removeAll()
            }
        // The front desk knows by itself when nobody answers it.
        case .radiusOutage: break
        }
    }
}

// Floods: IKE_SA_INIT requests from addresses that nobody has (RFC 7296 section 2.6).
extension ClientShard {
    mutating func addFlood(_ entity: UInt32) {
        let number = Int(entity - plan.clientCount)
        let flood = plan.workload.floods[number]
        let name = StableName.hash(of: "floods." + flood.name)
        let population = plan.workload.populations.firstIndex { $0.gateway == flood.gateway } ?? 0
        let clientPlan = ClientPlan(
            population: population,
            policy: PeerPolicy(plan.workload, population: population, towards: flood.gateway, plan.authentication),
            reconnect: .never,
            seed: plan.seed
        )
        let route = Route(
            from: flood.sources[0][0],
            to: gatewayAddress(flood.gateway, isIPv4: flood.sources[0][0].isIPv4)
        )
        let place = ClientPlace(number: 0, index: entity, entity: name, route: route, spiKey: terms.spiKey)
        let link = Link(seed: plan.seed, latency: Latency(perClient: .constant(.milliseconds(5))))
        let local = clients.count
        var client = SimulatedClient(
            Client(place),
            clientPlan,
            SimulatedPlace(
                population: population,
                path: plan.workload.populations[population].paths[0].path,
                gateway: flood.gateway
            ),
            up: Flow(client: name, direction: .toGateway, over: link),
            down: Flow(client: name, direction: .toClient, over: link)
        )
        let chance = RandomStream(seed: plan.seed, entity: name, purpose: .traffic)
        client.flood = Box(FloodState(flood: number, chance: chance))
        clients.append(client)
        pushFlood(local, at: .zero + flood.at)
    }

    private mutating func pushFlood(_ local: Int, at time: Instant) {
        let order = order(local, at: time, EventClass.arrival)
        queue.push(Event(order: order, target: UInt32(local), kind: ShardEvent.flood.rawValue))
    }

    mutating func sendFlood(_ local: Int, _ event: Event) {
        guard var state = clients[local].floodState else { return }
        let flood = plan.workload.floods[state.flood]
        state.count += 1
        note(local, event.order, .flood, state.count)
        let sources = flood.sources
        let prefix = sources[Int(state.chance.below(UInt64(sources.count)))]
        let source = UDPEndpoint(
            address: prefix[state.chance.below(prefix.count)],
            port: UInt16(1024 + state.chance.below(64_000))
        )
        clients[local].flood?.value = state
        let attempt = UInt32(truncatingIfNeeded: state.count)
        let place = clients[local].client.place
        let origin = Origin(
            number: 0,
            entity: StableName.hash(of: place.entity, state.count),
            seed: plan.seed,
            spis: SPISource(key: terms.spiKey, owner: place.index, attempt: attempt)
        )
        pretended = Endpoint(initiating: origin, over: place.route, under: clients[local].plan.policy, &turn)
        standing = .flood(local, source: source)
    }

    /// Sends what a pretended initiator has to say, and forgets it.
    mutating func settleFlood(_ local: Int, _ source: UDPEndpoint, _ outbox: inout Outbox<GatewayMessage>) {
        pretended = nil
        guard let state = clients[local].floodState else { return }
        let flood = plan.workload.floods[state.flood]
        let attempt = UInt32(truncatingIfNeeded: state.count)
        for datagram in turn.output.datagrams {
            let octets = turn.output.octets[datagram.range]
            capture(local, octets, from: source, to: datagram.path.remote)
            // A flood comes from many places at once: every packet on the path's shortest way.
            let arrival = turn.now + plan.workload.paths[clients[local].path].delay.minimum
            post(local, attempt, octets, datagram, from: source, at: arrival, &outbox)
        }
        turn.output.removeAll()
        let next = Instant.zero + flood.at + Self.offset(of: state.count, at: flood.rate)
        if next < Instant.zero + flood.at + flood.lasting { pushFlood(local, at: next) }
    }

    private static func offset(of number: UInt64, at rate: Workload.Rate) -> Duration {
        let product = number.multipliedFullWidth(by: UInt64(rate.per.nanoseconds))
        return .nanoseconds(Int64(clamping: rate.count.dividingFullWidth(product).quotient))
    }
}
