/// A keyed hash of two words that stands for a PRF or an integrity code where crypto is modelled.
///
/// It multiplies and folds, 16 octets at a time. Equal inputs give equal outputs and different ones different outputs,
/// but for one case in 2^64; it hides nothing and resists no attacker.
struct ModelledHash: BitwiseCopyable {
    private var first: UInt64
    private var second: UInt64

    /// The state once the key is absorbed.
    private let start: (UInt64, UInt64)

    private let outputByteCount: Int

    private init(domain: UInt64, keys: borrowing SecretBytes, _ other: borrowing SecretBytes) {
        self.init(domain: domain, key: keys.bytes, other.bytes, outputByteCount: 0)
    }

    private init(domain: UInt64, key: RawSpan, _ other: RawSpan, outputByteCount: Int) {
        var state = (domain ^ 0x9E37_79B9_7F4A_7C15, 0xD1B5_4A32_D192_ED03 as UInt64)
        Self.mix(key, into: &state)
        if !other.isEmpty { Self.mix(other, into: &state) }
        start = state
        (first, second) = state
        self.outputByteCount = outputByteCount
    }

    /// Writes an integrity code of any length.
    static func icv(
        _ encryptionKey: borrowing SecretBytes,
        _ integrityKey: borrowing SecretBytes,
        of octets: UnsafeRawBufferPointer,
        into out: UnsafeMutableRawBufferPointer
    ) {
        var hash = ModelledHash(domain: 1, keys: encryptionKey, integrityKey)
        hash.absorb(unsafe RawSpan(_unsafeBytes: octets))
        unsafe hash.write(into: out)
    }

    /// The integrity code of ESP packets under two keys, which every packet would have to absorb again.
    init(packetsUnder encryptionKey: borrowing SecretBytes, _ integrityKey: borrowing SecretBytes) {
        self.init(domain: 2, keys: encryptionKey, integrityKey)
    }

    /// Writes the integrity code of an ESP packet, whose sequence number goes in whole.
    func writeICV(of octets: UnsafeRawBufferPointer, _ number: UInt64, into out: UnsafeMutableRawBufferPointer) {
        var hash = self
        hash.absorb(unsafe RawSpan(_unsafeBytes: octets))
        Self.step(&hash.first, &hash.second, number, 8)
        unsafe hash.write(into: out)
    }

    /// Writes as many octets as there is room, all of them functions of the whole state.
    static func expand(_ seed: UInt64, _ other: UInt64, into out: UnsafeMutableRawBufferPointer) {
        var offset = 0
        var number: UInt64 = 0
        while offset + 8 <= out.count {
            unsafe out.storeBytes(of: word(seed, other, number).littleEndian, toByteOffset: offset, as: UInt64.self)
            offset += 8
            number &+= 1
        }
        guard offset < out.count else { return }
        var last = word(seed, other, number)
        while offset < out.count {
            unsafe out[offset] = UInt8(truncatingIfNeeded: last)
            last &>>= 8
            offset += 1
        }
    }

    @inline(__always)
    private static func word(_ seed: UInt64, _ other: UInt64, _ number: UInt64) -> UInt64 {
        fold(seed ^ (number &* 0xA076_1D64_78BD_642F), other ^ (0xE703_7ED1_A0B4_28DB &+ number))
    }

    @inline(__always)
    static func fold(_ one: UInt64, _ other: UInt64) -> UInt64 {
        let product = one.multipliedFullWidth(by: other)
        return product.high ^ product.low
    }

    private mutating func write(into out: UnsafeMutableRawBufferPointer) {
        let seed = Self.fold(first ^ 0x8EBC_6AF0_9C88_C6E3, second ^ 0x5899_65CC_7537_4CC3)
        unsafe Self.expand(seed, first &+ second, into: out)
        (first, second) = start
    }

    /// Mixes octets and their count into a state.
    static func mix(_ bytes: RawSpan, into state: inout (UInt64, UInt64)) {
        unsafe bytes.withUnsafeBytes { bytes in
            var (first, second) = state
            var offset = 0
            if bytes.count >= 128 { offset = unsafe mixWide(bytes, &first, &second) }
            while offset &+ 16 <= bytes.count {
                let low = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                let high = unsafe bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)
                step(&first, &second, UInt64(littleEndian: low), UInt64(littleEndian: high))
                offset &+= 16
            }
            let tail = unsafe tail(of: bytes, from: offset)
            step(&first, &second, tail.low ^ UInt64(bytes.count) &<< 48, tail.high)
            state = (first, second)
        }
    }

    /// Mixes the octets of a packet in four lanes, none of which waits for another's product, and then the lanes: how
    /// many octets that were, a multiple of 64.
    @inline(__always)
    private static func mixWide(
        _ bytes: UnsafeRawBufferPointer,
        _ first: inout UInt64,
        _ second: inout UInt64
    ) -> Int {
        var (a, b, c, d) = (first, second, first ^ 0x8EBC_6AF0_9C88_C6E3, second ^ 0x5899_65CC_7537_4CC3)
        // SAFETY: every load ends within the octets.
        let end = bytes.count & ~63
        var start = unsafe bytes.baseAddress.unsafelyUnwrapped
        let last = unsafe start + end
        while unsafe start < last {
            a = unsafe lane(a, start, 0xA076_1D64_78BD_642F)
            b = unsafe lane(b, start + 16, 0xE703_7ED1_A0B4_28DB)
            c = unsafe lane(c, start + 32, 0x8EBC_6AF0_9C88_C6E3)
            d = unsafe lane(d, start + 48, 0x5899_65CC_7537_4CC3)
            unsafe start += 64
        }
        step(&first, &second, a, b)
        step(&first, &second, c, d)
        return end
    }

    @inline(__always)
    private static func lane(_ state: UInt64, _ start: UnsafeRawPointer, _ secret: UInt64) -> UInt64 {
        let low = unsafe start.loadUnaligned(as: UInt64.self)
        let high = unsafe start.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        return fold(UInt64(littleEndian: low) ^ secret, UInt64(littleEndian: high) ^ state)
    }

    /// The octets behind the last 16, fewer than that. Where there are enough before them, some of those come again:
    /// together with the count that loses nothing.
    @inline(__always)
    private static func tail(of bytes: UnsafeRawBufferPointer, from offset: Int) -> (low: UInt64, high: UInt64) {
        let count = bytes.count
        let rest = count - offset
        if rest == 0 { return (0, 0) }
        if count >= 16 {
            let low = unsafe bytes.loadUnaligned(fromByteOffset: count - 16, as: UInt64.self)
            let high = unsafe bytes.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
            return (UInt64(littleEndian: low), UInt64(littleEndian: high))
        }
        if count >= 8 {
            let low = unsafe bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)
            let high = unsafe bytes.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
            return (UInt64(littleEndian: low), UInt64(littleEndian: high))
        }
        if count >= 4 {
            let low = unsafe bytes.loadUnaligned(fromByteOffset: 0, as: UInt32.self)
            let high = unsafe bytes.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self)
            return (UInt64(UInt32(littleEndian: low)), UInt64(UInt32(littleEndian: high)))
        }
        let (first, middle, last) = unsafe (bytes[0], bytes[count / 2], bytes[count - 1])
        return (UInt64(first) | UInt64(middle) &<< 8 | UInt64(last) &<< 16, 0)
    }

    @inline(__always)
    private static func step(_ first: inout UInt64, _ second: inout UInt64, _ low: UInt64, _ high: UInt64) {
        let product = (low ^ first).multipliedFullWidth(by: high ^ second)
        let next = product.low &+ (second &<< 23 | second &>> 41)
        second = product.high ^ first ^ 0xA076_1D64_78BD_642F
        first = next
    }
}

extension ModelledHash: PseudorandomFunction {
    init(_ function: PRF, key: RawSpan) {
        self.init(
            domain: UInt64(function.rawValue) &<< 8,
            key: key,
            RawSpan(),
            outputByteCount: function.outputByteCount
        )
    }

    mutating func absorb(_ bytes: RawSpan) {
        var state = (first, second)
        Self.mix(bytes, into: &state)
        (first, second) = state
    }

    /// All that is wanted at once: the state has absorbed the seed, and the first blocks need not be known.
    mutating func expand(
        _ function: PRF,
        _ a: RawSpan,
        _ b: RawSpan,
        _ c: RawSpan,
        into out: UnsafeMutableRawBufferPointer
    ) {
        absorb(a)
        absorb(b)
        absorb(c)
        // What prf+ counts its blocks with keeps it apart from prf(K, a | b | c).
        let number = InlineArray<1, UInt8>(repeating: 1)
        unsafe absorb(number.span.bytes)
        unsafe write(into: out)
    }

    mutating func finish(into out: UnsafeMutableRawPointer) {
        unsafe write(into: UnsafeMutableRawBufferPointer(start: out, count: outputByteCount))
    }
}
