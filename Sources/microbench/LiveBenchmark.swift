import Metrics
import Primitives
import Results
import Runner
import Synchronization
import Workers
import Workload

/// How many IKE SAs one worker sets up in a second over UDP on loopback, with our own responder on another core.
///
/// More is offered than can be done, so that what comes out is the most; 512 attempts are under way at any moment, so
/// that nothing is lost. It is the machine's time that counts here, not a thread's: other work on it makes the figure
/// smaller.
func benchmarkLive() {
    do {
        let second = try LiveBenchmark().establishedPerSecond()
        printFigure("live, established over loopback", Double(second), "/s/core")
    } catch {
        fail("live", error)
    }
}

/// Lends our own responder, which answers on free ports of loopback, on the last core that there is.
func withGateway<Result>(_ workload: Workload, _ body: (LiveTarget) throws -> Result) throws -> Result? {
    let isStopped = Flag()
    let ports = Mutex<(plain: UInt16, encapsulated: UInt16)?>(nil)
    let address = IPAddress(v4: 0x7F00_0001)
    let cpus = try CPUTopology.current().allowed
    let thread = try PinnedThread(cpu: cpus[cpus.count - 1].number) {
        defer { isStopped.set() }
        var options = GatewayServiceOptions(addresses: [address])
        options.port = 0
        options.library = .auto
        options.encapsulatedPort = 0
        var service = try GatewayService(
            workload,
            gateway: 0,
            options: options,
            seed: operatingSystemSeed(),
            wantsStop: { isStopped.isSet }
        )
        let bound = service.ports
        ports.withLock { $0 = bound }
        try service.serve()
    }
    defer {
        isStopped.set()
        try? thread.join()
    }
    var bound = ports.withLock { $0 }
    while bound == nil, !isStopped.isSet { bound = ports.withLock { $0 } }
    guard let bound else { return nil }
    return try body(LiveTarget(address: address, port: bound.plain, encapsulatedPort: bound.encapsulated))
}

/// What tells a thread to stop.
final class Flag: Sendable {
    private let value = Atomic<Bool>(false)
    var isSet: Bool { value.load(ordering: .relaxed) }
    func set() { value.store(true, ordering: .relaxed) }
}

private struct LiveBenchmark {
    private static let rate = 40_000
    private static let seconds = 4

    private let workload: Workload

    init() throws {
        workload = try WorkloadFile(text: Self.text, path: "live-benchmark").validated()
    }

    func establishedPerSecond() throws -> UInt64 {
        let counts = try withGateway(workload) { target in
            var options = LiveOptions()
            // Our own responder forgets its IKE SAs with the thread that has them.
            options.drainLimit = .milliseconds(10)
            options.library = .auto
            let result = try LiveRun(workload, targets: [target], options: options).run()
            return result.series[.counter(.handshakeEstablished)] ?? []
        }
        // The first second has the start in it, the last one the end.
        let whole = (counts ?? []).dropFirst().dropLast().compactMap(\.self).sorted()
        return whole.isEmpty ? 0 : whole[whole.count / 2]
    }

    private static var text: String {
        """
        version: 1
        name: live-benchmark
        seed: 7
        gateways:
          gw:
            identity: gw.example.org
            policy:
              authentication: { psk: test-only }
              proposals: { ike: [aes256gcm16-prfsha384-x25519], child: [aes256gcm16-x25519] }
              lifetimes: { ike: { rekey: 4h }, child: { rekey: 1h } }
              half-open:
                { cookies-above: never, cookies-above-per-source: never, refuse-above-per-source: never, timeout: 30s }
              pool: [10.128.0.0/10]
            real: { addresses: [127.0.0.1] }
        profiles:
          laptop:
            identity: "user%05d@example.org"
            authentication: { psk: test-only }
            proposals: { ike: [aes256gcm16-prfsha384-x25519], child: [aes256gcm16-x25519] }
            lifetimes: { ike: { rekey: 4h }, child: { rekey: 1h } }
            retransmission: { first: 10s, factor: 1, tries: 3 }
            traffic-selectors: { local: [dynamic], remote: [10.0.0.0/8] }
        paths:
          loopback: { one-way-delay: 1us }
        populations:
          laptops:
            { count: \(rate * seconds), profile: laptop, path: loopback, gateway: gw, sources: [198.18.0.0/15] }
        arrivals:
          all: { population: laptops, constant: { rate: \(rate)/s } }
        safety:
          { allow-inner: [10.0.0.0/8], allow-identities: ["user*@example.org"], at-most: { half-open: 512 } }
        run: { duration: \(seconds)s }

        """
    }
}
