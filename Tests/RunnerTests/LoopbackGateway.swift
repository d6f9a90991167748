import Primitives
import Runner
import Synchronization
import Workers
import Workload

/// Our own responder on free ports of loopback, for as long as a test has it.
final class LoopbackGateway: Sendable {
    let target: LiveTarget
    private let thread: PinnedThread
    private let isStopped: Flag

    /// What tells the responder's thread to stop.
    private final class Flag: Sendable {
        let isSet = Atomic<Bool>(false)
        let ports = Mutex<(plain: UInt16, encapsulated: UInt16)?>(nil)
    }

    /// - Parameters:
    ///   - addresses: where it answers; its clients begin at the first.
    ///   - former: whose ports it takes over, once that is gone.
    init(_ workload: Workload, at addresses: [String] = ["127.0.0.1"], inPlaceOf former: LiveTarget? = nil) throws {
        let flag = Flag()
        let addresses = addresses.map { IPAddress($0)! }
        thread = try PinnedThread(cpu: nil) {
            defer { flag.isSet.store(true, ordering: .relaxed) }
            var options = GatewayServiceOptions(addresses: addresses)
            options.port = former?.port ?? 0
            options.encapsulatedPort = former?.encapsulatedPort ?? 0
            let seed = operatingSystemSeed()
            var service = try GatewayService(workload, gateway: 0, options: options, seed: seed) {
                flag.isSet.load(ordering: .relaxed)
            }
            let ports = service.ports
            flag.ports.withLock { $0 = ports }
            try service.serve()
        }
        isStopped = flag
        while true {
            if let ports = flag.ports.withLock({ $0 }) {
                target = LiveTarget(
                    address: addresses[0],
                    port: ports.plain,
                    encapsulatedPort: ports.encapsulated,
                    others: Array(addresses.dropFirst())
                )
                return
            }
            guard !flag.isSet.load(ordering: .relaxed) else {
                target = LiveTarget(address: addresses[0])
                try thread.join()
                return
            }
        }
    }

    deinit {
        isStopped.isSet.store(true, ordering: .relaxed)
        do { try thread.join() } catch { fatalError("the responder stopped: \(error)") }
    }
}

/// A workload between clients of loopback and our own responder.
struct LoopbackWorkload {
    /// In `safety`: whoever its clients are, and whatever is behind the gateway.
    static let allowance = #"allow-inner: [0.0.0.0/0, "::/0"], allow-identities: ["*"]"#

    var count = 1
    var rate = "200/s"
    var duration = "2s"
    var ike = "{ rekey: 4h }"
    var child = "{ rekey: 1h }"
    /// The gateway's own.
    var gatewayChild = "{ rekey: 1h }"
    var retransmission = "{ first: 500ms, factor: 1.5, tries: 7 }"
    var path = "{ one-way-delay: 1ms }"
    /// The encryption of Child SAs, before their key exchange; the key exchanges of both ends.
    var childProposal = "aes256gcm16"
    var methods = "x25519"
    var faults = ""
    var traffic = ""
    var safety = "{ \(LoopbackWorkload.allowance) }"
    /// Other proposals than AES-GCM with these, in braces.
    var proposals: String?
    var identity = "\"user%05d@example.org\""
    /// More of the profile, and of the policy.
    var settings = "children: 1"
    var policy = "subnets: []"
    var gatewayAuthentication = "{ psk: test-only }"
    var authentication = "{ psk: test-only }"
    var mobike = false
    /// What the clients ask for: nothing, in transport mode.
    var selectors = "traffic-selectors: { local: [dynamic], remote: [10.0.0.0/8] }"

    func validated() throws -> Workload {
        let offer = proposals ?? "{ ike: [aes256gcm16-prfsha384-\(methods)], child: [\(childProposal)-\(methods)] }"
        let text = """
            version: 1
            name: loopback
            seed: 7
            gateways:
              gw:
                identity: gw.example.org
                policy:
                  authentication: \(gatewayAuthentication)
                  proposals: \(offer)
                  lifetimes: { ike: { rekey: 4h }, child: \(gatewayChild) }
                  pool: [10.128.0.0/10]
                  \(policy)
                  mobike: \(mobike)
                real: { addresses: [127.0.0.1] }
            profiles:
              laptop:
                identity: \(identity)
                authentication: \(authentication)
                proposals: \(offer)
                lifetimes: { ike: \(ike), child: \(child) }
                retransmission: \(retransmission)
                \(selectors)
                \(settings)
                mobike: \(mobike)
            paths:
              home: \(path)
            populations:
              laptops: { count: \(count), profile: laptop, path: home, gateway: gw, sources: [198.18.0.0/15] }
            arrivals:
              morning: { population: laptops, constant: { rate: \(rate) } }
            \(traffic)
            \(faults)
            safety: \(safety)
            run: { duration: \(duration) }

            """
        return try WorkloadFile(text: text, path: "loopback.yaml").validated()
    }
}
