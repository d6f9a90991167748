import CLinux
import Synchronization

/// A thread of its own, on a CPU of its own where one is named, and then with its memory on that CPU's node; it must be
/// joined.
package final class PinnedThread: Sendable {
    /// What the thread runs, and what became of it.
    private final class Task: Sendable {
        let body: @Sendable () throws -> Void
        let isPinned: Bool
        let failure = Mutex<(any Error)?>(nil)

        init(isPinned: Bool, body: @escaping @Sendable () throws -> Void) {
            self.isPinned = isPinned
            self.body = body
        }

        func run() {
            // A kernel without nodes, or a container that forbids it, has no use for it either.
            if isPinned { _ = clinux_keep_memory_local() }
            do { try body() } catch { failure.withLock { $0 = error } }
        }
    }

    private let task: Task
    private let handle: UInt
    private let isJoined = Atomic<Bool>(false)

    /// Starts a thread that may run on `cpu` alone, or on any CPU.
    package init(cpu: Int?, _ body: @escaping @Sendable () throws -> Void) throws(WorkerError) {
        let task = Task(isPinned: cpu != nil, body: body)
        let context = unsafe Unmanaged.passRetained(task)
        var handle: UInt = 0
        let result = unsafe clinux_thread_start(
            &handle,
            Int32(cpu ?? -1),
            { context in
                // SAFETY: this is the reference that `passRetained` made, and only this thread has it.
                if let context = unsafe context { unsafe Unmanaged<Task>.fromOpaque(context).takeRetainedValue().run() }
                return nil
            },
            context.toOpaque()
        )
        guard result == 0 else {
            unsafe context.release()
            throw .cannotStartThread(cpu: cpu, error: -result)
        }
        self.task = task
        self.handle = handle
    }

    deinit {
        precondition(isJoined.load(ordering: .relaxed), "a thread is joined before it is forgotten")
    }

    /// Waits for the thread's end, once, and throws what its body threw.
    package func join() throws {
        precondition(!isJoined.exchange(true, ordering: .relaxed), "a thread is joined once")
        let result = clinux_thread_join(handle)
        precondition(result == 0, "a thread that was started can be joined")
        if let failure = task.failure.withLock({ $0 }) { throw failure }
    }
}
