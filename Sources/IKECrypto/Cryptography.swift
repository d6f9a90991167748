import Primitives

/// Who computes.
package enum CryptoBackend: Hashable, Sendable {
    /// Every operation is computed by libcrypto.
    case openSSL

    /// Agreements, PRFs and integrity codes are cheap keyed hashes of the same lengths, and plaintext stays in clear;
    /// random octets, SHA-1 of NAT detection and cookies are real. What must fail, fails; nothing is secret.
    case modelled
}

/// Who computes what `CryptoBackend.openSSL` is asked for in a batch; the results are the same.
package enum BatchLibrary: Hashable, Sendable {
    /// libcrypto, one operation at a time.
    case openSSL

    /// libcrypto_mb, eight operations at a time, where it is there, knows the operation and is faster.
    case cryptoMB
}

/// A place in the stream of random octets of one entity.
///
/// Each draw begins a new block of the stream, so that what one draw takes does not depend on the draws before it.
package struct KeyMaterialStream: Hashable, Sendable, BitwiseCopyable {
    /// The hash of the entity's stable name.
    package let entity: UInt64

    /// How many blocks have been drawn.
    package var counter: UInt64

    package init(entity: UInt64, counter: UInt64 = 0) {
        self.entity = entity
        self.counter = counter
    }
}

/// All that one worker computes with: the run's seed, algorithms fetched once, contexts that are reused.
///
/// It has no state that a result depends on, and belongs to one thread.
package struct Cryptography: ~Copyable {
    package let backend: CryptoBackend

    /// Who computes ESP packets; nil for who is faster with those of each SA.
    let packets: PacketLibrary?

    let batchLibrary: BatchLibrary

    let seed: SecretBytes

    let ciphers: CipherContexts

    /// What every backend refuses.
    let ranges: PublicValueRanges

    /// Only of the backend that computes with it: it takes 0.1 ms to make, and a simulation has many of these.
    let keyExchanges: OpenSSLKeyExchange?

    let credentials = ParsedCredentials()

    /// - Parameters:
    ///   - seed: 32 octets, from the run's seed in virtual time and from the operating system in real time.
    ///   - packets: One that this machine has, which tests and benches choose; else the faster one for each SA.
    package init(
        backend: CryptoBackend,
        batchLibrary: BatchLibrary = .openSSL,
        seed: RawSpan,
        packets: PacketLibrary? = nil
    ) throws(CryptoError) {
        precondition(packets != .ipsecMB || IPsecMB.absence == nil, "a library that is asked for is here")
        precondition(seed.byteCount == ChaCha20.keyByteCount, "the seed of key material has 32 octets")
        let ciphers = try CipherContexts()
        let ranges = try PublicValueRanges()
        let keyExchanges: OpenSSLKeyExchange? = backend == .openSSL ? try OpenSSLKeyExchange() : nil
        self.backend = backend
        self.packets = packets
        self.batchLibrary = batchLibrary
        self.seed = SecretBytes(copying: seed)
        self.ciphers = ciphers
        self.ranges = ranges
        self.keyExchanges = keyExchanges
    }
}

// MARK: Random octets, the same for every backend

extension Cryptography {
    package borrowing func fill(_ out: inout MutableRawSpan, from stream: inout KeyMaterialStream) {
        unsafe out.withUnsafeMutableBytes { unsafe fill($0, from: &stream) }
    }

    /// A new secret of random octets.
    package borrowing func secret(count: Int, from stream: inout KeyMaterialStream) -> SecretBytes {
        let secret = SecretBytes(count: count)
        unsafe fill(secret.mutableBuffer, from: &stream)
        return secret
    }

    /// New random octets that are no secret, such as a nonce.
    package borrowing func octets(count: Int, from stream: inout KeyMaterialStream) -> [UInt8] {
        var octets = [UInt8](zeros: count)
        unsafe octets.withUnsafeMutableBytes { unsafe fill($0, from: &stream) }
        return octets
    }

    /// A random number that is no secret, such as an SPI.
    package borrowing func integer(from stream: inout KeyMaterialStream) -> UInt64 {
        var integer: UInt64 = 0
        unsafe withUnsafeMutableBytes(of: &integer) { unsafe fill($0, from: &stream) }
        return UInt64(littleEndian: integer)
    }

    borrowing func fill(_ out: UnsafeMutableRawBufferPointer, from stream: inout KeyMaterialStream) {
        var offset = 0
        while offset < out.count {
            let end = min(offset + ChaCha20.blockByteCount, out.count)
            let block = unsafe UnsafeMutableRawBufferPointer(rebasing: out[offset..<end])
            unsafe ChaCha20.block(key: seed, counter: stream.counter, stream: stream.entity, into: block)
            stream.counter += 1
            offset = end
        }
    }
}

// MARK: Expensive operations

extension Cryptography {
    /// Does what a state machine has asked for.
    package borrowing func perform(_ request: consuming KeyExchangeRequest) -> KeyExchangeResult {
        switch consume request {
        case .generate(let generate): perform(generate)
        case .respond(let respond): perform(respond)
        case .finish(let finish): perform(finish)
        case .sign(let request): perform(request)
        case .verify(let request): perform(request)
        }
    }

    private borrowing func perform(_ request: consuming KeyExchangeRequest.Generate) -> KeyExchangeResult {
        do throws(CryptoError) {
            return .generated(try keyPair(request.method, randomness: request.randomness))
        } catch {
            return .refused(error)
        }
    }

    private borrowing func perform(_ request: consuming KeyExchangeRequest.Respond) -> KeyExchangeResult {
        do throws(CryptoError) {
            try ranges.validate(request.peerPublicValue, for: request.method, isResponse: false)
            guard !request.method.isKEM else { return .responded(try encapsulation(request)) }
            let pair = try keyPair(request.method, randomness: request.randomness)
            let secret = try agreement(request.method, pair.privateKey, pair.publicValue, request.peerPublicValue)
            return .responded(KeyExchangeResult.Response(publicValue: pair.publicValue, sharedSecret: secret))
        } catch {
            return .refused(error)
        }
    }

    private borrowing func perform(_ request: consuming KeyExchangeRequest.Finish) -> KeyExchangeResult {
        do throws(CryptoError) {
            try ranges.validate(request.peerPublicValue, for: request.method, isResponse: true)
            return .finished(
                try agreement(request.method, request.privateKey, request.publicValue, request.peerPublicValue)
            )
        } catch {
            return .refused(error)
        }
    }

    private borrowing func keyPair(
        _ method: KeyExchangeMethod,
        randomness: borrowing EphemeralSecret
    ) throws(CryptoError) -> KeyExchangeResult.KeyPair {
        precondition(randomness.count == method.randomByteCount, "a key pair gets the randomness that it asks for")
        switch keyExchanges {
        case .some(let methods): return try methods.keyPair(method, randomness: randomness)
        case .none:
            return method.isKEM
                ? ModelledKEM.keyPair(method, randomness: randomness)
                : ModelledKeyExchange.keyPair(method, randomness: randomness)
        }
    }

    private borrowing func encapsulation(
        _ request: borrowing KeyExchangeRequest.Respond
    ) throws(CryptoError) -> KeyExchangeResult.Response {
        let (method, key) = (request.method, request.peerPublicValue)
        switch backend {
        case .openSSL: return try MLKEM.encapsulation(method, to: key, randomness: request.randomness)
        case .modelled: return ModelledKEM.encapsulation(method, to: key, randomness: request.randomness)
        }
    }

    private borrowing func agreement(
        _ method: KeyExchangeMethod,
        _ privateKey: borrowing EphemeralSecret,
        _ publicValue: [UInt8],
        _ peerPublicValue: [UInt8]
    ) throws(CryptoError) -> SharedSecret {
        switch keyExchanges {
        case .some(let methods): return try methods.agreement(method, privateKey, publicValue, peerPublicValue)
        case .none:
            return method.isKEM
                ? ModelledKEM.decapsulation(method, privateKey, peerPublicValue)
                : try ModelledKeyExchange.agreement(method, privateKey, peerPublicValue)
        }
    }
}
