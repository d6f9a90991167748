import EAP
import Foundation
import IKECrypto
import Primitives
import Testing

@Suite("EAP when packets are lost, doubled or changed")
struct RobustnessTests {
    /// Who meets whom; every method, TLS in small fragments.
    enum Kind: String, Sendable, CaseIterable {
        case md5Challenge, gtc, mschapv2, tls12, tls13

        func conversation(_ client: TLSConfiguration, _ server: TLSConfiguration) throws -> Conversation {
            let password = Conversation.password
            return switch self {
            case .md5Challenge: try Conversation([.md5Challenge(password: password)], [.md5Challenge])
            case .gtc: try Conversation([.gtc(password: password)], [.gtc])
            case .mschapv2: try Conversation([.mschapv2(password: password)], [.mschapv2])
            case .tls12, .tls13: try Conversation([.tls(client)], [.tls(server)], fragmentByteCount: 400)
            }
        }

        var version: TLSVersion { self == .tls12 ? .tls12 : .tls13 }

        /// Both configurations, and the conversation without any trouble.
        func undisturbed() throws -> (TLSConfiguration, TLSConfiguration, Ending, [[UInt8]]) {
            let client = try EAPTests.tls(.client, versions: version...version)
            let server = try EAPTests.tls(.server, versions: version...version)
            var talk = try conversation(client, server)
            talk.run()
            return (client, server, talk.peerEnding, talk.packets)
        }
    }

    @Test(
        "a Request that comes again is answered by the same octets, and the end is the same",
        arguments: Kind.allCases
    )
    func repeatedRequests(_ kind: Kind) throws {
        let (client, server, ending, packets) = try kind.undisturbed()
        var talk = try kind.conversation(client, server)
        var request = talk.begin()
        var writer = ByteWriter()
        while !request.isEmpty {
            let answer = talk.toPeer(request).answer
            if answer.isEmpty { break }
            talk.authenticator.repeatRequest(into: &writer)
            #expect(writer.bytes == request)
            #expect(talk.toPeerAgain(writer.bytes) == answer)
            request = talk.toAuthenticator(answer).request
            let again = talk.toAuthenticator(answer).saying
            #expect(again == .dropped(.unexpected))
        }
        #expect(talk.peerEnding == ending)
        #expect(talk.authenticatorEnding == ending)
        #expect(talk.packets.last == packets.last)
    }

    @Test("a packet of which an octet is missing at its end changes nothing", arguments: Kind.allCases)
    func prefixes(_ kind: Kind) throws {
        let (client, server, ending, packets) = try kind.undisturbed()
        for place in packets.indices {
            let cut = Array(packets[place].dropLast())
            let saying = try disturb(kind, client, server, at: place, with: cut, expecting: ending)
            #expect(saying.isDropped, "packet \(place)")
        }
    }

    @Test("a packet with a changed bit ends no machine that drops it", arguments: Kind.allCases)
    func flips(_ kind: Kind) throws {
        let (client, server, ending, packets) = try kind.undisturbed()
        var droppedCount = 0
        // With TLS a few of the bits, the header's all among them.
        let stride = kind == .tls12 || kind == .tls13 ? 211 : 1
        for place in packets.indices {
            for bit in 0..<8 * packets[place].count where bit < 48 || bit % stride == 0 {
                var changed = packets[place]
                changed[bit / 8] ^= 1 << UInt8(bit % 8)
                let saying = try disturb(kind, client, server, at: place, with: changed, expecting: ending)
                if saying.isDropped { droppedCount += 1 }
            }
        }
        #expect(droppedCount > 100)
    }

    @Test("any octets at all are dropped or lead to an end", arguments: Kind.allCases)
    func mutations(_ kind: Kind) throws {
        let seed = ProcessInfo.processInfo.environment["SEED"].flatMap(UInt64.init) ?? 3748
        var chance = RandomStream(seed: seed, entity: UInt64(kind.rawValue.utf8.count), purpose: .test)
        let (client, server, ending, packets) = try kind.undisturbed()
        for _ in 0..<(kind == .tls12 || kind == .tls13 ? 100 : 1000) {
            let place = Int(chance.below(UInt64(packets.count)))
            var changed = packets[place]
            for _ in 0...chance.below(4) where !changed.isEmpty {
                let index = Int(chance.below(UInt64(changed.count)))
                switch chance.below(4) {
                case 0: changed[index] = UInt8(truncatingIfNeeded: chance.next())
                case 1: changed.insert(UInt8(truncatingIfNeeded: chance.next()), at: index)
                case 2: changed.remove(at: index)
                default: changed += changed[index...]
                }
            }
            if changed.count >= 4, chance.below(8) != 0 {
                changed[2] = UInt8(truncatingIfNeeded: changed.count >> 8)
                changed[3] = UInt8(truncatingIfNeeded: changed.count)
            }
            _ = try disturb(kind, client, server, at: place, with: changed, expecting: ending)
        }
    }

    /// Has a conversation in which one packet comes changed before it comes as it was sent.
    ///
    /// A machine that drops the changed one comes to the same end; any other comes to some end.
    private func disturb(
        _ kind: Kind,
        _ client: TLSConfiguration,
        _ server: TLSConfiguration,
        at place: Int,
        with changed: [UInt8],
        expecting ending: Ending
    ) throws -> Saying {
        var talk = try kind.conversation(client, server)
        var packet = talk.begin()
        for turn in 0..<place {
            packet = turn % 2 == 0 ? talk.toPeer(packet).answer : talk.toAuthenticator(packet).request
        }
        let isForPeer = place % 2 == 0
        let (saying, reply) = isForPeer ? talk.toPeer(changed) : talk.toAuthenticator(changed)
        if saying.isDropped {
            let next = isForPeer ? packet : talk.toAuthenticator(packet).request
            talk.run(from: next)
            #expect(talk.peerEnding == ending, "packet \(place) changed to \(Hexadecimal.encode(changed))")
            #expect(talk.authenticatorEnding == ending, "packet \(place) changed to \(Hexadecimal.encode(changed))")
        } else if !reply.isEmpty {
            let next = isForPeer ? talk.toAuthenticator(reply).request : reply
            talk.run(from: next)
        }
        #expect(talk.packets.count < 250)
        return saying
    }
}

extension Saying {
    fileprivate var isDropped: Bool {
        if case .dropped = self { return true }
        return false
    }
}

extension Conversation {
    /// Hands a packet to the peer a second time.
    fileprivate mutating func toPeerAgain(_ packet: [UInt8]) -> [UInt8] { toPeer(packet).answer }
}
