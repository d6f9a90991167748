import COpenSSL

/// Memory for the octets of eight lanes, wiped when it goes.
@safe
struct LaneMemory: ~Copyable {
    private let octets: UnsafeMutableRawBufferPointer

    init(octetCount: Int) {
        unsafe octets = .allocate(byteCount: octetCount, alignment: 64)
        unsafe octets.initializeMemory(as: UInt8.self, repeating: 0)
    }

    deinit {
        unsafe cossl_wipe(octets.baseAddress, octets.count)
        unsafe octets.deallocate()
    }

    /// Eight lanes of `width` octets each, behind `start` octets.
    ///
    /// SAFETY of `LaneRow`: whoever takes one keeps the memory as long.
    func row(from start: Int, width: Int) -> LaneRow {
        let count = LaneOperation.laneCount * width
        return unsafe LaneRow(octets: UnsafeMutableRawBufferPointer(rebasing: octets[start..<start + count]), width)
    }
}

/// One thing that all lanes have, one lane's octets behind the other's.
@safe
struct LaneRow {
    private let octets: UnsafeMutableRawBufferPointer
    private let width: Int

    fileprivate init(octets: UnsafeMutableRawBufferPointer, _ width: Int) {
        unsafe self.octets = octets
        self.width = width
    }

    var start: UnsafeMutablePointer<UInt8> {
        unsafe octets.baseAddress!.assumingMemoryBound(to: UInt8.self)
    }

    func start(of lane: Int) -> UnsafeMutablePointer<UInt8> { unsafe start + lane * width }

    private func lane(_ lane: Int) -> UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(rebasing: octets[lane * width..<(lane + 1) * width])
    }

    func write(_ bytes: RawSpan, _ lane: Int) {
        precondition(bytes.byteCount == width, "what is put into a lane has its width")
        unsafe bytes.withUnsafeBytes { unsafe self.lane(lane).copyMemory(from: $0) }
    }

    func write(_ secret: borrowing EphemeralSecret, _ lane: Int) { write(secret.bytes, lane) }

    /// Writes the number two, the most significant octet first.
    func writeTwo(_ lane: Int) {
        let octets = unsafe self.lane(lane)
        unsafe octets.initializeMemory(as: UInt8.self, repeating: 0)
        unsafe octets[octets.count - 1] = 2
    }

    func octets(of lane: Int) -> [UInt8] { unsafe [UInt8](self.lane(lane)) }

    func secret(of lane: Int) -> EphemeralSecret {
        let secret = EphemeralSecret(count: width)
        unsafe secret.mutableBuffer.copyMemory(from: UnsafeRawBufferPointer(self.lane(lane)))
        return secret
    }

    func sharedSecret(of lane: Int) -> SharedSecret {
        let secret = SharedSecret(count: width)
        unsafe secret.mutableBuffer.copyMemory(from: UnsafeRawBufferPointer(self.lane(lane)))
        return secret
    }
}
