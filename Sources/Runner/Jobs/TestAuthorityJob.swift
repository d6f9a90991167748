import Foundation
import IKECrypto
import Primitives
import Results
import Workload

/// What `ikestorm pki` makes: a test's authority, and certificates of a gateway and of its clients.
package struct TestAuthorityJob: Sendable {
    package var folder: String
    /// The kind of key of everybody, as `--key` names it.
    package var key: String
    /// Whether the authority issues through an intermediate one.
    package var hasIntermediate = false
    package var gateway: String
    /// The clients' identities, with a place for their number.
    package var identity: String
    package var clients: Int
    package var firstClient = 1
    /// RFC 3339, in UTC.
    package var from: String
    package var until: String
    /// What all keys follow from; nil: the operating system.
    package var seed: UInt64?

    package init(
        folder: String,
        key: String,
        gateway: String,
        identity: String,
        clients: Int,
        from: String,
        until: String
    ) {
        self.folder = folder
        self.key = key
        self.gateway = gateway
        self.identity = identity
        self.clients = clients
        self.from = from
        self.until = until
    }

    package static var keys: [String] { NewKey.allCases.map(\.rawValue) }

    /// Makes the folder and its files; nothing that is there is written over.
    ///
    /// - Returns: what a user is told.
    package func run() throws(JobFailure) -> String {
        let plan = try Plan(self)
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw JobFailure(.cannotWrite, "error: \(folder) cannot be made: \(error.localizedDescription)")
        }
        try write("ca.pem", PEM.text("CERTIFICATE", plan.root.octets), mode: 0o644)
        let end = try plan.issue(gateway, serial: 3, name: "gateway")
        try write("gateway.pem", plan.text(of: end), mode: 0o600)
        if clients > 0 { try write("clients.pem", try plan.clients(), mode: 0o600) }
        return """
            wrote \(folder)/ca.pem, the authority; for `authorities` at both ends
            wrote \(folder)/gateway.pem, key and certificate of \(gateway); for the gateway's `certificates`
            \(clients > 0 ? "wrote \(folder)/clients.pem, those of \(clients) clients; for the profile's `certificates`\n" : "")
            """
    }

    private func write(_ name: String, _ text: String, mode: UInt32) throws(JobFailure) {
        do throws(ResultError) {
            let file = try OpenFile(creating: folder + "/" + name, mode: mode)
            try file.write(Array(text.utf8))
        } catch {
            throw JobFailure(writing: error)
        }
    }
}

extension TestAuthorityJob {
    /// The authority, and how it issues.
    fileprivate struct Plan: Sendable {
        let job: TestAuthorityJob
        let key: NewKey
        let template: Workload.IdentityTemplate
        let validity: ClosedRange<Int64>
        let seed: [UInt8]
        let root: IssuedCertificate
        let intermediate: IssuedCertificate?

        init(_ job: TestAuthorityJob) throws(JobFailure) {
            guard let key = NewKey(rawValue: job.key) else {
                throw JobFailure(
                    .usage,
                    "error: --key \(job.key) is none of \(TestAuthorityJob.keys.joined(separator: ", "))"
                )
            }
            do throws(UnitProblem) {
                template = try Identities.template(job.identity)
                let (from, until) = (try Timestamps.seconds(job.from), try Timestamps.seconds(job.until))
                guard from <= until else { throw UnitProblem("--until is before --from") }
                validity = from...until
            } catch {
                throw JobFailure(.usage, "error: \(error.problem)" + (error.remedy.map { "; \($0)" } ?? ""))
            }
            guard template.digits != nil || job.clients <= 1 else {
                throw JobFailure(
                    .usage,
                    "error: --identity has no place for a number, and there are \(job.clients) clients"
                )
            }
            self.job = job
            self.key = key
            seed =
                job.seed.map { seed in (0..<8).map { UInt8(truncatingIfNeeded: seed >> (8 * $0)) } }
                ?? operatingSystemSeed()
            root = try Self.authority("test root", serial: 1, key, validity, by: nil, seed)
            intermediate =
                job.hasIntermediate
                ? try Self.authority("test intermediate", serial: 2, key, validity, by: root, seed) : nil
        }

        private static func authority(
            _ name: String,
            serial: UInt64,
            _ key: NewKey,
            _ validity: ClosedRange<Int64>,
            by issuer: IssuedCertificate?,
            _ seed: [UInt8]
        ) throws(JobFailure) -> IssuedCertificate {
            let terms = CertificateTerms(
                organization: organization,
                commonName: name,
                validity: validity,
                serial: serial,
                isAuthority: true
            )
            return try issued(terms, key, by: issuer, seed + Array(name.utf8))
        }

        func issue(_ identity: String, serial: UInt64, name: String) throws(JobFailure) -> IssuedCertificate {
            let terms = CertificateTerms(
                organization: organization,
                commonName: identity,
                alternativeName: Self.alternativeName(of: identity),
                validity: validity,
                serial: serial
            )
            return try Self.issued(terms, key, by: intermediate ?? root, seed + Array("\(name) \(serial)".utf8))
        }

        private static func issued(
            _ terms: CertificateTerms,
            _ key: NewKey,
            by issuer: IssuedCertificate?,
            _ seed: [UInt8]
        ) throws(JobFailure) -> IssuedCertificate {
            do throws(CryptoError) {
                return try IssuedCertificate(terms, key: key, by: issuer, seed: seed)
            } catch {
                throw JobFailure(
                    .usage,
                    "error: no certificate can say \(terms.commonName); write an e-mail address, a host name or an IP "
                        + "address of at most 64 characters"
                )
            }
        }

        private static func alternativeName(of identity: String) -> String {
            if identity.contains("@") { return "email:" + identity }
            return (IPAddress(identity) == nil ? "DNS:" : "IP:") + identity
        }

        /// The private key, then the chain.
        func text(of end: IssuedCertificate) -> String {
            PEM.text("PRIVATE KEY", end.privateKey) + PEM.text("CERTIFICATE", end.octets)
                + (intermediate.map { PEM.text("CERTIFICATE", $0.octets) } ?? "")
        }

        /// All clients', made on all processors.
        func clients() throws(JobFailure) -> String {
            let count = job.clients
            let pieces = Pieces(count: (count + Self.pieceCount - 1) / Self.pieceCount)
            DispatchQueue.concurrentPerform(iterations: pieces.count) { piece in
                var text = ""
                do throws(JobFailure) {
                    for place in piece * Self.pieceCount..<min(count, (piece + 1) * Self.pieceCount) {
                        let number = job.firstClient + place
                        // The serial number is the client's, so that no two of an authority are the same.
                        let serial = UInt64(999 + number)
                        text += self.text(of: try issue(template.identity(number), serial: serial, name: "client"))
                    }
                    pieces.set(piece, .success(text))
                } catch {
                    pieces.set(piece, .failure(error))
                }
            }
            return try pieces.joined()
        }

        private static var pieceCount: Int { 8 }
    }

    private static var organization: String { "ikestorm test" }
}

/// Text that several threads make, put together in order.
///
/// SAFETY of `@unchecked Sendable`: the lock is held wherever the texts are touched.
private final class Pieces: @unchecked Sendable {
    private let lock = NSLock()
    private var texts: [Result<String, JobFailure>?]
    let count: Int

    init(count: Int) {
        self.count = count
        texts = Array(repeating: nil, count: count)
    }

    func set(_ index: Int, _ text: Result<String, JobFailure>) { lock.withLock { texts[index] = text } }

    func joined() throws(JobFailure) -> String {
        var whole = ""
        for text in lock.withLock({ texts }) {
            guard let text else { continue }
            whole += try text.get()
        }
        return whole
    }
}
