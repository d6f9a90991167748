import Capture

/// What a capture held, counted.
package struct CaptureTally: Hashable, Sendable {
    package var packets = 0
    /// Of IKEv2.
    package var messages = 0
    package var esp = 0
    package var keepalives = 0
    package var icmp = 0
    /// Pieces of datagrams that were still incomplete when they passed.
    package var fragments = 0
    /// Datagrams that never became complete.
    package var lostDatagrams = 0
    /// Datagrams of which the capture holds the beginning only.
    package var cut = 0
    package var malformed = 0
    package var ikev1 = 0
    /// Messages that the keys at hand do not open.
    package var unopened = 0
    package var others = 0
    /// Link types that cannot be read, and how many packets had them.
    package var unknownLinks: [UnknownLink] = []
    package var firstTime: UInt64 = 0
    package var lastTime: UInt64 = 0

    package struct UnknownLink: Hashable, Sendable {
        package var type: UInt16
        package var packets: Int
    }

    mutating func count(_ frame: CapturedFrame) {
        if packets == 0 { firstTime = frame.timestamp }
        packets += 1
        lastTime = max(lastTime, frame.timestamp)
    }

    mutating func unknownLink(_ type: UInt16) {
        if let index = unknownLinks.firstIndex(where: { $0.type == type }) {
            unknownLinks[index].packets += 1
        } else if unknownLinks.count < 16 {
            unknownLinks.append(UnknownLink(type: type, packets: 1))
        }
    }
}

/// Negotiations that made place for others, and what became of them.
struct DroppedTally: Hashable, Sendable {
    var outcome: Finding.Outcome
    var cause: Finding.Cause?
    var count: Int
}
