import Foundation
import GatewayRig
import Metrics
import Primitives
import Results
import Runner
import Testing
import Workload

/// RFC 7383 with what made it necessary.
@Suite("IKE_AUTH of 14 kB, with a long chain of certificates", .serialized)
struct LongChainTests {
    @Test("passes in fragments between strongSwan's initiator, or ours, and our responder")
    func passes() throws {
        let pki = try LongChain()
        var workload = LiveWorkload(count: 1, duration: "1s")
        let authorities = "authorities: \(pki.folder)/ca.pem"
        workload.gatewayAuthentication = "{ certificates: \(pki.folder)/gateway.pem, \(authorities) }"
        workload.authentication = "{ certificates: \(pki.folder)/clients.pem, \(authorities) }"
        workload.fragmentation = "1280"
        let served = try ServedClients(workload, knobs: ["PKI": pki.folder, "MAX_PACKET": "20000"])
        let theirs = try served.rig.capturing { try served.clients.initiate() }
        Self.expectMuch(theirs)
        let log = try served.clients.log()
        #expect(log.contains(/generating IKE_AUTH request 1 \[ EF\((1\d)\/\1\) \]/))
        #expect(log.contains(/parsed IKE_AUTH response 1 \[ EF\((1\d)\/\1\) \]/))
        #expect(log.contains("authentication of 'gw.example.org' with ECDSA_WITH_SHA256_DER successful"))
        #expect(log.contains(/reached self-signed root ca with a path length of 4/), "\(log.suffix(4000))")
        try served.clients.terminate()

        let text = workload.text.replacing("user%05d@example.org", with: "user-%d@example.org")
        let validated = try WorkloadFile(text: text, path: "live.yaml").validated()
        let ours = try served.rig.capturing {
            let result = try served.rig.inside { try LiveRun(validated, options: LiveOptions()).run() }
            #expect(result.measurements.first?.counter(.handshakeEstablished).total == 1)
            #expect(result.leftBehind == 0)
        }
        Self.expectMuch(ours)
        let said = try served.stop()
        #expect(!said.contains("failed"), "\(said)")
    }

    /// 14 kB in each direction, and no packet that is longer than a fragment may be.
    private static func expectMuch(_ packets: [CapturedPacket]) {
        for isToGateway in [true, false] {
            let those = packets.filter { ($0.destination == Rig.gatewayAddress) == isToGateway }
            #expect(those.reduce(0) { $0 + $1.frameByteCount } > 14_000)
        }
        // With the header of Ethernet.
        #expect(packets.allSatisfy { $0.frameByteCount <= 1280 + 14 })
    }
}

/// An authority, four below it with much to say, and an end of each kind; as `ikestorm pki` would write them.
private final class LongChain {
    let folder: String

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "ikestorm-chain-\(UUID().uuidString)").path
        _ = try Command.output(of: ["bash", "-c", Self.script, "chain", folder])
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    private static let script = #"""
        set -euo pipefail
        mkdir -p "$1" && cd "$1"
        new=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc)
        openssl req -x509 "${new[@]}" -keyout 0.key -out ca.pem -subj /O=tests/CN=root -days 3650 \
            -addext keyUsage=critical,keyCertSign 2>/dev/null
        cp ca.pem 0.pem
        issue() { # NAME ISSUER SERIAL EXTENSIONS
            openssl req -new "${new[@]}" -keyout "$1.key" -subj "/O=tests/CN=$1" -out "$1.csr" 2>/dev/null
            openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -set_serial "$3" -days 3650 -out "$1.pem" \
                -extfile <(echo "$4") 2>/dev/null
        }
        much=$(printf 'a%.0s' {1..3000})
        for number in 1 2 3 4; do
            issue $number $((number - 1)) $((number + 10)) "basicConstraints=critical,CA:TRUE
        keyUsage=critical,keyCertSign
        nsComment=$much"
        done
        issue gw.example.org 4 21 subjectAltName=DNS:gw.example.org
        issue user-1 4 22 subjectAltName=email:user-1@example.org
        cat gw.example.org.key gw.example.org.pem 4.pem 3.pem 2.pem 1.pem >gateway.pem
        cat user-1.key user-1.pem 4.pem 3.pem 2.pem 1.pem >clients.pem
        """#
}
