import Capture
import Foundation
import GatewayRig
import IKEWire
import Inspection
import Testing

/// Each negotiation fails anew, and is explained in the words of `Tests/InspectionTests/Golden`: but for times, SPIs
/// and ports, which are never the same. `UPDATE_GOLDEN=1` keeps the captures for the module's own tests.
@Suite("The command `inspect` explains what fails with strongSwan", .serialized)
struct InspectionTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test("another shared key")
    func sharedKey() throws {
        let other = LiveWorkload(duration: "1s", authentication: "{ psk: another }")
        try explain("shared-key", client: LiveWorkload(duration: "1s"), other)
    }

    @Test("a gateway that is called otherwise")
    func identity() throws {
        try explain("identity", client: LiveWorkload(duration: "1s"), LiveWorkload(duration: "1s")) {
            $0.replacing("identity: gw.example.org", with: "identity: vpn.example.org")
        }
    }

    @Test("proposals without a common transform")
    func proposals() throws {
        let knobs = ["IKE_PROPOSALS": "aes256gcm16-prfsha384-x25519"]
        try explain("proposal", knobs: knobs, client: LiveWorkload(duration: "1s"), LiveWorkload(duration: "1s")) {
            $0.replacing("ike: [aes256gcm16-prfsha384-x25519]", with: "ike: [aes128-sha256-modp2048]")
        }
    }

    @Test("traffic selectors without a common address")
    func selectors() throws {
        let other = LiveWorkload(
            duration: "1s",
            settings: "traffic-selectors: { local: [dynamic], remote: [172.16.0.0/12] }",
            safety: LiveWorkload().safety.replacing("10.0.0.0/8", with: "10.0.0.0/8, 172.16.0.0/12")
        )
        try explain("traffic-selectors", client: LiveWorkload(duration: "1s"), other)
    }

    @Test("a certificate that has expired")
    func certificate() throws {
        // The same keys twice, and certificates of another time.
        let valid = try TestPKI("rsa2048", hasIntermediate: true, clients: 1)
        let expired = try TestPKI("rsa2048", hasIntermediate: true, until: "2024-12-31T23:59:59Z", clients: 1)
        var other = LiveWorkload(duration: "1s")
        other.authentication = "{ certificates: \(expired.folder)/clients.pem, authorities: \(valid.folder)/ca.pem }"
        other.gatewayAuthentication = valid.gatewayAuthentication
        try explain("certificate", knobs: ["PKI": valid.folder], other) { Self.certified($0) }
    }

    @Test("fragments that a link is too narrow for")
    func fragments() throws {
        let pki = try TestPKI("rsa2048", hasIntermediate: true, clients: 1)
        var other = LiveWorkload(
            duration: "1s",
            path: "{ one-way-delay: 1ms, mtu: 900, over-mtu: drop }",
            fragmentation: "1000"
        )
        other.authentication = pki.clientAuthentication(signatures: nil)
        other.gatewayAuthentication = pki.gatewayAuthentication
        try explain("fragments", knobs: ["PKI": pki.folder], other) { Self.certified($0) }
    }

    @Test("a NAT that forgets")
    func mapping() throws {
        let other = LiveWorkload(
            duration: "12s",
            path: "{ one-way-delay: 1ms, nat: { preset: linux-conntrack } }",
            faults: "faults: { nat-rebind: { at: 1s, path: home, share: 100% } }",
            settings: """
                traffic-selectors: { local: [dynamic], remote: [10.0.0.0/8] }
                    liveness: { every: 4s }
                """
        )
        let knobs = ["DPD_DELAY": "1s", "RETRANSMIT_TIMEOUT": "0.3", "RETRANSMIT_TRIES": "2"]
        try explain("nat", knobs: knobs, other)
    }

    @Test("another password for EAP")
    func eap() throws {
        let knobs = ["REMOTE_AUTH": "eap-md5", "IKE_PROPOSALS": "aes256gcm16-prfsha384-x25519"]
        try explain("eap", knobs: knobs) { rig in
            let client = ["REMOTE_AUTH": "psk", "LOCAL_AUTH": "eap-md5", "PASSWORD": "another"]
            _ = try rig.script("strongswan-client.sh", "up", knobs: client)
            // charon says so itself when its IKE SA fails.
            try rig.capture {
                let failure = #expect(throws: Command.Failure.self) {
                    _ = try rig.script("strongswan-client.sh", "initiate")
                }
                #expect("\(failure, default: "")".contains("EAP authentication failed"))
            }
        }
    }

    @Test("a cookie that nobody brings back")
    func cookie() throws {
        try explain("cookie", knobs: ["COOKIE_THRESHOLD": "1"]) { rig in
            try rig.capture {
                try rig.inside {
                    try Bystander("10.99.0.1").send(message: 1, times: 1)
                    try Bystander("10.99.0.2").send(message: 2, times: 3)
                }
            }
        }
    }

    @Test("one half-open IKE SA too many")
    func halfOpen() throws {
        try explain("half-open", knobs: ["COOKIE_THRESHOLD": "0", "COOKIE_THRESHOLD_IP": "0"]) { rig in
            try rig.capture {
                try rig.inside {
                    let client = try Bystander("10.99.0.1")
                    for message in 1...5 { try client.send(message: UInt8(message), times: 1) }
                    try client.send(message: 6, times: 3)
                }
            }
        }
    }
}

extension InspectionTests {
    private static func certified(_ text: String) -> String {
        text.replacing("user%05d@example.org", with: "user-%d@example.org")
    }

    /// One client after the other, each with a run of its own; the last one's workload is changed.
    private func explain(
        _ name: String,
        knobs: [String: String] = [:],
        client first: LiveWorkload? = nil,
        _ last: LiveWorkload,
        change: (String) -> String = { $0 }
    ) throws {
        try explain(name, knobs: knobs) { rig in
            try rig.capture {
                for (number, text) in [first?.text, change(last.text)].compactMap(\.self).enumerated() {
                    let workload = "\(folder.path)/\(number).yaml"
                    try text.write(toFile: workload, atomically: true, encoding: .utf8)
                    let run = [Rig.ikestorm, "run", workload, "--target", Rig.gatewayAddress]
                    _ = try rig.run(run + ["--out", "\(folder.path)/\(number)"])
                }
            }
        }
    }

    private func explain(_ name: String, knobs: [String: String], _ body: (Rig) throws -> Void) throws {
        let gateway = try RealGateway.start(knobs: knobs.merging(["SAVE_KEYS": "yes"]) { $1 })
        try body(gateway.rig)
        let capture = try Data(contentsOf: URL(filePath: gateway.rig.captureFile))
        let table = try CharonKeys(log: try gateway.log()).table(for: [UInt8](capture))
        try table.write(toFile: "\(folder.path)/\(KeyLog.ikeFileName)", atomically: true, encoding: .utf8)
        let told = try Command.run([Rig.ikestorm, "inspect", gateway.rig.captureFile, "--keys", folder.path])
        #expect(told.status == 98, "\(told.errors)")
        let tests = Rig.projectDirectory.appending(path: "Tests/InspectionTests")
        let golden = tests.appending(path: "Golden/\(name).txt")
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
            try told.output.write(to: golden, atomically: true, encoding: .utf8)
            try capture.write(to: tests.appending(path: "Vectors/\(name).pcapng"))
            let keys = tests.appending(path: "Vectors/\(name)")
            try FileManager.default.createDirectory(at: keys, withIntermediateDirectories: true)
            try table.write(to: keys.appending(path: KeyLog.ikeFileName), atomically: true, encoding: .utf8)
        }
        let wanted = try String(contentsOf: golden, encoding: .utf8)
        #expect(Self.normal(told.output) == Self.normal(wanted), "\(told.output)")
    }

    /// The words without what is never the same: how many packets passed, times, SPIs, and ports that a NAT draws.
    private static func normal(_ text: String) -> [String] {
        text.split(separator: "\n").filter { !$0.contains(" of IKE") }.flatMap { line in
            var line = String(line)
            line = line.replacing(#/^ +\d+\.\d{3}  /#, with: "time ")
            line = line.replacing(#/\d+\.\d s\b/#, with: "time")
            line = line.replacing(#/\b[0-9a-f]{16}\b/#, with: "SPI")
            line = line.replacing(#/20[0-9-]+T[0-9:]+Z/#, with: "date")
            line = line.replacing(#/:(?!500\b|4500\b)\d{4,5}\b/#, with: ":port")
            return line.split(separator: " ").map(String.init)
        }
    }
}
