public import Primitives

/// A piece of a run that advances on its own for a window of time: a shard of clients, a front desk, a shared link.
///
/// It hears from other parts only between windows, so what it does within one cannot depend on when, where or next to
/// whom it is computed.
@usableFromInline
package protocol SimulatedPart: ~Copyable {
    associatedtype Message: Sendable

    /// The time of its earliest pending event, `.never` where there is none.
    var nextTime: Instant { get }

    /// Takes what one other part sent to it in an earlier window, in the order of sending.
    ///
    /// Each message carries its place in the run's order, and is no earlier than any event that is still to be run.
    mutating func accept(_ messages: [Message])

    /// Handles all its events before `limit`, puts what it has for other parts into `outbox`, and says how many it
    /// began.
    ///
    /// It may stop in the middle of an event and wait for an operation, see ``isWaiting``. Called again when that was
    /// carried out, it goes on where it stands.
    mutating func run(before limit: Instant, into outbox: inout Outbox<Message>) -> Int

    /// Whether it stands in the middle of an event and waits for an operation that is carried out with those of others.
    var isWaiting: Bool { get }

    /// Carries out what these parts wait for, one operation each, and gives each its result; a part may ask again.
    ///
    /// The parts belong to the calling thread until it has run them to the end of the window.
    ///
    /// - Returns: how many of the operations were computed side by side.
    static func carryOut(_ waiting: [Int], of parts: borrowing Cells<Self>) -> LaneUse
}

/// What holds of a part that does all its work by itself.
extension SimulatedPart where Self: ~Copyable {
    @inlinable
    package var isWaiting: Bool { false }

    package static func carryOut(_ waiting: [Int], of parts: borrowing Cells<Self>) -> LaneUse {
        preconditionFailure("a part that waits says who carries out what it waits for")
    }
}

/// What one part sends during one window, sorted by receiver as it is written.
@usableFromInline
package struct Outbox<Message: Sendable>: Sendable {
    @usableFromInline var byReceiver: [[Message]]
    /// The receivers that have something, in the order of their first message.
    @usableFromInline var receivers: [UInt32] = []
    @usableFromInline var earliest = Instant.never
    /// The end of the window: what is sent arrives then or later.
    @usableFromInline package internal(set) var horizon = Instant.zero

    /// An outbox towards the parts 0 up to `partCount`.
    @inlinable
    package init(partCount: Int) {
        byReceiver = Array(repeating: [], count: partCount)
    }

    /// Sends a message that arrives at `arrival`; traps where that is inside the window, since the receiver may be
    /// past it already.
    @inlinable
    package mutating func send(_ message: Message, to receiver: Int, arriving arrival: Instant) {
        precondition(arrival >= horizon, "a message to another part arrives after the window in which it is sent")
        if byReceiver[receiver].isEmpty { receivers.append(UInt32(receiver)) }
        byReceiver[receiver].append(message)
        earliest = min(earliest, arrival)
    }

    /// The messages for one receiver, in the order of sending.
    @inlinable
    package func messages(to receiver: Int) -> [Message] { byReceiver[receiver] }

    /// Empties the outbox for a window that ends at `horizon`, and keeps its memory.
    @inlinable
    package mutating func clear(horizon: Instant) {
        for receiver in receivers { byReceiver[Int(receiver)].removeAll(keepingCapacity: true) }
        receivers.removeAll(keepingCapacity: true)
        earliest = .never
        self.horizon = horizon
    }
}
