import GatewayRig
import IKEWire
import IKEv2
import Metrics
import Primitives
import Results
import Runner
import Synchronization
import Testing
import Workload

@Suite("A live run against libreswan", .serialized)
struct LibreswanTests {
    private static let count = 50

    /// What libreswan listed while a run went on, and what happened in it.
    private struct Account: Sendable {
        var story = Story()
        var before: [ListedState] = []
        var after: [ListedState] = []
        var traffic: [String] = []
        /// How often each client's SAs were rekeyed, by what began it.
        var rekeys: [UInt32: [String: Int]] = [:]
    }

    /// What the clients of a test prove themselves with: a shared key, or certificates of a kind of key.
    private static func pki(_ proof: String) throws -> TestPKI? {
        proof == "psk" ? nil : try TestPKI(proof, hasIntermediate: proof == "ecdsa256", clients: count)
    }

    private static func workload(_ pki: TestPKI?, count: Int = Self.count, ike: String, child: String, duration: String)
        throws -> Workload
    {
        var parts = LiveWorkload(count: count, rate: "50/s", duration: duration, ike: ike, child: child)
        if let pki {
            parts.authentication = pki.clientAuthentication(signatures: nil)
            parts.fragmentation = "standard"
        }
        let text = parts.text.replacing("user%05d@example.org", with: "user-%d@example.org")
        return try WorkloadFile(text: text, path: "live.yaml").validated()
    }

    @Test(
        "50 initiators establish, both ends rekey their Child SAs and IKE SAs, they delete, and both lists agree",
        arguments: ["psk", "ecdsa256"]
    )
    func establishes(_ proof: String) throws {
        let pki = try Self.pki(proof)
        let gateway = try Libreswan.start(knobs: pki.map { ["PKI": $0.folder] } ?? [:])
        // The first rekeys of each kind are the gateway's, and ours come 13 s and 18 s after them. At the end no
        // Child SA is left that waits for its Delete, and the next rekey is 3 s away.
        let workload = try Self.workload(
            pki,
            ike: "{ rekey: 18s, jitter: 0%, over: 1m }",
            child: "{ rekey: 13s, jitter: 0%, over: 1m }",
            duration: "26s"
        )
        let listed = Mutex<(states: [ListedState], traffic: [String])>(([], []))
        var options = LiveOptions()
        options.beforeDrain = { _ in
            let states = (try? gateway.states()) ?? []
            let traffic = (try? gateway.traffic()) ?? []
            listed.withLock { $0 = (states, traffic) }
        }
        let chosen = options
        let end = Instant.zero + workload.run.duration
        let account = try gateway.rig.inside { () throws -> Account in
            var account = Account()
            let sinks = RunSinks(event: { event in
                account.story.note(event)
                guard event.time <= end, event.name.hasSuffix("-rekeyed") else { return }
                let side = event.details.first { $0.key == "from-here" }?.value == "true" ? "ours" : "theirs"
                account.rekeys[event.client, default: [:]]["\(event.name), \(side)", default: 0] += 1
            })
            account.story.result = try LiveRun(workload, options: chosen).run(sinks: sinks) { progress in
                switch progress.time.nanoseconds {
                case 2_000_000_000: account.before = account.story.attempt { try gateway.states() } ?? []
                case 3_000_000_000: account.story.attempt { try gateway.rekeyChildSAs() }
                case 5_000_000_000: account.story.attempt { try gateway.rekeyIKESAs() }
                default: break
                }
            }
            return account
        }
        let count = Self.count
        let result = try #require(account.story.result)
        let measured = try #require(result.measurements.first)
        #expect(account.story.failures == [])
        #expect(measured.counter(.handshakeEstablished).total == UInt64(count))
        #expect(measured.counter(.handshakeFailed).byReason == [])
        #expect(measured.counter(.childRekeyFailed).byReason == [])
        #expect(measured.counter(.ikeRekeyFailed).byReason == [])

        #expect(account.before.count { $0.isIKESA } == count && account.before.count { $0.isChildSA } == count)
        #expect(account.before.count == 2 * count)
        let rekeys = [
            "child-rekeyed, ours": 1, "child-rekeyed, theirs": 1, "ike-rekeyed, ours": 1, "ike-rekeyed, theirs": 1,
        ]
        #expect(Dictionary(grouping: account.rekeys.values) { $0 }.mapValues(\.count) == [rekeys: count])

        // Nothing that was there before is there now, but the same clients, and what both ends list is the same.
        let (states, traffic) = listed.withLock { $0 }
        #expect(Set(states.map(\.number)).intersection(account.before.map(\.number)) == [])
        #expect(states.count { $0.isIKESA } == count)
        #expect(states.allSatisfy { $0.isIKESA || $0.isChildSA })
        let ours = Set(result.associations.filter { $0.state == .established }.flatMap(Self.children))
        #expect(ours.count == count)
        #expect(ours == Self.children(states))
        #expect(traffic.count == count)
        #expect(Set(traffic) == Set(result.associations.map { "\($0.source)" }))

        let log = try gateway.log()
        let proved = proof == "psk" ? "authby=secret" : "P-256 ECDSA with SHA2_256"
        let proofs = log.matches(of: #/authenticated peer (using )?'?(.+?)'? (and|digital signature) /#)
        #expect(proofs.count >= count && proofs.allSatisfy { $0.2 == proved }, "\(log.suffix(4000))")
        #expect(try gateway.states() == [])
        #expect(try gateway.traffic() == [])
        #expect(try gateway.installedCount() == 0)
        #expect(result.leftBehind == 0)
    }

    @Test("10 initiators with RSA certificates, both ends' rekeys of both kinds, and the gateway's Deletes")
    func isDeleted() throws {
        let count = 10
        let pki = try TestPKI("rsa2048", clients: count)
        let gateway = try Libreswan.start(knobs: ["PKI": pki.folder])
        let workload = try Self.workload(
            pki,
            count: count,
            ike: "{ rekey: 3500ms, jitter: 0%, over: 1m }",
            child: "{ rekey: 4s, jitter: 0%, over: 1m }",
            duration: "8s"
        )
        let account = try gateway.rig.inside { () throws -> Account in
            var account = Account()
            let sinks = RunSinks(event: { account.story.note($0) })
            account.story.result = try LiveRun(workload, options: LiveOptions()).run(sinks: sinks) { progress in
                // Its rekeys put ours off: of IKE SAs to 4.5 s, of Child SAs to 6 s. The next would come after its
                // Deletes; one that they cut off would have failed.
                switch progress.time.nanoseconds {
                case 1_000_000_000:
                    account.before = account.story.attempt { try gateway.states() } ?? []
                    account.story.attempt { try gateway.rekeyIKESAs() }
                case 2_000_000_000: account.story.attempt { try gateway.rekeyChildSAs() }
                case 7_000_000_000: account.story.attempt { try gateway.terminate() }
                default: break
                }
            }
            return account
        }
        #expect(account.story.failures == [])
        #expect(account.before.count { $0.isIKESA } == count)
        for (rekey, isOurs) in [("ike", "false"), ("child", "false"), ("ike", "true"), ("child", "true")] {
            #expect(account.story.count("\(rekey)-rekeyed", "from-here", isOurs) >= count, "\(rekey), \(isOurs)")
        }
        #expect(account.story.count("closed", "reason", "deleted-by-peer") == count)
        #expect(try gateway.log().contains("authenticated peer '2048-bit RSASSA-PSS with SHA2_256' digital signature"))
        #expect(try gateway.states() == [])
        #expect(try gateway.installedCount() == 0)
        #expect(account.story.result?.leftBehind == 0)
    }

    @Test(
        "a wrong shared key, and a certificate that has expired, are refused, and nothing is installed",
        arguments: ["psk", "ecdsa256"]
    )
    func refuses(_ proof: String) throws {
        let pki = try Self.pki(proof)
        let stale = pki == nil ? nil : try TestPKI(proof, until: "2024-01-01T00:00:00Z", clients: 1)
        var parts = LiveWorkload(authentication: "{ psk: another }")
        if let pki, let stale {
            parts.authentication = "{ certificates: \(stale.folder)/clients.pem, authorities: \(pki.folder)/ca.pem }"
            parts.fragmentation = "standard"
        }
        let workload = try parts.validated()
        let gateway = try Libreswan.start(knobs: pki.map { ["PKI": $0.folder] } ?? [:])
        let error = #expect(throws: LiveError.self) {
            _ = try gateway.rig.inside { try LiveRun(workload, options: LiveOptions()).run() }
        }
        let words = pki == nil ? "does not know the pre-shared key" : "does not believe this client's certificate"
        #expect(error.map { "\($0)" }?.contains(words) == true, "\(error.map { "\($0)" } ?? "")")
        #expect(try gateway.states() == [])
        #expect(try gateway.installedCount() == 0)
    }

    @Test(
        "extended sequence numbers, and transport mode without a pool, are agreed to and kept by rekeys",
        arguments: [["ESN": "yes"], ["TYPE": "transport"]]
    )
    func agrees(_ knobs: [String: String]) throws {
        let count = 5
        let gateway = try Libreswan.start(knobs: knobs)
        let isTransport = knobs["TYPE"] != nil
        var parts = LiveWorkload(
            count: count,
            rate: "50/s",
            duration: "4s",
            child: "{ rekey: 2500ms, jitter: 0%, over: 1m }"
        )
        if isTransport {
            parts.settings = "mode: transport"
            parts.safety = #"{ allow-targets: [10.98.1.2], allow-identities: ["user*@example.org"] }"#
        }
        let child = "child: [aes256gcm16-x25519]"
        let text = isTransport ? parts.text : parts.text.replacing(child, with: "child: [aes256gcm16-x25519-esn]")
        let workload = try WorkloadFile(text: text, path: "live.yaml").validated()
        let listed = Mutex<[ListedState]>([])
        var options = LiveOptions()
        options.beforeDrain = { _ in listed.withLock { $0 = (try? gateway.states()) ?? [] } }
        let chosen = options
        let result = try gateway.rig.inside { try LiveRun(workload, options: chosen).run() }
        let measured = try #require(result.measurements.first)
        #expect(measured.counter(.handshakeEstablished).total == UInt64(count))
        #expect(measured.counter(.childRekeyEstablished).total >= UInt64(count))
        #expect(measured.counter(.childRekeyFailed).byReason == [])
        let ours = Set(result.associations.filter { $0.state == .established }.flatMap(Self.children))
        // Those that were rekeyed still wait for their Deletes.
        #expect(ours.count == count && ours.isSubset(of: Self.children(listed.withLock { $0 })))
        let log = try gateway.log()
        let chosenESP = log.matches(of: /ESP=AES_GCM_C_256\S*-(ENABLED|DISABLED) SPI/).map { String($0.1) }
        #expect(chosenESP.count >= 2 * count && Set(chosenESP) == [isTransport ? "DISABLED" : "ENABLED"])
        #expect(log.contains("; IPsec transport [") == isTransport, "\(log.suffix(3_000))")
        #expect(try gateway.states() == [])
        #expect(try gateway.installedCount() == 0)
        #expect(result.leftBehind == 0)
    }

    /// The Child SAs of an IKE SA by their SPIs, as the gateway sees them.
    private static func children(_ association: LiveAssociation) -> [[UInt32]] {
        association.children.map { [$0.outbound.rawValue, $0.inbound.rawValue] }
    }

    private static func children(_ states: [ListedState]) -> Set<[UInt32]> {
        Set(states.compactMap(\.child).map { [$0.inboundSPI, $0.outboundSPI] })
    }
}

@Suite("libreswan's list of SAs")
struct ListedStateTests {
    @Test("an IKE SA and its Child SA are read, with one that is not established yet")
    func parses() throws {
        let text = """
            000 #3: "clients"[4] 10.99.0.1:500 STATE_V2_ESTABLISHED_IKE_SA (established IKE SA); REKEY in 14124s; idle;
            000 #4: "clients"[4] 10.99.0.1:500 STATE_V2_ESTABLISHED_CHILD_SA (established Child SA); IKE SA #3; idle;
            000 #4: "clients"[4] 10.99.0.1 esp.9f4c8ec@10.99.0.1 esp.9e3789b1@10.98.1.2 tun.0@10.99.0.1 tun.0@10.98.1.2
            000 #5: "clients"[5] 10.99.0.2:4500 STATE_V2_PARENT_R1 (sent IKE_SA_INIT response); DISCARD in 200s; idle;
            """
        let states = try ListedState.parse(text)
        #expect(states.map(\.number) == [3, 4, 5])
        #expect(states.map(\.remoteAddress) == ["10.99.0.1", "10.99.0.1", "10.99.0.2"])
        #expect(states.map(\.isIKESA) == [true, false, false])
        #expect(
            states.map(\.child) == [nil, .init(ikeSA: 3, inboundSPI: 0x9e37_89b1, outboundSPI: 0x09f4_c8ec), nil]
        )
    }

    @Test("SPIs of an SA that was not listed are refused")
    func refuses() {
        let text = "000 #4: \"clients\"[4] 10.99.0.1 esp.9f4c8ec@10.99.0.1 esp.9e3789b1@10.98.1.2"
        #expect(throws: ListedState.Malformed.self) { try ListedState.parse(text) }
    }
}
