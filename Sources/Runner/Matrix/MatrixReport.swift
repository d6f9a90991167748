import IKEWire
import Primitives
package import Results

/// What a matrix came to.
package struct MatrixReport: Sendable {
    package var target: LiveTarget
    package var ciphers: [MatrixCipher]
    package var keyExchanges: [String]
    package private(set) var results: [MatrixResult] = []
    /// What the further cells were asked for with.
    package var base: MatrixCell?
    package var leftOut: [String] = []
    package private(set) var interruption = RunRecord.Interruption.none
    package private(set) var abort: RunRecord.SafetyAbort?
    /// IKE SAs that could not be deleted.
    package private(set) var leftBehind = 0
    /// Why times are not to be trusted.
    package private(set) var doubts: [String] = []

    init(target: LiveTarget, ciphers: [MatrixCipher], keyExchanges: [String]) {
        self.target = target
        self.ciphers = ciphers
        self.keyExchanges = keyExchanges
    }

    mutating func add(_ outcome: MatrixStage.Outcome) {
        results += outcome.results
        interruption = outcome.live.interruption
        abort = abort ?? outcome.live.abort
        leftBehind += outcome.live.leftBehind
        switch outcome.live.generator {
        case .valid: break
        case .degraded(let reason), .invalid(let reason): if !doubts.contains(reason) { doubts.append(reason) }
        }
    }

    mutating func addNotTried(_ cells: [MatrixCell], _ reason: String) {
        results += cells.map { MatrixResult(cell: $0, verdict: .notTried(reason)) }
    }

    package func count(_ kind: MatrixVerdict.Kind) -> Int { results.count { $0.verdict.kind == kind } }

    package var explainedCount: Int { results.count { $0.verdict.kind == .refused && $0.explanation != nil } }

    /// What was tried is what there is a verdict of.
    package var triedCount: Int { results.count - count(.notTried) }

    /// The worst that there is. A refusal that other cells explain is the gateway's good right.
    package var exitCode: ExitCode {
        switch interruption {
        case .forced: return .forced
        case .drained: return .interrupted
        case .none: break
        }
        if abort != nil { return .safetyAbort }
        if count(.broken) > 0 || explainedCount < count(.refused) { return .regression }
        return count(.notTried) > 0 ? .inconclusive : .pass
    }
}

// Why the gateway refuses what it refuses, as far as its other answers show it.
extension MatrixReport {
    /// A pair is explained by a key exchange that works with no cipher, or a cipher that works with no key exchange.
    mutating func explainAlgorithms() {
        for index in results.indices {
            guard case .refused(_, let exchange) = results[index].verdict, let cipher = results[index].cell.cipher,
                let keyExchange = results[index].cell.keyExchange
            else { continue }
            let isInit = exchange == "IKE_SA_INIT"
            func passes(_ result: MatrixResult) -> Bool { result.passes(beyondInit: !isInit) }
            var lacks: [String] = []
            if !results.contains(where: { $0.cell.cipher == cipher && passes($0) }) {
                lacks.append(isInit ? cipher.ike : "\(cipher.child) for ESP")
            }
            if isInit, !results.contains(where: { $0.cell.keyExchange == keyExchange && passes($0) }) {
                lacks.append(keyExchange)
            }
            results[index].explanations = lacks.map { "the gateway takes nothing with " + $0 }
        }
    }

    private func works(_ feature: MatrixFeature) -> Bool {
        results.contains { $0.cell.feature == feature && $0.verdict == .works }
    }

    /// What differs from the base in one thing alone lacks that thing.
    mutating func explainTheRest() {
        for index in results.indices where results[index].cell.cipher == nil {
            guard case .refused(let notify, _) = results[index].verdict else { continue }
            switch results[index].cell.kind {
            case .algorithms: break
            case .transform where notify == "NO_PROPOSAL_CHOSEN":
                results[index].explanations = [
                    "the gateway takes the same proposal without \(results[index].cell.name)"
                ]
            case .feature(.childRekeyWithKeyExchange) where works(.childRekey):
                results[index].explanations = ["the gateway takes the same rekey without a key exchange"]
            case .authentication where notify.hasPrefix("no "), .feature where notify.hasPrefix("no "):
                results[index].explanations = ["the gateway does not say that it can"]
            case .transform, .authentication, .feature: break
            }
        }
    }
}

extension MatrixResult {
    /// Whether the gateway took the IKE proposal, or the Child proposal too.
    fileprivate func passes(beyondInit: Bool) -> Bool {
        switch verdict {
        case .works: true
        case .refused(_, let exchange): !beyondInit && exchange != "IKE_SA_INIT"
        case .broken, .notTried: !beyondInit && exchanges.contains { $0.type == .ikeAuth }
        }
    }
}
