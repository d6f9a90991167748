import Primitives
import UDPTransport
import Workload

/// Where the clients' packets come from: an address and a group of sockets for each client.
///
/// Sockets are bound to all addresses, and each datagram names its own source. Clients of one worker that have
/// different addresses share a group; those that share an address are in groups, and so on ports, of their own.
struct LiveSources {
    struct Place: Hashable, Sendable {
        var source: IPAddress
        var group: Int32
    }

    /// By population, in the order of its clients.
    private(set) var places: [[Place]]
    /// By fault, where its clients go; empty for a fault that moves nobody.
    private(set) var moved: [[Place]] = []
    /// Why clients are elsewhere than the workload says, in words.
    private(set) var warnings: [String] = []

    /// - Parameter chosen: prefixes that take the place of the workload's own, if there are any.
    init(
        _ workload: Workload,
        targets: [LiveTarget],
        chosen: [IPPrefix],
        workers: Int
    ) throws(LiveError) {
        places = []
        /// How many clients of a worker have an address already.
        var uses: [Use: Int32] = [:]
        var number = 0
        for population in workload.populations {
            let target = targets[population.gateway].address
            let prefixes = try Self.prefixes(population.sources, population, towards: target, chosen, &warnings)
            var own: [Place] = []
            own.reserveCapacity(population.count)
            for client in 0..<population.count {
                let source = Self.address(number: chosen.isEmpty ? client : number, in: prefixes)
                let use = Use(worker: number % workers, source: source)
                let group = uses[use, default: 0]
                uses[use] = group + 1
                own.append(Place(source: source, group: group))
                number += 1
            }
            places.append(own)
        }
        for fault in workload.faults.indices {
            moved.append(try Self.moved(by: fault, workload, targets, chosen, workers, total: number, &uses, &warnings))
        }
    }

    /// Where the clients of a move go: to addresses that no client has had, while there are any, and to those of the
    /// families that the move's own sources have.
    private static func moved(
        by fault: Int,
        _ workload: Workload,
        _ targets: [LiveTarget],
        _ chosen: [IPPrefix],
        _ workers: Int,
        total: Int,
        _ uses: inout [Use: Int32],
        _ warnings: inout [String]
    ) throws(LiveError) -> [Place] {
        guard let move = MoveTerms(workload, fault) else { return [] }
        let population = workload.populations[move.population]
        let first = workload.populations[..<move.population].reduce(0) { $0 + $1.count }
        let target = targets[population.gateway]
        let wanted = move.sources.isEmpty ? population.sources : move.sources
        let families = [true, false].filter { isIPv4 in
            move.sources.isEmpty
                ? isIPv4 == target.address.isIPv4 : wanted.contains { $0.address.isIPv4 == isIPv4 }
        }
        var prefixes: [IPPrefix] = []
        for isIPv4 in families {
            guard let place = target.reached(byIPv4: isIPv4)?.address else { continue }
            prefixes += try Self.prefixes(wanted, population, towards: place, chosen, &warnings)
        }
        let round = workload.moveCount(upTo: fault)
        return (0..<population.count).map { client in
            let number = chosen.isEmpty ? client + round * population.count : first + client + round * total
            let source = address(number: number, in: prefixes)
            let use = Use(worker: (first + client) % workers, source: source)
            let group = uses[use, default: 0]
            uses[use] = group + 1
            return Place(source: source, group: group)
        }
    }

    private struct Use: Hashable {
        var worker: Int
        var source: IPAddress
    }

    /// Those of a population's sources, or of a move's, that can be bound and are of the target's family.
    private static func prefixes(
        _ wanted: [IPPrefix],
        _ population: Workload.Population,
        towards target: IPAddress,
        _ chosen: [IPPrefix],
        _ warnings: inout [String]
    ) throws(LiveError) -> [IPPrefix] {
        let family = target.isIPv4
        if !chosen.isEmpty {
            for prefix in chosen where !canBind(prefix) {
                throw .system("no socket can be bound to \(prefix), which --sources names")
            }
            let prefixes = chosen.filter { $0.address.isIPv4 == family }
            guard !prefixes.isEmpty else {
                throw .system("--sources names no address of the family of \(target)")
            }
            return prefixes
        }
        if family, LiveTarget(address: target).isLoopback { return [ownLoopback] }
        let usable = wanted.filter { $0.address.isIPv4 == family && canBind($0) }
        guard usable.isEmpty else { return usable }
        do throws(SocketError) {
            let source = try LocalAddresses.source(towards: target)
            if population.count > 1 {
                let warning =
                    "the clients of \(population.name) share the address \(source): none of their sources can be bound"
                if !warnings.contains(warning) { warnings.append(warning) }
            }
            return [IPPrefix(address: source, length: source.byteCount * 8)]
        } catch {
            throw .unreachable(target: "\(target)", problem: "this machine has no way to it (error \(error.number))")
        }
    }

    /// The first and the last address that clients would have.
    private static func canBind(_ prefix: IPPrefix) -> Bool {
        LocalAddresses.canBind(address(number: 0, in: [prefix]))
            && LocalAddresses.canBind(address(number: Int(clamping: usableCount(prefix)) - 1, in: [prefix]))
    }

    /// Leaves out a prefix's first and last address: they mean the network, its routers, or everybody in it.
    private static func usableCount(_ prefix: IPPrefix) -> UInt64 {
        prefix.count > 2 ? prefix.count - 2 : prefix.count
    }

    private static func address(number: Int, in prefixes: [IPPrefix]) -> IPAddress {
        let total = prefixes.reduce(UInt64(0)) { total, prefix in
            let (sum, overflow) = total.addingReportingOverflow(usableCount(prefix))
            return overflow ? .max : sum
        }
        var place = UInt64(number) % total
        for prefix in prefixes {
            let count = usableCount(prefix)
            if place < count { return prefix[prefix.count > 2 ? place + 1 : place] }
            place -= count
        }
        preconditionFailure("the place is below the number of addresses")
    }

    /// Every address of 127.0.0.0/8 is this machine's own: towards loopback each client has one.
    private static var ownLoopback: IPPrefix { IPPrefix(address: IPAddress(v4: 0x7F40_0000), length: 10) }
}
