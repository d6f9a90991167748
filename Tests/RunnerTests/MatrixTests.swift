import Foundation
import IKEWire
import Primitives
import Results
import Runner
import Synchronization
import Testing
import Workload

@Suite("The matrix against our own responder", .serialized)
struct MatrixTests {
    @Test("what the responder takes works, what it refuses is explained, and the features work, with times for each")
    func tells() throws {
        let report = try matrix(mobike: true, fragmentation: "standard", lasting: "7 s") {
            $0.features = [.delete, .ikeRekey, .fragmentation, .mobike]
            $0.featuresAtOnce = 4
        }
        let grid = report.results.filter { $0.cell.kind == .algorithms }
        #expect(grid.count == 6)
        for result in grid {
            let lacks = ["ecp256", "chacha20poly1305", "aes128gcm16"].filter { result.cell.name.contains($0) }
            #expect((result.verdict == .works) == lacks.isEmpty, "\(result.cell.name): \(result.verdict)")
            guard !lacks.isEmpty else {
                #expect(result.setUpTimes.allSatisfy { $0.time.map { $0 > .zero } ?? false })
                #expect(result.setUpTimes.map { "\($0.type)" } == ["IKE_SA_INIT", "IKE_AUTH"])
                continue
            }
            #expect(result.verdict == .refused(notify: "NO_PROPOSAL_CHOSEN", exchange: "IKE_SA_INIT"))
            #expect(lacks.allSatisfy { result.explanation?.contains($0) ?? false }, "\(result.explanation ?? "")")
        }
        // A responder that has not ML-KEM.
        let unknown = report.results.filter { $0.cell.name.contains("mlkem") }
        #expect(unknown.count == 4)
        for result in unknown {
            #expect(result.verdict == .refused(notify: "NO_PROPOSAL_CHOSEN", exchange: "IKE_SA_INIT"))
            #expect(result.explanation == "the gateway takes the same proposal without \(result.cell.name)")
        }
        for result in report.results {
            guard case .feature = result.cell.kind else { continue }
            #expect(result.verdict == .works, "\(result.cell.name): \(result.verdict)")
        }
        #expect(report.base?.name == "aes256gcm16-prfsha384-x25519")
        #expect(report.count(.broken) == 0)
        #expect(report.leftBehind == 0)
        #expect(report.explainedCount == report.count(.refused))
        #expect(report.exitCode == .pass)
    }

    @Test("a feature that the responder does not have is refused, by what it does not say")
    func tellsOfLack() throws {
        let report = try matrix(mobike: false, fragmentation: "never", lasting: "17 s") {
            $0.features = [.fragmentation, .mobike]
            $0.keyExchanges = ["x25519"]
            $0.ciphers = MatrixCipher.all.filter { $0.child == "aes256gcm16" }
        }
        let refused = report.results.filter { if case .feature = $0.cell.kind { true } else { false } }
        #expect(
            refused.map(\.verdict) == [
                .refused(notify: "no IKEV2_FRAGMENTATION_SUPPORTED", exchange: "IKE_SA_INIT"),
                .refused(notify: "no MOBIKE_SUPPORTED", exchange: "IKE_AUTH"),
            ]
        )
        #expect(refused.allSatisfy { $0.explanation != nil })
        #expect(report.exitCode == .pass)
        let text = report.page.text(style: .plain)
        #expect(text.contains("MOBIKE"))
        #expect(text.contains("no MOBIKE_SUPPORTED in IKE_AUTH: the gateway does not say that it can"))
        #expect(text.contains("INITIAL_CONTACT: it would end other IKE SAs of the same identity"))
    }

    @Test("a gateway that stops to answer is broken from then on, and what was found out before stays")
    func tellsOfSilence() throws {
        let workload = try LoopbackWorkload().validated()
        let holder = Holder(try LoopbackGateway(workload))
        let target = try #require(holder.gateway.withLock { $0?.target })
        var run = MatrixRun(workload, target: target, options: LiveOptions())
        run.pace = MatrixPace(perSecond: 1)
        run.keyExchanges = ["x25519", "ecp256", "ecp384", "ecp521", "x448", "modp2048"]
        run.ciphers = MatrixCipher.all.filter { $0.child == "aes256gcm16" }
        let stopping = Thread {
            Thread.sleep(forTimeInterval: 3)
            holder.gateway.withLock { $0 = nil }
        }
        stopping.start()
        let report = try run.run()
        let grid = report.results.filter { $0.cell.kind == .algorithms }
        #expect(grid.first?.verdict == .works)
        #expect(
            grid.last?.verdict
                == .broken("IKE_SA_INIT was not answered, though sent 3 times (RFC 7296 section 2.1)")
        )
        let rest = report.results.filter { $0.cell.kind != .algorithms }
        #expect(!rest.isEmpty && rest.allSatisfy { $0.verdict.kind == .notTried })
        #expect(rest.first?.verdict.text.contains("cannot be reached") ?? false)
        #expect(report.exitCode == .regression)
    }

    @Test("where no target is allowed, nothing is sent and the matrix says so")
    func asksAllowance() throws {
        let target = try #require(LiveTarget("192.0.2.1"))
        let run = MatrixRun(try LoopbackWorkload().validated(), target: target, options: LiveOptions())
        let error = #expect(throws: LiveError.self) { try run.run() }
        #expect(error?.exitCode == .safetyAbort)
        #expect(error.map { "\($0)" }?.contains("nothing was sent") ?? false)
    }

    @Test("ML-KEM works, as an additional key exchange and alone, with a responder that has it")
    func knowsPostQuantum() throws {
        let report = try matrix(
            mobike: false,
            fragmentation: "standard",
            methods: "x25519-mlkem768-ke1_mlkem768-ke1_none",
            lasting: "5 s"
        ) {
            $0.features = []
            $0.keyExchanges = ["x25519"]
            $0.ciphers = MatrixCipher.all.filter { $0.child == "aes256gcm16" }
        }
        let cells = report.results.filter { $0.cell.name.contains("mlkem") }
        #expect(cells.map(\.cell.name) == ["ke1_mlkem768", "mlkem768", "ke1_mlkem1024", "mlkem1024"])
        #expect(cells.map(\.verdict.kind) == [.works, .works, .refused, .refused], "\(cells.map(\.verdict))")
        #expect(cells[0].exchanges.contains { $0.type == .ikeIntermediate })
        #expect(report.exitCode == .pass)
    }

    @Test("every cipher with every key exchange, every PRF and every feature works with a responder that takes all")
    func takesAll() throws {
        var parts = LoopbackWorkload()
        let combined = MatrixCipher.all.map(\.child).filter { !$0.contains("-") }.joined(separator: "-")
        let separate = "aes128-aes192-aes256-sha1-sha256-sha384-sha512"
        let methods = MatrixCipher.keyExchanges.joined(separator: "-")
        let (prfs, numbers) = (MatrixCipher.prfs.joined(separator: "-"), "esn-noesn")
        let ciphers = [combined, separate]
        let ike = ciphers.map { "\($0)-\(prfs)-\(methods)" } + ["aes128gcm16-prfsha256-x25519-mlkem768-mlkem1024"]
        let child = ciphers.flatMap { ["\($0)-\(numbers)", "\($0)-\(methods)-\(numbers)"] }
        parts.proposals = "{ ike: [\(ike.joined(separator: ", "))], child: [\(child.joined(separator: ", "))] }"
        parts.mobike = true
        parts.policy = "fragmentation: standard\n      childless: allow"
        let workload = try parts.validated()
        let gateway = try LoopbackGateway(workload)
        var run = MatrixRun(workload, target: gateway.target, options: LiveOptions())
        run.pace = MatrixPace(perSecond: 50)
        run.featuresAtOnce = MatrixFeature.allCases.count
        let report = try run.run()
        let grid = report.results.filter { $0.cell.kind == .algorithms }
        #expect(grid.count == MatrixCipher.all.count * MatrixCipher.keyExchanges.count)
        let features = report.results.filter { if case .feature = $0.cell.kind { true } else { false } }
        #expect(features.count == MatrixFeature.allCases.count)
        for result in report.results where !result.cell.name.contains("ke1_") {
            #expect(result.verdict == .works, "\(result.cell.name): \(result.verdict)")
        }
        #expect(report.leftBehind == 0)
        #expect(report.exitCode == .pass)
    }

    /// What stops a responder while a matrix goes on.
    private final class Holder: Sendable {
        let gateway: Mutex<LoopbackGateway?>

        init(_ gateway: LoopbackGateway) { self.gateway = Mutex(gateway) }
    }

    /// - Parameter words: how long features take together, or one after the other.
    private func matrix(
        mobike: Bool,
        fragmentation: String,
        methods: String = "x25519",
        lasting words: String,
        _ change: (inout MatrixRun) -> Void
    ) throws -> MatrixReport {
        var parts = LoopbackWorkload()
        parts.mobike = mobike
        parts.methods = methods
        parts.policy = "fragmentation: \(fragmentation)"
        let workload = try parts.validated()
        let gateway = try LoopbackGateway(workload)
        var run = MatrixRun(workload, target: gateway.target, options: LiveOptions())
        run.pace = MatrixPace(perSecond: 20)
        run.keyExchanges = ["ecp256", "x25519"]
        run.ciphers = MatrixCipher.all.filter { ["aes128gcm16", "aes256gcm16", "chacha20poly1305"].contains($0.child) }
        change(&run)
        var said: [String] = []
        run.report = { said.append($0) }
        let report = try run.run()
        #expect(said.count == 2 && said.last?.hasSuffix(": \(words)") ?? false, "\(said)")
        return report
    }
}
