import CIPsecMB

/// Which library computes the ICVs and the ciphertext of ESP packets. The packets are the same octets.
package enum PacketLibrary: Hashable, Sendable, CaseIterable {
    case openSSL

    /// Intel's multi-buffer library for IPsec.
    case ipsecMB

    /// The faster one of those that are here, where packets are computed one at a time (docs/decisions/0021).
    package static func faster(
        _ algorithms: PacketAlgorithms,
        _ direction: PacketProtection.Direction
    ) -> PacketLibrary {
        guard IPsecMB.absence == nil else { return .openSSL }
        let isFaster =
            switch algorithms.integrity {
            case nil: true
            case .hmacSHA1, .hmacSHA256: direction == .inbound && IPsecMB.hasSHA
            case .hmacSHA384, .hmacSHA512: false
            }
        return isFaster ? .ipsecMB : .openSSL
    }
}

/// Intel's multi-buffer library for IPsec, which is looked for when it is first asked for.
package enum IPsecMB {
    /// Why the library is not used.
    package enum Absence: Hashable, Sendable {
        /// This program was built without the library's header, or for a processor that is not x86-64.
        case notBuilt
        case notFound
        /// The library that is here is not of the header's version.
        case otherVersion
        /// The processor has no AES instructions.
        case noInstructions
    }

    /// Nil where the library can be used.
    package static var absence: Absence? {
        switch cipsecmb_load() {
        case cipsecmb_ready: nil
        case cipsecmb_not_built: .notBuilt
        case cipsecmb_not_found: .notFound
        case cipsecmb_other_version: .otherVersion
        default: .noInstructions
        }
    }

    /// Whether the library hashes by the processor's SHA instructions.
    package static var hasSHA: Bool { cipsecmb_has_sha() == 1 }

    /// Name and version of the library that was found, as in `libipsec-mb 1.3.0`.
    package static var version: String { unsafe "libipsec-mb " + text(cipsecmb_version()) }

    /// The version that it has to be of, but for its last number.
    package static var neededVersion: String { unsafe text(cipsecmb_header_version()) }

    /// What the library has chosen for this processor, as in `AVX-512 and VAES`.
    package static var instructions: String { unsafe text(cipsecmb_instructions()) }

    // SAFETY: the texts last as long as the process.
    private static func text(_ octets: UnsafePointer<CChar>) -> String { unsafe String(cString: octets) }
}
