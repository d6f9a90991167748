import Foundation
import Primitives
package import Results
import Workload

/// `ikestorm matrix --target ADDRESS`: what a gateway speaks, in one table.
package struct MatrixJob {
    private let prepared: PreparedWorkload
    private let target: LiveTarget
    private let options: LiveOptions
    package var pace = MatrixPace(perSecond: 2)
    package var featuresAtOnce = 1
    package var mostCombinations = 200
    /// strongSwan's keywords; empty for all.
    package var keyExchanges: [String] = []
    package var gatewayLog: String?
    package var isJSON = false
    package var markdownFile: String?
    package var htmlFile: String?

    package init(_ prepared: PreparedWorkload, target: LiveTarget, options: LiveOptions) {
        self.prepared = prepared
        self.target = target
        self.options = options
    }

    /// - Returns: whether the gateway does what it says, for scripts.
    package func run(on console: Console) throws(JobFailure) -> ExitCode {
        let interrupt = Interrupt()
        let signals = InterruptSignals { interrupt.request() }
        defer { signals.end() }
        var options = options
        options.interrupt = interrupt
        var matrix = MatrixRun(prepared.workload, target: target, options: options)
        matrix.pace = pace
        matrix.featuresAtOnce = featuresAtOnce
        matrix.mostCombinations = mostCombinations
        matrix.gatewayLog = gatewayLog
        if !keyExchanges.isEmpty { matrix.keyExchanges = keyExchanges }
        matrix.report = { console.errors($0 + "\n") }
        let report: MatrixReport
        do throws(LiveError) { report = try matrix.run() } catch { throw JobFailure(error) }
        try write(report)
        console.output(isJSON ? MatrixJSON.value(of: report).text : report.page.text(style: console.outputStyle))
        return report.exitCode
    }

    private func write(_ report: MatrixReport) throws(JobFailure) {
        do throws(ResultError) {
            if let markdownFile { try AtomicFile.write(Array(report.page.markdown.utf8), to: markdownFile) }
            if let htmlFile { try AtomicFile.write(Array(report.page.html.utf8), to: htmlFile) }
        } catch {
            throw JobFailure(writing: error)
        }
    }
}

/// Who `matrix` is towards a gateway where no workload says it.
package struct MatrixCredentials: Sendable {
    package var gatewayIdentity: String
    package var identity: String
    package var psk: String?
    package var certificates: String?
    package var authorities: String?
    /// The client's traffic selector: `dynamic`, or a prefix.
    package var localSelector: String
    package var remoteSelector: String

    package init(
        gatewayIdentity: String,
        identity: String,
        psk: String?,
        certificates: String?,
        authorities: String?,
        localSelector: String,
        remoteSelector: String
    ) {
        self.gatewayIdentity = gatewayIdentity
        self.identity = identity
        self.psk = psk
        self.certificates = certificates
        self.authorities = authorities
        self.localSelector = localSelector
        self.remoteSelector = remoteSelector
    }

    /// The same as a workload, read as any other: what is wrong with it is told as for a file.
    package func prepared() throws(JobFailure) -> PreparedWorkload {
        try PreparedWorkload(text: text, path: "the command line")
    }

    private var text: String {
        let profiles = authentications.map { name, authentication in
            """
              \(name):
                identity: \(Self.quoted(identity))
                authentication: \(authentication)
                proposals: \(Self.proposals)
                lifetimes: { ike: { rekey: 4h }, child: { rekey: 1h } }
                traffic-selectors: { local: [\(Self.quoted(localSelector))], remote: [\(Self.quoted(remoteSelector))] }
            """
        }
        let populations = authentications.map { name, _ in
            "  \(name): { count: 1, profile: \(name), path: direct, gateway: gw, sources: [198.18.0.0/15] }"
        }
        return """
            version: 1
            name: matrix
            seed: 1
            gateways:
              gw:
                identity: \(Self.quoted(gatewayIdentity))
                policy:
                  authentication: \(authentications.first?.1 ?? "{ psk: none }")
                  proposals: \(Self.proposals)
                  lifetimes: { ike: { rekey: 4h }, child: { rekey: 1h } }
                real: { addresses: [127.0.0.1] }
            profiles:
            \(profiles.joined(separator: "\n"))
            paths:
              direct: { one-way-delay: 1ms }
            populations:
            \(populations.joined(separator: "\n"))
            arrivals:
              first: { population: \(authentications.first?.0 ?? ""), constant: { rate: 1/s } }
            safety:
              allow-inner: [\(Self.quoted(remoteSelector))]
              allow-identities: [\(Self.quoted(identity))]
            run: { duration: 1s }

            """
    }

    /// A population for each way to show who one is.
    private var authentications: [(String, String)] {
        var found: [(String, String)] = []
        let believed = authorities.map { ", authorities: \(Self.quoted($0))" } ?? ""
        if let psk { found.append(("psk", "{ psk: \(Self.quoted(psk)) }")) }
        if let certificates {
            found.append(("certificate", "{ certificates: \(Self.quoted(certificates))\(believed) }"))
        }
        return found
    }

    private static let proposals = "{ ike: [aes256gcm16-prfsha384-x25519], child: [aes256gcm16-x25519] }"

    /// A JSON string is a scalar of YAML.
    private static func quoted(_ text: String) -> String {
        JSONValue.string(text).text.trimmingCharacters(in: .newlines)
    }
}
