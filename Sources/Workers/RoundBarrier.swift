import CLinux

/// Holds threads until all of a round have arrived; the last of them works alone before it lets the others go.
///
/// It is right with more threads than cores, too: then nobody spins.
@safe
package struct RoundBarrier: ~Copyable {
    private let pointer: OpaquePointer

    /// - Parameter mayspin: whether each thread has a core to itself.
    package init(threads: Int, maySpin: Bool) throws(WorkerError) {
        precondition(threads > 0, "a barrier holds somebody")
        // About 50 us of spinning: waking a sleeper takes 12 to 23 us, so spinning longer saves little.
        guard let pointer = unsafe clinux_barrier_make(UInt32(threads), maySpin ? 2_000 : 0) else {
            throw .outOfMemory
        }
        unsafe self.pointer = pointer
    }

    deinit { unsafe clinux_barrier_free(pointer) }

    /// Waits for the others; whoever comes last runs `alone` before all go on.
    package func wait(alone: () -> Void) {
        guard unsafe clinux_barrier_arrive(pointer) == 1 else { return }
        alone()
        unsafe clinux_barrier_release(pointer)
    }
}

// SAFETY: the barrier behind the pointer is made of atomics and lives as long as its owner.
extension RoundBarrier: @unchecked Sendable {}
