import Foundation
import Synchronization

extension Rig {
    /// Why the test could not get into a namespace of its rig.
    package struct NotEntered: Error, CustomStringConvertible {
        let namespace: String
        let number: Int32

        package var description: String {
            "the test cannot enter the namespace \(namespace) (errno \(number)): only root can"
        }
    }

    /// Runs a part of the test itself in a namespace of the rig, on a thread of its own.
    ///
    /// Threads that the part starts are in the namespace too, and so are the sockets that they open.
    package func inside<Value: Sendable>(
        _ side: Side = .clients,
        _ body: @escaping @Sendable () throws -> Value
    ) throws -> Value {
        let namespace = "/run/netns/ikestorm-\(name)-\(side.rawValue)"
        let outcome = Mutex<Result<Value, any Error>?>(nil)
        let done = DispatchSemaphore(value: 0)
        let thread = Thread {
            let result = Result { () throws -> Value in
                try Self.enter(namespace)
                return try body()
            }
            outcome.withLock { $0 = result }
            done.signal()
        }
        thread.stackSize = 8 << 20
        thread.start()
        done.wait()
        guard let result = outcome.withLock({ $0 }) else { preconditionFailure("the thread has left its result") }
        return try result.get()
    }

    /// Moves the calling thread, and it alone, to another network.
    private static func enter(_ namespace: String) throws {
        let descriptor = unsafe open(namespace, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw NotEntered(namespace: namespace, number: errno) }
        defer { close(descriptor) }
        // glibc shows setns to those who ask for all of GNU alone, and Swift does not.
        typealias SetNamespace = @convention(c) (Int32, Int32) -> Int32
        guard let symbol = unsafe dlsym(nil, "setns") else { throw NotEntered(namespace: namespace, number: ENOSYS) }
        let setNamespace = unsafe unsafeBitCast(symbol, to: SetNamespace.self)
        let networkNamespace: Int32 = 0x4000_0000
        guard setNamespace(descriptor, networkNamespace) == 0 else {
            throw NotEntered(namespace: namespace, number: errno)
        }
    }
}
