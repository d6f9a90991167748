import IKECrypto
import Primitives

/// What key exchanges cost in batches of few and of many, with libcrypto and with libcrypto_mb.
func benchmarkBatches() {
    guard MultiBufferLibrary.state == .ready else { return print("libcrypto_mb: \(MultiBufferLibrary.state)") }
    for method in [KeyExchangeMethod.curve25519, .ecp256, .ecp384, .modp2048, .modp3072, .modp4096] {
        for count in [1, 2, 3, 4, 6, 8, 64] {
            for library in [BatchLibrary.openSSL, .cryptoMB] { price(method, count, cryptography(library), library) }
        }
    }
}

/// All that two ends compute for a first handshake, of 64 of them at a time.
func benchmarkHandshakeBatches() {
    for library in [BatchLibrary.openSSL, .cryptoMB] {
        guard library != .cryptoMB || MultiBufferLibrary.state == .ready else { continue }
        priceHandshakes(cryptography(library), "handshake in batches, both ends, \(library.name)")
    }
}

private func cryptography(_ library: BatchLibrary) -> Cryptography {
    let seed = [UInt8](0..<32)
    do throws(CryptoError) {
        return try Cryptography(backend: .openSSL, batchLibrary: library, seed: seed.rawSpan)
    } catch {
        preconditionFailure("libcrypto has every algorithm")
    }
}

extension BatchLibrary {
    fileprivate var name: String { self == .openSSL ? "openssl" : "crypto-mb" }
}

/// Requests, and room for what comes of them.
@safe
private struct Batch: ~Copyable {
    private let requests: UnsafeMutableBufferPointer<KeyExchangeRequest?>
    private let results: UnsafeMutableBufferPointer<KeyExchangeResult?>

    init(count: Int) {
        unsafe requests = .allocate(capacity: count)
        unsafe results = .allocate(capacity: count)
        for place in 0..<count {
            unsafe requests.initializeElement(at: place, to: nil)
            unsafe results.initializeElement(at: place, to: nil)
        }
    }

    deinit {
        unsafe requests.deinitialize().deallocate()
        unsafe results.deinitialize().deallocate()
    }

    @inline(never)
    func ask(_ place: Int, _ request: consuming KeyExchangeRequest) { unsafe requests[place] = consume request }

    @inline(never)
    func perform(_ crypto: borrowing Cryptography) {
        var asked = unsafe requests.mutableSpan
        var answers = unsafe results.mutableSpan
        crypto.perform(&asked, into: &answers)
    }

    @inline(never)
    func result(_ place: Int) -> KeyExchangeResult {
        guard let result = unsafe results[place].take() else { preconditionFailure("each request has a result") }
        return result
    }
}

@inline(never)
private func pair(_ result: consuming KeyExchangeResult) -> KeyExchangeResult.KeyPair {
    switch consume result {
    case .generated(let pair): return pair
    default: preconditionFailure("a key pair is generated")
    }
}

@inline(never)
private func response(_ result: consuming KeyExchangeResult) -> KeyExchangeResult.Response {
    switch consume result {
    case .responded(let response): return response
    default: preconditionFailure("a valid value is answered")
    }
}

@inline(never)
private func secret(_ result: consuming KeyExchangeResult) -> SharedSecret {
    switch consume result {
    case .finished(let secret): return secret
    default: preconditionFailure("both ends agree")
    }
}

private func price(_ method: KeyExchangeMethod, _ count: Int, _ crypto: borrowing Cryptography, _ library: BatchLibrary)
{
    var stream = KeyMaterialStream(entity: 3)
    let randomness = crypto.randomness(for: method, from: &stream)
    let batch = Batch(count: count)
    batch.ask(0, .generate(.init(method: method, randomness: randomness.copy())))
    batch.perform(crypto)
    let own = pair(batch.result(0))
    price("key pair, \(method), \(count) at once, \(library.name)", per: count) {
        for place in 0..<count { batch.ask(place, .generate(.init(method: method, randomness: randomness.copy()))) }
        batch.perform(crypto)
    }
    price("agreement, \(method), \(count) at once, \(library.name)", per: count) {
        for place in 0..<count { batch.ask(place, finish(method, own, own.publicValue)) }
        batch.perform(crypto)
    }
}

private func finish(
    _ method: KeyExchangeMethod,
    _ own: borrowing KeyExchangeResult.KeyPair,
    _ peerPublicValue: [UInt8]
) -> KeyExchangeRequest {
    .finish(
        .init(
            method: method,
            privateKey: own.privateKey.copy(),
            publicValue: own.publicValue,
            peerPublicValue: peerPublicValue
        )
    )
}

private func priceHandshakes(_ crypto: borrowing Cryptography, _ name: String) {
    let method = KeyExchangeMethod.curve25519
    let count = 64
    var stream = KeyMaterialStream(entity: 2)
    var rest = HandshakeRest()
    let beginnings = Batch(count: count)
    let middles = Batch(count: count)
    let ends = Batch(count: count)
    price(name, per: count) {
        for place in 0..<count {
            let randomness = crypto.randomness(for: method, from: &stream)
            beginnings.ask(place, .generate(.init(method: method, randomness: randomness)))
        }
        beginnings.perform(crypto)
        for place in 0..<count {
            let own = pair(beginnings.result(place))
            let randomness = crypto.randomness(for: method, from: &stream)
            middles.ask(
                place,
                .respond(.init(method: method, peerPublicValue: own.publicValue, randomness: randomness))
            )
            // The answer is not there yet: any other valid value takes as long.
            ends.ask(place, finish(method, own, own.publicValue))
        }
        middles.perform(crypto)
        ends.perform(crypto)
        for place in 0..<count {
            let other = response(middles.result(place))
            _ = secret(ends.result(place))
            rest.compute(other.sharedSecret, other.sharedSecret, &stream, crypto)
        }
    }
}
