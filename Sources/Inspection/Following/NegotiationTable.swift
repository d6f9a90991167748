import IKEWire
import Primitives

/// The negotiations that are followed: a bounded number, of which those that say least make place for new ones.
struct NegotiationTable: Sendable {
    private(set) var all: [Negotiation] = []
    private var bySPI: [IKESPI: [Int]] = [:]
    private var byChildSPI: [ChildSPI: Int] = [:]
    private var count = 0
    let capacity: Int

    init(capacity: Int) {
        precondition(capacity >= 2, "two negotiations can be followed at least")
        self.capacity = capacity
    }

    subscript(_ index: Int) -> Negotiation {
        get { all[index] }
        _modify { yield &all[index] }
    }

    /// The one that a message belongs to.
    func index(of header: Header) -> Int? {
        bySPI[header.initiatorSPI]?.last {
            let known = all[$0].responderSPI
            return known == header.responderSPI || known == .zero || header.responderSPI == .zero
        }
    }

    func index(of spi: ChildSPI) -> Int? { byChildSPI[spi] }

    /// Adds one; there has to be room.
    mutating func add(_ header: Header, _ places: Negotiation.Places, at time: UInt64) -> Int {
        precondition(!isFull, "room is made first")
        count += 1
        var negotiation = Negotiation(number: count, header, places, at: time)
        let parent = all.last { $0.facts.successors.contains(header.initiatorSPI) }
        if let parent, negotiation.beginning == .missing { negotiation.beginning = .rekeyed(of: parent.number) }
        all.append(negotiation)
        bySPI[header.initiatorSPI, default: []].append(all.count - 1)
        return all.count - 1
    }

    /// Makes ESP with these SPIs known as the negotiation's.
    mutating func register(_ spis: [ChildSPI], of index: Int) {
        for spi in spis where byChildSPI.count < 16 * capacity { byChildSPI[spi] = index }
    }

    var isFull: Bool { all.count == capacity }

    /// Leaves half of them: those for which `worth` is greatest, of equal ones the latest.
    mutating func makeRoom(worth: (Negotiation) -> Int, dropped: (Negotiation) -> Void) {
        let order = all.indices.sorted {
            let (one, other) = (worth(all[$0]), worth(all[$1]))
            return one != other ? one > other : all[$0].lastTime > all[$1].lastTime
        }
        let kept = order.prefix(capacity / 2).sorted()
        for index in order.dropFirst(capacity / 2).sorted() { dropped(all[index]) }
        all = kept.map { all[$0] }
        bySPI = [:]
        byChildSPI = [:]
        for (index, negotiation) in all.enumerated() {
            bySPI[negotiation.initiatorSPI, default: []].append(index)
            register(negotiation.facts.childSPIs, of: index)
        }
    }
}
