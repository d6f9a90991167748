import Metrics
import Primitives
import Results
import Runner
import UDPTransport
import Workers
import Workload

/// How many ESP packets one worker sends in a second over UDP on loopback, one way, with our own responder on another
/// core; beside it a loop that does nothing else than to send datagrams of that length, and to receive them there.
///
/// More is offered than can be done. The bare loop sends with sendmmsg 64 to each of as many sources in turn, and once
/// more with neighbours gathered, as our own sender has them.
func benchmarkLiveESP() {
    do {
        for (name, byteCount) in [("1400 B", 1_400), ("IMIX's 576 B", 576), ("72 B", 72)] {
            let bench = LiveESPBenchmark(payloadByteCount: byteCount)
            // In turn, since the machine may have other work.
            var (bare, gathered, ours): ([UInt64], [UInt64], [UInt64]) = ([], [], [])
            for _ in 0..<3 {
                bare.append(try bench.bare(gathers: false))
                gathered.append(try bench.bare(gathers: true))
                ours.append(try bench.ours())
            }
            let (alone, together, own) = (bare.sorted()[1], gathered.sorted()[1], ours.sorted()[1])
            printFigure("bare sendmmsg, one way, \(name)", Double(alone), "packets/s/core")
            printFigure("bare sendmmsg, gathered, one way, \(name)", Double(together), "packets/s/core")
            printFigure("live ESP, one way, \(name)", Double(own), "packets/s/core")
            printFigure("live ESP of the bare loop's rate, \(name)", 100 * Double(own) / Double(alone), "%")
        }
    } catch {
        fail("live-esp", error)
    }
}

private struct LiveESPBenchmark {
    let payloadByteCount: Int

    private static let clients = 16
    private static let seconds = 4
    private static let rate = 200_000

    /// SPI, sequence number, IV, trailer and ICV of AES-GCM, padded.
    private var packetByteCount: Int { 16 + (payloadByteCount + 2 + 3) / 4 * 4 + 16 }

    /// Sends for a second; how many have left.
    func bare(gathers: Bool) throws -> UInt64 {
        let loopback = IPPrefix(address: IPAddress(v4: 0x7F00_0000), length: 8)
        let any = UDPEndpoint(address: IPAddress(v4: 0), port: 0)
        let receiver = try UDPSocket(
            bindingTo: UDPEndpoint(address: loopback[1], port: 0),
            allowance: .nothing,
            gathers: gathers
        )
        let destination = receiver.local
        let isStopped = Flag()
        let cpus = try CPUTopology.current().allowed
        let box = ReceiverBox(receiver)
        let thread = try PinnedThread(cpu: cpus[cpus.count - 1].number) {
            var incoming = try ReceiveBatch.gathering()
            let clock = MonotonicClock()
            while !isStopped.isSet { _ = try box.socket.receive(into: &incoming, clock: clock) }
        }
        defer {
            isStopped.set()
            try? thread.join()
        }
        let sent = Counter()
        let byteCount = packetByteCount
        try PinnedThread(cpu: cpus[0].number) {
            var sender = try UDPSocket(bindingTo: any, allowance: .loopback)
            var outgoing = try TransmitBatch(gathers: gathers)
            let payload = [UInt8](repeating: 0x5A, count: byteCount)
            let clock = MonotonicClock()
            var source: UInt64 = 0
            while clock.now < .zero + .seconds(1) {
                source = (source + 1) % UInt64(Self.clients)
                for _ in 0..<64 {
                    let own = loopback[2 + source]
                    guard outgoing.append(payload.rawSpan, from: own, to: destination, gathers: gathers) else { break }
                }
                while !sender.send(&outgoing) {}
            }
            sent.set(sender.counters.sent)
        }.join()
        return sent.value
    }

    /// How many packets left in a second that our own clients sealed.
    func ours() throws -> UInt64 {
        let workload = try WorkloadFile(text: text, path: "live-esp-benchmark").validated()
        let counts = try withGateway(workload) { target in
            var options = LiveOptions()
            options.drainLimit = .milliseconds(10)
            let result = try LiveRun(workload, targets: [target], options: options).run()
            return result.series[.counter(.trafficOffered)] ?? []
        }
        let whole = (counts ?? []).dropFirst().dropLast().compactMap(\.self).sorted()
        return whole.isEmpty ? 0 : whole[whole.count / 2]
    }

    private final class ReceiverBox: @unchecked Sendable {
        // One thread has it.
        var socket: UDPSocket
        init(_ socket: consuming UDPSocket) { self.socket = socket }
    }

    private var text: String {
        """
        version: 1
        name: live-esp-benchmark
        seed: 7
        gateways:
          gw:
            identity: gw.example.org
            policy:
              authentication: { psk: test-only }
              proposals: { ike: [aes256gcm16-prfsha384-x25519], child: [aes128gcm16-x25519] }
              lifetimes: { ike: { rekey: 4h }, child: { rekey: 1h } }
              pool: [10.128.0.0/10]
            real: { addresses: [127.0.0.1] }
        profiles:
          laptop:
            identity: "user%05d@example.org"
            authentication: { psk: test-only }
            proposals: { ike: [aes256gcm16-prfsha384-x25519], child: [aes128gcm16-x25519] }
            lifetimes: { ike: { rekey: 4h }, child: { rekey: 1h } }
            traffic-selectors: { local: [dynamic], remote: [10.0.0.0/8] }
        paths:
          loopback: { one-way-delay: 1us }
        populations:
          laptops:
            { count: \(Self.clients), profile: laptop, path: loopback, gateway: gw, sources: [198.18.0.0/15] }
        arrivals:
          all: { population: laptops, constant: { rate: 1000/s } }
        traffic:
          flows: { population: laptops, up: { packets: \(Self.rate)/s, size: \(payloadByteCount)B } }
        safety: { allow-inner: [10.0.0.0/8], allow-identities: ["user*@example.org"] }
        run: { duration: \(Self.seconds)s }

        """
    }
}

/// A number that a thread leaves for another.
private final class Counter: @unchecked Sendable {
    private(set) var value: UInt64 = 0
    func set(_ value: UInt64) { self.value = value }
}
