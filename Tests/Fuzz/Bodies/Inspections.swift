import Capture
import Inspection
import Primitives

/// Takes any octets as a capture, of whatever kind it says it is, and explains it.
///
/// What is read does not depend on the pieces that the file comes in, and what is followed is within bounds.
package func fuzzInspection(_ input: [UInt8]) {
    let whole = frames(of: input, inPiecesOf: max(1, input.count))
    precondition(whole == frames(of: input, inPiecesOf: 7), "a capture is the same in pieces")
    guard var inspector = try? Inspector(capacity: 4) else { preconditionFailure("libcrypto is there") }
    for frame in whole { inspector.take(frame) }
    inspector.finish()
    let report = inspector.report()
    precondition(report.negotiations.count <= 4, "no more is followed than there is room for")
    precondition(report.tally.packets == whole.count, "every packet is counted")
    _ = report.lines(shown: 4)
}

private func frames(of input: [UInt8], inPiecesOf byteCount: Int) -> [CapturedFrame] {
    var stream = CaptureStream()
    var frames: [CapturedFrame] = []
    for start in stride(from: 0, to: input.count, by: byteCount) {
        stream.append(Array(input[start..<min(input.count, start + byteCount)]))
        do {
            while let frame = try stream.next() { frames.append(frame) }
        } catch {
            return frames
        }
    }
    return frames
}
