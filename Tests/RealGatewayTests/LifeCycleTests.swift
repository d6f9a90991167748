import Foundation
import GatewayRig
import Metrics
import Primitives
import Results
import Runner
import Testing
import Workload

@Suite("IKE SAs between ikestorm and strongSwan begin and end in all ways", .serialized)
struct LifeCycleTests {
    private static let selectors = "traffic-selectors: { local: [dynamic], remote: [10.0.0.0/8] }"

    private func run(
        _ gateway: RealGateway,
        _ settings: String,
        duration: String = "10s",
        retransmission: String = "{ first: 500ms, factor: 1.5, tries: 8 }",
        faults: String = "",
        at moment: UInt64? = nil,
        _ body: @escaping @Sendable () -> Void = {}
    ) throws -> Measurements {
        let workload = try LiveWorkload(
            count: 20,
            rate: "20/s",
            duration: duration,
            child: "{ rekey: 4s, over: 60s }",
            retransmission: retransmission,
            faults: faults,
            settings: Self.selectors + "\n    " + settings
        ).validated()
        let result = try gateway.rig.inside {
            try LiveRun(workload, options: LiveOptions()).run(sinks: RunSinks()) { progress in
                if let moment, progress.time.nanoseconds == moment * 1_000_000_000 { body() }
            }
        }
        #expect(result.leftBehind == 0)
        return try #require(result.measurements.first)
    }

    @Test(
        "our clients reauthenticate with the gateway in both orders",
        arguments: ["break-before-make", "make-before-break"]
    )
    func reauthenticates(_ order: String) throws {
        let gateway = try RealGateway.start()
        let measured = try run(gateway, "reauthentication: { every: 3s, order: \(order) }")
        #expect(measured.counter(.reauthenticationEstablished).total >= 40)
        #expect(measured.counter(.reauthenticationFailed).byReason == [])
        #expect(measured.counter(.handshakeOffered).total == 20)
        #expect(measured.counter(.handshakeFailed).byReason == [])
        if order == "make-before-break" { #expect(measured.counter(.childRekeyFailed).byReason == []) }
        #expect(try gateway.associations() == [])
    }

    @Test("the gateway's AUTH_LIFETIME makes our clients reauthenticate in time")
    func obeysLifetime() throws {
        let gateway = try RealGateway.start(knobs: ["IKE_REAUTH": "5s"])
        let measured = try run(gateway, "children: 1", duration: "12s")
        #expect(measured.counter(.reauthenticationEstablished).total >= 20)
        #expect(measured.counter(.reauthenticationFailed).byReason == [])
        #expect(measured.counter(.handshakeOffered).total == 20)
        #expect(try gateway.log().contains("N(AUTH_LFT)"))
    }

    @Test("childless initiation makes our clients' Child SAs by an exchange of their own")
    func childless() throws {
        let gateway = try RealGateway.start()
        let measured = try run(gateway, "childless: force", duration: "3s")
        #expect(measured.counter(.handshakeEstablished).total == 20)
        #expect(measured.counter(.handshakeFailed).byReason == [])
        let log = try gateway.log()
        #expect(log.contains("N(CHDLESS_SUP)"))
        #expect(log.contains("parsed IKE_AUTH request 1 [ IDi IDr AUTH CPRQ(ADDR) ]"))
    }

    @Test("our INITIAL_CONTACT makes the gateway drop what our clients have lost", arguments: [true, false])
    func initialContact(_ isSaid: Bool) throws {
        let gateway = try RealGateway.start(knobs: ["UNIQUE": "no"])
        let listed = Listed()
        // The clients give up in the dark, and come back when it is over.
        let measured = try run(
            gateway,
            "liveness: { every: 500ms }\n"
                + "    reconnect: { after: [timeout], wait: { from: 1s, factor: 1 } }\n    initial-contact: \(isSaid)",
            retransmission: "{ first: 300ms, factor: 1.5, tries: 2 }",
            faults: "faults: { dark: { kind: path-down, at: 2s, for: 4s, path: home } }",
            at: 9
        ) { listed.set((try? gateway.associations().count { $0.state == "ESTABLISHED" }) ?? -1) }
        #expect(measured.counter(.handshakeEstablished).total == 40)
        #expect(listed.count == (isSaid ? 20 : 40))
        #expect(try gateway.log().contains("received INITIAL_CONTACT") == isSaid)
    }

    /// What the gateway listed in the middle of a run.
    private final class Listed: @unchecked Sendable {
        // Written by the run's thread, and read when the run is over.
        private(set) var count = 0

        func set(_ count: Int) { self.count = count }
    }

    /// Our responder among strongSwan's initiators, and what it says.
    private func serve(_ policy: String, knobs: [String: String], _ body: (RealClients) throws -> Void) throws -> String
    {
        let served = try ServedClients(LiveWorkload(policy: "pool: [10.128.0.0/10]\n      " + policy), knobs: knobs)
        try body(served.clients)
        return try served.stop()
    }

    @Test(
        "strongSwan reauthenticates with our responder in both orders, and says INITIAL_CONTACT",
        arguments: ["no", "yes"]
    )
    func isReauthenticated(_ makesBeforeBreak: String) throws {
        // charon may not be ready for an answer that comes too fast, and then asks again.
        let knobs = ["IKE_REAUTH": "3s", "MAKE_BEFORE_BREAK": makesBeforeBreak, "RETRANSMIT_TIMEOUT": "0.3"]
        let said = try serve("subnets: []", knobs: knobs) { clients in
            try clients.initiate()
            let first = try clients.associations()
            let second = try clients.waitForAssociations { all in
                all.map(\.state) == ["ESTABLISHED"] && all.first?.initiatorSPI != first.first?.initiatorSPI
                    && all.first?.children.map(\.state) == ["INSTALLED"]
            }
            #expect(second.count == 1 && second.first?.children.count == 1)
            let log = try clients.log()
            #expect(log.contains("IDi N(INIT_CONTACT)"))
            #expect(!log.contains("giving up after"))
        }
        #expect(said.contains("served 2 IKE SAs") || said.contains("served 3 IKE SAs"))
    }

    @Test("strongSwan reauthenticates before our AUTH_LIFETIME is over", arguments: ["no", "yes"])
    func limitsAuthentication(_ makesBeforeBreak: String) throws {
        var workload = LiveWorkload()
        workload.policy += "\n      authentication-lifetime: 4s"
        let served = try ServedClients(
            workload,
            // charon may not be ready for an answer that comes too fast, and then asks again.
            knobs: ["IKE_OVER": "2s", "MAKE_BEFORE_BREAK": makesBeforeBreak, "RETRANSMIT_TIMEOUT": "0.3"]
        )
        try served.clients.initiate()
        let first = try served.clients.associations()
        try served.clients.waitForLog(#/reauthenticating IKE_SA client-1\[\d+\]/#, times: 2)
        let last = try served.clients.waitForAssociations { all in
            all.map(\.state) == ["ESTABLISHED"] && all.first?.children.map(\.state) == ["INSTALLED"]
                && all.first?.number ?? 0 >= 3
        }
        #expect(first.count == 1 && last.count == 1)
        #expect(Set(last.map(\.responderSPI)).isDisjoint(with: first.map(\.responderSPI)))
        #expect(last.first?.children.count == 1)
        let log = try served.clients.log()
        #expect(log.matches(of: /received AUTH_LIFETIME of 4s, scheduling reauthentication in 2s/).count >= 3)
        #expect(log.matches(of: /IKE_SA client-1\[\d+\] established between/).count >= 3)
        let said = try served.stop()
        #expect(said.contains(/served [34] IKE SAs/) && !said.contains("failed"), "\(said)")
    }

    @Test("strongSwan begins without a Child SA where our responder takes that")
    func acceptsChildless() throws {
        let said = try serve("childless: allow", knobs: ["CHILDLESS": "force"]) { clients in
            try clients.initiate()
            let listed = try clients.associations()
            #expect(listed.map(\.state) == ["ESTABLISHED"])
            #expect(listed.first?.children.map(\.state) == ["INSTALLED"])
            let log = try clients.log()
            #expect(log.contains("N(CHDLESS_SUP)"))
            #expect(log.contains("generating CREATE_CHILD_SA request 2"))
        }
        #expect(said.contains("served 1 IKE SAs"))
    }
}
