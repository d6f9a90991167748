import GatewayRig
import IKEWire
import Metrics
import Primitives
import Results
import Runner
import Testing
import Workload

@Suite("Every algorithm, with strongSwan", .serialized)
struct AlgorithmTests {
    /// Each key exchange method, cipher, integrity algorithm and PRF once at least. kernel-libipsec refuses ESN.
    static let suites = [
        Suite(ike: "aes128gcm16-prfsha256-x25519", child: "aes128gcm16-x25519"),
        Suite(ike: "aes192gcm16-prfsha384-x448", child: "aes192gcm16-x448"),
        Suite(ike: "aes256gcm16-prfsha512-ecp256", child: "aes256gcm16-ecp256"),
        Suite(ike: "aes128gcm12-prfsha1-ecp384", child: "aes128gcm12-ecp384"),
        Suite(ike: "aes192gcm12-prfsha256-ecp521", child: "aes192gcm12-ecp521"),
        Suite(ike: "aes256gcm12-prfsha256-modp2048", child: "aes256gcm12-modp2048"),
        Suite(ike: "aes128gcm8-prfsha256-modp3072", child: "aes128gcm8-modp3072"),
        Suite(ike: "aes192gcm8-prfsha256-modp4096", child: "aes192gcm8-modp4096"),
        Suite(ike: "aes256gcm8-prfsha256-x25519", child: "aes256gcm8-x25519"),
        Suite(ike: "chacha20poly1305-prfsha256-x25519", child: "chacha20poly1305-x25519"),
        Suite(ike: "aes128-sha1-modp2048s256", child: "aes128-sha1-modp2048s256"),
        Suite(ike: "aes192-sha256-ecp192", child: "aes192-sha256-ecp192"),
        Suite(ike: "aes256-sha384-ecp384", child: "aes256-sha384-ecp384"),
        Suite(ike: "aes256-sha512-ecp521", child: "aes256-sha512-ecp521"),
    ]

    @Test("sets up an IKE SA, and both ends rekey its Child SA with a key exchange, as the gateway's own list tells")
    func establishes() throws {
        let suites = Self.suites
        let knobs = [
            "IKE_PROPOSALS": suites.map(\.ike).joined(separator: ","),
            "ESP_PROPOSALS": suites.map(\.child).joined(separator: ","),
        ]
        let gateway = try RealGateway.start(knobs: knobs)
        let workload = try WorkloadFile(text: Self.workload, path: "algorithms.yaml").validated()
        let story = try gateway.rig.inside { () throws -> Story in
            var story = Story()
            let sinks = RunSinks(event: { story.note($0) })
            story.result = try LiveRun(workload, options: LiveOptions()).run(sinks: sinks) { progress in
                switch progress.time.nanoseconds {
                case 2_000_000_000: story.attempt { try gateway.rekeyChildSAs() }
                case 3_000_000_000: story.attempt { try gateway.rekeyIKESAs() }
                case 8_000_000_000: story.listed = story.attempt { try gateway.associations() } ?? []
                default: break
                }
            }
            return story
        }
        #expect(story.failures == [])
        #expect(story.count("child-rekeyed", "from-here", "false") == suites.count)
        #expect(story.count("child-rekeyed", "from-here", "true") == suites.count)
        #expect(story.count("ike-rekeyed", "from-here", "false") == suites.count)
        #expect(story.result?.leftBehind == 0)
        for (index, suite) in suites.enumerated() {
            let listed = story.listed.filter { $0.remoteIdentity == "suite\(index)@example.org" }
            #expect(listed.map(\.algorithms) == [try Self.names(suite.ike, .ike)], "\(suite.ike)")
            let children = listed.flatMap(\.children).filter { $0.state == "INSTALLED" }
            #expect(children.map(\.algorithms) == [try Self.names(suite.child, .esp)], "\(suite.child)")
        }
        #expect(try gateway.associations() == [])
    }

    struct Suite: Sendable {
        let ike: String
        let child: String
    }

    /// The names of a proposal's algorithms as strongSwan lists them: the RFCs', but for the type in front.
    static func names(_ notation: String, _ protocolID: ProtocolID) throws -> [String] {
        try Proposal(notation: notation, protocolID: protocolID).transforms.compactMap { transform in
            switch transform.type {
            case .encryption:
                EncryptionID(rawValue: transform.id).description.dropFirst("ENCR_".count)
                    + (transform.keyLength.map { "-\($0)" } ?? "")
            case .integrity: String(IntegrityID(rawValue: transform.id).description.dropFirst("AUTH_".count))
            case .prf: PRFID(rawValue: transform.id).description
            case .keyExchange: KeyExchangeID(rawValue: transform.id).description
            default: nil
            }
        }
    }

    /// One client for each suite, which rekeys its Child SA 4 s after it was made.
    private static var workload: String {
        func list(_ line: (Int, Suite) -> String) -> String {
            suites.enumerated().map { "  " + line($0, $1) }.joined(separator: "\n")
        }
        let key = "authentication: { psk: test-only }"
        let lifetimes = "lifetimes: { ike: { rekey: 4h }, child: { rekey: 4s, over: 1m } }"
        let selectors = "traffic-selectors: { local: [dynamic], remote: [10.0.0.0/8] }"
        let profiles = list { index, suite in
            "suite\(index): { identity: suite\(index)@example.org, \(key), \(lifetimes), \(selectors), "
                + "proposals: { ike: [\(suite.ike)], child: [\(suite.child)] } }"
        }
        let populations = list { index, _ in
            "client\(index): { count: 1, profile: suite\(index), path: home, gateway: gw, sources: [10.99.0.\(index + 1)/32] }"
        }
        let arrivals = list { index, _ in
            "arrival\(index): { population: client\(index), at: \(50 * index)ms, constant: { rate: 10/s } }"
        }
        return """
            version: 1
            name: algorithms
            seed: 7
            gateways:
              gw:
                identity: gw.example.org
                policy:
                  \(key)
                  proposals: { ike: [aes128gcm16-prfsha256-x25519], child: [aes128gcm16-x25519] }
                  lifetimes: { ike: { rekey: 4h }, child: { rekey: 1h } }
                  pool: [10.128.0.0/10]
                real: { addresses: [10.98.1.2] }
            profiles:
            \(profiles)
            paths:
              home: { one-way-delay: 1ms }
            populations:
            \(populations)
            arrivals:
            \(arrivals)
            safety:
              allow-targets: [10.98.1.2]
              allow-inner: [10.0.0.0/8]
              allow-identities: ["suite*@example.org"]
            run: { duration: 9s }

            """
    }
}
