import IKECrypto
import IKEWire
import Primitives

/// The additional key exchanges of a responder that waits for IKE_AUTH (RFC 9370 section 2.2.2).
struct AnsweredIntermediate: ~Copyable {
    /// The exchanges that are not done yet, the next one first.
    var methods: [KeyExchangeMethod]
    var authentication = IntermediateAuthentication()
    /// The keys that the last exchange made, under which the next request comes, or those before it, under which the
    /// last one may be repeated: whichever the channel does not use.
    var otherKeys: IKEKeys?
    var areOtherKeysNext = true

    init(_ methods: [KeyExchangeMethod]) { self.methods = methods }

    /// Takes a datagram's keys by its message ID: the next request comes under new ones, a repeated one under the old.
    mutating func chooseKeys(for datagram: RawSpan, _ channel: inout Channel) {
        var reader = ByteReader(datagram)
        guard let header = try? Header.decode(from: &reader), var other = otherKeys.take() else { return }
        if (header.messageID == channel.expectedRequest) == areOtherKeysNext {
            channel.exchangeKeys(with: &other)
            areOtherKeysNext.toggle()
        }
        otherKeys = consume other
    }
}

extension IKESA {
    /// A responder that has an IKE_INTERMEDIATE request, and has asked for the value that answers it.
    package struct AnsweringIntermediate: ~Copyable {
        var state: HalfOpen
        let method: KeyExchangeMethod

        var spis: IKESPIPair { state.channel.spis }

        consuming func complete(
            _ result: consuming KeyExchangeResult,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            switch consume result {
            case .responded(let response): return state.answer(response, method, policy: policy, &turn)
            // The peer's value is none of its method's.
            case .refused: return state.refuseIntermediate(.invalidKeyExchange, &turn)
            default: preconditionFailure("a request to respond is answered with a response")
            }
        }
    }
}

extension IKESA.HalfOpen {
    /// Takes the keys that a datagram comes under.
    mutating func chooseKeys(for datagram: RawSpan) {
        guard var progress = intermediate.take() else { return }
        progress.value.chooseKeys(for: datagram, &channel)
        intermediate = consume progress
    }

    /// Takes HDR, SK {KEi(n)}, and asks for the value that answers it.
    consuming func takeIntermediate(
        _ contents: consuming Contents,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) -> IKESA {
        guard var progress = intermediate.take() else {
            turn.giveBack(contents.takeBuffer())
            return drop(&turn)
        }
        guard let method = progress.value.methods.first, let value = contents.publicValue(of: method) else {
            turn.giveBack(contents.takeBuffer())
            return refuseIntermediate(.malformedRequest, &turn)
        }
        channel.absorbIntermediate(contents, isResponse: false, &progress.value.authentication, turn)
        turn.giveBack(contents.takeBuffer())
        intermediate = consume progress
        let randomness = turn.cryptography.randomness(for: method, from: &origin.material)
        turn.output.ask(.respond(.init(method: method, peerPublicValue: value, randomness: randomness)))
        return .answeringIntermediate(IKESA.AnsweringIntermediate(state: self, method: method))
    }

    /// HDR, SK {KEr(n)}; what follows comes under new keys.
    consuming func answer(
        _ response: borrowing KeyExchangeResult.Response,
        _ method: KeyExchangeMethod,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) -> IKESA {
        guard var progress = intermediate.take() else {
            preconditionFailure("IKE_INTERMEDIATE is answered while it goes on")
        }
        channel.sendIntermediate(
            method,
            response.publicValue,
            isResponse: true,
            &progress.value.authentication,
            origin: &origin,
            policy: policy,
            &turn
        )
        progress.value.methods.removeFirst()
        progress.value.otherKeys = channel.intermediateKeys(
            response.sharedSecret,
            ni: initial.initiatorNonce,
            nr: initial.responderNonce,
            turn
        )
        progress.value.areOtherKeysNext = true
        intermediate = consume progress
        return .halfOpen(self)
    }

    /// Ends what comes before IKE_AUTH; false where something is missing.
    mutating func finishIntermediate() -> Bool {
        guard let progress = intermediate.take() else { return true }
        initial.intermediate = progress.value.authentication.octets(ikeAuth: channel.expectedRequest)
        return progress.value.methods.isEmpty
    }

    /// HDR, SK {N(INVALID_SYNTAX)}
    consuming func refuseIntermediate(_ reason: CloseReason, _ turn: inout Turn) -> IKESA {
        channel.respond(.ikeIntermediate, PacketNote(.refusal, isResponse: true), origin: &origin, &turn) { encoder in
            encoder.notify(.invalidSyntax)
        }
        return .closed(spis: channel.spis, reason, &turn)
    }
}
