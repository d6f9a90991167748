package import Primitives

/// Where and how a run was computed: the only part of a result that may differ between two runs of one workload and
/// seed.
package struct Host: Hashable, Sendable {
    package var workers: Int
    /// The most memory that the process held.
    package var memoryBytes: UInt64
    /// What a tunnel costs, both ends in a simulated run; nil where it was not measured.
    package var bytesPerTunnel: UInt64?
    /// What all threads of the process have computed; nil in results of older versions.
    package var cpu: Duration?
    /// That by the tunnels that came to be, and by the packets that were due in them: what an SA and a packet cost; nil
    /// where there were none.
    package var cpuPerTunnel: Duration?
    package var cpuPerPacket: Duration?
    /// `real` or `modelled`, and what computes it, such as `real (OpenSSL 3.0.15; ESP by libipsec-mb 1.3.0)`.
    package var cryptoBackend: String
    package var wallClock: Duration
    /// The start of the run in seconds since 1970.
    package var startedAt: Int64
    package var machine: Machine
    /// What a simulated run's windows had in them; nil in a live run, and in results of older versions.
    package var windows: Windows?

    /// On which NUMA nodes a simulated run's workers were, and where their memory was; nil where workers are not placed
    /// (one alone, and in a live run), where the kernel does not say, and in results of older versions.
    package var nodes: [Node]?

    package struct Node: Hashable, Sendable {
        package var number: Int
        /// How many workers were pinned to its CPUs.
        package var workers: Int
        /// How much of the process's memory was on it when the run ended, without files that are mapped.
        package var memoryBytes: UInt64
        /// How many places were looked at in the memory of the shards that those workers built, and how many of them
        /// are on this node.
        package var places: Int
        package var placesHere: Int

        package init(number: Int, workers: Int, memoryBytes: UInt64, places: Int = 0, placesHere: Int = 0) {
            self.number = number
            self.workers = workers
            self.memoryBytes = memoryBytes
            self.places = places
            self.placesHere = placesHere
        }
    }

    /// What bounds the use that a simulated run makes of more workers.
    package struct Windows: Hashable, Sendable {
        package var count: UInt64
        package var events: UInt64
        /// Of each window those of the part that had most, in sum.
        package var busiestPartEvents: UInt64
        /// How long the workers were at the barriers between windows, all together.
        package var atBarriers: Duration

        package init(count: UInt64, events: UInt64, busiestPartEvents: UInt64, atBarriers: Duration) {
            self.count = count
            self.events = events
            self.busiestPartEvents = busiestPartEvents
            self.atBarriers = atBarriers
        }
    }

    package struct Machine: Hashable, Sendable {
        package var system: String
        package var processor: String
        package var cores: Int
        package var memoryBytes: UInt64

        package init(system: String, processor: String, cores: Int, memoryBytes: UInt64) {
            self.system = system
            self.processor = processor
            self.cores = cores
            self.memoryBytes = memoryBytes
        }
    }

    package init(
        workers: Int,
        memoryBytes: UInt64,
        bytesPerTunnel: UInt64? = nil,
        cpu: Duration? = nil,
        cryptoBackend: String,
        wallClock: Duration,
        startedAt: Int64,
        machine: Machine
    ) {
        self.workers = workers
        self.memoryBytes = memoryBytes
        self.bytesPerTunnel = bytesPerTunnel
        self.cpu = cpu
        self.cryptoBackend = cryptoBackend
        self.wallClock = wallClock
        self.startedAt = startedAt
        self.machine = machine
    }
}
