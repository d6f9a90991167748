import IKEWire
import IKEv2
import Load
import Primitives
import Testing

@Suite("What a client does after an end")
struct ReconnectTests {
    private func next(
        _ policy: ReconnectPolicy,
        after reason: CloseReason,
        failures: Int = 1,
        drawn count: UInt64 = 0
    ) -> Duration? {
        var chance = RandomStream(seed: 1, entity: 7, purpose: .reconnect, drawCount: count)
        return policy.nextAttempt(after: reason, failures: failures, at: .zero + .minutes(1), &chance)
            .map { $0 - (.zero + .minutes(1)) }
    }

    private static let doubling = ReconnectPolicy(
        causes: [.timeout, .delete],
        waits: [.seconds(1), .seconds(2), .seconds(4)],
        jitter: .zero,
        giveUpAfter: 5
    )

    @Test("waits grow with each end in a row, and the last one holds until the client gives up")
    func waits() {
        let waits = (1...5).map { next(Self.doubling, after: .timeout, failures: $0) }
        #expect(waits == [.seconds(1), .seconds(2), .seconds(4), .seconds(4), nil])
    }

    @Test(
        "an end has one cause, and only the policy's causes are followed by an attempt",
        arguments: [
            (CloseReason.timeout, ReconnectPolicy.Cause?.some(.timeout)), (.deletedByPeer, .delete),
            (.abandoned, .delete), (.refused(.noAdditionalSAs), .refused), (.noProposalChosen, .refused),
            (.invalidKeyExchange, .refused), (.malformedAnswer, .refused), (.malformedRequest, .refused),
            (.authenticationFailed, .authentication), (.wrongIdentity, .authentication),
            (.untrustedCertificate, .authentication), (.expiredCertificate, .authentication),
            (.certificateOfAnother, .authentication), (.noCommonSignature, .authentication), (.expired, .expired),
            (.halfOpenExpired, .expired), (.deletedHere, nil), (.rekeyed, nil), (.redundant, nil),
        ]
    )
    func causes(_ reason: CloseReason, _ cause: ReconnectPolicy.Cause?) {
        for only in ReconnectPolicy.Cause.allCases {
            let policy = ReconnectPolicy(causes: [only], waits: [.seconds(3)], jitter: .zero, giveUpAfter: nil)
            #expect(next(policy, after: reason) == (only == cause ? .seconds(3) : nil))
        }
        #expect(next(.never, after: reason) == nil)
    }

    @Test("full jitter draws from the whole wait, each time anew")
    func jitter() {
        let policy = ReconnectPolicy(causes: [.timeout], waits: [.seconds(8)], jitter: .one, giveUpAfter: nil)
        let waits = (0..<1000 as Range<UInt64>).compactMap { next(policy, after: .timeout, drawn: $0) }
        #expect(waits.allSatisfy { $0 >= .zero && $0 <= .seconds(8) })
        #expect(waits.contains { $0 < .seconds(1) } && waits.contains { $0 > .seconds(7) })
        let mean = waits.reduce(Duration.zero, +) / Int64(waits.count)
        // The mean of 1,000 draws from 8 s has a standard error of 73 ms.
        #expect(mean > .milliseconds(3700) && mean < .milliseconds(4300))
    }
}
