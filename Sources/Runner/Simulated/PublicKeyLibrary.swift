package import IKECrypto

/// What computes the public-key operations of a simulated run (`--crypto-library`): the same octets, in another time.
package enum PublicKeyLibrary: String, Sendable, CaseIterable {
    /// libcrypto_mb where it is there and the processor fits it, else libcrypto.
    case auto
    case openSSL = "openssl"
    case cryptoMB = "crypto-mb"

    package var chosen: BatchLibrary {
        self != .openSSL && MultiBufferLibrary.state == .ready ? .cryptoMB : .openSSL
    }

    /// Why libcrypto_mb cannot be had; nil where it can.
    package static var obstacle: String? {
        switch MultiBufferLibrary.state {
        case .ready: nil
        case .missing: "libcrypto_mb is not installed; `make accelerate` puts it into \(MultiBufferLibrary.folder)"
        case .unfitProcessor: "\(MultiBufferLibrary.version) wants a processor with AVX-512 IFMA"
        }
    }
}

extension BatchLibrary {
    /// How many operations a worker gathers: all that a window holds, up to where more do not fill lanes any better.
    var batchSize: Int {
        switch self {
        case .openSSL: 1
        case .cryptoMB: 64
        }
    }
}
