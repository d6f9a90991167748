import Foundation
import GatewayRig
import Testing

/// What tshark makes of the ESP packets of a run's capture, with the run's folder for its profile.
struct DecryptedPackets {
    /// How many there are of each inner protocol: `udp`, `icmp`, `icmpv6`.
    private(set) var counts: [String: Int] = [:]
    private(set) var spis: Set<String> = []
    /// How many were not in UDP.
    private(set) var plainCount = 0

    /// Holds every packet to its integrity value and to the checksums of what is in it.
    init(in folder: URL) throws {
        let fields = [
            "esp.spi", "esp.icv_good", "_ws.malformed", "ip.checksum.status", "udp.checksum.status",
            "icmp.checksum.status", "icmpv6.checksum.status", "frame.protocols",
        ]
        let text = try Command.output(
            of: ["tshark", "-n", "-r", folder.path + "/capture.pcapng", "-Y", "esp", "-T", "fields"]
                + fields.flatMap { ["-e", $0] },
            environment: ["WIRESHARK_CONFIG_DIR": folder.path, "HOME": folder.path, "LC_ALL": "C.UTF-8"]
        )
        for line in text.split(separator: "\n") {
            let values = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            try #require(values.count == fields.count, "\(line)")
            spis.insert(values[0])
            #expect(values[1] == "1", "not of its integrity value: \(line)")
            #expect(values[2].isEmpty, "malformed: \(line)")
            // 1 is good.
            #expect(values[3].allSatisfy { $0 == "1" || $0 == "," }, "checksum of a header: \(line)")
            let layers = values[7].split(separator: ":")
            if layers.first(where: { $0 == "udp" || $0 == "esp" }) == "esp" { plainCount += 1 }
            guard let esp = layers.firstIndex(of: "esp"),
                let (place, inner) = [(4, "udp"), (5, "icmp"), (6, "icmpv6")].first(where: { _, name in
                    layers[esp...].contains { $0 == name }
                })
            else {
                Issue.record("not decrypted: \(line)")
                continue
            }
            #expect(values[place].last == "1", "checksum of \(inner): \(line)")
            counts[inner, default: 0] += 1
        }
    }
}

@Suite("ESP in a capture")
struct ESPCaptureTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// Clients behind a NAT and such as send ESP by itself, whose Child SAs are rekeyed and whose packets go both ways.
    private func workload(child proposal: String, duration: String, isIPv6: Bool = false) -> String {
        let pool = isIPv6 ? "fd00:128::/112" : "10.128.0.0/16"
        let inside = isIPv6 ? "fd00:1::/64" : "10.0.0.0/16"
        let (near, far) = isIPv6 ? ("2001:db8:1::/64", "2001:db8:2::/64") : ("198.18.0.0/16", "198.19.0.0/16")
        return """
            version: 1
            name: packets
            gateways:
              gw:
                identity: gw.example.org
                policy:
                  authentication: { psk: test-only }
                  proposals: { ike: [aes128gcm16-prfsha256-x25519], child: [\(proposal)] }
                  pool: [\(pool)]
                  traffic-selectors: [\(inside)]
                simulated: { cores: 4, costs: \(Shipped.folder.path)/costs/strongswan-5.9.json }
            profiles:
              laptop:
                identity: "user%05d@example.org"
                authentication: { psk: test-only }
                proposals: { ike: [aes128gcm16-prfsha256-x25519], child: [\(proposal)] }
                lifetimes: { ike: { rekey: 1h, jitter: 10% }, child: { rekey: 3s, jitter: 10%, over: 30s } }
                liveness: { every: 1s }
                nat-keepalive: 1s
                traffic-selectors: { local: [dynamic], remote: [\(inside)] }
                configuration: { addresses: [\(isIPv6 ? "ipv6" : "ipv4")] }
            safety: { allow-inner: [\(inside)], allow-identities: ["*@example.org"] }
            paths:
              fibre: { one-way-delay: 2ms }
              home: { one-way-delay: 2ms, nat: { preset: linux-conntrack } }
            populations:
              plain: { count: 3, profile: laptop, path: fibre, gateway: gw, sources: [\(near)] }
              natted: { count: 3, profile: laptop, path: home, gateway: gw, sources: [\(far)] }
            arrivals:
              plain-come: { population: plain, constant: 10/s }
              natted-come: { population: natted, constant: 10/s }
            traffic:
              calls: { population: plain, echo: true, up: { packets: 5/s, size: 200B } }
              pings: { population: plain, echo: true, protocol: icmp, up: { packets: 5/s, size: 101B } }
              office: { population: natted, echo: true, up: { packets: 5/s, size: imix } }
            run: { duration: \(duration) }

            """
    }

    @Test(
        "of a simulated run is decrypted by tshark, and of its integrity values and checksums each is right",
        arguments: [
            ("aes128gcm16", false), ("aes256gcm16", true), ("aes256gcm8", false), ("aes128-sha256", false),
            ("aes256-sha512", true), ("aes192-sha384", false), ("aes128-sha1", false),
        ]
    )
    func simulated(_ proposal: String, isIPv6: Bool) throws {
        try scratch.write(workload(child: proposal, duration: "8s", isIPv6: isIPv6), to: "packets.yaml")
        let run = try Binary.run(["run", "packets.yaml", "--out", "run", "--capture"], in: scratch)
        #expect(run.status == 0, "\(run.output)\(run.errors)")
        let packets = try DecryptedPackets(in: scratch.url.appending(path: "run"))
        let result = try ResultFile(try scratch.bytes("run/result.json"))
        let offered = try #require(result.total("traffic.offered"))
        #expect(result.total("traffic.received") == offered)
        // Each twice: there and back.
        #expect(packets.counts.values.reduce(0, +) == 2 * offered, "\(packets.counts)")
        #expect(packets.counts["udp"] ?? 0 > 200)
        #expect(packets.counts[isIPv6 ? "icmpv6" : "icmp"] ?? 0 > 100)
        #expect(
            isIPv6 ? packets.plainCount == 2 * offered : packets.plainCount > 200 && packets.plainCount < 2 * offered
        )
        // Both ways, and after two rekeys.
        #expect(packets.spis.count >= 6 * 2 * 3)
    }

    @Test("of a live run too", arguments: ["aes128gcm16", "aes256-sha256"])
    func live(_ proposal: String) throws {
        try scratch.write(workload(child: proposal, duration: "8s"), to: "packets.yaml")
        let words = ["gateway", "packets.yaml", "--port", "0", "--nat-port", "0", "--seconds", "60"]
        let gateway = try Command([Binary.path] + words, directory: scratch.url)
        let deadline = ContinuousClock.now + .seconds(30)
        while !gateway.errors.contains("Ctrl-C ends it"), gateway.isRunning, ContinuousClock.now < deadline {
            usleep(20_000)
        }
        let match = try #require(gateway.errors.firstMatch(of: /ports (\d+) and (\d+)/), "\(gateway.errors)")
        let target = "127.0.0.1:\(match.1):\(match.2)"
        let run = try Binary.run(
            ["run", "packets.yaml", "--target", target, "--out", "run", "--capture", "--record"],
            in: scratch
        )
        gateway.interrupt()
        #expect([0, 75].contains(run.status), "\(run.output)\(run.errors)")
        let packets = try DecryptedPackets(in: scratch.url.appending(path: "run"))
        let received = try #require(try ResultFile(try scratch.bytes("run/result.json")).total("traffic.received"))
        #expect(packets.counts.values.reduce(0, +) >= 2 * received, "\(packets.counts)")
        #expect(packets.counts["udp"] ?? 0 > 200 && packets.counts["icmp"] ?? 0 > 100, "\(packets.counts)")
        #expect(packets.spis.count >= 6 * 2 * 3)
        // What packets make needless is in the recording.
        let replay = try Binary.run("replay", "run", in: scratch)
        #expect(replay.status == 0, "\(replay.output)\(replay.errors)")
    }

    @Test(
        "stays as it is under a cipher that Wireshark cannot name, and the run says so",
        arguments: ["chacha20poly1305", "aes128gcm16iiv"]
    )
    func unknownCipher(_ proposal: String) throws {
        try scratch.write(workload(child: proposal, duration: "2s"), to: "packets.yaml")
        let run = try Binary.run(["run", "packets.yaml", "--out", "run", "--capture"], in: scratch)
        #expect(
            run.output.contains("Wireshark 4.0 has no name for the algorithms of 12 ESP SAs"),
            "\(run.output)\(run.errors)"
        )
        #expect(try scratch.text("run/esp_sa") == "")
    }
}
