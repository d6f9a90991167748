import CCryptoMB
import COpenSSL
import Primitives

/// What kind of key signs in lanes.
enum LaneKey: Hashable, BitwiseCopyable {
    case p256, p384
    case rsa(modulusByteCount: Int)
    case ed25519

    /// nil where the library does not know the key, or the scheme's hash is none.
    init?(_ key: SignatureKey, _ scheme: SignatureScheme) {
        guard scheme.fits(key) else { return nil }
        switch key {
        case .p256: self = .p256
        case .p384: self = .p384
        case .p521: return nil
        case .ed25519: self = .ed25519
        case .rsa(let count):
            guard [256, 384, 512].contains(count) else { return nil }
            self = .rsa(modulusByteCount: count)
        }
    }

    /// What numbers of the key's signatures are long.
    fileprivate var width: Int {
        switch self {
        case .p256, .ed25519: 32
        case .p384: 48
        case .rsa(let count): count
        }
    }

    fileprivate var curve: ccmb_curve { self == .p256 ? ccmb_p256 : ccmb_p384 }
}

/// What is signed in lanes, with what, and what came out.
struct SigningLanes: ~Copyable {
    private let kind: LaneKey
    private let memory: LaneMemory
    /// Digests of ECDSA, encoded messages of RSA.
    private let inputs: LaneRow
    /// ECDSA's k, Ed25519's public keys.
    private let nonces: LaneRow
    private let privateKeys: LaneRow
    private let signatures: LaneRow
    /// What Ed25519 signs, which takes it whole.
    private var messages = Messages()

    init(_ kind: LaneKey) {
        self.kind = kind
        let width = kind.width
        let widths =
            switch kind {
            case .p256, .p384, .ed25519: (width, width, width, 2 * width)
            case .rsa: (width, 0, 5 * width / 2, width)
            }
        let lanes = LaneOperation.laneCount
        memory = LaneMemory(octetCount: lanes * (widths.0 + widths.1 + widths.2 + widths.3))
        inputs = memory.row(from: 0, width: widths.0)
        nonces = memory.row(from: lanes * widths.0, width: widths.1)
        privateKeys = memory.row(from: lanes * (widths.0 + widths.1), width: widths.2)
        signatures = memory.row(from: lanes * (widths.0 + widths.1 + widths.2), width: widths.3)
    }

    /// Whether a lane has all that it needs.
    mutating func write(
        _ key: SigningKey,
        _ scheme: SignatureScheme,
        _ request: borrowing SignatureRequest,
        _ lane: Int
    ) -> Bool {
        let octets = request.octets
        messages.append(octets)
        return unsafe request.randomness.bytes.withUnsafeBytes { seed in
            let seedStart = unsafe seed.baseAddress?.assumingMemoryBound(to: UInt8.self)
            switch kind {
            case .p256, .p384:
                return unsafe cossl_ecdsa_inputs(
                    key.pointer,
                    scheme.hash.bitCount,
                    octets,
                    octets.count,
                    seedStart,
                    seed.count,
                    inputs.start(of: lane),
                    nonces.start(of: lane),
                    privateKeys.start(of: lane),
                    kind.width
                ) == 1
            case .rsa:
                return unsafe cossl_rsa_inputs(
                    key.pointer,
                    scheme.hash.bitCount,
                    scheme.isPSS ? 1 : 0,
                    octets,
                    octets.count,
                    seedStart,
                    seed.count,
                    inputs.start(of: lane),
                    privateKeys.start(of: lane),
                    kind.width
                ) == 1
            case .ed25519:
                var (privateCount, publicCount) = (kind.width, kind.width)
                return unsafe EVP_PKEY_get_raw_private_key(key.pointer, privateKeys.start(of: lane), &privateCount) == 1
                    && EVP_PKEY_get_raw_public_key(key.pointer, nonces.start(of: lane), &publicCount) == 1
            }
        }
    }

    borrowing func sign(_ count: Int) -> DoneLanes {
        let lanes = UInt32(count)
        switch kind {
        case .p256, .p384:
            return DoneLanes(
                bits: unsafe ccmb_ecdsa_sign(
                    kind.curve,
                    lanes,
                    signatures.start,
                    inputs.start,
                    nonces.start,
                    privateKeys.start
                )
            )
        case .rsa(let width):
            return DoneLanes(
                bits: unsafe ccmb_rsa_private(
                    UInt32(8 * width),
                    lanes,
                    signatures.start,
                    inputs.start,
                    privateKeys.start
                )
            )
        case .ed25519:
            return DoneLanes(
                bits: unsafe ccmb_ed25519_sign(
                    lanes,
                    signatures.start,
                    messages.octets,
                    messages.counts,
                    privateKeys.start,
                    nonces.start
                )
            )
        }
    }

    /// The signature as the scheme has it; nil where it cannot be written so.
    borrowing func signature(of lane: Int, _ scheme: SignatureScheme) -> [UInt8]? {
        let octets = signatures.octets(of: lane)
        switch kind {
        case .rsa, .ed25519: return octets
        case .p256, .p384: return scheme.isRaw ? octets : SignatureKey.structure(ofRaw: octets)
        }
    }
}

/// What is checked in lanes.
struct CheckingLanes: ~Copyable {
    private let kind: LaneKey
    private let memory: LaneMemory
    private let signatures: LaneRow
    /// Digests of ECDSA; what RSA's public operation gives.
    private let digests: LaneRow
    /// x | y, or a modulus.
    private let keys: LaneRow
    /// What Ed25519 checks.
    private var messages = Messages()

    init(_ kind: LaneKey) {
        self.kind = kind
        let width = kind.width
        let widths =
            switch kind {
            case .p256, .p384: (2 * width, width, 2 * width)
            case .ed25519: (2 * width, 0, width)
            case .rsa: (width, width, width)
            }
        let lanes = LaneOperation.laneCount
        memory = LaneMemory(octetCount: lanes * (widths.0 + widths.1 + widths.2))
        signatures = memory.row(from: 0, width: widths.0)
        digests = memory.row(from: lanes * widths.0, width: widths.1)
        keys = memory.row(from: lanes * (widths.0 + widths.1), width: widths.2)
    }

    /// Whether a lane has all that it needs.
    mutating func write(_ leaf: X509Certificate, _ request: VerificationRequest, _ lane: Int) -> Bool {
        let publicKey = unsafe X509_get0_pubkey(leaf.pointer)
        let (signature, octets) = (request.data.signature, request.octets)
        messages.append(octets)
        switch kind {
        case .p256, .p384:
            guard let raw = request.data.scheme.isRaw ? signature : SignatureKey.raw(ofStructure: signature, kind.width)
            else { return false }
            guard raw.count == 2 * kind.width else { return false }
            signatures.write(raw.rawSpan, lane)
            return unsafe cossl_ecdsa_check_inputs(
                publicKey,
                request.data.scheme.hash.bitCount,
                octets,
                octets.count,
                digests.start(of: lane),
                keys.start(of: lane),
                kind.width
            ) == 1
        case .rsa:
            guard signature.count == kind.width,
                unsafe cossl_rsa_modulus(publicKey, keys.start(of: lane), kind.width) == 1
            else { return false }
            // A larger one would be reduced, and is refused by RFC 8017 section 5.2.2.
            guard signature.lexicographicallyPrecedes(keys.octets(of: lane)) else { return false }
            signatures.write(signature.rawSpan, lane)
            return true
        case .ed25519:
            guard signature.count == 2 * kind.width else { return false }
            signatures.write(signature.rawSpan, lane)
            var count = kind.width
            return unsafe EVP_PKEY_get_raw_public_key(publicKey, keys.start(of: lane), &count) == 1
        }
    }

    borrowing func check(_ count: Int) -> DoneLanes {
        let lanes = UInt32(count)
        switch kind {
        case .p256, .p384:
            return DoneLanes(
                bits: unsafe ccmb_ecdsa_verify(kind.curve, lanes, signatures.start, digests.start, keys.start)
            )
        case .rsa(let width):
            return DoneLanes(
                bits: unsafe ccmb_rsa_public(UInt32(8 * width), lanes, digests.start, signatures.start, keys.start)
            )
        case .ed25519:
            return DoneLanes(
                bits: unsafe ccmb_ed25519_verify(
                    lanes,
                    signatures.start,
                    messages.octets,
                    messages.counts,
                    keys.start
                )
            )
        }
    }

    /// Whether what was carried out says that the signature is genuine.
    borrowing func isGenuine(_ leaf: X509Certificate, _ request: VerificationRequest, _ lane: Int) -> Bool {
        guard case .rsa = kind else { return true }
        let (octets, encoded) = (request.octets, digests.octets(of: lane))
        return unsafe cossl_rsa_is_encoded(
            X509_get0_pubkey(leaf.pointer),
            request.data.scheme.hash.bitCount,
            request.data.scheme.isPSS ? 1 : 0,
            octets,
            octets.count,
            encoded,
            encoded.count
        ) == 1
    }
}

/// Messages one behind the other, one for each lane.
private struct Messages {
    private(set) var octets: [UInt8] = []
    private(set) var counts: [UInt32] = []

    mutating func append(_ message: [UInt8]) {
        octets += message
        counts.append(UInt32(message.count))
    }
}

extension SignatureKey {
    /// r | s as ECDSA-Sig-Value has it (RFC 3279).
    fileprivate static func structure(ofRaw raw: [UInt8]) -> [UInt8]? {
        var structure = [UInt8](repeating: 0, count: 139)
        var count = structure.count
        guard unsafe cossl_ecdsa_from_raw(raw, raw.count, &structure, &count) == 1 else { return nil }
        return Array(structure[..<count])
    }

    /// r | s of an ECDSA-Sig-Value; nil where that is not written in the one way in which DER writes it.
    fileprivate static func raw(ofStructure structure: [UInt8], _ width: Int) -> [UInt8]? {
        var raw = [UInt8](repeating: 0, count: 2 * width)
        guard unsafe cossl_ecdsa_to_raw(structure, structure.count, &raw, raw.count) == 1 else { return nil }
        return self.structure(ofRaw: raw) == structure ? raw : nil
    }
}
