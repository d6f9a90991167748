import IKEWire
import Primitives

/// A request and its response, with everything that was sent of each (RFC 7296 section 2.1).
struct Exchange: Sendable {
    let type: ExchangeType
    let messageID: MessageID
    let requester: Role
    var request = Leg()
    var response = Leg()
    /// Of an IKE_SA_INIT request, which has a message ID in common with the ones behind a cookie.
    var digest: UInt64 = 0

    /// Whether the whole response was seen.
    var isAnswered: Bool { response.isWhole }

    /// One direction of an exchange.
    struct Leg: Sendable {
        var firstTime: UInt64 = 0
        var lastTime: UInt64 = 0
        /// How often it was sent: for fragments, the one that was sent most.
        var copies = 0
        /// Of the longest datagram.
        var byteCount = 0
        var packetByteCount = 0
        var fragments: FragmentTally?
        /// What it says is wrong, in the clear or decrypted.
        var errors: [NotifyType] = []
        var isOpened = false
        var isRead = false
        var payloadCount = 0

        var isSeen: Bool { copies > 0 }
        var isWhole: Bool { copies > 0 && fragments?.isComplete ?? true }
    }
}

/// Which fragments of a message were seen (RFC 7383), and what the opened ones held.
struct FragmentTally: Sendable {
    let total: Int
    private(set) var copies: [Int]
    private var parts: [[UInt8]?]
    private(set) var firstType: PayloadType = .none

    /// Nil where a message has more fragments than are kept.
    init?(total: UInt16) {
        guard total >= 1, total <= Self.most else { return nil }
        self.total = Int(total)
        copies = Array(repeating: 0, count: Int(total))
        parts = Array(repeating: nil, count: Int(total))
    }

    var isComplete: Bool { !copies.contains(0) }
    var missing: [Int] { copies.indices.filter { copies[$0] == 0 }.map { $0 + 1 } }

    /// Counts a fragment, and gives back how often it has been here.
    mutating func count(_ number: Int) -> Int {
        copies[number - 1] += 1
        return copies[number - 1]
    }

    /// Keeps what a fragment held, and gives back the whole once all are there.
    mutating func add(_ number: Int, firstType: PayloadType, _ part: [UInt8]) -> [UInt8]? {
        guard parts[number - 1] == nil else { return nil }
        if number == 1 { self.firstType = firstType }
        parts[number - 1] = part
        guard !parts.contains(nil) else { return nil }
        let whole = parts.flatMap { $0 ?? [] }
        parts = Array(repeating: [], count: total)
        return whole
    }

    private static let most: UInt16 = 256
}
