import Capture
import IKEWire
import Inspection

/// What is said about a capture.
struct Explained {
    let report: InspectionReport

    init(capture: [UInt8], keys: KeyTable = KeyTable(), accepted: [Proposal] = [], capacity: Int = 64) throws {
        var inspector = try Inspector(keys: keys, capacity: capacity)
        var stream = CaptureStream()
        stream.append(capture)
        while let frame = try stream.next() { inspector.take(frame) }
        try stream.finish()
        inspector.finish()
        report = inspector.report(accepted: accepted)
    }

    init(frames: [CapturedFrame], keys: KeyTable = KeyTable(), accepted: [Proposal] = [], capacity: Int = 64) throws {
        var inspector = try Inspector(keys: keys, capacity: capacity)
        for frame in frames { inspector.take(frame) }
        inspector.finish()
        report = inspector.report(accepted: accepted)
    }

    var text: String { report.lines(shown: 20).map(\.text).joined(separator: "\n") + "\n" }
}
