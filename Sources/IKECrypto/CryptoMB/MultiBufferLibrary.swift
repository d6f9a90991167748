import CCryptoMB

/// libcrypto_mb, Intel's library that computes eight public-key operations at once.
///
/// It is looked for when it is first asked about, in the system's places and in `folder`.
package enum MultiBufferLibrary {
    package enum State: Hashable, Sendable {
        case ready
        case missing
        /// The library is there, and the processor has no AVX-512 IFMA.
        case unfitProcessor
    }

    package static var state: State {
        guard ccmb_is_loaded() == 1 else { return .missing }
        return ccmb_abilities() == 0 ? .unfitProcessor : .ready
    }

    /// Its name and version, as in `libcrypto_mb 2.3.0`.
    package static var version: String {
        // SAFETY: the string lasts as long as the process.
        "libcrypto_mb " + (unsafe String(cString: ccmb_version()))
    }

    /// Where it is put when the system has none.
    package static var folder: String { CCMB_FOLDER }

    /// Whether it does this operation on this processor.
    static func knows(_ operation: LaneOperation) -> Bool {
        guard let ability = operation.ability else { return false }
        return ccmb_abilities() & ability.rawValue != 0
    }
}
