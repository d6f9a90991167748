import IKECrypto

extension PacketVector {
    /// draft-mcgrew-gcm-test-01 section 4, those of AES-GCM but for case 4, whose SPI is 0.
    static let mcgrew: [PacketVector] = [
        PacketVector(
            name: "draft-mcgrew-gcm-test-01, case 1",
            cipher: .aesGCM128,
            key: "4c80cdefbb5d10da906ac73c3613a6342e443b68",
            header: "0000432100000000",
            number: 0x8765_4321_0000_0000,
            usesESN: true,
            iv: "4956ed7e3b244cfe",
            plaintext: """
                45000048699a000080114db7c0a80102c0a801010a9bf15638d301000001000000000000045f7369
                70045f756470037369700963796265726369747902646b000021000101020201
                """,
            ciphertext: """
                fecf537e729d5b07dc30df528dd22b768d1b98736696a6fd348509fa13ceac34cfa2436f14a3f3cf
                65925bf1f4a13c5d15b21e1884f5ff6247aeabb786b93bce61bc17d768fd9732
                """,
            icv: "459018148f6cbe722fd04796562dfdb4"
        ),
        PacketVector(
            name: "draft-mcgrew-gcm-test-01, case 2",
            cipher: .aesGCM128,
            key: "feffe9928665731c6d6a8f9467308308cafebabe",
            header: "0000a5f80000000a",
            number: 0xA,
            iv: "facedbaddecaf888",
            plaintext: """
                4500003e698f000080114dccc0a80102c0a801010a980035002a2343b2d001000001000000000000
                037369700963796265726369747902646b00000100010001
                """,
            ciphertext: """
                deb22cd9b07c72c16e3a65beeb8df304a5a5897d33ae530f1ba76d5d114d2a5c3de81827c10e9a4f
                51330d0eec416642cfbb85a5b47e48a4ec3b9ba95d918bd1
                """,
            icv: "83b70d3aa8bc6ee4c309e9d85a41ad4a"
        ),
        PacketVector(
            name: "draft-mcgrew-gcm-test-01, case 3",
            cipher: .aesGCM256,
            key: """
                abbccddef00112233445566778899aababbccddef00112233445566778899aab11223344
                """,
            header: "4a2cbfe300000002",
            number: 0x2,
            iv: "0102030405060708",
            plaintext: """
                4500003069a6400080062690c0a801029389155e0a9e008b2dc57ee0000000007002400020bf0000
                020405b40101040201020201
                """,
            ciphertext: """
                ff425c9b724599df7a3bcd510194e00d6a78107f1b0b1cbf06efae9d65a5d763748a637985771d34
                7f0545659f14e99def842d8e
                """,
            icv: "b335f4eecfdbf831824b4c4915956c96"
        ),
        PacketVector(
            name: "draft-mcgrew-gcm-test-01, case 5",
            cipher: .aesGCM128,
            key: "3de09874b388e6491988d0c3607eae1f57690e43",
            header: "42f67e3f10101010",
            number: 0x1010_1010_1010_1010,
            usesESN: true,
            iv: "4e280000a2fca1a3",
            plaintext: """
                4500003c99c300008001cb7c40679318010101010800085c020043006162636465666768696a6b6c
                6d6e6f707172737475767761626364656667686901020201
                """,
            ciphertext: """
                fba2caa4853cf9f0f22cb10d86dd83b0fec75691cf1a04b00d1138ec9c35791765acbd8701ad7984
                5bf9fe3fba487bc91755e6662b4c8d0d1f5e22739530320a
                """,
            icv: "e0d731cc978ecafaeae88f00e80d6e48"
        ),
        PacketVector(
            name: "draft-mcgrew-gcm-test-01, case 6",
            cipher: .aesGCM128,
            key: "3de09874b388e6491988d0c3607eae1f57690e43",
            header: "42f67e3f10101010",
            number: 0x1010_1010_1010_1010,
            usesESN: true,
            iv: "4e280000a2fca1a3",
            plaintext: "4500001c42a200008001441f406793b6e00000020a00f5ff01020201",
            ciphertext: "fba2ca845e5df9f0f22c3e6e86dd831e1fc65792cd1af9130e1379ed",
            icv: "369f071f35e034be95f112e4e7d05d35"
        ),
        PacketVector(
            name: "draft-mcgrew-gcm-test-01, case 7",
            cipher: .aesGCM192,
            key: "feffe9928665731c6d6a8f9467308308feffe9928665731ccafebabe",
            header: "0000a5f80000000a",
            number: 0xA,
            iv: "facedbaddecaf888",
            plaintext: """
                45000028a4ad4000400678800a01038f0a010612802306b8cb712602dd6bb03e501016d075680001
                """,
            ciphertext: """
                a5b1f8066029aea40e598b8122de02420938b3ab33f828e687b8858b5bfbdbd0315b27452144cc77
                """,
            icv: "95457b9652037f5318027b5b4cd7a636"
        ),
        PacketVector(
            name: "draft-mcgrew-gcm-test-01, case 8",
            cipher: .aesGCM128,
            key: "abbccddef00112233445566778899aabdecaf888",
            header: "0000010000000001",
            number: 0x1,
            usesESN: true,
            iv: "cafedebaceface74",
            plaintext: """
                4500004933ba00007f119106c3fb1d10c2b1d326c02831ce0035dd7b800302d500004e20001e8c18
                d75b81dc91baa0476b91b924b280389d92c963bac046ec959b6266c04722b14923010101
                """,
            ciphertext: """
                18a6fd42f72cbf4ab2a2ea901f73d814e3e7f243d95412e1c349c1d2fbec168f9190feebaf2cb019
                84e65863965d7472b79da345e0e780191f0d2f0e0f496c226f2127b27db35724e7845d68
                """,
            icv: "651f57e65f354f75ff17015769623436"
        ),
        PacketVector(
            name: "draft-mcgrew-gcm-test-01, case 9",
            cipher: .aesGCM256,
            key: """
                abbccddef00112233445566778899aababbccddef00112233445566778899aab73616c74
                """,
            header: "17405e67dd0db99b",
            number: 0x156F_3126_DD0D_B99B,
            usesESN: true,
            iv: "616e640169766563",
            plaintext: """
                45080028732c00004006e9f90a0106120a01038f06b88023dd6bafbecb71260250101f646d540001
                """,
            ciphertext: """
                f2d69ecdbd5a0d5b8d5ef38bad4da58d1f278fde98ef67549d524a3018d9a57ff4d3a31ce673119e
                """,
            icv: "451626c2415771e3b7eebca614c89b35"
        ),
        PacketVector(
            name: "draft-mcgrew-gcm-test-01, case 10",
            cipher: .aesGCM128,
            key: "3de09874b388e6491988d0c3607eae1f57690e43",
            header: "42f67e3f10101010",
            number: 0x1010_1010_1010_1010,
            usesESN: true,
            iv: "4e280000a2fca1a3",
            plaintext: """
                45000049333e00007f119182c3fb1d10c2b1d326c02831ce0035cb458003025b000001e0001e8c18
                d65759d52284a0352c71475c8880391c764d6e5ee0496b325ae270c03899493915010101
                """,
            ciphertext: """
                fba2cad12fc1f9f00d3cebf305410db83d7784b607323d220f24b0a97d54182800cadb0f68d99ef0
                e0c0c89ae9bea8884e52d65bc1afd0740f742444747b5b39ab533163aad4550ee5160975
                """,
            icv: "cdb608c5769189609763b8e18caa81e2"
        ),
        PacketVector(
            name: "draft-mcgrew-gcm-test-01, case 11",
            cipher: .aesGCM256,
            key: """
                abbccddef00112233445566778899aababbccddef00112233445566778899aab73616c74
                """,
            header: "17405e67dd0db99b",
            number: 0x156F_3126_DD0D_B99B,
            usesESN: true,
            iv: "616e640169766563",
            plaintext: """
                636973636f0172756c657301746865016e6574776501646566696e6501746865746563686e6f6c6f
                67696573017468617477696c6c01646566696e65746f6d6f72726f7701020201
                """,
            ciphertext: """
                d4b7ed86a1777f2ea13d6973d324c69e7b43f826fb56831226508bebd2dceb18d0a6df10e5487df0
                74113e14c641024e3e6773d91a62ee429b043a10e3efe6b012a49363412364f8
                """,
            icv: "c0cac587f249e56b11e24f30e44ccc76"
        ),
        PacketVector(
            name: "draft-mcgrew-gcm-test-01, case 12",
            cipher: .aesGCM128,
            key: "7d773d00c144c525ac619d18c84a3f47d9664267",
            header: "335467aeffffffff",
            number: 0xFFFF_FFFF,
            iv: "43457e9182443bc6",
            plaintext: "01020201",
            ciphertext: "437f866b",
            icv: "cb3f699fe9b0822bac961c4504bef270"
        ),
        PacketVector(
            name: "draft-mcgrew-gcm-test-01, case 13",
            cipher: .aesGCM128,
            key: "abbccddef00112233445566778899aabdecaf888",
            header: "0000010000000001",
            number: 0x1,
            usesESN: true,
            iv: "cafedebaceface74",
            plaintext: "746f016265016f72016e6f7401746f0162650001",
            ciphertext: "29c9fc69a197d038ccdd14e2ddfcaa0543332164",
            icv: "412503524303ed3c6c5f283843af8c3e"
        ),
        PacketVector(
            name: "draft-mcgrew-gcm-test-01, case 14",
            cipher: .aesGCM256,
            key: """
                6c6567616c697a656d6172696a75616e61616e64646f69746265666f726569617475726e
                """,
            header: "796b6963ffffffff",
            number: 0xFFFF_FFFF_FFFF_FFFF,
            usesESN: true,
            iv: "333021696765746d",
            plaintext: """
                45000030da3a00008001df3bc0a80005c0a800010800c6cd020007006162636465666768696a6b6c
                6d6e6f707172737401020201
                """,
            ciphertext: """
                f97ab2aa356d8edce17644ac8c78e25dd24dedbb29ebf1b64a274b39b49c3a864cd3d78ca4ae68a3
                2b42458fb57dbe821dcc63b9
                """,
            icv: "d0937ba2945f669368661a329fb4c053"
        ),
    ]

    static let ofRFC7634 = PacketVector(
        name: "RFC 7634 appendix A",
        cipher: .chaCha20Poly1305,
        key: """
            808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3
            """,
        header: "0102030400000005",
        number: 0x5,
        iv: "1011121314151617",
        plaintext: """
            45000054a6f200004001e778c6336405c000020508005b7a3a080000553bec100007362708090a0b
            0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f30313233
            3435363701020204
            """,
        ciphertext: """
            24039428b97f417e3c13753a4f05087b67c352e6a7fab1b982d466ef407ae5c614ee8099d52844eb
            61aa95dfab4c02f72aa71e7c4c4f64c9befe2facc638e8f3cbec163fac469b502773f6fb94e664da
            9165b82829f641e0
            """,
        icv: "76aaa8266b7fb0f7b11b369907e1ad43"
    )

    /// RFC 3602 section 4, its sample packets of both modes, which have no ICVs.
    static let cbc: [PacketVector] = [
        PacketVector(
            name: "RFC 3602 section 4, case 5",
            cipher: .aesCBC128,
            key: "90d382b410eeba7ad938c46cec1a82bf",
            header: "0000432100000001",
            number: 0x1,
            iv: "e96e8c08ab465763fd098d45dd3ff893",
            plaintext: """
                08000ebda70a00008e9c083db95b070008090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
                202122232425262728292a2b2c2d2e2f30313233343536370102030405060708090a0b0c0d0e0e01
                """,
            ciphertext: """
                f663c25d325c18c6a9453e194e120849a4870b66cc6b9965330013b4898dc856a4699e523a55db08
                0b59ec3a8e4b7e52775b07d1db34ed9c538ab50c551b874aa269add047ad2d5913ac19b7cfbad4a6
                """
        ),
        PacketVector(
            name: "RFC 3602 section 4, case 6",
            cipher: .aesCBC128,
            key: "90d382b410eeba7ad938c46cec1a82bf",
            header: "0000432100000008",
            number: 0x8,
            iv: "69d08df7d203329db093fc4924e5bd80",
            plaintext: "0800b5e8a80a0500a69c083d0b660e0077777777777777777777777701020201",
            ciphertext: "f51995881ec4e0c4488987ce742e8109689bb379d2d750c0d915dca346a89f75"
        ),
        PacketVector(
            name: "RFC 3602 section 4, case 7",
            cipher: .aesCBC128,
            key: "0123456789abcdef0123456789abcdef",
            header: "0000876500000002",
            number: 0x2,
            iv: "f4e765244f6407adf13dc1380f673f37",
            plaintext: """
                45000054090400004001f988c0a87b03c0a87bc808009f76a90a0100b49c083d02a2040008090a0b
                0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f30313233
                343536370102030405060708090a0a04
                """,
            ciphertext: """
                773b5241a4c449225e4f3ce5ed611b0c237ca96cf74a93013c1b0ea1a0cf70f8e4ecaec78ac53aad
                7a0f022b859243c647752e94a859352b8a4d4d2decd136e5c177f132ad3fbfb2201ac9904c74ee0a
                109e0ca1e4dfe9d5a100b842f1c22f0d
                """
        ),
        PacketVector(
            name: "RFC 3602 section 4, case 8",
            cipher: .aesCBC128,
            key: "0123456789abcdef0123456789abcdef",
            header: "0000876500000005",
            number: 0x5,
            iv: "85d47224b5f3dd5d2101d4ea8dffab22",
            plaintext: """
                45000044090c00004001f990c0a87b03c0a87bc80800d63caa0a0200c69c083da3de0300ffffffff
                ffffffffffffffffffffffffffffffffffffffffffffffffffffffff0102030405060708090a0a04
                """,
            ciphertext: """
                15b92683819596a8047232cc00f7048fe45318e11f8a0f62ede3c3fc61203bb50f980a08c9843fd3
                a1b06d5c07ff9639b7eb7dfb3512e5de435e7207ed971ef3d2726d9b5ef6affc6d17a0decbb13892
                """
        ),
    ]
}
