import BasicContainers
package import IKECrypto
package import Primitives

/// Turns whose machines wait for an operation: a driver that lends its turn to one machine after the other puts them
/// aside, has all the operations carried out together, and goes on with each where it was.
package struct GatheredTurns: ~Copyable {
    private var waiting = UniqueArray<WaitingTurn>()
    /// Those whose results are there, the next to go on last.
    private var computed = UniqueArray<WaitingTurn>()
    /// Outputs that were used before, for their buffers.
    private var spares = UniqueArray<Output>()

    /// A machine that goes on: whose it is, what was due when it began to wait, and what it waited for.
    package struct Resumption: ~Copyable {
        package let owner: UInt64
        package let due: Instant
        private let result: KeyExchangeResult

        fileprivate init(owner: UInt64, due: Instant, result: consuming KeyExchangeResult) {
            self.owner = owner
            self.due = due
            self.result = result
        }

        package consuming func takeResult() -> KeyExchangeResult { result }
    }

    package init() {}

    package var isEmpty: Bool { waiting.isEmpty && computed.isEmpty }

    /// Puts the turn aside with the operation that is asked for in it; the driver has an empty one.
    package mutating func add(_ owner: UInt64, due: Instant, _ turn: inout Turn) {
        var output = spares.isEmpty ? Output() : spares.removeLast()
        swap(&output, &turn.output)
        waiting.append(
            WaitingTurn(owner: owner, due: due, now: turn.now, lease: turn.lease, output: output, result: nil)
        )
    }

    /// Carries out what is waited for; whoever waits goes on by `next`.
    package mutating func carryOut(by cryptography: borrowing Cryptography) -> LaneCounts {
        precondition(computed.isEmpty, "everybody has gone on before more is carried out")
        var requests = RigidArray<KeyExchangeRequest?>(capacity: waiting.count)
        var results = RigidArray<KeyExchangeResult?>(capacity: waiting.count)
        for index in 0..<waiting.count {
            requests.append(waiting[index].output.keyExchange.take())
            results.append(nil)
        }
        var asked = requests.mutableSpan
        var answers = results.mutableSpan
        let counts = cryptography.perform(&asked, into: &answers)
        // The last one first, so that each leaves its array at the end.
        for index in (0..<results.count).reversed() {
            var one = waiting.removeLast()
            one.result = results[index].take()
            computed.append(one)
        }
        return counts
    }

    /// The next to go on, in the order in which they began to wait: the turn is as it was then.
    package mutating func next(_ turn: inout Turn) -> Resumption? {
        guard !computed.isEmpty else { return nil }
        var one = computed.removeLast()
        guard let result = one.result.take() else {
            preconditionFailure("each request that a batch takes has a result")
        }
        turn.now = one.now
        turn.lease = one.lease
        swap(&one.output, &turn.output)
        let (owner, due) = (one.owner, one.due)
        spares.append(one.output)
        return Resumption(owner: owner, due: due, result: result)
    }
}

/// A turn that was put aside. It is not private: this compiler forgets the metadata of a private type that stands in a
/// package type of another module.
package struct WaitingTurn: ~Copyable {
    let owner: UInt64
    let due: Instant
    let now: Instant
    let lease: InnerAddresses
    var output: Output
    var result: KeyExchangeResult?
}
