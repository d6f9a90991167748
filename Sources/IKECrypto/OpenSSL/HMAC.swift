import COpenSSL

/// HMAC under one key, whose padded forms are absorbed once.
struct HMAC: ~Copyable {
    private let storage: HMACStorage

    init(_ function: PRF, key: RawSpan) {
        storage = HMACStorage()
        unsafe key.withUnsafeBytes {
            unsafe cossl_hmac_start(storage.pointer, function.digest, $0.baseAddress, $0.count)
        }
    }
}

extension PRF {
    var digest: cossl_digest {
        switch self {
        case .hmacSHA1: cossl_sha1
        case .hmacSHA256: cossl_sha256
        case .hmacSHA384: cossl_sha384
        case .hmacSHA512: cossl_sha512
        }
    }
}

extension HMAC: PseudorandomFunction {
    mutating func absorb(_ bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { unsafe cossl_hmac_update(storage.pointer, $0.baseAddress, $0.count) }
    }

    mutating func finish(into out: UnsafeMutableRawPointer) {
        unsafe cossl_hmac_finish(storage.pointer, out.assumingMemoryBound(to: UInt8.self))
    }
}

// Raw layout for the reason that SecretBytes gives.
@_rawLayout(like: cossl_hmac)
struct HMACStorage: ~Copyable {
    init() {}

    var pointer: UnsafeMutablePointer<cossl_hmac> {
        unsafe withUnsafePointer(to: self) {
            unsafe UnsafeMutableRawPointer(mutating: $0).assumingMemoryBound(to: cossl_hmac.self)
        }
    }

    deinit { unsafe cossl_wipe(pointer, MemoryLayout<cossl_hmac>.size) }
}
