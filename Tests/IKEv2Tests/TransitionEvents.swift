import IKECrypto
import IKEWire
import IKEv2
import Primitives

/// Something that happens to the machine.
struct TableEvent: Sendable {
    let name: String
    /// Nil where the event cannot be in a state, such as a protected message without keys.
    let apply: @Sendable (Network, TableState) -> Bool

    init(_ name: String, _ apply: @escaping @Sendable (Network, TableState) -> Bool) {
        self.name = name
        self.apply = apply
    }

    // Datagrams that nothing protects.
    static let unprotected = [
        TableEvent("garbage") { network, state in
            network.receive([1, 2, 3], over: Route.test.plain, at: state.side)
            return true
        },
        TableEvent("a message of another IKE SA") { network, state in
            let header = Header(
                initiatorSPI: IKESPI(rawValue: 1),
                responderSPI: IKESPI(rawValue: 2),
                exchange: .informational,
                flags: state.side == .initiator ? [] : .initiator,
                messageID: MessageID(rawValue: 0)
            )
            var writer = ByteWriter()
            let encoder = MessageEncoder(header, into: &writer)
            encoder.finish(into: &writer)
            network.receive(writer.bytes, over: Route.test.plain, at: state.side)
            return true
        },
        TableEvent("the same IKE_SA_INIT request again") { network, state in
            guard state.side == .responder else { return false }
            network.receive(network.wire[0].message, over: network.wire[0].path, at: .responder)
            return true
        },
        .initial("IKE_SA_INIT: a cookie demand") { $0.notify(.cookie, [1, 2, 3, 4, 5, 6, 7, 8]) },
        .initial("IKE_SA_INIT: INVALID_KE_PAYLOAD, P-256") { $0.notify(.invalidKEPayload, integer: 19 as UInt16) },
        .initial("IKE_SA_INIT: INVALID_KE_PAYLOAD, not offered") { $0.notify(.invalidKEPayload, integer: 2 as UInt16) },
        .initial("IKE_SA_INIT: NO_PROPOSAL_CHOSEN") { $0.notify(.noProposalChosen) },
        .initial("IKE_SA_INIT: nothing in it") { _ in },
        TableEvent("IKE_SA_INIT: the answer") { network, state in
            guard state.side == .initiator else { return false }
            if let answer = network.wire.first(where: { $0.to == .initiator && $0.note.operation == .ikeSAInit }) {
                network.receive(answer.message, over: answer.path, at: .initiator)
                return true
            }
            guard network.held.contains(where: { $0.to == .responder }) else { return false }
            network.answer(holdingOperation: true)
            return true
        },
    ]

    private static func initial(_ name: String, _ payloads: @escaping @Sendable (inout MessageEncoder) -> Void)
        -> TableEvent
    {
        TableEvent(name) { network, state in
            guard state.side == .initiator, let spis = network.initiator.current.spis else { return false }
            let header = Header(
                initiatorSPI: spis.initiator,
                responderSPI: .zero,
                exchange: .ikeSAInit,
                flags: .response,
                messageID: .zero
            )
            var writer = ByteWriter()
            var encoder = MessageEncoder(header, into: &writer)
            payloads(&encoder)
            encoder.finish(into: &writer)
            network.receiveHolding(writer.bytes, over: Route.test.plain, at: state.side)
            return true
        }
    }

    // The peer's requests.
    static let requests: [TableEvent] = [
        TableEvent("a request whose ICV is wrong") { network, state in
            guard let subject = Subject(state, in: network) else { return false }
            var message = network.sealed(subject.request(.informational), ForgedPayloads())
            message[message.count - 1] ^= 1
            network.receive(message, over: subject.path, at: state.side)
            return true
        },
        TableEvent("the last request again") { network, state in
            guard let subject = Subject(state, in: network), let message = subject.lastAnswered else { return false }
            network.receive(message, over: subject.path, at: state.side)
            return true
        },
        TableEvent("a request beyond the window") { network, state in
            guard let subject = Subject(state, in: network) else { return false }
            let id = MessageID(rawValue: subject.expectedRequest.rawValue + 1)
            let message = network.sealed(subject.request(.informational, id: id), ForgedPayloads())
            network.receive(message, over: subject.path, at: state.side)
            return true
        },
        .request("SK {}", .informational) { _, _ in },
        .request("SK {N(AUTHENTICATION_FAILED)}", .informational) { encoder, _ in encoder.notify(.authenticationFailed)
        },
        .request("SK {N(COOKIE2)}", .informational) { encoder, _ in encoder.notify(.cookie2, [1, 2, 3, 4, 5, 6, 7, 8])
        },
        .request("SK {N(UPDATE_SA_ADDRESSES), N(COOKIE2)}", .informational) { encoder, _ in
            encoder.notify(.updateSAAddresses)
            encoder.notify(.cookie2, [1, 2, 3, 4, 5, 6, 7, 8])
        },
        .request("SK {D}", .informational) { encoder, _ in encoder.deleteIKESA() },
        .request("SK {D(its Child SA)}", .informational) { encoder, child in encoder.delete(.esp, child.outbound) },
        .request("SK {D(unknown Child SA)}", .informational) { encoder, _ in
            encoder.delete(.esp, ChildSPI(rawValue: 999))
        },
        .request("SK {SA, Ni, TSi, TSr}", .createChildSA) { $0.child($1) },
        .request("SK {SA, Ni, KEi, TSi, TSr}", .createChildSA) { $0.child($1, method: .curve25519) },
        .request("SK {SA, Ni, KEi of no use, TSi, TSr}", .createChildSA) { $0.child($1, method: .ecp384) },
        .request("SK {SA of no use, Ni, TSi, TSr}", .createChildSA) { $0.child($1, "aes192gcm16") },
        .request("SK {SA, Ni, TSi of no use, TSr}", .createChildSA) { encoder, child in
            var child = child
            child.remote = [TrafficSelector(IPPrefix("192.168.0.0/16")!)]
            encoder.child(child)
        },
        .request("SK {N(REKEY_SA), SA, Ni, TSi, TSr}", .createChildSA) { encoder, child in
            encoder.notify(.rekeySA, protocolID: .esp, spi: child.outbound)
            encoder.child(child)
        },
        .request("SK {N(REKEY_SA), SA, Ni, KEi, TSi, TSr}", .createChildSA) { encoder, child in
            encoder.notify(.rekeySA, protocolID: .esp, spi: child.outbound)
            encoder.child(child, method: .curve25519)
        },
        .request("SK {N(REKEY_SA of unknown), SA, Ni, TSi, TSr}", .createChildSA) { encoder, child in
            encoder.notify(.rekeySA, protocolID: .esp, spi: ChildSPI(rawValue: 999))
            encoder.child(child)
        },
        .request("SK {SA, Ni, KEi}", .createChildSA) { encoder, _ in encoder.ike(.curve25519) },
        .request("SK {SA, Ni, KEi of no use}", .createChildSA) { encoder, _ in encoder.ike(.ecp384) },
        .request("SK {SA, Ni, KEi that is none}", .createChildSA) { encoder, _ in
            encoder.ike(.curve25519, value: [UInt8](repeating: 0, count: 32))
        },
        .request("SK {unknown critical payload}", .informational) { encoder, _ in
            encoder.payload(PayloadType(rawValue: 200), isCritical: true, [1].rawSpan)
        },
        .request("SK {malformed}", .informational) { encoder, _ in encoder.payload(.notify, [1].rawSpan) },
        .request("SK {} of an unknown exchange", ExchangeType(rawValue: 240)) { _, _ in },
        TableEvent("IKE_AUTH: the request") { network, state in
            guard state.side == .responder, let request = network.wire.first(where: { $0.note.operation == .ikeAuth })
            else { return false }
            network.receive(request.message, over: request.path, at: .responder)
            return true
        },
        .request("IKE_AUTH: SK {}", .ikeAuth) { _, _ in },
    ]

    private static func request(
        _ name: String,
        _ exchange: ExchangeType,
        _ payloads: @escaping @Sendable (inout MessageEncoder, ForgedChild) -> Void
    ) -> TableEvent {
        TableEvent(name) { network, state in
            guard let subject = Subject(state, in: network) else { return false }
            let child = ForgedChild(network.children(of: state.side).first)
            let message = network.sealed(subject.request(exchange)) { payloads(&$0, child) }
            network.receiveHolding(message, over: subject.path, at: state.side)
            return true
        }
    }

    // The peer's answers.
    static let answers: [TableEvent] = [
        TableEvent("the answer") { network, state in
            guard Subject(state, in: network)?.outstanding != nil else { return false }
            network.deliverLast(to: state.side.other)
            guard network.held.contains(where: { $0.to == state.side && $0.note.isResponse }) else { return false }
            let index = network.held.lastIndex { $0.to == state.side && $0.note.isResponse }!
            let answer = network.held.remove(at: index)
            network.holdsOperations = true
            network.deliver(answer)
            return true
        },
        .answer("SK {N(TEMPORARY_FAILURE)}") { $0.notify(.temporaryFailure) },
        .answer("SK {N(NO_PROPOSAL_CHOSEN)}") { $0.notify(.noProposalChosen) },
        .answer("SK {N(NO_ADDITIONAL_SAS)}") { $0.notify(.noAdditionalSAs) },
        .answer("SK {N(CHILD_SA_NOT_FOUND)}") { encoder in
            encoder.notify(.childSANotFound, protocolID: .esp, spi: ChildSPI(rawValue: 999))
        },
        .answer("SK {N(INVALID_KE_PAYLOAD, P-256)}") { $0.notify(.invalidKEPayload, integer: 19 as UInt16) },
        .answer("SK {N(INVALID_KE_PAYLOAD, not offered)}") { $0.notify(.invalidKEPayload, integer: 2 as UInt16) },
        .answer("SK {N(INVALID_SYNTAX)}") { $0.notify(.invalidSyntax) },
        .answer("SK {N(AUTHENTICATION_FAILED)}") { $0.notify(.authenticationFailed) },
        .answer("SK {N(UNACCEPTABLE_ADDRESSES)}") { $0.notify(.unacceptableAddresses) },
        .answer("SK {}") { _ in },
        .answer("SK {malformed}") { $0.payload(.notify, [1].rawSpan) },
        .answer("SK {unknown critical payload}") { encoder in
            encoder.payload(PayloadType(rawValue: 200), isCritical: true, [1].rawSpan)
        },
        TableEvent("an answer that nobody waits for") { network, state in
            guard let subject = Subject(state, in: network) else { return false }
            var header = subject.request(.informational, id: MessageID(rawValue: 77))
            header.flags.insert(.response)
            network.receive(network.sealed(header, ForgedPayloads()), over: subject.path, at: state.side)
            return true
        },
    ]

    private static func answer(_ name: String, _ payloads: @escaping @Sendable (inout MessageEncoder) -> Void)
        -> TableEvent
    {
        TableEvent("answer: \(name)") { network, state in
            guard let subject = Subject(state, in: network), let header = subject.response() else { return false }
            let message = network.sealed(header, payloads)
            network.receiveHolding(message, over: subject.path, at: state.side)
            return true
        }
    }

    // What the driver does.
    static let driven: [TableEvent] =
        IKESA.Command.allCases.map { command in
            TableEvent("command: \(command)") { network, state in
                network.holdsOperations = true
                network.command(command, at: state.side)
                return true
            }
        } + [
            TableEvent("the initiator moves") { network, state in
                guard state.side == .initiator else { return false }
                network.holdsOperations = true
                network.move(to: .elsewhere)
                return true
            },
            TableEvent("the deadline") { network, state in
                network.holdsOperations = true
                return network.reachDeadline(of: state.side)
            },
            TableEvent("every deadline until something else than a retransmission comes of it") { network, state in
                network.holdsOperations = true
                let before = network.situations(of: state.side)
                for _ in 0..<20 where network.situations(of: state.side) == before {
                    guard network.reachDeadline(of: state.side) else { return false }
                }
                return true
            },
            TableEvent("the result") { network, state in
                guard let request = network.operation.take() else {
                    // A result that nobody waits for.
                    network.complete(.refused(.libraryFailed), at: state.side)
                    return true
                }
                network.holdsOperations = true
                network.complete(network.turn.cryptography.perform(request), at: state.side)
                return true
            },
            TableEvent("the result: refused") { network, state in
                guard network.operation.take() != nil else { return false }
                network.holdsOperations = true
                network.complete(.refused(.invalidPeerPublicValue), at: state.side)
                return true
            },
        ]

    static let all = unprotected + requests + answers + driven
}
