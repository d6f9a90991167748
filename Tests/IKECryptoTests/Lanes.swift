import IKECrypto
import Primitives
import Testing

/// A result in octets.
enum Outcome: Equatable {
    case nothing
    case generated([UInt8], [UInt8])
    case responded([UInt8], [UInt8])
    case finished([UInt8])
    case signed(Signature)
    case verified(PeerProof)
    case refused(CryptoError)

    init(_ result: consuming KeyExchangeResult?) {
        switch consume result {
        case .none: self = .nothing
        case .some(let result):
            switch consume result {
            case .generated(let pair): self = .generated(pair.publicValue, [UInt8](copying: pair.privateKey))
            case .responded(let response):
                self = .responded(response.publicValue, [UInt8](copying: response.sharedSecret))
            case .finished(let secret): self = .finished([UInt8](copying: secret))
            case .signed(let signature): self = .signed(signature)
            case .verified(let proof): self = .verified(proof)
            case .refused(let error): self = .refused(error)
            }
        }
    }

    var isRefused: Bool { if case .refused = self { true } else { false } }
}

/// Carries requests out in one batch.
func perform(
    _ requests: [() -> KeyExchangeRequest],
    _ crypto: borrowing Cryptography
) -> (outcomes: [Outcome], lanes: LaneCounts) {
    let asked = UnsafeMutableBufferPointer<KeyExchangeRequest?>.allocate(capacity: requests.count)
    let results = UnsafeMutableBufferPointer<KeyExchangeResult?>.allocate(capacity: requests.count)
    for place in requests.indices {
        unsafe asked.initializeElement(at: place, to: requests[place]())
        unsafe results.initializeElement(at: place, to: nil)
    }
    defer {
        unsafe asked.deinitialize().deallocate()
        unsafe results.deinitialize().deallocate()
    }
    var askedSpan = unsafe asked.mutableSpan
    var answers = unsafe results.mutableSpan
    let lanes = crypto.perform(&askedSpan, into: &answers)
    var outcomes: [Outcome] = []
    for place in requests.indices { outcomes.append(Outcome(unsafe results[place].take())) }
    return (outcomes, lanes)
}

/// libcrypto_mb in tests. Where the processor does not fit it, or nobody has installed it, batches are libcrypto's: the
/// tests run all the same, and say what they leave out.
enum Lanes {
    static func cryptography() throws -> Cryptography {
        let seed = [UInt8](0..<32)
        return try Cryptography(backend: .openSSL, batchLibrary: .cryptoMB, seed: seed.rawSpan)
    }

    /// A debug build takes a hundredth: it shows that it does the same, and leaves the rest to release.
    static func count(_ wanted: Int) -> Int {
        #if DEBUG
            max(wanted / 100, 48)
        #else
            wanted
        #endif
    }

    /// Whether lanes were used where they can be.
    static func expectUse(_ counts: LaneCounts, of what: String, sourceLocation: SourceLocation = #_sourceLocation) {
        switch MultiBufferLibrary.state {
        case .ready:
            #expect(counts.operations > 0, "nothing was computed in lanes", sourceLocation: sourceLocation)
            #expect(counts.operations <= LaneCounts.laneCount * counts.calls, sourceLocation: sourceLocation)
        case .missing, .unfitProcessor:
            #expect(counts == LaneCounts(), sourceLocation: sourceLocation)
            print("left out: libcrypto_mb (\(MultiBufferLibrary.state)), \(what)")
        }
    }
}
