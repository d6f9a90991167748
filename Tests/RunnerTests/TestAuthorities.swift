import Foundation
import Runner
import Synchronization

/// Authorities for the swarm's certificates, each made once, when a workload first asks for it.
enum TestAuthorities {
    /// How many clients of each of two populations have RSA keys.
    static let fewClients: UInt64 = 3

    /// Both gateways' certificates and those of clients, of one authority for each kind of key.
    static func folder(of kind: String) -> String {
        folder(kind) { path in
            let clients = kind == "rsa2048" ? 2 * Int(fewClients) : 40
            make(kind, path, clients: clients)
            // The same authority again, for the second gateway.
            make(kind, "\(path)/other", gateway: "other.example.org", clients: 0)
        }
    }

    /// Clients' certificates of the same authority that were valid once.
    static func expired(_ kind: String) -> String {
        folder("expired-\(kind)") { make(kind, $0, clients: 2, until: "2021-01-01T00:00:00Z") }
    }

    /// Clients' certificates of an authority that nobody believes, which calls itself as the others do.
    static let foreign = folder("foreign") { make("ecdsa256", $0, clients: 2, seed: 2) }

    /// Files of identities and keys: what clients and gateways know, and what strangers take for it.
    static let lists = folder("lists") { path in
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            for secret in ["secret", "guessed"] {
                // The first half of the clients are as a template would have them.
                let lines = (1...100).map { number in
                    let digits = String(number + 100_000).dropFirst()
                    return "user\(digits)@\(number > 50 ? "listed" : "example").org,\(secret) \(number)\n"
                }
                let text = "identity,psk\n" + lines.joined()
                try text.write(toFile: "\(path)/\(secret).csv", atomically: true, encoding: .utf8)
            }
        } catch {
            preconditionFailure("the temporary directory takes a test's files: \(error)")
        }
    }

    private static let made = Mutex<Set<String>>([])
    /// Gone with the process.
    private static let root: String = {
        atexit { try? FileManager.default.removeItem(atPath: TestAuthorities.root) }
        return FileManager.default.temporaryDirectory.appending(path: "ikestorm-swarm-\(UUID().uuidString)").path
    }()

    private static func folder(_ name: String, _ make: (String) -> Void) -> String {
        let path = "\(root)/\(name)"
        made.withLock { if $0.insert(name).inserted { make(path) } }
        return path
    }

    private static func make(
        _ kind: String,
        _ folder: String,
        gateway: String = "gw.example.org",
        clients: Int,
        until: String = "2049-12-31T23:59:59Z",
        seed: UInt64 = 1
    ) {
        var job = TestAuthorityJob(
            folder: folder,
            key: kind,
            gateway: gateway,
            identity: "user%05d@example.org",
            clients: clients,
            from: "2020-01-01T00:00:00Z",
            until: until
        )
        job.hasIntermediate = kind == "ecdsa256"
        job.seed = seed
        do {
            _ = try job.run()
        } catch {
            preconditionFailure("the temporary directory takes a test's authority: \(error)")
        }
    }
}
