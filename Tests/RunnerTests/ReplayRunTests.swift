import Metrics
import Primitives
import Results
import Testing

/// RFC 4303 section 3.4.3 in a run: packets that somebody sends again.
@Suite("Packets that come again, in virtual time")
struct ReplayRunTests {
    private func setting(_ after: String, proposal: String = "aes128gcm16") -> TrafficRunTests.Setting {
        var setting = TrafficRunTests.Setting(ike: "{ rekey: 24h }", child: "{ rekey: 24h }", proposal: proposal)
        setting.path = "one-way-delay: 20ms"
        setting.up = "{ packets: 10/s, size: 200B }"
        setting.down = "{ packets: 20/s, size: 200B }"
        setting.more = "faults: { replay: { at: 10s, for: 20s, path: way, after: \(after) } }"
        return setting
    }

    /// All that is caught in 20 seconds of 30 clients, 30 packets a second each, but for what comes at the edges.
    private func expectCopies(_ measured: Measurements, _ reason: String, _ location: SourceLocation = #_sourceLocation)
    {
        let dropped = measured.counter(.espDropped)
        #expect(dropped.byReason.map(\.name) == [reason], sourceLocation: location)
        #expect(abs(Int(dropped.total) - 18_000) <= 60, sourceLocation: location)
        #expect(measured.counter(.trafficDuplicated).total == 0, sourceLocation: location)
        #expect(measured.counter(.trafficLost).byReason == [], sourceLocation: location)
        let missing = measured.counter(.trafficOffered).total - measured.counter(.trafficReceived).total
        #expect(missing <= 60, sourceLocation: location)
    }

    @Test(
        "are dropped, each for what it is, and cost the others nothing",
        arguments: [("1s", "replayed"), ("10s", "too-old")],
        ["aes128gcm16", "aes256-sha256", "aes128gcm16-esn"]
    )
    func dropped(_ copies: (after: String, reason: String), proposal: String) throws {
        // With 32 of 64 bits, what is left of the window looks like what is far right of it (RFC 4303 appendix A2.2).
        let isExtended = proposal.hasSuffix("-esn") && copies.reason == "too-old"
        let measured = try setting(copies.after, proposal: proposal).measured()
        expectCopies(measured, isExtended ? "bad-icv" : copies.reason)
    }

    @Test("have an unknown SPI when the Child SA is gone that sealed them")
    func unknown() throws {
        var setting = setting("25s")
        setting.child = "{ rekey: 12s }"
        let measured = try setting.measured()
        #expect(measured.counter(.childRekeyEstablished).total >= 90)
        expectCopies(measured, "unknown-spi")
    }

    @Test("from a NAT's old port do not take the gateway back to it")
    func moved() throws {
        var setting = setting("1s")
        setting.path += ", nat: { preset: linux-conntrack }"
        setting.more = """
            faults:
              replay: { at: 10s, for: 20s, path: way, after: 1s }
              rebind: { kind: nat-rebind, at: 20s, path: way }
            """
        let measured = try setting.measured()
        // What is on its way down when the ports change: at most two packets of each client.
        let lost = measured.counter(.trafficLost)
        #expect(lost.byReason.map(\.name) == ["nat"])
        #expect(lost.total <= 30 * 4)
        #expect(measured.latency(.natOutage).maximum <= 200_000_000)
        #expect(measured.counter(.trafficDuplicated).total == 0)
    }

    @Test("are of the share of the clients that is meant")
    func share() throws {
        var setting = setting("1s")
        setting.more = "faults: { replay: { at: 10s, for: 20s, path: way, after: 1s, share: 50% } }"
        let dropped = try setting.measured().counter(.espDropped).total
        #expect(dropped >= 18_000 * 3 / 10 && dropped <= 18_000 * 7 / 10)
    }

    @Test("are the same for every number of workers, and with modelled cryptography")
    func isDeterministic() throws { try expectNoTrace(of: 3, in: setting("10s").text) }
}
