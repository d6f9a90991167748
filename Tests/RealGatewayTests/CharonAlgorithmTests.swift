import GatewayRig
import IKEWire
import Runner
import Testing

/// `AlgorithmTests` with the roles the other way round.
@Suite("Every algorithm, with strongSwan's initiators and our responder", .serialized)
struct CharonAlgorithmTests {
    private static let ciphers =
        ["gcm16", "gcm12", "gcm8"].flatMap { mode in ["aes128", "aes192", "aes256"].map { $0 + mode } }
        + ["chacha20poly1305"]
        + ["sha1", "sha256", "sha384", "sha512"].flatMap { hash in
            ["aes128", "aes192", "aes256"].map { "\($0)-\(hash)" }
        }

    private static let keyExchanges =
        ["x25519", "x448", "ecp192", "ecp256", "ecp384", "ecp521"]
        + ["modp2048", "modp2048s256", "modp3072", "modp4096"]

    /// Each cipher with its integrity algorithm, PRF and key exchange method once at least, for IKE SAs and Child SAs.
    /// kernel-libipsec refuses ESN, and charon had no ML-KEM before version 6.0.
    static let suites = ciphers.enumerated().map { index, cipher in
        let prf = MatrixCipher.prfs[index % MatrixCipher.prfs.count]
        return AlgorithmTests.Suite(
            ike: "\(cipher)-\(prf)-\(keyExchanges[index % keyExchanges.count])",
            child: "\(cipher)-\(keyExchanges[(index + 7) % keyExchanges.count])"
        )
    }

    @Test("IKE SAs are set up, and both ends rekey them and their Child SAs, as charon's own list tells")
    func establishes() throws {
        let suites = Self.suites
        var workload = LiveWorkload()
        let (ike, child) = (suites.map(\.ike).joined(separator: ", "), suites.map(\.child).joined(separator: ", "))
        workload.gatewayProposals = "{ ike: [\(ike)], child: [\(child)] }"
        workload.gatewayLifetimes =
            "{ ike: { rekey: 12s, jitter: 0%, over: 1m }, child: { rekey: 10s, jitter: 0%, over: 1m } }"
        let served = try ServedClients(
            workload,
            knobs: [
                "CLIENTS": "\(suites.count)", "LOG_LEVEL": "1", "MOBIKE": "no",
                "IKE_PROPOSALS": suites.map(\.ike).joined(separator: ";"),
                "ESP_PROPOSALS": suites.map(\.child).joined(separator: ";"),
            ]
        )
        let numbers = 1...suites.count
        for client in numbers { try served.clients.initiate(client) }
        let first = try served.clients.associations()
        #expect(first.count == suites.count)
        try served.clients.rekeyChildSAs()
        for client in numbers { try served.clients.beginIKERekey(client) }
        try served.clients.waitForLog(
            #/parsed CREATE_CHILD_SA response \d+ \[ SA No KE TSi TSr \]/#,
            times: suites.count
        )
        try served.clients.waitForLog(#/parsed CREATE_CHILD_SA response \d+ \[ SA No KE \]/#, times: suites.count)
        // Ours, by their lifetimes.
        try served.clients.waitForLog(
            #/parsed CREATE_CHILD_SA request \d+ \[ N\(REKEY_SA\) SA No/#,
            times: suites.count
        )
        try served.clients.waitForLog(#/parsed CREATE_CHILD_SA request \d+ \[ SA No KE \]/#, times: suites.count)

        // A rekey of a Child SA that has begun meanwhile ends.
        let last = try served.clients.waitForAssociations { list in
            list.count == suites.count && list.allSatisfy { $0.children.map(\.state) == ["INSTALLED"] }
        }
        for (number, suite) in zip(numbers, suites) {
            let before = first.filter { $0.connection == "client-\(number)" }
            let after = last.filter { $0.connection == "client-\(number)" }
            #expect(before.map(\.algorithms) == [try AlgorithmTests.names(suite.ike, .ike)], "\(suite.ike)")
            #expect(after.map(\.algorithms) == before.map(\.algorithms), "\(suite.ike)")
            #expect(after.map(\.initiatorSPI) != before.map(\.initiatorSPI))
            let children = after.flatMap(\.children).filter { $0.state == "INSTALLED" }
            #expect(children.map(\.algorithms) == [try AlgorithmTests.names(suite.child, .esp)], "\(suite.child)")
        }
        let log = try served.clients.log()
        #expect(!log.contains("giving up after") && !log.contains("INVALID_KE_PAYLOAD"))
        let said = try served.stop()
        #expect(said.contains("served \(suites.count) IKE SAs") && !said.contains("failed"), "\(said)")
    }
}
