import FuzzBodies

/// What libFuzzer calls with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ byteCount: Int) -> CInt {
    fuzzRecording(unsafe [UInt8](UnsafeBufferPointer(start: start, count: byteCount)))
    return 0
}
