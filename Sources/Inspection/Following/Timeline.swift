package import Capture
package import IKEWire
package import Primitives

/// What happened, in order: the beginning and the end of it, where there is much.
package struct Timeline: Hashable, Sendable {
    package private(set) var first: [Entry] = []
    package private(set) var last: [Entry] = []
    /// How many entries between the two were not kept.
    package private(set) var omittedCount = 0

    mutating func append(_ entry: Entry) {
        if first.count < Self.kept {
            first.append(entry)
        } else {
            if last.count == Self.kept {
                last.removeFirst()
                omittedCount += 1
            }
            last.append(entry)
        }
    }

    /// How many of the beginning, and of the end.
    static let kept = 32

    package struct Entry: Hashable, Sendable {
        package var timestamp: UInt64
        package var event: Event
    }

    package enum Event: Hashable, Sendable {
        case message(Message)
        case unreachable(ICMPError)
        case lostFragments(LostDatagram)
        /// An end's packets come from, or go to, another address or port than before.
        case moved(Role, from: UDPEndpoint, to: UDPEndpoint)
    }

    package struct Message: Hashable, Sendable {
        package var sender: Role
        package var exchange: ExchangeType
        package var isResponse: Bool
        package var messageID: MessageID
        package var fragment: Fragment?
        /// Of the IKE message.
        package var byteCount: Int
        /// How many IP packets carried it.
        package var packetCount: Int
        /// 1, or 2 and more where the same message was there before.
        package var copy: Int
        /// What is in it, in the RFC's notation, as far as that can be read.
        package var content: String
        package var reading: Reading
    }

    package struct Fragment: Hashable, Sendable {
        package var number: Int
        package var total: Int
    }

    package enum Reading: String, Hashable, Sendable {
        case clear
        case decrypted
        /// Of which keys are missing.
        case encrypted
        /// Which the keys that are there do not open.
        case unopened
        case malformed
    }
}
