/// The keys of one direction of a Child SA, and what protects ESP packets with them.
///
/// A packet is SPI | sequence number | IV | padded plaintext | ICV (RFC 4303 section 2). What a library computes with
/// is made for the first packet and kept until the keys end, so that no packet pays for a key schedule, and an SA
/// without packets has none. It belongs to one thread.
package struct PacketProtection: ~Copyable {
    package enum Direction: Hashable, Sendable, BitwiseCopyable {
        case outbound, inbound
    }

    package let algorithms: PacketAlgorithms

    package let direction: Direction

    private var encryptionKey: SecretBytes

    private var integrityKey: SecretBytes

    private var context = PacketContext.none

    package init(
        _ algorithms: PacketAlgorithms,
        _ direction: Direction,
        encryptionKey: borrowing SecretBytes,
        integrityKey: borrowing SecretBytes
    ) {
        let integrityKeyByteCount = algorithms.integrity?.keyByteCount ?? 0
        precondition(encryptionKey.count == algorithms.cipher.keyByteCount, "an encryption key has its cipher's length")
        precondition(integrityKey.count == integrityKeyByteCount, "an integrity key has its algorithm's length")
        self.algorithms = algorithms
        self.direction = direction
        self.encryptionKey = encryptionKey.copy()
        self.integrityKey = integrityKey.copy()
    }

    /// Whether the keys are still here.
    package var hasKeys: Bool { !encryptionKey.isEmpty }

    /// Wipes the keys, and what was made of them.
    package mutating func end() {
        encryptionKey = SecretBytes()
        integrityKey = SecretBytes()
        context = .none
    }
}

/// What a library keeps of the keys of one direction of a Child SA.
enum PacketContext: ~Copyable {
    /// Before the first packet.
    case none
    /// What the modelled integrity code is once it has absorbed the keys.
    case modelled(ModelledHash)
    case openSSL(OpenSSLPacketContext)
    case ipsecMB(IPsecMBContext)
    case ipsecMBChain(IPsecMBChain)

    @inline(__always)
    var isNone: Bool {
        switch self {
        case .none: true
        case .modelled: false
        case .openSSL: false
        case .ipsecMB: false
        case .ipsecMBChain: false
        }
    }
}

extension PacketProtection {
    /// Encrypts and authenticates a whole packet in place.
    ///
    /// - Parameters:
    ///   - packet: SPI | sequence number | IV | padded plaintext | room for the ICV. In the place of the IV stands what
    ///     never stood there before under these keys. With AES-GCM and ChaCha20-Poly1305 it is the IV (RFC 4106 section
    ///     3.1, RFC 7634 section 2). With AES-CBC it is encrypted first, so that the IV cannot be predicted (NIST SP
    ///     800-38A appendix C).
    ///   - number: All 64 bits of the sequence number.
    package mutating func seal(
        _ packet: inout MutableRawSpan,
        number: UInt64,
        _ cryptography: borrowing Cryptography
    ) {
        precondition(direction == .outbound && hasKeys, "packets are sealed by who sends, while there are keys")
        prepare(cryptography)
        unsafe packet.withUnsafeMutableBytes { packet in
            guard let parts = unsafe PacketParts(packet, algorithms) else {
                preconditionFailure("a packet to seal has room for its ICV and fills whole blocks")
            }
            switch context {
            case .openSSL(let context): unsafe context.seal(parts, number, salt: salt, algorithms)
            case .ipsecMB(let context): unsafe context.seal(parts, number, salt: salt, algorithms)
            case .ipsecMBChain(let chain): unsafe chain.seal(parts, number, algorithms)
            case .modelled(let hash): unsafe hash.writeICV(of: parts.authenticated, number, into: parts.icv)
            case .none: preconditionFailure("a packet is prepared for")
            }
        }
    }

    /// Checks and decrypts a whole packet in place; false where the ICV is not the packet's. Such a packet leaves no
    /// plaintext, and must not be read.
    package mutating func open(
        _ packet: inout MutableRawSpan,
        number: UInt64,
        _ cryptography: borrowing Cryptography
    ) -> Bool {
        precondition(direction == .inbound && hasKeys, "packets are opened by who receives, while there are keys")
        prepare(cryptography)
        return unsafe packet.withUnsafeMutableBytes { packet in
            guard let parts = unsafe PacketParts(packet, algorithms) else { return false }
            switch context {
            case .openSSL(let context): return unsafe context.open(parts, number, salt: salt, algorithms)
            case .ipsecMB(let context): return unsafe context.open(parts, number, salt: salt, algorithms)
            case .ipsecMBChain(let chain): return unsafe chain.open(parts, number, algorithms)
            case .modelled(let hash): return unsafe Self.isGenuine(parts, number, hash)
            case .none: preconditionFailure("a packet is prepared for")
            }
        }
    }

    /// SPI and sequence number.
    package static let headerByteCount = 8

    private static func isGenuine(_ parts: PacketParts, _ number: UInt64, _ hash: ModelledHash) -> Bool {
        var code = InlineArray<32, UInt8>(repeating: 0)
        return unsafe withUnsafeMutableBytes(of: &code) { code in
            let code = unsafe UnsafeMutableRawBufferPointer(rebasing: code[..<parts.icv.count])
            unsafe hash.writeICV(of: parts.authenticated, number, into: code)
            return unsafe constantTimeEquals(
                RawSpan(_unsafeBytes: UnsafeRawBufferPointer(code)),
                RawSpan(_unsafeBytes: UnsafeRawBufferPointer(parts.icv))
            )
        }
    }

    @inline(__always)
    private mutating func prepare(_ cryptography: borrowing Cryptography) {
        if context.isNone { makeContext(cryptography) }
    }

    @inline(never)
    private mutating func makeContext(_ cryptography: borrowing Cryptography) {
        let encrypts = direction == .outbound
        if cryptography.backend != .openSSL {
            context = .modelled(ModelledHash(packetsUnder: encryptionKey, integrityKey))
            return
        }
        switch cryptography.packets ?? .faster(algorithms, direction) {
        case .ipsecMB:
            guard let integrity = algorithms.integrity else {
                context = .ipsecMB(IPsecMBContext(algorithms.cipher, encrypts: encrypts, encryptionKey: encryptionKey))
                return
            }
            context = .ipsecMBChain(
                IPsecMBChain(integrity, encryptionKey: encryptionKey, integrityKey: integrityKey)
            )
        case .openSSL:
            context = .openSSL(
                cryptography.ciphers.packetContext(
                    algorithms,
                    encrypts: encrypts,
                    encryptionKey: encryptionKey,
                    integrityKey: integrityKey
                )
            )
        }
    }

    /// What the nonce of an AEAD cipher begins with, as it stands behind the key (RFC 4106 section 8.1).
    private var salt: UInt32 {
        let offset = encryptionKey.count - MemoryLayout<UInt32>.size
        // SAFETY: every key has more than four octets, and any octets are an integer.
        return unsafe encryptionKey.bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self)
    }
}

/// The parts of an ESP packet.
///
/// SAFETY: it lives only while its packet is borrowed for one call.
@unsafe
struct PacketParts {
    let packet: UnsafeMutableRawPointer
    let ivByteCount: Int
    let body: UnsafeMutableRawBufferPointer
    let icv: UnsafeMutableRawBufferPointer

    /// The parts, or nil where the packet is too short or its ciphertext does not fill whole blocks.
    @inline(__always)
    init?(_ packet: UnsafeMutableRawBufferPointer, _ algorithms: PacketAlgorithms) {
        let ivByteCount = algorithms.ivByteCount
        let start = PacketProtection.headerByteCount + ivByteCount
        let bodyByteCount = packet.count - start - algorithms.icvByteCount
        guard bodyByteCount > 0, bodyByteCount & (algorithms.blockByteCount - 1) == 0, let base = packet.baseAddress
        else {
            return nil
        }
        // SAFETY: header, IV, body and ICV are as long together as the packet.
        unsafe self.packet = base
        unsafe self.ivByteCount = ivByteCount
        unsafe body = UnsafeMutableRawBufferPointer(start: base + start, count: bodyByteCount)
        unsafe icv = UnsafeMutableRawBufferPointer(
            start: base + start + bodyByteCount,
            count: algorithms.icvByteCount
        )
    }

    /// Everything before the ICV.
    var authenticated: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(
            start: packet,
            count: PacketProtection.headerByteCount + ivByteCount + body.count
        )
    }

    /// Where the IV begins.
    var iv: UnsafeMutableRawPointer { unsafe packet + PacketProtection.headerByteCount }

    /// salt | IV in the first 12 octets; an implicit IV is the sequence number (RFC 8750 section 4).
    ///
    /// A vector is stored at once: a processor is slow to load as one what was stored in pieces just before.
    @inline(__always)
    func nonce(_ salt: UInt32, _ number: UInt64, _ algorithms: PacketAlgorithms) -> SIMD4<UInt32> {
        let iv =
            algorithms.hasImplicitIV ? number.bigEndian : unsafe iv.loadUnaligned(as: UInt64.self)
        return SIMD4(salt, UInt32(truncatingIfNeeded: iv), UInt32(truncatingIfNeeded: iv &>> 32), 0)
    }

    /// What an AEAD cipher covers besides the body with ESN: SPI | all 64 bits of the sequence number, 12 octets.
    /// Without, it is the header as it stands (RFC 4106 section 5, RFC 7634 section 2.1).
    @inline(__always)
    func associatedWithESN(_ number: UInt64) -> SIMD4<UInt32> {
        let spi = unsafe packet.loadUnaligned(as: UInt32.self)
        let (high, low) = (UInt32(truncatingIfNeeded: number &>> 32), UInt32(truncatingIfNeeded: number))
        return SIMD4(spi, high.bigEndian, low.bigEndian, 0)
    }

    /// How many octets `associatedWithESN` has.
    static var associatedByteCountWithESN: Int { 12 }
}
