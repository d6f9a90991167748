import IKEWire
import Testing

@Suite("A proposal in strongSwan's notation")
struct ProposalNotationTests {
    @Test("names the transforms that strongSwan would offer")
    func parses() throws {
        let table: [(ProtocolID, String, [Transform])] = [
            (
                .ike, "aes256gcm16-prfsha384-x25519",
                [.encryption(.aesGCM16, keyLength: 256), .prf(.hmacSHA384), .keyExchange(.curve25519)]
            ),
            (
                .ike, "aes128-sha256-modp2048",
                [
                    .encryption(.aesCBC, keyLength: 128), .prf(.hmacSHA256), .integrity(.hmacSHA256),
                    .keyExchange(.modp2048),
                ]
            ),
            (
                .ike, "aes128gcm16-sha256-ecp256",
                [.encryption(.aesGCM16, keyLength: 128), .prf(.hmacSHA256), .keyExchange(.ecp256)]
            ),
            (
                .ike, "aes256-aes128-sha384-prfsha512-ecp384-modp3072",
                [
                    .encryption(.aesCBC, keyLength: 256), .encryption(.aesCBC, keyLength: 128), .prf(.hmacSHA512),
                    .integrity(.hmacSHA384), .keyExchange(.ecp384), .keyExchange(.modp3072),
                ]
            ),
            (
                .esp, "chacha20poly1305-x25519",
                [.encryption(.chacha20Poly1305), .keyExchange(.curve25519), .extendedSequenceNumbers(.disabled)]
            ),
            (
                .esp, "aes256gcm16iiv-aes128ccm8iiv-chacha20poly1305iiv",
                [
                    .encryption(.aesGCM16ImplicitIV, keyLength: 256), .encryption(.aesCCM8ImplicitIV, keyLength: 128),
                    .encryption(.chacha20Poly1305ImplicitIV), .extendedSequenceNumbers(.disabled),
                ]
            ),
            (
                .esp, "aes256gcm16-esn",
                [.encryption(.aesGCM16, keyLength: 256), .extendedSequenceNumbers(.enabled)]
            ),
            (
                .ike, "aes192gcm16-aes128gcm12-aes128gcm8-prfsha1-modp4096-ecp521-x448-modp2048s256-ecp192",
                [
                    .encryption(.aesGCM16, keyLength: 192), .encryption(.aesGCM12, keyLength: 128),
                    .encryption(.aesGCM8, keyLength: 128), .prf(.hmacSHA1), .keyExchange(.modp4096),
                    .keyExchange(.ecp521), .keyExchange(.curve448), .keyExchange(.modp2048s256),
                    .keyExchange(.ecp192),
                ]
            ),
            (
                .ike, "aes192-sha1-sha512-curve448",
                [
                    .encryption(.aesCBC, keyLength: 192), .prf(.hmacSHA1), .prf(.hmacSHA512), .integrity(.hmacSHA1),
                    .integrity(.hmacSHA512), .keyExchange(.curve448),
                ]
            ),
            (
                .esp, "aes128gcm96-modp1024s160-modp2048s224-ecp224-none-esn-noesn",
                [
                    .encryption(.aesGCM12, keyLength: 128), .keyExchange(.modp1024s160), .keyExchange(.modp2048s224),
                    .keyExchange(.ecp224), .keyExchange(.none), .extendedSequenceNumbers(.enabled),
                    .extendedSequenceNumbers(.disabled),
                ]
            ),
            (
                .ike, "aes256gcm16-prfsha384-x25519-ke1_mlkem768-ke1_none-ke3_mlkem1024",
                [
                    .encryption(.aesGCM16, keyLength: 256), .prf(.hmacSHA384), .keyExchange(.curve25519),
                    .additionalKeyExchange(1, .mlKEM768), .additionalKeyExchange(1, .none),
                    .additionalKeyExchange(3, .mlKEM1024),
                ]
            ),
            (
                .esp, "aes256gcm16-ke2_x25519-mlkem768",
                [
                    .encryption(.aesGCM16, keyLength: 256), .keyExchange(.mlKEM768),
                    .extendedSequenceNumbers(.disabled), .additionalKeyExchange(2, .curve25519),
                ]
            ),
            (
                .esp, "null-sha256",
                [.encryption(.null), .integrity(.hmacSHA256), .extendedSequenceNumbers(.disabled)]
            ),
        ]
        for (protocolID, text, transforms) in table {
            let proposal = try Proposal(notation: text, protocolID: protocolID)
            #expect(proposal.transforms == transforms, "\(text)")
        }
    }

    @Test(
        "is shown in the words it was written in",
        arguments: [
            (ProtocolID.ike, "aes256gcm16-prfsha384-x25519"),
            (.ike, "aes128-sha256-modp2048"),
            (.ike, "aes128-prfsha512-sha256-ecp384"),
            (.ike, "chacha20poly1305-prfsha256-ecp256-modp3072"),
            (.esp, "aes128gcm16"),
            (.esp, "aes256gcm16-x25519-esn-noesn"),
            (.esp, "aes256-sha384"),
            (.ike, "aes192-sha1-modp4096"),
            (.ike, "aes192gcm8-prfsha1-ecp521-x448-modp2048s256-ecp192"),
            (.esp, "aes256gcm12-modpnone"),
            (.esp, "aes192gcm16iiv-chacha20poly1305iiv-x25519"),
            (.ike, "aes256gcm16-prfsha384-x25519-ke1_mlkem768"),
            (.ike, "aes128-sha256-mlkem1024-ke2_ecp256-ke7_x25519"),
        ]
    )
    func roundTrip(_ protocolID: ProtocolID, _ text: String) throws {
        #expect(try Proposal(notation: text, protocolID: protocolID).notation == text)
    }

    @Test("shows transforms without a word by their numbers")
    func unknown() {
        let transforms = [
            Transform(type: .encryption, id: 99, keyLength: 64), Transform(type: TransformType(rawValue: 42), id: 7),
        ]
        #expect(Proposal(protocolID: .esp, transforms: transforms).notation == "ENCR(99/64)-TransformType(42)(7)")
    }

    @Test("that is wrong is refused with the word that is wrong")
    func refuses() {
        let table: [(ProtocolID, String, ProposalNotationError, String)] = [
            (.ike, "", .empty, "a proposal needs at least one algorithm"),
            (
                .ike, "aes256gcn16-prfsha384-x25519", .unknownWord("aes256gcn16", nearest: "aes256gcm16"),
                "unknown algorithm \"aes256gcn16\"; did you mean \"aes256gcm16\"?"
            ),
            (
                .ike, "AES128-sha256-modp2048", .unknownWord("AES128", nearest: "aes128"),
                "unknown algorithm \"AES128\"; did you mean \"aes128\"?"
            ),
            (.esp, "rot13", .unknownWord("rot13", nearest: nil), "unknown algorithm \"rot13\""),
            (.esp, "aes128--sha256", .unknownWord("", nearest: nil), "unknown algorithm \"\""),
            (.esp, "aes128gcm16-aes128gcm16", .repeatedWord("aes128gcm16"), "\"aes128gcm16\" stands there twice"),
            (
                .esp, "aes128gcm16-prfsha256", .notForProtocol("prfsha256", .esp),
                "\"prfsha256\" does not belong in a proposal for ESP"
            ),
            (
                .ike, "aes128gcm16-prfsha256-x25519-esn", .notForProtocol("esn", .ike),
                "\"esn\" does not belong in a proposal for IKE"
            ),
            (
                .ike, "null-sha256-x25519", .notForProtocol("null", .ike),
                "\"null\" does not belong in a proposal for IKE"
            ),
            (
                .esp, "aes128gcm16-aes128-sha256", .mixedEncryption("aes128"),
                "\"aes128\" is of another kind than the cipher before it: "
                    + "AEADs and other ciphers need proposals of their own"
            ),
            (
                .esp, "aes128gcm16-sha256", .needlessIntegrity("sha256"),
                "\"sha256\" is needless: the AEAD protects integrity itself"
            ),
            (
                .ike, "aes128gcm16-sha256-prfsha256-x25519", .needlessIntegrity("sha256"),
                "\"sha256\" is needless: the AEAD protects integrity itself"
            ),
            (.esp, "sha256", .missing(.encryption), "an encryption algorithm is missing, such as \"aes256gcm16\""),
            (.esp, "aes128", .missing(.integrity), "an integrity algorithm is missing, such as \"sha256\""),
            (.ike, "aes128gcm16-x25519", .missing(.prf), "a PRF is missing, such as \"prfsha256\""),
            (
                .ike, "aes128gcm16-prfsha256", .missing(.keyExchange),
                "a key exchange method is missing, such as \"x25519\""
            ),
        ]
        for (protocolID, text, error, description) in table {
            #expect(throws: error, "\(text)") { try Proposal(notation: text, protocolID: protocolID) }
            #expect(error.description == description)
        }
    }
}
