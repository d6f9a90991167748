import Primitives
import Results
import Workload

/// `ikestorm matrix --json` (docs/matrix.md).
enum MatrixJSON {
    /// The name and the version of the form. A change that could mislead a reader gets a new one.
    static let schema = "ikestorm-matrix-1"

    static func value(of report: MatrixReport) -> JSONValue {
        [
            "schema": .string(schema),
            "version": .string(IkestormVersion.text),
            "target": .string(report.target.description),
            "exitCode": .integer(report.exitCode.rawValue),
            "base": report.base.map { .string($0.name) } ?? .null,
            "counts": [
                "tried": .integer(report.triedCount), "works": .integer(report.count(.works)),
                "refused": .integer(report.count(.refused)), "explained": .integer(report.explainedCount),
                "broken": .integer(report.count(.broken)), "notTried": .integer(report.count(.notTried)),
            ],
            "leftBehind": .integer(report.leftBehind),
            "doubts": .strings(report.doubts),
            "cells": .array(report.results.map(value)),
            "leftOut": .strings(report.leftOut),
        ]
    }

    private static func value(of result: MatrixResult) -> JSONValue {
        var notify = JSONValue.null
        var exchange = JSONValue.null
        if case .refused(let type, let place) = result.verdict { (notify, exchange) = (.string(type), .string(place)) }
        return [
            "kind": .string(kind(of: result.cell)),
            "name": .string(result.cell.name),
            "ike": .strings(result.cell.proposals.ike),
            "child": .strings(result.cell.proposals.child),
            "standard": result.cell.feature.map { .string($0.standard) } ?? .null,
            "verdict": .string(result.verdict.kind.rawValue),
            "notify": notify,
            "refusedIn": exchange,
            "explanation": result.explanation.map(JSONValue.string) ?? .null,
            "log": .strings(result.evidence),
            "difference": result.verdict.kind == .broken ? .string(result.verdict.text) : .null,
            "exchanges": .array(result.exchanges.map(value)),
        ]
    }

    private static func value(of exchange: MatrixExchange) -> JSONValue {
        [
            "type": .string("\(exchange.type)"), "requests": .integer(exchange.requests),
            "timeNs": exchange.time.map(JSONValue.time) ?? .null,
            "encapsulated": .bool(exchange.isEncapsulated), "fragmented": .bool(exchange.isFragmented),
        ]
    }

    private static func kind(of cell: MatrixCell) -> String {
        switch cell.kind {
        case .algorithms: "algorithms"
        case .transform: "transform"
        case .authentication: "authentication"
        case .feature: "feature"
        }
    }
}
