import IKECrypto
import IKEWire
import IKEv2
import Primitives
import Testing

@Suite("A responder's choice (RFC 7296 sections 2.7 and 3.3)")
struct SelectionTests {
    struct Case: CustomTestStringConvertible {
        let name: String
        let offer: [Proposal]
        let allowed: [Proposal]
        /// What is chosen, in the notation of proposals; nil for NO_PROPOSAL_CHOSEN.
        let choice: String?
        var testDescription: String { name }

        init(_ name: String, _ offer: [Proposal], _ allowed: [Proposal], chooses choice: String?) {
            self.name = name
            self.offer = offer
            self.allowed = allowed
            self.choice = choice
        }
    }

    @Test(
        "of IKE proposals is the first that it allows, with one transform of each type",
        arguments: [
            Case(
                "the same",
                .ike("aes128gcm16-prfsha256-x25519"),
                .ike("aes128gcm16-prfsha256-x25519"),
                chooses: "aes128gcm16-prfsha256-x25519"
            ),
            Case(
                "a key length of many",
                .ike("aes128gcm16-aes256gcm16-prfsha256-x25519"),
                .ike("aes256gcm16-prfsha256-x25519"),
                chooses: "aes256gcm16-prfsha256-x25519"
            ),
            Case(
                "the second proposal",
                .ike("aes128gcm16-prfsha512-x25519", "aes128-sha256-prfsha256-x25519"),
                .ike("aes128-sha256-prfsha256-x25519"),
                chooses: "aes128-sha256-prfsha256-x25519"
            ),
            Case(
                "nothing without an algorithm of one type",
                .ike("aes128gcm16-prfsha384-x25519"),
                .ike("aes128gcm16-prfsha256-x25519"),
                chooses: nil
            ),
            Case(
                "nothing of algorithms that never stand in one proposal of the policy",
                .ike("aes128gcm16-prfsha384-x25519"),
                .ike("aes128gcm16-prfsha256-x25519", "aes256gcm16-prfsha384-x25519"),
                chooses: nil
            ),
            Case(
                "the initiator's order of proposals",
                .ike("aes256gcm16-prfsha384-ecp384", "aes128gcm16-prfsha256-x25519"),
                .ike("aes128gcm16-prfsha256-x25519", "aes256gcm16-prfsha384-ecp384"),
                chooses: "aes256gcm16-prfsha384-ecp384"
            ),
            Case(
                "the initiator's order of transforms",
                .ike("aes256-aes192-aes128-sha512-sha1-prfsha512-prfsha1-ecp521"),
                .ike("aes128-aes192-sha1-sha512-prfsha1-prfsha512-ecp521"),
                chooses: "aes192-sha512-ecp521"
            ),
            Case(
                "the key exchange whose value came along, before others",
                .ike("aes128gcm16-prfsha256-x25519-x448"),
                .ike("aes128gcm16-prfsha256-x448-x25519"),
                chooses: "aes128gcm16-prfsha256-x25519"
            ),
            Case(
                "a proposal without an AEAD behind one with",
                .ike("aes128gcm8-prfsha256-x25519", "aes128-sha256-x25519"),
                .ike("aes128-sha256-x25519"),
                chooses: "aes128-sha256-x25519"
            ),
            Case(
                "the cipher of a proposal that mixes both kinds, which needs its integrity algorithm",
                [mixed(.aesGCM16, .aesCBC, integrity: [.hmacSHA256])],
                .ike("aes128gcm16-prfsha256-x25519", "aes128-sha256-x25519"),
                chooses: "aes128-sha256-x25519"
            ),
            Case(
                "no AEAD that an integrity algorithm comes with",
                [mixed(.aesGCM16, .aesCBC, integrity: [.hmacSHA256])],
                .ike("aes128gcm16-prfsha256-x25519"),
                chooses: nil
            ),
            Case(
                "an AEAD that NONE comes with",
                [mixed(.aesGCM16, integrity: [.none])],
                .ike("aes128gcm16-prfsha256-x25519"),
                chooses: "aes128gcm16-prfsha256-x25519"
            ),
            Case(
                "an AEAD that NONE comes with, behind another value",
                [mixed(.aesGCM16, integrity: [.hmacSHA256, .none])],
                .ike("aes128gcm16-prfsha256-x25519"),
                chooses: "aes128gcm16-prfsha256-x25519"
            ),
            Case(
                "an integrity algorithm behind NONE",
                [mixed(.aesCBC, integrity: [.none, .hmacSHA256])],
                .ike("aes128-sha256-x25519"),
                chooses: "aes128-sha256-x25519"
            ),
            Case(
                "nothing without integrity",
                [mixed(.aesCBC, integrity: [.none])],
                .ike("aes128-sha256-x25519"),
                chooses: nil
            ),
            Case(
                "a transform that it knows behind one that nobody does",
                [adding(Transform(type: .encryption, id: 4_711), to: "aes128gcm16-prfsha256-x25519")],
                .ike("aes128gcm16-prfsha256-x25519"),
                chooses: "aes128gcm16-prfsha256-x25519"
            ),
            Case(
                "a transform behind one with an attribute that nobody knows",
                [
                    adding(
                        Transform(type: .prf, id: 7, unknownAttributes: [0x80, 0x63, 0, 1]),
                        to: "aes128gcm16-prfsha256-x25519"
                    )
                ],
                .ike("aes128gcm16-prfsha256-prfsha512-x25519"),
                chooses: "aes128gcm16-prfsha256-x25519"
            ),
            Case(
                "a proposal behind one with a transform type that nobody knows",
                [
                    adding(Transform(type: TransformType(rawValue: 42), id: 0), to: "aes256gcm16-prfsha256-x25519"),
                    Proposal.ike("aes128gcm16-prfsha256-x25519"),
                ],
                .ike("aes256gcm16-prfsha256-x25519", "aes128gcm16-prfsha256-x25519"),
                chooses: "aes128gcm16-prfsha256-x25519"
            ),
            Case(
                "no proposal for IKE with sequence numbers",
                [adding(.extendedSequenceNumbers(.disabled), to: "aes128gcm16-prfsha256-x25519")],
                .ike("aes128gcm16-prfsha256-x25519"),
                chooses: nil
            ),
            Case(
                "no cipher with a key length that it must not have",
                [
                    adding(
                        .encryption(.chacha20Poly1305, keyLength: 256),
                        to: "aes256gcm16-prfsha256-x25519"
                    )
                ],
                .ike("chacha20poly1305-prfsha256-x25519"),
                chooses: nil
            ),
        ]
    )
    func choosesIKE(_ row: Case) {
        tell(
            initiator: .client { $0.ikeProposals = row.offer },
            responder: .gateway { $0.ikeProposals = row.allowed }
        ) { network in
            network.run(for: .seconds(1))
            let situation = row.choice == nil ? "closed (no-proposal-chosen)" : "established"
            #expect(network.situation(of: .initiator) == situation)
            let suites = Side.both.compactMap { side in
                network.withCurrent(of: side) { sa in sa.withChannel { $0.suite } } ?? nil
            }
            let wanted = row.choice.map { IKESuite(Proposal.ike($0)) }
            #expect(suites == (wanted.map { [$0, $0] } ?? []))
        }
    }

    @Test(
        "of Child proposals is the first that it allows, with the sequence numbers that both ends want",
        arguments: [
            Case("32 bits", .esp("aes128gcm16"), .esp("aes128gcm16"), chooses: "aes128gcm16"),
            Case("64 bits", .esp("aes128gcm16-esn"), .esp("aes128gcm16-noesn-esn"), chooses: "aes128gcm16-esn"),
            Case(
                "the initiator's order",
                .esp("aes128gcm16-esn-noesn"),
                .esp("aes128gcm16-noesn-esn"),
                chooses: "aes128gcm16-esn"
            ),
            Case("32 bits of both", .esp("aes128gcm16-esn-noesn"), .esp("aes128gcm16"), chooses: "aes128gcm16"),
            Case("not 64 bits", .esp("aes128gcm16-esn"), .esp("aes128gcm16"), chooses: nil),
            Case("not 32 bits", .esp("aes128gcm16"), .esp("aes128gcm16-esn"), chooses: nil),
            Case("no number at all", [without(.extendedSequenceNumbers)], .esp("aes128gcm16"), chooses: nil),
            Case(
                "a proposal behind one without a number",
                [without(.extendedSequenceNumbers), Proposal.esp("aes256gcm16")],
                .esp("aes128gcm16-aes256gcm16"),
                chooses: "aes256gcm16"
            ),
            Case(
                "a proposal behind one with a PRF",
                [
                    adding(.prf(.hmacSHA256), to: .esp("aes128gcm16")), Proposal.esp("aes256gcm16"),
                ],
                .esp("aes128gcm16-aes256gcm16"),
                chooses: "aes256gcm16"
            ),
            Case(
                "an AEAD with NONE",
                [adding(.integrity(.none), to: .esp("aes192gcm12"))],
                .esp("aes192gcm12"),
                chooses: "aes192gcm12"
            ),
            Case(
                "the key exchange NONE, where IKE_AUTH has none",
                [adding(.keyExchange(.none), to: .esp("aes128-sha1"))],
                .esp("aes128-sha1-modp2048"),
                chooses: "aes128-sha1"
            ),
            Case(
                "implicit IVs, where both ends have them",
                .esp("aes128gcm16iiv-aes128gcm16"),
                .esp("aes128gcm16-aes128gcm16iiv"),
                chooses: "aes128gcm16iiv"
            ),
            Case(
                "an IV of its own, for who has no other",
                .esp("aes256gcm16iiv-aes256gcm16"),
                .esp("aes256gcm16"),
                chooses: "aes256gcm16"
            ),
            Case(
                "implicit IVs alone",
                .esp("chacha20poly1305iiv"),
                .esp("chacha20poly1305-aes128gcm16iiv"),
                chooses: nil
            ),
        ]
    )
    func choosesChild(_ row: Case) {
        tell(
            initiator: .client { $0.childProposals = row.offer },
            responder: .gateway { $0.childProposals = row.allowed }
        ) { network in
            network.run(for: .seconds(1))
            let suites = Side.both.flatMap { network.children(of: $0).map(\.suite) }
            let wanted = row.choice.map { ChildSuite(Proposal.esp($0)) }
            #expect(suites == (wanted.map { [$0, $0] } ?? []))
        }
    }

    @Test(
        "of a rekeyed Child SA's key exchange is one that both ends name, or none where both ends allow that",
        arguments: [
            Case("the same", .esp("aes128gcm16-x448"), .esp("aes128gcm16-x448"), chooses: "aes128gcm16-x448"),
            Case("none", .esp("aes128gcm16"), .esp("aes128gcm16-none-x25519"), chooses: "aes128gcm16"),
            Case(
                "the peer's second",
                .esp("aes128gcm16-x25519-ecp521"),
                .esp("aes128gcm16-ecp521-modp4096"),
                chooses: "aes128gcm16-ecp521"
            ),
            Case("not none", .esp("aes128gcm16"), .esp("aes128gcm16-x25519"), chooses: nil),
            Case("not one", .esp("aes128gcm16-x25519"), .esp("aes128gcm16"), chooses: nil),
        ]
    )
    func choosesKeyExchange(_ row: Case) {
        tellEstablished(
            initiator: .client { $0.childProposals = row.offer },
            responder: .gateway { $0.childProposals = row.allowed }
        ) { network in
            network.command(.rekeyChildren, at: .initiator)
            network.run(for: .seconds(10))
            let rekeyed = network.count(.initiator) { if case .childRekeyed = $0 { true } else { false } }
            #expect(rekeyed == (row.choice == nil ? 0 : 1))
            guard let choice = row.choice else { return }
            let wanted = ChildSuite(Proposal.esp(choice))
            #expect(network.children(of: .initiator).map(\.suite) == [wanted])
        }
    }

    struct Answer: CustomTestStringConvertible {
        let name: String
        let proposals: [Proposal]
        let isTaken: Bool
        var testDescription: String { name }
    }

    @Test(
        "is taken by the initiator if it is a choice of what it offered, and no choice is left in it",
        arguments: [
            Answer(name: "a choice", proposals: .ike("aes256gcm16-prfsha256-x25519"), isTaken: true),
            Answer(name: "two ciphers", proposals: .ike("aes128gcm16-aes256gcm16-prfsha256-x25519"), isTaken: false),
            Answer(
                name: "two proposals",
                proposals: .ike("aes128gcm16-prfsha256-x25519", "aes256gcm16-prfsha256-x25519"),
                isTaken: false
            ),
            Answer(name: "what was not offered", proposals: .ike("aes192gcm16-prfsha256-x25519"), isTaken: false),
            Answer(
                name: "a type that was not offered",
                proposals: [
                    adding(Transform(type: .additionalKeyExchange1, id: 36), to: "aes128gcm16-prfsha256-x25519")
                ],
                isTaken: false
            ),
        ]
    )
    func takes(_ answer: Answer) throws {
        try tell(initiator: .client { $0.ikeProposals = .ike("aes128gcm16-aes256gcm16-prfsha256-x25519") }) { network in
            network.fate = { _ in .isLost }
            network.run(for: .milliseconds(1))
            let held = network.initiator.current.spis
            let spis = try #require(held)
            let header = Header(
                initiatorSPI: spis.initiator,
                responderSPI: IKESPI(rawValue: 5),
                exchange: .ikeSAInit,
                flags: .response,
                messageID: .zero
            )
            var writer = ByteWriter()
            var encoder = MessageEncoder(header, into: &writer)
            encoder.securityAssociation(answer.proposals)
            encoder.keyExchange(.curve25519, [UInt8](repeating: 9, count: 32))
            encoder.nonce([UInt8](repeating: 7, count: 32).rawSpan)
            encoder.finish(into: &writer)
            network.receive(writer.bytes, over: Route.test.plain, at: .initiator)
            #expect(
                network.situation(of: .initiator) == (answer.isTaken ? "awaitingAuth" : "closed (no-proposal-chosen)")
            )
        }
    }
}

extension Side {
    fileprivate static let both: [Side] = [.initiator, .responder]
}

/// A proposal of several kinds of ciphers, each with 128 bits where it has a choice.
private func mixed(_ ciphers: EncryptionID..., integrity: [IntegrityID]) -> Proposal {
    Proposal(
        protocolID: .ike,
        transforms: ciphers.map { .encryption($0, keyLength: 128) } + [.prf(.hmacSHA256)]
            + integrity.map { .integrity($0) } + [.keyExchange(.curve25519)]
    )
}

private func adding(_ transform: Transform, to notation: String) -> Proposal { adding(transform, to: .ike(notation)) }

/// A proposal with one transform more, in front of the others.
private func adding(_ transform: Transform, to proposal: Proposal) -> Proposal {
    var proposal = proposal
    proposal.transforms.insert(transform, at: 0)
    return proposal
}

private func without(_ type: TransformType) -> Proposal {
    var proposal = Proposal.esp("aes128gcm16")
    proposal.transforms.removeAll { $0.type == type }
    return proposal
}

extension Proposal {
    fileprivate static func ike(_ notation: String) -> Proposal { [Proposal].ike(notation)[0] }
    fileprivate static func esp(_ notation: String) -> Proposal { [Proposal].esp(notation)[0] }

    fileprivate func id(_ type: TransformType) -> UInt16? { transforms.first { $0.type == type }?.id }
    fileprivate var encryption: (cipher: Cipher, hasImplicitIV: Bool) {
        let transform = transforms.first { $0.type == .encryption }!
        return Cipher.ofPackets(id: transform.id, keyBitCount: transform.keyLength)!
    }
}

extension IKESuite {
    fileprivate init(_ proposal: Proposal) {
        self.init(
            cipher: proposal.encryption.cipher,
            integrity: proposal.id(.integrity).flatMap(IntegrityAlgorithm.init(rawValue:)),
            prf: PRF(rawValue: proposal.id(.prf)!)!,
            keyExchange: KeyExchangeMethod(rawValue: proposal.id(.keyExchange)!)!
        )
    }
}

extension ChildSuite {
    fileprivate init(_ proposal: Proposal) {
        self.init(
            cipher: proposal.encryption.cipher,
            integrity: proposal.id(.integrity).flatMap(IntegrityAlgorithm.init(rawValue:)),
            keyExchange: proposal.id(.keyExchange).flatMap(KeyExchangeMethod.init(rawValue:)),
            usesESN: proposal.id(.extendedSequenceNumbers) == ESNID.enabled.rawValue,
            hasImplicitIV: proposal.encryption.hasImplicitIV
        )
    }
}
