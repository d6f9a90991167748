import CLinux

/// The CPUs that this process may use, and the NUMA nodes that they are on.
package struct CPUTopology: Hashable, Sendable {
    package struct CPU: Hashable, Sendable {
        package let number: Int
        package let node: Int

        package init(number: Int, node: Int) {
            self.number = number
            self.node = node
        }
    }

    /// In ascending order of their numbers; at least one.
    package let allowed: [CPU]

    package init(allowed: [CPU]) {
        precondition(!allowed.isEmpty, "a process may run somewhere")
        self.allowed = allowed
    }

    /// What the calling thread may use: ask before any thread is pinned.
    package static func current() throws(WorkerError) -> CPUTopology {
        let numbers = unsafe [Int32](unsafeUninitializedCapacity: 8_192) { buffer, count in
            count = 0
            guard let base = buffer.baseAddress else { return }
            count = unsafe Int(max(0, clinux_allowed_cpus(base, Int32(buffer.count))))
        }
        guard !numbers.isEmpty else { throw .noCPUs }
        return CPUTopology(allowed: numbers.map { CPU(number: Int($0), node: Int(clinux_node_of_cpu($0))) })
    }

    /// A CPU for each of so many workers: the nodes take turns, and CPUs are shared where there are too few.
    package func spread(workers: Int) -> [CPU] {
        var nodes: [[CPU]] = []
        for node in allowed.map(\.node).sorted() where nodes.last?.first?.node != node {
            nodes.append(allowed.filter { $0.node == node })
        }
        var order: [CPU] = []
        var place = 0
        while order.count < allowed.count {
            for node in nodes where place < node.count { order.append(node[place]) }
            place += 1
        }
        return (0..<workers).map { order[$0 % order.count] }
    }
}

/// What keeps workers from starting.
package enum WorkerError: Error, Equatable, Sendable {
    case noCPUs
    case outOfMemory
    /// The number is errno's.
    case cannotStartThread(cpu: Int?, error: Int32)
}
