import IKECrypto

/// The lengths that the algorithms of an SA give its packets, as each packet asks for them.
///
/// They are kept here since the optimizer looks through no call of another module for them.
struct PacketForm: BitwiseCopyable, Sendable {
    let usesESN: Bool
    private let ivOctets: UInt8
    private let icvOctets: UInt8
    /// A block's length less 1.
    private let mask: UInt8

    /// SPI and sequence number.
    static let headerByteCount = 8

    init(_ algorithms: PacketAlgorithms) {
        usesESN = algorithms.usesESN
        ivOctets = UInt8(algorithms.ivByteCount)
        icvOctets = UInt8(algorithms.icvByteCount)
        mask = UInt8(algorithms.blockByteCount - 1)
    }

    var ivByteCount: Int { Int(ivOctets) }

    var icvByteCount: Int { Int(icvOctets) }

    /// Where the encrypted octets begin.
    var bodyOffset: Int { Self.headerByteCount + ivByteCount }

    /// What a packet has besides its padded plaintext.
    var fixedByteCount: Int { bodyOffset + icvByteCount }

    /// How long a payload becomes with the least padding that fills whole blocks.
    func paddedByteCount(_ payloadByteCount: Int) -> Int {
        (payloadByteCount + ESPTrailer.fixedByteCount + Int(mask)) & ~Int(mask)
    }

    func fillsBlocks(_ byteCount: Int) -> Bool { byteCount & Int(mask) == 0 }
}
