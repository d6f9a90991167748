import CLinux
package import Primitives

/// Waits for many sockets, for a moment and for another thread at once; it belongs to the thread that made it.
package struct EventLoop: ~Copyable {
    /// What a socket is ready for.
    package struct Readiness: OptionSet, Hashable, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Something has come in.
        package static var readable: Readiness { Readiness(rawValue: 1) }
        /// There is room for more to send.
        package static var writable: Readiness { Readiness(rawValue: 2) }
        /// An ICMP error has come back. This is told without being asked for, and until `nextError()` has taken it.
        package static var failed: Readiness { Readiness(rawValue: 4) }
    }

    /// A socket that need not be waited for, by the number it was watched under.
    package struct Ready: Hashable, Sendable {
        package let token: Int
        package let readiness: Readiness

        package init(token: Int, readiness: Readiness) {
            self.token = token
            self.readiness = readiness
        }
    }

    /// Wakes the loop, from any thread.
    package let waker: Waker
    private let epoll: Descriptor
    private var events: [clinux_ready]
    private var readyCount = 0
    /// Whether the last wait was ended by the waker.
    package private(set) var wasWoken = false

    /// Makes a loop that tells of at most `capacity` sockets at a time.
    package init(capacity: Int = 64) throws(SocketError) {
        let epoll = Descriptor(try SocketError.check(clinux_epoll_create(), .open))
        let wakes = Descriptor(try SocketError.check(clinux_eventfd_create(), .open))
        let readable = Readiness.readable.rawValue
        let watched = clinux_epoll_watch(epoll.number, wakes.number, Self.wakerToken, readable)
        _ = try SocketError.check(watched, .open)
        self.epoll = epoll
        waker = Waker(wakes)
        events = Array(repeating: clinux_ready(), count: capacity)
        clinux_sharpen_timers()
    }

    /// Waits for a socket from now on, or changes what it is waited for.
    ///
    /// A socket that is closed is forgotten by itself.
    package func watch(
        _ socket: borrowing UDPSocket,
        token: Int,
        for readiness: Readiness = .readable
    ) throws(SocketError) {
        precondition(token >= 0, "a token is a number of the caller's tables")
        let number = socket.descriptor.number
        _ = try SocketError.check(clinux_epoll_watch(epoll.number, number, UInt64(token), readiness.rawValue), .wait)
    }

    /// Waits for a socket no longer.
    package func forget(_ socket: borrowing UDPSocket) throws(SocketError) {
        _ = try SocketError.check(clinux_epoll_forget(epoll.number, socket.descriptor.number), .wait)
    }

    /// Waits until a socket is ready, the waker is used, or the deadline has come, and returns how many are ready.
    ///
    /// A deadline that is over asks what is ready now. A signal may end the wait early.
    package mutating func wait(until deadline: Instant, clock: MonotonicClock) throws(SocketError) -> Int {
        let result = unsafe events.withUnsafeMutableBufferPointer { events in
            unsafe clinux_epoll_wait(
                epoll.number,
                events.baseAddress.unsafelyUnwrapped,
                Int32(events.count),
                Self.nanoseconds(until: deadline, from: clock.now)
            )
        }
        readyCount = Int(try SocketError.check(result, .wait))
        wasWoken = false
        for index in 0..<readyCount where events[index].token == Self.wakerToken {
            waker.clear()
            wasWoken = true
            readyCount -= 1
            events.swapAt(index, readyCount)
            break
        }
        return readyCount
    }

    /// The n-th of those that the last wait found.
    package subscript(index: Int) -> Ready {
        precondition(index >= 0 && index < readyCount, "only what was found ready is looked at")
        return Ready(token: Int(events[index].token), readiness: Readiness(rawValue: events[index].readiness))
    }

    private static func nanoseconds(until deadline: Instant, from now: Instant) -> Int64 {
        if deadline == .never { return -1 }
        return deadline <= now ? 0 : Int64(clamping: deadline.nanoseconds - now.nanoseconds)
    }

    private static var wakerToken: UInt64 { .max }

    /// Ends a loop's wait, from any thread, and also the next one where there is none.
    package final class Waker: Sendable {
        let descriptor: Descriptor

        init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }

        package func wake() { clinux_eventfd_signal(descriptor.number) }

        fileprivate func clear() { clinux_eventfd_clear(descriptor.number) }
    }
}
