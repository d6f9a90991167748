import ESP
import Primitives
import Testing

/// What both ends of one-way flows say to each other.
@Suite("Polls and answers of one-way flows")
struct FlowProtocolTests {
    private static let poll = FlowPoll(
        flow: 7,
        since: 3,
        known: 12,
        sentAt: 0x0102_0304_0506_0708,
        firstOrder: 41,
        orders: [.init(due: 99, byteCount: 1_400), .init(due: .max, byteCount: 72)]
    )

    private static let answer = FlowAnswer(
        flow: 9,
        since: 1,
        pollSentAt: 2,
        pollCameAt: 3,
        clock: 4,
        ordered: 5,
        lateness: 6,
        overflowCount: 7,
        firstArrival: 8,
        arrivals: (0..<64).map { .init(number: 1 << 40 | $0, time: .max - $0) }
    )

    private func octets(_ write: (inout ByteWriter) -> Void) -> [UInt8] {
        var writer = ByteWriter()
        write(&writer)
        return writer.bytes
    }

    @Test("come back as they were")
    func comeBack() throws {
        #expect(try FlowPoll(decoding: octets { Self.poll.write(into: &$0) }.rawSpan) == Self.poll)
        #expect(try FlowAnswer(decoding: octets { Self.answer.write(into: &$0) }.rawSpan) == Self.answer)
        // The longest fits the packet of a path of 1,280 octets.
        #expect(octets { Self.answer.write(into: &$0) }.count <= 1_280 - 150)
    }

    @Test("are nothing else, and nothing that is cut short")
    func areRefused() {
        let (poll, answer) = (octets { Self.poll.write(into: &$0) }, octets { Self.answer.write(into: &$0) })
        for count in 0..<poll.count {
            #expect(throws: DecodeError.self) { try FlowPoll(decoding: poll.rawSpan.extracting(first: count)) }
        }
        for count in 0..<answer.count {
            #expect(throws: DecodeError.self) { try FlowAnswer(decoding: answer.rawSpan.extracting(first: count)) }
        }
        #expect(throws: DecodeError.malformed(.unsupportedFormat)) { try FlowPoll(decoding: answer.rawSpan) }
        #expect(throws: DecodeError.malformed(.unsupportedFormat)) { try FlowAnswer(decoding: poll.rawSpan) }
        #expect(throws: DecodeError.malformed(.unsupportedFormat)) { try FlowMark(decoding: poll.rawSpan) }
    }

    @Test("of more than fits are refused before anything is made of them")
    func areBounded() {
        var poll = octets { Self.poll.write(into: &$0) }
        poll[40] = 0xFF
        #expect(throws: DecodeError.malformed(.unsupportedFormat)) { try FlowPoll(decoding: poll.rawSpan) }
        var answer = octets { Self.answer.write(into: &$0) }
        answer[72] = 0xFF
        #expect(throws: DecodeError.malformed(.unsupportedFormat)) { try FlowAnswer(decoding: answer.rawSpan) }
    }
}
