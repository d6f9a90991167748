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
        return CPUTopology(allowed: numbers.map(Int.init), root: "/sys")
    }

    /// The CPUs of these numbers, which are in ascending order, on the nodes that a sysfs has them on.
    ///
    /// - Parameter root: Where that is; not the kernel's in tests, which have no machine with several nodes.
    package init(allowed numbers: [Int], root: String) {
        self.init(
            allowed: numbers.map { number in
                let node = unsafe root.withCString { unsafe clinux_node_of_cpu($0, Int32(number)) }
                return CPU(number: number, node: Int(node))
            }
        )
    }

    /// How many nodes there are among the allowed CPUs.
    package var nodeCount: Int { Set(allowed.map(\.node)).count }

    /// A CPU for each of so many workers; CPUs are shared where there are too few.
    package func place(workers: Int, _ placement: Placement) -> [CPU] {
        let order = order(placement)
        return (0..<workers).map { order[$0 % order.count] }
    }

    private func order(_ placement: Placement) -> [CPU] {
        var nodes: [[CPU]] = []
        for node in allowed.map(\.node).sorted() where nodes.last?.first?.node != node {
            nodes.append(allowed.filter { $0.node == node })
        }
        guard placement == .spread else { return Array(nodes.joined()) }
        var order: [CPU] = []
        var place = 0
        while order.count < allowed.count {
            for node in nodes where place < node.count { order.append(node[place]) }
            place += 1
        }
        return order
    }
}

/// The NUMA nodes that places in this process's memory are on, without those that are on none yet.
///
/// - Parameter addresses: Those of the places; nothing is read there.
/// - Returns: nil where the kernel, or what a container lets through to it, does not say.
package func memoryNodes(of addresses: [UInt]) -> [Int]? {
    var nodes = [Int32](repeating: -1, count: addresses.count)
    let error = unsafe clinux_nodes_of_addresses(addresses, Int32(addresses.count), &nodes)
    return error == 0 ? nodes.filter { $0 >= 0 }.map(Int.init) : nil
}

/// On which NUMA nodes workers run.
package enum Placement: String, CaseIterable, Sendable {
    /// The nodes take turns: each worker has as much of its node's memory bandwidth and cache as can be.
    case spread
    /// One node is filled after the other: the workers are near each other, and other nodes are left alone.
    case packed
}

/// What keeps workers from starting.
package enum WorkerError: Error, Equatable, Sendable {
    case noCPUs
    case outOfMemory
    /// The number is errno's.
    case cannotStartThread(cpu: Int?, error: Int32)
}
