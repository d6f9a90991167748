import Primitives

extension WarningCheck {
    /// Traffic that is more than the pool of a gateway's ESP can do, with all clients there.
    mutating func checkESPPools() {
        for (index, gateway) in workload.gateways.enumerated() {
            guard let pool = gateway.simulated?.esp else { continue }
            let offered = workload.traffic.reduce(Int128(0)) { sum, traffic in
                let population = workload.populations[traffic.population]
                guard population.gateway == index else { return sum }
                return sum + load(of: traffic, on: pool) * Int128(population.count)
            }
            guard offered > Int128(pool.cores) * 1_000_000_000_000 else { continue }
            warn(
                "gateways.\(gateway.name).simulated.esp",
                "the traffic of all clients takes \(UnitText.factor(Int64(clamping: offered / 1_000_000))) cores of ESP, "
                    + "and there \(pool.cores == 1 ? "is 1" : "are \(pool.cores)"): the rest is lost as gateway-queue-full"
            )
        }
    }

    /// How many cores a client's flow keeps busy on average, in parts of 10^12; what ESP adds to a packet is left out.
    private func load(of traffic: Workload.Traffic, on pool: Workload.ESPPool) -> Int128 {
        var load = Int128(0)
        for stream in [traffic.up, traffic.down].compactMap(\.self) {
            let sum = stream.size.sum(paddedTo: traffic.padding)
            let octets = Int128(pool.perKilobyte.nanoseconds) * Int128(sum.octets) / Int128(sum.count)
            let picoseconds = Int128(pool.perPacket.nanoseconds) * 1_000 + octets
            // A rate in thousandths and a time in picoseconds are 10^15 to a core.
            load += Int128(stream.packets.perSecondThousandths) * picoseconds / 1_000
        }
        // A dummy is as long as what it follows, and is not answered.
        let dummies = traffic.dummies > 0 ? load / Int128(traffic.dummies) : 0
        if traffic.isEchoed { load *= 2 }
        load += dummies
        guard let bursts = traffic.bursts else { return load }
        let whole = Int128(bursts.burst.nanoseconds) + Int128(bursts.pause.nanoseconds)
        return whole > 0 ? load * Int128(bursts.burst.nanoseconds) / whole : load
    }
}
