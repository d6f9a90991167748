/// A system call that failed.
package struct SocketError: Error, Hashable, Sendable {
    /// What was asked of the system.
    package enum Operation: Sendable {
        case open
        case receive
        case send
        case wait
        case allocate
    }

    package let operation: Operation
    /// The system's error number, such as `EADDRINUSE`.
    package let number: Int32

    package init(_ operation: Operation, number: Int32) {
        self.operation = operation
        self.number = number
    }

    /// Gives the result of a call that answers a negative error number when it fails.
    static func check(_ result: Int32, _ operation: Operation) throws(SocketError) -> Int32 {
        guard result >= 0 else { throw SocketError(operation, number: -result) }
        return result
    }
}
