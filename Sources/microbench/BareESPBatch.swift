import CIPsecMB
import COpenSSL
import IKECrypto

/// What two ends pay for a packet.
struct ESPPrice {
    var seal = Double.infinity
    var open = Double.infinity

    var both: Double { seal + open }

    /// The least of both, each by itself.
    mutating func lower(to other: Self) {
        seal = min(seal, other.seal)
        open = min(open, other.open)
    }
}

/// A library's own calls for AES-128-GCM, and nothing around them.
protocol BareESPCalls: ~Copyable {
    init()

    /// Encrypts a packet in place: 16 octets of header, of which 8 are associated data, body, room for the ICV.
    func seal(_ packet: UnsafeMutablePointer<UInt8>, _ byteCount: Int, _ number: UInt64)

    func open(_ packet: UnsafeMutablePointer<UInt8>, _ byteCount: Int, _ number: UInt64)
}

/// Packets for bare calls: as many as both ends get, one behind the other.
@safe
struct BareESPBatch<Calls: BareESPCalls & ~Copyable>: ~Copyable {
    static var count: Int { 64 }
    static var rounds: Int { 100 }

    private let byteCount: Int
    private let stride: Int
    private let buffer: UnsafeMutablePointer<UInt8>
    private let calls = Calls()
    private var number: UInt64 = 0

    init(_ byteCount: Int) {
        self.byteCount = byteCount
        stride = 16 + byteCount + 16
        unsafe buffer = .allocate(capacity: Self.count * stride)
        unsafe buffer.initialize(repeating: 0, count: Self.count * stride)
    }

    deinit { unsafe buffer.deallocate() }

    mutating func round() -> ESPPrice {
        var (sealing, opening) = (UInt64(0), UInt64(0))
        for _ in 0..<Self.rounds {
            let first = number
            let start = Stopwatch()
            for index in 0..<Self.count {
                number += 1
                unsafe calls.seal(buffer + index * stride, byteCount, number)
            }
            sealing += start.nanoseconds
            let middle = Stopwatch()
            for index in 0..<Self.count {
                unsafe calls.open(buffer + index * stride, byteCount, first + UInt64(index) + 1)
            }
            opening += middle.nanoseconds
        }
        let count = Double(Self.rounds * Self.count)
        return ESPPrice(seal: Double(sealing) / count, open: Double(opening) / count)
    }
}

/// libcrypto's: a context for each direction, keyed once, that is given a nonce for each packet.
@safe
struct BareOpenSSL: BareESPCalls, ~Copyable {
    private let sealing: OpaquePointer
    private let opening: OpaquePointer

    init() {
        guard let algorithm = unsafe EVP_CIPHER_fetch(nil, "AES-128-GCM", nil),
            let sealing = unsafe EVP_CIPHER_CTX_new(), let opening = unsafe EVP_CIPHER_CTX_new()
        else { preconditionFailure("libcrypto has AES-128-GCM") }
        let key = [UInt8](repeating: 0, count: 16)
        unsafe EVP_CipherInit_ex(sealing, algorithm, nil, key, nil, 1)
        unsafe EVP_CipherInit_ex(opening, algorithm, nil, key, nil, 0)
        unsafe EVP_CIPHER_free(algorithm)
        unsafe self.sealing = sealing
        unsafe self.opening = opening
    }

    deinit {
        unsafe EVP_CIPHER_CTX_free(sealing)
        unsafe EVP_CIPHER_CTX_free(opening)
    }

    func seal(_ packet: UnsafeMutablePointer<UInt8>, _ byteCount: Int, _ number: UInt64) {
        unsafe run(sealing, packet, byteCount, number, encrypts: 1)
    }

    func open(_ packet: UnsafeMutablePointer<UInt8>, _ byteCount: Int, _ number: UInt64) {
        unsafe run(opening, packet, byteCount, number, encrypts: 0)
    }

    private func run(
        _ context: OpaquePointer,
        _ packet: UnsafeMutablePointer<UInt8>,
        _ byteCount: Int,
        _ number: UInt64,
        encrypts: Int32
    ) {
        let body = unsafe packet + 16
        let tag = unsafe body + byteCount
        var nonce = SIMD4(UInt32(0), UInt32(truncatingIfNeeded: number), 0, 0)
        var written: Int32 = 0
        var isDone = unsafe withUnsafeBytes(of: &nonce) {
            unsafe EVP_CipherInit_ex(
                context,
                nil,
                nil,
                nil,
                $0.baseAddress?.assumingMemoryBound(to: UInt8.self),
                encrypts
            ) == 1
        }
        isDone = unsafe isDone && EVP_CipherUpdate(context, nil, &written, packet, 8) == 1
        if encrypts == 0 { isDone = unsafe isDone && cossl_set_tag(context, tag, 16) == 1 }
        isDone =
            unsafe isDone && EVP_CipherUpdate(context, body, &written, body, Int32(byteCount)) == 1
            && EVP_CipherFinal_ex(context, tag, &written) == 1
        if encrypts == 1 { isDone = unsafe isDone && cossl_get_tag(context, tag, 16) == 1 }
        precondition(isDone, "libcrypto seals and opens")
    }
}

/// libipsec-mb's: one call, which does not compare ICVs.
@safe
struct BareIPsecMB: BareESPCalls, ~Copyable {
    private let sealing: UnsafeMutablePointer<cipsecmb_key>
    private let opening: UnsafeMutablePointer<cipsecmb_key>

    init() {
        let key = [UInt8](repeating: 0, count: 16)
        guard let sealing = unsafe cipsecmb_key_make(cipsecmb_aes_gcm_128, 1, key),
            let opening = unsafe cipsecmb_key_make(cipsecmb_aes_gcm_128, 0, key)
        else { preconditionFailure("there is memory for keys") }
        unsafe self.sealing = sealing
        unsafe self.opening = opening
    }

    deinit {
        unsafe cipsecmb_key_end(sealing)
        unsafe cipsecmb_key_end(opening)
    }

    func seal(_ packet: UnsafeMutablePointer<UInt8>, _ byteCount: Int, _ number: UInt64) {
        var nonce = SIMD4(UInt32(0), UInt32(truncatingIfNeeded: number), 0, 0)
        let body = unsafe packet + 16
        unsafe cipsecmb_compute(sealing, &nonce, packet, 8, body, byteCount, body + byteCount, 16)
    }

    func open(_ packet: UnsafeMutablePointer<UInt8>, _ byteCount: Int, _ number: UInt64) {
        var nonce = SIMD4(UInt32(0), UInt32(truncatingIfNeeded: number), 0, 0)
        var code = (UInt64(0), UInt64(0))
        let body = unsafe packet + 16
        unsafe cipsecmb_compute(opening, &nonce, packet, 8, body, byteCount, &code, 16)
    }
}
