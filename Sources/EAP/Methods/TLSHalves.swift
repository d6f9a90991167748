import IKECrypto
import Primitives

/// EAP-TLS at the peer: a TLS client (RFC 5216, RFC 9190).
struct TLSPeer: ~Copyable {
    private var exchange: TLSExchange
    private var hasStarted = false
    /// Whether the server has said all of the handshake.
    private var isCommitted = false
    private(set) var cause: EAPFailure?

    init(connection: consuming TLSConnection, fragmentByteCount: Int) {
        exchange = TLSExchange(connection: connection, fragmentByteCount: fragmentByteCount)
    }

    var canSucceed: Bool { isCommitted && cause == nil }

    consuming func takeMSK() -> SecretBytes { exchange.msk() }

    mutating func respond(
        to data: RawSpan,
        _ cryptography: borrowing Cryptography,
        _ stream: inout KeyMaterialStream,
        into reply: inout ByteWriter
    ) -> EAPPeerStep {
        do throws(DecodeError) {
            guard TLSFragments.isStart(data) != hasStarted else { return .drop(.unexpected) }
            let isSending = exchange.fragments.hasMore
            switch try exchange.fragments.receive(data) {
            case .start:
                hasStarted = true
                take([], cryptography, &stream)
            case .part: break
            case .nothing where isSending: break
            case .whole(let message): take(message, cryptography, &stream)
            case .nothing, .unexpected: return .drop(.unexpected)
            }
        } catch {
            return .malformed(error)
        }
        exchange.fragments.writeNext(into: &reply)
        return .respond
    }

    private mutating func take(
        _ message: [UInt8],
        _ cryptography: borrowing Cryptography,
        _ stream: inout KeyMaterialStream
    ) {
        if exchange.isFinished {
            switch exchange.connection.open(message.rawSpan) {
            case .octets(let octets): if octets == [TLSExchange.commitment] { isCommitted = true }
            case .failed(let failure): cause = .tls(failure)
            }
            return exchange.fragments.send([])
        }
        switch exchange.handshake(message, cryptography, &stream) {
        case .goesOn: break
        // Before TLS 1.3 the server's Finished is the last message.
        case .finished: isCommitted = !exchange.connection.isTLS13
        case .failed(let failure): cause = .tls(failure)
        }
    }
}

/// EAP-TLS at the authenticator: a TLS server.
struct TLSAuthenticator: ~Copyable {
    private var exchange: TLSExchange
    private var hasBegun = false
    private var failure: TLSFailure?

    init(connection: consuming TLSConnection, fragmentByteCount: Int) {
        exchange = TLSExchange(connection: connection, fragmentByteCount: fragmentByteCount)
    }

    consuming func takeMSK() -> SecretBytes { exchange.msk() }

    mutating func writeRequest(into request: inout ByteWriter) {
        if hasBegun { return exchange.fragments.writeNext(into: &request) }
        hasBegun = true
        TLSFragments.writeStart(into: &request)
    }

    mutating func verify(
        _ data: RawSpan,
        _ cryptography: borrowing Cryptography,
        _ stream: inout KeyMaterialStream
    ) -> EAPAuthenticatorStep {
        do throws(DecodeError) {
            let isSending = exchange.fragments.hasMore
            switch try exchange.fragments.receive(data) {
            case .nothing where isSending: return .request
            case .nothing:
                if let failure { return .fail(.tls(failure)) }
                return exchange.isFinished ? .succeed : .drop(.unexpected)
            case .part: return .request
            case .whole(let message): return take(message, cryptography, &stream)
            case .start, .unexpected: return .drop(.unexpected)
            }
        } catch {
            return .malformed(error)
        }
    }

    private mutating func take(
        _ message: [UInt8],
        _ cryptography: borrowing Cryptography,
        _ stream: inout KeyMaterialStream
    ) -> EAPAuthenticatorStep {
        if let failure { return .fail(.tls(failure)) }
        if exchange.isFinished {
            // The peer has more to say only when it ends what this end takes for finished.
            switch exchange.connection.open(message.rawSpan) {
            case .octets: return .fail(.tls(.handshakeFailed))
            case .failed(let failure): return .fail(.tls(failure))
            }
        }
        let progress = exchange.handshake(message, sealing: TLSExchange.commitment, cryptography, &stream)
        guard case .failed(let failure) = progress else { return .request }
        // An alert has to reach the peer before the conversation ends (RFC 5216 section 2.1.3).
        guard exchange.fragments.hasMore else { return .fail(.tls(failure)) }
        self.failure = failure
        return .request
    }
}
