import Foundation
import IKEWire
import IKEv2
import Primitives
import Testing

// An end that rests whenever it can is no other than one that never does. All other tests of the state machines have
// their ends rest, so that what is forgotten fails there too.
@Suite struct RestingTests {
    @Test(arguments: [UInt8(1), 2, 3]) func aRestChangesNothing(seed: UInt8) {
        let resting = story(seed, rests: true)
        let awake = story(seed, rests: false)
        #expect(resting.trajectory == awake.trajectory)
        #expect(resting.wire.map(\.octets) == awake.wire.map(\.octets))
        #expect(resting.restCount > 20)
        #expect(awake.restCount == 0)
    }

    /// Two days with rekeys of both kinds, liveness checks and lost packets.
    private func story(_ seed: UInt8, rests: Bool) -> Network {
        let network = Network(
            initiator: .client { values in
                values.liveness = .minutes(10)
                values.ikeLifetime = Lifetime(rekey: .minutes(240), jitter: .percent(10), hard: .minutes(300))
                values.childLifetime = Lifetime(rekey: .minutes(60), jitter: .percent(10), hard: .minutes(70))
            },
            responder: .gateway { $0.liveness = .minutes(7) },
            seed: seed
        )
        network.rests = rests
        var count = 0
        network.fate = { _ in
            count += 1
            return count % 7 == 3 ? .isLost : .arrives
        }
        network.run(for: .minutes(2 * 24 * 60))
        network.checkInvariants()
        return network
    }

    /// IPv6 outside and inside, narrow selectors, a CBC suite: what the record writes in full.
    @Test func whatFewHaveRestsToo() {
        let narrow = TrafficSelector(
            from: IPAddress("2001:db8::1")!,
            through: IPAddress("2001:db8::ff")!,
            ipProtocol: 17,
            ports: 53...53
        )
        func network(rests: Bool) -> Network {
            let network = Network(
                initiator: .client { values in
                    values.ikeProposals = .ike("aes256-sha256-prfsha256-x25519")
                    values.childProposals = .esp("aes256-sha256")
                    values.remoteSelectors = [narrow]
                },
                responder: .gateway { values in
                    values.ikeProposals = .ike("aes256-sha256-prfsha256-x25519")
                    values.childProposals = .esp("aes256-sha256")
                    values.localSelectors = [narrow]
                }
            )
            network.rests = rests
            network.lease = InnerAddresses(IPAddress("10.128.0.7")!, IPAddress("2001:db8:1::7")!)
            network.run(for: .seconds(1))
            network.command(.createChild, at: .initiator)
            network.run(for: .seconds(1))
            network.command(.rekeyChildren, at: .responder)
            network.run(for: .seconds(1))
            network.command(.checkLiveness, at: .initiator)
            network.run(for: .seconds(1))
            network.checkInvariants()
            return network
        }
        let (resting, awake) = (network(rests: true), network(rests: false))
        #expect(resting.trajectory == awake.trajectory)
        #expect(resting.restCount > 3)
    }

    /// What stands in the record is all that there is: who adds a property says what becomes of it at rest.
    @Test func noPropertyIsForgotten() throws {
        let known: [String: Set<String>] = [
            "States/Established.swift": [
                "channel", "origin", "children", "outgoing", "draft", "incoming", "rival", "tasks", "soft", "hard",
                "extras", "innerAddresses", "superseded", "arePeerAddresses",
            ],
            "Channel.swift": [
                "spis", "isInitiator", "suite", "keys", "path", "nat", "mobilityRole", "fragmentPacketByteCount",
                "ivCounter", "nextRequest", "expectedRequest", "outstanding", "lastResponse", "lastResponseNote",
                "partialRequest", "partialResponse", "mobility", "heardAt", "sentAt",
            ],
            "ChildSA.swift": [
                "inbound", "outbound", "suite", "keys", "localSelectors", "remoteSelectors", "status", "soft", "hard",
                "deletion", "isTaskQueued", "isExchangeInitiator", "isTransport",
            ],
            "Origin.swift": ["number", "isReplacement", "seed", "spis", "material", "chance"],
            "Endpoint.swift": ["current", "retiring"],
        ]
        for (file, names) in known {
            #expect(try storedProperties(of: file) == names, "say in IKESA+Packing.swift what becomes of it: \(file)")
        }
    }

    /// The stored properties of the file's noncopyable state, and of `Origin`.
    private func storedProperties(of file: String) throws -> Set<String> {
        let sources = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Sources/IKEv2")
        let text = try String(contentsOf: sources.appending(path: file), encoding: .utf8)
        let type = file.split(separator: "/").last!.dropLast(".swift".count)
        var isInside = false
        var indentation = 0
        var names: Set<String> = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            let blanks = line.prefix { $0 == " " }.count
            if line.contains("struct \(type)") {
                (isInside, indentation) = (true, blanks + 4)
            } else if isInside, blanks == indentation - 4, line.hasSuffix("}") {
                isInside = false
            }
            guard isInside, blanks == indentation, !line.hasSuffix("{"), !line.contains("{ "),
                let found = line.firstMatch(of: /^ *(?:(?:package|private|internal)(?:\(set\))? )*(?:let|var) (\w+)/)
            else { continue }
            names.insert(String(found.1))
        }
        return names
    }
}
