import Primitives

// Signatures in lanes. What they need of libcrypto (keys in octets, ECDSA's k, the encodings of RSA) is `LaneKey`'s.
extension Cryptography {
    /// What signs in lanes; nil where nothing does, or the request will be refused.
    borrowing func operation(signing request: borrowing SignatureRequest) -> LaneOperation? {
        guard let choice = choice(for: request), let kind = LaneKey(choice.key.key, choice.scheme) else { return nil }
        return .sign(kind)
    }

    /// What checks in lanes; nil where nothing does, or the certificates settle it.
    borrowing func operation(verifying request: VerificationRequest) -> LaneOperation? {
        guard let leaf = trustedLeaf(of: request), let key = leaf.key else { return nil }
        return LaneKey(key, request.data.scheme).map { .verify($0) }
    }

    private borrowing func choice(
        for request: borrowing SignatureRequest
    ) -> (key: SigningKey, scheme: SignatureScheme)? {
        guard let key = try? credentials.key(of: request.credential) else { return nil }
        let scheme = SignatureScheme.choose(from: request.schemes, key: key.key, peerHashes: request.peerHashes)
        return scheme.map { (key, $0) }
    }

    borrowing func sign(
        _ kind: LaneKey,
        _ lanes: Lanes,
        _ requests: inout MutableSpan<KeyExchangeRequest?>,
        into results: inout MutableSpan<KeyExchangeResult?>
    ) {
        var inputs = SigningLanes(kind)
        var choices: [(key: SigningKey, scheme: SignatureScheme)?] = []
        for lane in 0..<lanes.count {
            guard let request = requests[lanes[lane]].take() else { continue }
            choices.append(write(request, into: &inputs, lane))
            requests[lanes[lane]] = consume request
        }
        let done = inputs.sign(lanes.count)
        for lane in 0..<lanes.count where done.contains(lane) {
            guard let choice = choices[lane] else { continue }
            let most = choice.key.key.signatureByteCount(choice.scheme)
            guard let octets = inputs.signature(of: lane, choice.scheme) else { continue }
            requests[lanes[lane]] = nil
            results[lanes[lane]] = .signed(
                Signature(scheme: choice.scheme, octets: octets, missingByteCount: most - octets.count)
            )
        }
    }

    private borrowing func write(
        _ request: borrowing KeyExchangeRequest,
        into inputs: inout SigningLanes,
        _ lane: Int
    ) -> (key: SigningKey, scheme: SignatureScheme)? {
        switch request {
        case .sign(let request):
            guard let choice = choice(for: request) else { return nil }
            return inputs.write(choice.key, choice.scheme, request, lane) ? choice : nil
        default: preconditionFailure("a signature is asked for")
        }
    }

    borrowing func verify(
        _ kind: LaneKey,
        _ lanes: Lanes,
        _ requests: inout MutableSpan<KeyExchangeRequest?>,
        into results: inout MutableSpan<KeyExchangeResult?>
    ) {
        var inputs = CheckingLanes(kind)
        var isWritten = [Bool](repeating: false, count: lanes.count)
        for lane in 0..<lanes.count {
            guard let request = requests[lanes[lane]].take() else { continue }
            isWritten[lane] = write(request, into: &inputs, lane)
            requests[lanes[lane]] = consume request
        }
        let done = inputs.check(lanes.count)
        // What is not genuine is looked at once more, by libcrypto.
        for lane in 0..<lanes.count where isWritten[lane] && done.contains(lane) {
            guard let request = requests[lanes[lane]].take() else { continue }
            if isGenuine(request, inputs, lane) {
                results[lanes[lane]] = .verified(.genuine)
            } else {
                requests[lanes[lane]] = consume request
            }
        }
    }

    private borrowing func write(
        _ request: borrowing KeyExchangeRequest,
        into inputs: inout CheckingLanes,
        _ lane: Int
    ) -> Bool {
        switch request {
        case .verify(let request):
            guard let leaf = trustedLeaf(of: request) else { return false }
            return inputs.write(leaf, request, lane)
        default: preconditionFailure("a check is asked for")
        }
    }

    private borrowing func isGenuine(
        _ request: borrowing KeyExchangeRequest,
        _ inputs: borrowing CheckingLanes,
        _ lane: Int
    ) -> Bool {
        switch request {
        case .verify(let request):
            guard let leaf = trustedLeaf(of: request) else { return false }
            return inputs.isGenuine(leaf, request, lane)
        default: preconditionFailure("a check is asked for")
        }
    }
}
