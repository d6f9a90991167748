import Primitives

// Requests of a batch are grouped by what comes next for them. Eight of a kind are carried out together, and so is a
// rest of fewer where that is still faster. What the library leaves undone, for want of others or because it refuses an
// input, is done one request at a time: every refusal is libcrypto's.
extension Cryptography {
    borrowing func performInLanes(
        _ requests: inout MutableSpan<KeyExchangeRequest?>,
        into results: inout MutableSpan<KeyExchangeResult?>
    ) -> LaneCounts {
        var counts = LaneCounts()
        var plans = [LanePlan](repeating: LanePlan(), count: requests.count)
        for place in plans.indices {
            guard let request = requests[place].take() else { continue }
            plans[place].operation = operation(for: request)
            requests[place] = consume request
        }
        // A response's agreement follows its key pair, and joins those of other requests.
        for stage in LaneOperation.Stage.allCases {
            while let first = plans.firstIndex(where: { $0.operation?.stage == stage }) {
                guard let operation = plans[first].operation else { continue }
                let lanes = gather(operation, from: first, &plans)
                guard lanes.count >= operation.fewest else { continue }
                counts.addCall(of: lanes.count)
                switch operation {
                case .keyPair(let method): makeKeyPairs(method, lanes, &plans, &requests, into: &results)
                case .agreement(let method): agree(method, lanes, plans, &requests, into: &results)
                case .sign(let key): sign(key, lanes, &requests, into: &results)
                case .verify(let key): verify(key, lanes, &requests, into: &results)
                }
            }
        }
        for place in plans.indices {
            guard let request = requests[place].take() else { continue }
            results[place] = plans[place].isResponse ? response(request) : perform(request)
        }
        return counts
    }

    /// What is to be done for a request first; nil for what is done one at a time.
    private borrowing func operation(for request: borrowing KeyExchangeRequest) -> LaneOperation? {
        let operation: LaneOperation?
        switch request {
        case .generate(let generate): operation = .keyPair(generate.method)
        case .respond(let respond):
            guard isValid(respond.peerPublicValue, respond.method, isResponse: false) else { return nil }
            operation = .keyPair(respond.method)
        case .finish(let finish):
            guard isValid(finish.peerPublicValue, finish.method, isResponse: true) else { return nil }
            operation = .agreement(finish.method)
        case .sign(let request): operation = self.operation(signing: request)
        case .verify(let request): operation = self.operation(verifying: request)
        }
        return operation.flatMap { MultiBufferLibrary.knows($0) ? $0 : nil }
    }

    private borrowing func isValid(_ publicValue: [UInt8], _ method: KeyExchangeMethod, isResponse: Bool) -> Bool {
        do throws(CryptoError) {
            try ranges.validate(publicValue, for: method, isResponse: isResponse)
        } catch {
            return false
        }
        switch keyExchanges {
        case .some(let methods): return methods.isOnCurve(method, publicValue)
        case .none: return false
        }
    }

    /// Up to eight requests for which this is next, from a place on; nothing is planned for them any more.
    private borrowing func gather(_ operation: LaneOperation, from first: Int, _ plans: inout [LanePlan]) -> Lanes {
        var lanes = Lanes()
        var place = first
        while place < plans.count, !lanes.isFull {
            if plans[place].operation == operation {
                plans[place].operation = nil
                lanes.append(place)
            }
            place += 1
        }
        return lanes
    }

    /// Ends, one at a time, a response whose key pair is made.
    private borrowing func response(_ request: consuming KeyExchangeRequest) -> KeyExchangeResult {
        switch consume request {
        case .finish(let finish):
            let publicValue = finish.publicValue
            switch perform(.finish(finish)) {
            case .finished(let secret): return .responded(.init(publicValue: publicValue, sharedSecret: secret))
            case .refused(let error): return .refused(error)
            default: preconditionFailure("to finish leads to a secret")
            }
        default: preconditionFailure("a response with a key pair is to be finished")
        }
    }
}

// Key exchanges.
extension Cryptography {
    private borrowing func makeKeyPairs(
        _ method: KeyExchangeMethod,
        _ lanes: Lanes,
        _ plans: inout [LanePlan],
        _ requests: inout MutableSpan<KeyExchangeRequest?>,
        into results: inout MutableSpan<KeyExchangeResult?>
    ) {
        let (privateCount, publicCount) = (method.privateKeyByteCount, method.publicValueByteCount)
        let memory = LaneMemory(octetCount: LaneOperation.laneCount * (privateCount + publicCount))
        let privateKeys = memory.row(from: 0, width: privateCount)
        let publicValues = memory.row(from: LaneOperation.laneCount * privateCount, width: publicCount)
        for lane in 0..<lanes.count {
            guard let request = requests[lanes[lane]].take() else { continue }
            writePrivateKey(for: request, into: privateKeys, lane)
            requests[lanes[lane]] = consume request
        }
        let done = LaneExchange.publicValues(method, lanes.count, privateKeys, publicValues, ranges.prime(of: method))
        for lane in 0..<lanes.count where done.contains(lane) {
            let place = lanes[lane]
            guard let request = requests[place].take() else { continue }
            let publicValue = publicValues.octets(of: lane)
            let privateKey = privateKeys.secret(of: lane)
            switch consume request {
            case .generate: results[place] = .generated(.init(publicValue: publicValue, privateKey: privateKey))
            case .respond(let respond):
                plans[place] = LanePlan(operation: .agreement(method), isResponse: true)
                requests[place] = .finish(
                    .init(
                        method: method,
                        privateKey: privateKey,
                        publicValue: publicValue,
                        peerPublicValue: respond.peerPublicValue
                    )
                )
            default: preconditionFailure("these ask for no key pair")
            }
        }
    }

    private borrowing func writePrivateKey(for request: borrowing KeyExchangeRequest, into row: LaneRow, _ lane: Int) {
        switch request {
        case .generate(let generate): writePrivateKey(generate.method, generate.randomness, into: row, lane)
        case .respond(let respond): writePrivateKey(respond.method, respond.randomness, into: row, lane)
        default: preconditionFailure("these ask for no key pair")
        }
    }

    private borrowing func writePrivateKey(
        _ method: KeyExchangeMethod,
        _ randomness: borrowing EphemeralSecret,
        into row: LaneRow,
        _ lane: Int
    ) {
        precondition(randomness.count == method.randomByteCount, "a key pair gets the randomness that it asks for")
        switch keyExchanges {
        case .some(let methods):
            // A key of zeros, where libcrypto fails, has no public value: libcrypto is then asked again, and says so.
            guard let key = try? methods.privateKey(method, randomness: randomness) else { return }
            row.write(key.bytes, lane)
        case .none: preconditionFailure("libcrypto is there beside libcrypto_mb")
        }
    }

    private borrowing func agree(
        _ method: KeyExchangeMethod,
        _ lanes: Lanes,
        _ plans: [LanePlan],
        _ requests: inout MutableSpan<KeyExchangeRequest?>,
        into results: inout MutableSpan<KeyExchangeResult?>
    ) {
        let counts = (method.privateKeyByteCount, method.publicValueByteCount, method.sharedSecretByteCount)
        let memory = LaneMemory(octetCount: LaneOperation.laneCount * (counts.0 + counts.1 + counts.2))
        let privateKeys = memory.row(from: 0, width: counts.0)
        let peerValues = memory.row(from: LaneOperation.laneCount * counts.0, width: counts.1)
        let secrets = memory.row(from: LaneOperation.laneCount * (counts.0 + counts.1), width: counts.2)
        for lane in 0..<lanes.count {
            guard let request = requests[lanes[lane]].take() else { continue }
            write(request, privateKeys, peerValues, lane)
            requests[lanes[lane]] = consume request
        }
        let prime = ranges.prime(of: method)
        let done = LaneExchange.secrets(method, lanes.count, privateKeys, peerValues, secrets, prime)
        for lane in 0..<lanes.count where done.contains(lane) {
            let place = lanes[lane]
            guard let request = requests[place].take() else { continue }
            let secret = secrets.sharedSecret(of: lane)
            guard plans[place].isResponse else {
                results[place] = .finished(secret)
                continue
            }
            switch consume request {
            case .finish(let finish):
                results[place] = .responded(.init(publicValue: finish.publicValue, sharedSecret: secret))
            default: preconditionFailure("a response is to be finished")
            }
        }
    }

    private borrowing func write(
        _ request: borrowing KeyExchangeRequest,
        _ privateKeys: LaneRow,
        _ peerValues: LaneRow,
        _ lane: Int
    ) {
        switch request {
        case .finish(let finish):
            privateKeys.write(finish.privateKey, lane)
            peerValues.write(finish.peerPublicValue.rawSpan, lane)
        default: preconditionFailure("these are not ready for an agreement")
        }
    }
}
