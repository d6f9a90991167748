import GatewayRig
import Metrics
import Primitives
import Results
import Runner
import Testing
import Workload

/// Debian's strongSwan has neither RFC 9242 nor RFC 9370 nor ML-KEM: what it makes of being asked for them.
@Suite("Additional key exchanges, offered to a strongSwan that has none", .serialized)
struct PostQuantumTests {
    @Test("are left out where another proposal has none, in set-ups and in rekeys of both kinds")
    func fallsBack() throws {
        let gateway = try RealGateway.start(knobs: ["LOG_LEVEL": "1"])
        let count = 10
        let classical = LiveWorkload(
            count: count,
            rate: "20/s",
            duration: "8s",
            ike: "{ rekey: 4s, over: 60s }",
            child: "{ rekey: 3s, over: 60s }"
        )
        let text = classical.text.replacing(
            "ike: [aes256gcm16-prfsha384-x25519], child: [aes256gcm16-x25519]",
            with: "ike: [aes256gcm16-prfsha384-x25519-ke1_mlkem768, aes256gcm16-prfsha384-x25519], "
                + "child: [aes256gcm16-x25519-ke1_mlkem768, aes256gcm16-x25519]"
        )
        let workload = try WorkloadFile(text: text, path: "live.yaml").validated()
        let result = try gateway.rig.inside { try LiveRun(workload, options: LiveOptions()).run() }
        let measured = try #require(result.measurements.first)
        #expect(measured.counter(.handshakeEstablished).total == UInt64(count))
        #expect(measured.counter(.handshakeFailed).byReason == [])
        #expect(measured.counter(.childRekeyEstablished).total >= UInt64(count))
        #expect(measured.counter(.childRekeyFailed).byReason == [])
        #expect(measured.counter(.ikeRekeyEstablished).total >= UInt64(count))
        #expect(result.leftBehind == 0)
        #expect(try gateway.associations() == [])
    }
}
