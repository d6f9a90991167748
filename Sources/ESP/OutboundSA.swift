package import IKECrypto
package import IKEWire

/// Why no packet was sealed.
package enum SealingError: Error, Hashable, Sendable {
    /// The last sequence number has been sent. The SA has wiped its keys, and a rekey is too late (RFC 4303 section
    /// 3.3.3).
    case sequenceNumbersExhausted
}

/// The SA that this end sends on.
///
/// It counts its packets by the sequence number, and never the same twice under its keys.
package struct OutboundSA: ~Copyable {
    /// Names the SA at the peer.
    package let spi: ChildSPI
    package let mode: ESPMode
    /// The number of the last packet.
    package private(set) var number: SequenceNumber
    package private(set) var usage = Usage()
    private let form: PacketForm
    private var protection: PacketProtection

    /// - Parameter number: That of the last packet before; anything but 0 is for tests.
    package init(
        spi: ChildSPI,
        mode: ESPMode,
        algorithms: PacketAlgorithms,
        encryptionKey: borrowing SecretBytes,
        integrityKey: borrowing SecretBytes,
        number: SequenceNumber = .zero
    ) {
        precondition(spi.rawValue != 0, "an SPI is not 0")
        self.spi = spi
        self.mode = mode
        self.number = number
        form = PacketForm(algorithms)
        protection = PacketProtection(
            algorithms,
            .outbound,
            encryptionKey: encryptionKey,
            integrityKey: integrityKey
        )
    }

    package var algorithms: PacketAlgorithms { protection.algorithms }

    /// How many more packets can be sealed: what tells the driver that a rekey is due before there are none.
    package var remainingCount: UInt64 {
        SequenceNumber.last(usesESN: form.usesESN).rawValue - number.rawValue
    }

    /// Where a payload stands in the buffer that it is sealed in.
    package var payloadOffset: Int { form.bodyOffset }

    /// How long the packet with a payload is, TFC padding included in the payload's length.
    package func packetByteCount(payloadByteCount: Int) -> Int {
        form.fixedByteCount + form.paddedByteCount(payloadByteCount)
    }
}

extension OutboundSA {
    /// Makes a packet of a payload in place, and returns how long it is.
    ///
    /// - Parameters:
    ///   - buffer: Room for the packet, with the payload at `payloadOffset`.
    ///   - next: What the payload is: `.none` makes a dummy packet of any octets.
    ///   - paddedByteCount: How long the payload is to look, by TFC padding; only for payloads that tell their own
    ///     length (RFC 4303 section 2.7).
    package mutating func seal(
        _ buffer: inout MutableRawSpan,
        payloadByteCount: Int,
        next: IPProtocol,
        paddedByteCount: Int = 0,
        _ cryptography: borrowing Cryptography
    ) throws(SealingError) -> Int {
        precondition(mode.carries(next) || next == .none, "an SA carries what its mode is for")
        guard remainingCount > 0 else {
            protection.end()
            throw .sequenceNumbersExhausted
        }
        number = SequenceNumber(rawValue: number.rawValue + 1)
        let lookingByteCount = max(payloadByteCount, paddedByteCount)
        let end = form.bodyOffset + form.paddedByteCount(lookingByteCount)
        let byteCount = end + form.icvByteCount
        precondition(payloadByteCount >= 0 && buffer.byteCount >= byteCount, "the buffer has room for the packet")
        if lookingByteCount > payloadByteCount {
            precondition(ESPTrailer.tellsLength(next), "TFC padding follows what tells its own length")
            for index in form.bodyOffset + payloadByteCount..<form.bodyOffset + lookingByteCount {
                buffer.storeBytes(of: 0, toByteOffset: index, as: UInt8.self)
            }
        }
        // SAFETY: just checked that the packet is in the buffer, and its trailer fits behind what it looks like.
        unsafe buffer.withUnsafeMutableBytes { octets in
            guard let packet = octets.baseAddress else { return }
            unsafe ESPTrailer.write(into: packet, behind: form.bodyOffset + lookingByteCount, end: end, next: next)
            unsafe writeHeader(into: packet)
        }
        var packet = buffer._mutatingExtracting(first: byteCount)
        protection.seal(&packet, number: number.rawValue, cryptography)
        usage.count(payloadByteCount)
        return byteCount
    }

    /// SPI, sequence number and, in the place of the IV, the sequence number again: under one key it never repeats.
    ///
    /// SAFETY: there is room for them.
    @unsafe
    @inline(__always)
    private func writeHeader(into packet: UnsafeMutableRawPointer) {
        let header = UInt64(spi.rawValue) << 32 | UInt64(number.low)
        switch form.ivByteCount {
        case 8:
            // At once, as it is read at once when it is authenticated.
            let octets = SIMD2(header.bigEndian, number.rawValue.bigEndian)
            unsafe packet.storeBytes(of: octets, as: SIMD2<UInt64>.self)
        case 16:
            unsafe packet.storeBytes(of: header.bigEndian, as: UInt64.self)
            unsafe packet.storeBytes(of: 0, toByteOffset: 8, as: UInt64.self)
            unsafe packet.storeBytes(of: number.rawValue.bigEndian, toByteOffset: 16, as: UInt64.self)
        default: unsafe packet.storeBytes(of: header.bigEndian, as: UInt64.self)
        }
    }
}
