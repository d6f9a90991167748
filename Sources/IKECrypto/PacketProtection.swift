/// The keys of one direction of a Child SA, and what protects ESP packets with them.
///
/// A packet is SPI | sequence number | IV | padded plaintext | ICV (RFC 4303 section 2). What libcrypto computes with
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

    /// Nil before the first packet, and where crypto is modelled.
    private var context: PacketContext?

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
        context = nil
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
            case .some(let context):
                unsafe context.seal(parts, number, salt: salt, algorithms)
            case .none:
                unsafe ModelledHash.icv(
                    encryptionKey,
                    integrityKey,
                    of: parts.authenticated,
                    number: number,
                    into: parts.icv
                )
            }
        }
    }

    /// Checks and decrypts a whole packet in place, and returns where its padded plaintext stands; nil where the ICV is
    /// not the packet's. Such a packet leaves no plaintext, and must not be read.
    package mutating func open(
        _ packet: inout MutableRawSpan,
        number: UInt64,
        _ cryptography: borrowing Cryptography
    ) -> Range<Int>? {
        precondition(direction == .inbound && hasKeys, "packets are opened by who receives, while there are keys")
        prepare(cryptography)
        let start = Self.headerByteCount + algorithms.ivByteCount
        let end = packet.byteCount - algorithms.icvByteCount
        let isOpened = unsafe packet.withUnsafeMutableBytes { packet in
            guard let parts = unsafe PacketParts(packet, algorithms) else { return false }
            switch context {
            case .some(let context): return unsafe context.open(parts, number, salt: salt, algorithms)
            case .none: return unsafe isGenuine(parts, number)
            }
        }
        return isOpened ? start..<end : nil
    }

    /// SPI and sequence number.
    package static let headerByteCount = 8

    private borrowing func isGenuine(_ parts: PacketParts, _ number: UInt64) -> Bool {
        var code = InlineArray<32, UInt8>(repeating: 0)
        return unsafe withUnsafeMutableBytes(of: &code) { code in
            let code = unsafe UnsafeMutableRawBufferPointer(rebasing: code[..<parts.icv.count])
            unsafe ModelledHash.icv(
                encryptionKey,
                integrityKey,
                of: parts.authenticated,
                number: number,
                into: code
            )
            return unsafe constantTimeEquals(
                RawSpan(_unsafeBytes: UnsafeRawBufferPointer(code)),
                RawSpan(_unsafeBytes: UnsafeRawBufferPointer(parts.icv))
            )
        }
    }

    @inline(__always)
    private mutating func prepare(_ cryptography: borrowing Cryptography) {
        if context == nil, cryptography.backend == .openSSL { makeContext(cryptography) }
    }

    @inline(never)
    private mutating func makeContext(_ cryptography: borrowing Cryptography) {
        context = cryptography.ciphers.packetContext(
            algorithms,
            encrypts: direction == .outbound,
            encryptionKey: encryptionKey,
            integrityKey: integrityKey
        )
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
        let end = packet.count - algorithms.icvByteCount
        guard start < end, (end - start) & (algorithms.blockByteCount - 1) == 0, let base = packet.baseAddress else {
            return nil
        }
        unsafe self.packet = base
        unsafe self.ivByteCount = ivByteCount
        unsafe body = UnsafeMutableRawBufferPointer(rebasing: packet[start..<end])
        unsafe icv = UnsafeMutableRawBufferPointer(rebasing: packet[end...])
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
}
