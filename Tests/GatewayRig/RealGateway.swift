import Foundation

/// strongSwan as the gateway of a rig.
package struct RealGateway: Sendable {
    package let rig: Rig

    /// Starts charon with the knobs of `Tests/Gateways/strongswan.sh`, such as `["CHILD_REKEY": "3s"]`.
    package static func start(knobs: [String: String] = [:]) throws -> RealGateway {
        let gateway = RealGateway(rig: try Rig(knobs: knobs))
        _ = try gateway.rig.script("strongswan.sh", "up")
        return gateway
    }

    /// The gateway's own list of IKE SAs.
    package func associations() throws -> [ListedIKESA] {
        try ListedIKESA.parse(try rig.script("strongswan.sh", "sas", "--raw"))
    }

    /// The number of charon's process.
    package func processNumber() throws -> Int32 {
        Int32(try rig.script("strongswan.sh", "pid").trimmingPrefix { $0.isWhitespace }.prefix { $0.isNumber }) ?? 0
    }

    /// Makes the gateway rekey every Child SA.
    package func rekeyChildSAs() throws { _ = try rig.script("strongswan.sh", "rekey-child") }
    /// Makes the gateway rekey every IKE SA.
    package func rekeyIKESAs() throws { _ = try rig.script("strongswan.sh", "rekey-ike") }
    /// Makes the gateway delete every IKE SA.
    package func terminate() throws { _ = try rig.script("strongswan.sh", "terminate") }

    /// Makes the gateway delete one Child SA by its own number.
    package func deleteChildSA(_ number: Int) throws {
        _ = try rig.script("strongswan.sh", "swanctl", "--terminate", "--child-id", String(number))
    }

    /// Ends the gateway as a crash would, and starts it again: it knows no IKE SA any more.
    package func restart() throws { _ = try rig.script("strongswan.sh", "restart") }

    /// Has the gateway prove itself by, and believe, the certificates of another folder of `ikestorm pki`.
    package func rollOver(to folder: String) throws { _ = try rig.script("strongswan.sh", "roll", folder) }

    /// What charon logged.
    package func log() throws -> String { try rig.script("strongswan.sh", "log") }
    /// Where charon logs to.
    package var logFile: String { rig.file("gateway/log") }
}

/// strongSwan as the initiators of a rig, to be met by our own responder.
package struct RealClients: Sendable {
    package let rig: Rig

    /// Starts charon with the knobs of `Tests/Gateways/strongswan-client.sh`; the rig is one that was made with them.
    ///
    /// - Parameter knobs: more of them, or others than the rig has.
    package static func start(in rig: Rig, knobs: [String: String] = [:]) throws -> RealClients {
        _ = try rig.script("strongswan-client.sh", "up", knobs: knobs)
        return RealClients(rig: rig)
    }

    /// Sets up the IKE SA and the Child SA of one client, counted from 1.
    package func initiate(_ client: Int = 1) throws {
        _ = try rig.script("strongswan-client.sh", "initiate", String(client))
    }

    /// The clients' own list of IKE SAs.
    package func associations() throws -> [ListedIKESA] {
        try ListedIKESA.parse(try rig.script("strongswan-client.sh", "sas", "--raw"))
    }

    /// Makes the clients rekey every Child SA.
    package func rekeyChildSAs() throws { _ = try rig.script("strongswan-client.sh", "rekey-child") }
    /// Makes one client rekey its IKE SA, and waits until it has: what charon is told it only begins.
    package func rekeyIKESA(_ client: Int = 1) throws {
        let before = Set(try associations().map(\.initiatorSPI))
        try beginIKERekey(client)
        let deadline = ContinuousClock.now + .seconds(20)
        while try !associations().contains(where: { $0.state == "ESTABLISHED" && !before.contains($0.initiatorSPI) }) {
            guard ContinuousClock.now < deadline else { throw NotRekeyed(client: client) }
            usleep(50_000)
        }
    }
    /// Makes one client begin to rekey its IKE SA.
    package func beginIKERekey(_ client: Int) throws {
        _ = try rig.script("strongswan-client.sh", "rekey-ike", "client-\(client)")
    }
    /// A client whose IKE SA stays as it is.
    package struct NotRekeyed: Error { package let client: Int }

    /// Takes one client's address away, so that it moves to 10.98.1.1.
    package func leaveAddress(_ client: Int = 1) throws {
        _ = try rig.script("strongswan-client.sh", "leave", String(client))
    }
    /// Makes one client delete its IKE SA.
    package func terminate(_ client: Int = 1) throws {
        _ = try rig.script("strongswan-client.sh", "terminate", "client-\(client)")
    }

    /// Ends charon as a crash would: it deletes nothing.
    package func kill() throws { _ = try rig.script("strongswan-client.sh", "kill") }

    /// What charon logged.
    package func log() throws -> String { try rig.script("strongswan-client.sh", "log") }
}
