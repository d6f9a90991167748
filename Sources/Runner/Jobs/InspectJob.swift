import Capture
import Foundation
import IKECrypto
import IKEWire
import Inspection
import Primitives
package import Results

/// `ikestorm inspect CAPTURE`: what became of each IKE negotiation in a capture, and why.
package struct InspectJob {
    private let capture: String
    private let keys: KeyTable
    /// The responder's IKE proposals, as far as the user knows them.
    private let accepted: [Proposal]
    /// How many negotiations are told at length.
    package var shown = 20
    package var isJSON = false

    /// - Parameter keyFolder: a folder with Wireshark's table of IKE keys, as `run --capture` leaves it.
    package init(_ capture: String, keyFolder: String?, accepted: [String]) throws(JobFailure) {
        self.capture = capture
        keys = try keyFolder.map(Self.keys) ?? KeyTable()
        var proposals: [Proposal] = []
        for text in accepted.flatMap({ $0.split(separator: ",") }) {
            do throws(ProposalNotationError) {
                proposals.append(try Proposal(notation: String(text), protocolID: .ike))
            } catch {
                throw JobFailure(.usage, "error: --accepts \(text): \(error)")
            }
        }
        self.accepted = proposals
    }

    /// The exit code says whether a negotiation failed, or the capture could not be read to its end.
    package func run(on console: Console) throws(JobFailure) -> ExitCode {
        var inspector: Inspector
        do throws(CryptoError) {
            inspector = try Inspector(keys: keys)
        } catch {
            throw JobFailure(.ownMistake, "error: libcrypto cannot be used: \(error)")
        }
        let fault = try read(into: &inspector)
        inspector.finish()
        let report = inspector.report(accepted: accepted)
        if isJSON {
            let value = InspectionJSON.value(of: report, capture: capture, problem: fault.map(Self.text))
            console.output(value.text)
        } else if report.tally.packets > 0 || fault == nil {
            console.output(report.text(shown: shown, style: console.outputStyle))
        }
        guard let fault else { return report.count(.failed) > 0 ? .regression : .pass }
        let before = Humane.count(UInt64(report.tally.packets))
        throw JobFailure(
            .badWorkload,
            "error: \(PrintableText.line(capture)): \(Self.text(fault)); \(before) packets before that were read"
        )
    }
}

extension InspectJob {
    /// Hands over the file piece by piece, and gives back what stopped the reading, if anything did.
    private func read(into inspector: inout Inspector) throws(JobFailure) -> CaptureFault? {
        guard let file = FileHandle(forReadingAtPath: capture) else {
            throw JobFailure(.usage, "error: \(PrintableText.line(capture)) cannot be read: \(SystemError.text(errno))")
        }
        var stream = CaptureStream()
        do {
            while let octets = try file.read(upToCount: Self.pieceByteCount), !octets.isEmpty {
                stream.append([UInt8](octets))
                while let frame = try stream.next() { inspector.take(frame) }
            }
            try stream.finish()
        } catch let fault as CaptureFault {
            return fault
        } catch {
            throw JobFailure(
                .usage,
                "error: \(PrintableText.line(capture)) cannot be read: \(error.localizedDescription)"
            )
        }
        return nil
    }

    private static func keys(in folder: String) throws(JobFailure) -> KeyTable {
        let path = URL(filePath: folder).appending(path: KeyLog.ikeFileName).path
        guard let octets = FileManager.default.contents(atPath: path) else {
            throw JobFailure(
                .usage,
                "error: \(PrintableText.line(path)) cannot be read: --keys names a folder with Wireshark's table "
                    + "\(KeyLog.ikeFileName), as `ikestorm run --capture` and strongSwan's plugin save-keys write it"
            )
        }
        var table = KeyTable()
        do throws(KeyTable.Fault) {
            try table.add(String(decoding: octets, as: UTF8.self))
        } catch {
            throw JobFailure(
                .badWorkload,
                "error: \(PrintableText.line(path)):\(error.line): this is no line of the table; write "
                    + "SPIi,SPIr,SK_ei,SK_er,\"encryption\",SK_ai,SK_ar,\"integrity\""
            )
        }
        return table
    }

    static func text(_ fault: CaptureFault) -> String {
        switch fault.problem {
        case .notACapture: "this is no capture: neither pcap nor pcapng begins so"
        case .cut: "the file ends within the structure that begins at octet \(fault.offset): it was cut"
        case .length: "the structure at octet \(fault.offset) has an impossible length"
        case .interface: "the packet at octet \(fault.offset) is of an interface that the file does not describe"
        case .interfaces: "there are too many interfaces at octet \(fault.offset)"
        case .byteOrder: "the section at octet \(fault.offset) has no byte order"
        case .resolution: "the interface at octet \(fault.offset) counts time in units that cannot be read"
        }
    }

    private static let pieceByteCount = 256 << 10
}

extension InspectionReport {
    /// The explanation as a terminal shows it; names that peers chose are made harmless.
    func text(shown: Int, style: TextStyle) -> String {
        lines(shown: shown).map { line in
            let text = PrintableText.line(line.text)
            return switch line.emphasis {
            case .plain: text
            case .heading: style.bold(text)
            case .good: style.good(text)
            case .bad: style.bad(text)
            case .doubtful: style.doubtful(text)
            case .dim: style.dim(text)
            }
        }
        .joined(separator: "\n") + "\n"
    }
}
