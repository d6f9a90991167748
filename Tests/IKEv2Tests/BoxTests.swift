import IKEv2
import Testing

@Suite("A box")
struct BoxTests {
    private struct Counted: ~Copyable {
        let count: Counter
        var number: Int
        init(_ number: Int, _ count: Counter) {
            self.number = number
            self.count = count
        }
        deinit { count.ended += 1 }
    }

    private final class Counter { var ended = 0 }

    @Test("ends its value when it ends, and only then")
    func endsItsValue() {
        let counter = Counter()
        do {
            var box = Box(Counted(1, counter))
            box.value.number += 1
            #expect(box.value.number == 2)
            #expect(counter.ended == 0)
        }
        #expect(counter.ended == 1)
    }

    @Test("gives its value away once")
    func givesItsValueAway() {
        let counter = Counter()
        let value = Box(Counted(7, counter)).take()
        #expect(counter.ended == 0)
        #expect(value.number == 7)
    }
}
