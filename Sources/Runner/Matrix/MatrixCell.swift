import Primitives
package import Workload

/// One thing that `matrix` asks of a gateway, by one client that comes, does it, and goes.
package struct MatrixCell: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// A key exchange method with a cipher.
        case algorithms
        /// Another PRF, ML-KEM, or extended sequence numbers, with what works already.
        case transform
        /// The template's population of this number, with its own credentials.
        case authentication(Int)
        case feature(MatrixFeature)
    }

    package var kind: Kind
    package var name: String
    package var proposals: Workload.Proposals
    /// Of the cells of kind `algorithms`.
    package var cipher: MatrixCipher?
    package var keyExchange: String?
    /// What it signs with, where that is the question.
    package var signature: Workload.SignatureName?
    /// The method of EAP, where that is the question.
    package var method: Workload.EAP.Method?

    /// The template's population whose credentials it has.
    var population: Int { if case .authentication(let number) = kind { number } else { 0 } }

    var feature: MatrixFeature? { if case .feature(let feature) = kind { feature } else { nil } }
}

/// A cipher, with the integrity algorithm and the PRF that it is tried with.
package struct MatrixCipher: Hashable, Sendable {
    /// In a proposal for IKE, without a key exchange.
    package var ike: String
    /// In a proposal for ESP.
    package var child: String

    init(_ child: String, prf: String? = nil) {
        self.child = child
        ike = child + (prf.map { "-" + $0 } ?? "")
    }

    func proposals(_ keyExchange: String) -> Workload.Proposals {
        Workload.Proposals(ike: [ike + "-" + keyExchange], child: [child])
    }
}

extension MatrixCipher {
    /// All that this version speaks: AES-GCM of every key and ICV length, ChaCha20-Poly1305, AES-CBC with each
    /// integrity algorithm.
    package static let all: [MatrixCipher] =
        ["aes128gcm16", "aes192gcm16"].map { MatrixCipher($0, prf: "prfsha256") }
        + [MatrixCipher("aes256gcm16", prf: "prfsha384"), MatrixCipher("chacha20poly1305", prf: "prfsha256")]
        + ["aes128gcm12", "aes256gcm12", "aes128gcm8", "aes256gcm8"].map { MatrixCipher($0, prf: "prfsha256") }
        + ["aes128-sha256", "aes192-sha256", "aes256-sha256", "aes256-sha384", "aes256-sha512", "aes128-sha1"]
        .map { MatrixCipher($0) }

    package static let keyExchanges = CalibrationTrial.keyExchanges
    package static let postQuantum = ["mlkem768", "mlkem1024"]
    package static let prfs = ["prfsha1", "prfsha256", "prfsha384", "prfsha512"]

    /// The IKE proposals of everything at once, for the canary: RFC 7296 section 3.3 keeps AEADs apart.
    static func everything(_ ciphers: [MatrixCipher], _ keyExchanges: [String]) -> Workload.Proposals {
        let combined = ciphers.filter { $0.ike != $0.child }
        let separate = ciphers.filter { $0.ike == $0.child }
        func words(_ ciphers: [MatrixCipher]) -> [String] {
            var words: [String] = []
            for word in ciphers.flatMap({ $0.ike.split(separator: "-").map(String.init) }) where !words.contains(word) {
                words.append(word)
            }
            return words
        }
        let ike = [combined, separate].filter { !$0.isEmpty }.map { (words($0) + keyExchanges).joined(separator: "-") }
        return Workload.Proposals(ike: ike, child: ciphers.map(\.child))
    }
}
