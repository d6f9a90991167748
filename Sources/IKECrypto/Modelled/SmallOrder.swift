import Primitives

/// The public values of which X25519 and X448 make zeros, whatever the private key (RFC 7748 section 6).
enum SmallOrder {
    static func isOfCurve25519(_ octets: RawSpan) -> Bool {
        switch (word(0, octets), word(1, octets), word(2, octets), word(3, octets)) {
        case (0, 0, 0, 0), (1, 0, 0, 0),
            (0xAEB8_413B_7C7A_EBE0, 0x6AC4_9FF1_FAE3_5616, 0xFDB1_329C_EB8D_09DA, 0x00B8_495F_1605_6286),
            (0x248C_50A3_BC95_9C5F, 0x5BEF_839C_55B1_D0B1, 0x868E_1C58_C45C_4404, 0x5711_9FD0_DD4E_22D8),
            (0xFFFF_FFFF_FFFF_FFEC, .max, .max, 0x7FFF_FFFF_FFFF_FFFF),
            (0xFFFF_FFFF_FFFF_FFED, .max, .max, 0x7FFF_FFFF_FFFF_FFFF),
            (0xFFFF_FFFF_FFFF_FFEE, .max, .max, 0x7FFF_FFFF_FFFF_FFFF):
            return true
        default:
            return false
        }
    }

    /// 0, 1, p - 1, and p and p + 1, which are 0 and 1 again.
    static func isOfCurve448(_ octets: RawSpan) -> Bool {
        let upper = (word(4, octets), word(5, octets), word(6, octets))
        switch (word(0, octets), word(1, octets), word(2, octets), word(3, octets)) {
        case (0, 0, 0, 0), (1, 0, 0, 0): return upper == (0, 0, 0)
        case (0xFFFF_FFFF_FFFF_FFFE, .max, .max, 0xFFFF_FFFE_FFFF_FFFF), (.max, .max, .max, 0xFFFF_FFFE_FFFF_FFFF),
            (0, 0, 0, 0xFFFF_FFFF_0000_0000):
            return upper == (.max, .max, .max)
        default: return false
        }
    }

    private static func word(_ index: Int, _ octets: RawSpan) -> UInt64 {
        // SAFETY: a public value has its method's length, as its range check says.
        let word = unsafe octets.unsafeLoadUnaligned(fromByteOffset: 8 * index, as: UInt64.self)
        return UInt64(littleEndian: word)
    }
}
