import IKECrypto
import Testing

/// A run of the whole key schedule, with the names of RFC 7296 sections 2.14, 2.17 and 2.18.
struct KeyScheduleVector: Sendable, CustomTestStringConvertible {
    var name: String
    var prf: PRF
    var inputs: KeyScheduleInputs
    var skeyseed: String
    var ikeMaterial: String
    var childMaterial: String
    var childMaterialWithKeyExchange: String
    var rekeyedSKEYSEED: String

    var testDescription: String { name }
}

/// What a key schedule starts from.
struct KeyScheduleInputs: Sendable {
    var ni: String
    var nr: String
    var spii: UInt64
    var spir: UInt64
    var sharedSecret: String
    var newSharedSecret: String

    /// Those of NIST's sample for SHA2-256.
    static let nist = KeyScheduleInputs(
        ni: """
            3651fef5c9c35e93
            """,
        nr: """
            c09a8b90a3f04d59
            """,
        spii: 0x8E5C_3AE5_0722_1684,
        spir: 0xB1F2_01BB_155C_3ACD,
        sharedSecret: """
            d084a30166a50fb7325c3960874a839449ef9741c2f4f947d0201dd8c1269273d79509f37e3ca3eb4fa2fe2a28254e28
            9cd3f34dad4eb4df1a07685a4b8a94fa61e2491f7598b3ce65547ff133b3f63d1ac4175eaa695033f3cedb026a6873a3
            6455172a8540b8a5d23a0143bed0390ee49b168269d75fffee9fb62be965993c
            """,
        newSharedSecret: """
            52f00ab174c25d5b7139ae5ff4e8e9eddee5992d2e36adf8a559ffd90dab1442e4fbe429d320c0f33552a17d1557fa41
            ea70e8fb916c4fa27ed52b5f8ebd8461afa78f1159159a64055ac5f6319e29c28eae58cbc6847770f32c3fed1d047504
            84f854790f95e9ec01bc5bc461f24966462e359511329305038e94deb6dd42c2
            """
    )
}

/// The first and the last are samples of NIST's Automated Cryptographic Validation Protocol (kdf-components-ikev2-1.0).
let keyScheduleVectors = [
    KeyScheduleVector(
        name: "NIST ACVP sample, SHA2-256",
        prf: .hmacSHA256,
        inputs: .nist,
        skeyseed: """
            efaa7ab0eaa85a3d0be2100cd4b6fe00ff5025a9eafddb3ef518e9f0d3fe60e6
            """,
        ikeMaterial: """
            462b9dd525d4fd71169174272779e704baf62c6231779ae9efe8c58b21916b42010164af2111ebd762f6916ca9a6f0ee
            05c8b320e4ee27705521de2589adea1878f1a551738af7c88dc4f0bb0c096a3f7d1f1a670fc79f49f678d60d665bb371
            0c8657f03ba9f62b9a818d7a228968c506e237ae9502aa6db395c61ea6a3e79504f86b7368bfb5423df79e48809bbccd
            49fd826d024f63d7c2a5566400a12e736aa034510428f5ea008fe2fc16886fa388274ea6c2b4fcfc6141bf04f8207ef8
            afc224ea1059cb220dc0b23ac0e4ccda495a4e131b1d56e223aba5a48e8ed1f5
            """,
        childMaterial: """
            23647677e7d403fa1e3006f19840aee18ad9fecc4215814c4131bdeba98433d8b0e31bfbbddf822abcce5e06486aa388
            022b75e27e1e68aa5983028b65282c730c5d49ef7606770376cfdec41f7cc435d816029989bc353d3b67b9fd1168ddcb
            8978850da9b752aee6a30d0086d2c4d74ec0e03648a0dad334faf5fe88084e67b0f3e8fee8b5e1bd3850db540f1fb8cf
            fe23c9e92cda209373f354880c246c753e2a0eca9cb73b9910a8531c4010e6768fa29f909e60af777fed6e739c3cfda0
            3467e915d6f03fce9c41f5f9d578f8912d66a75457e79ee1d5bcc2be5c2f9bae
            """,
        childMaterialWithKeyExchange: """
            6a919387a5fa2835fe8a8237e4a14845bd2b9930db87eff7adf268f62186004902dba9aa942d0259a0edc4120b932a50
            3865b57ba8fb88117ef5df7b26799cd8ba37aa5438108cb1a4fe117907c9d0597b708c3f11151fefd624d2317202b7c8
            1430600e6fcbb6e1a8df2b4861ef2363d53de1be69057b0cf6634a7e7bfa97b3c2810623e2bd6757738777177036e9c3
            a39794456954bd41fc444a12507ab9cac69a0540d13c29db8510f566a691691baa2d9569dacc990d56a454bb444bcbbe
            8751b0550a5278812fc5ab4f28990dd6d608538d7ddde24dc81bdaaca7751fde
            """,
        rekeyedSKEYSEED: """
            90722c42bd849e9b72d240fc254174270fa8295de6f0338dafc303a9ec104f12
            """
    ),
    KeyScheduleVector(
        name: "computed with Python's hmac, SHA-1",
        prf: .hmacSHA1,
        inputs: .nist,
        skeyseed: """
            cd2e8050137832245f1dbacc6e4f0a92f94d45d6
            """,
        ikeMaterial: """
            6f1b12cad3cbe097b35430356d869d54cddb0198ec859174d53ceb92dddedbe2436db69f60977c58fa63bbb667f8d369
            20b109baae8f6c61a9ac49feda01843225d080ec5539d5881a25521ffb2a0a91874a9c0a27fcc2d717eb8963a9e3a89c
            7ab264757284c28cf8c3ca40576f4220b052b1fb8e9ad60ba3c80557323331a8cbb89f206956088083999609f60017af
            145e0e22ef28868838e5514ee510945d967bc1fffa430d2b01c20e43292408d0c4ad9784
            """,
        childMaterial: """
            4727dc0ef94eb326ce131cf282fb652faa638ad0ddae3786a11bcc0309876009f8c485de011ad962c5b1ca8a41ff8145
            445749079c5686e26ffebbc342f06981f3da745e11ca0976424d1f8caec623d59dc7186deb20a27b411d1dcb70a36544
            0bf7de905088b0692e8addc094e18d1939bdb67e89798ca6b239e2ccb81c2409dac0106c3326c6752d5525aff8b7c76d
            f1abc1a4cdfcd7a7d7b22ce1e55d24cd
            """,
        childMaterialWithKeyExchange: """
            b109c21ad4c0797768c1cec9e63554681e48f224bca7f23c20c4ea7041983451e9aa1d5408656c8a975ff1b9d9a12c75
            ffeb64bdecb30174664cccb4e14f1c377b7f6d1525af77c7092aac3e47f917ebae8297fb5539d2008ce830823a09cc19
            7361d4a289c72745f6ce9fefe812be5bf55b3200fbb82e41a4a40877d3fe106db909707b50fd203b307e81ac39dabb78
            afd9d6e63eaaf8cc6d5eaafcb74c46a0
            """,
        rekeyedSKEYSEED: """
            3b03bce748c96d5e8306918d2ff89b68f0648da3
            """
    ),
    KeyScheduleVector(
        name: "computed with Python's hmac, SHA2-384",
        prf: .hmacSHA384,
        inputs: .nist,
        skeyseed: """
            89e56d9baa98fe975408eccdf70e3428a7198e4143e0707a4812aef766008c948b8d8aa8c37d1a9c1b6ed2c7e2149d6a
            """,
        ikeMaterial: """
            32a3d9fe53a6a604eacb8443ce12873d1243115fb5957d3de89a12b9d5b3797f3c29209a83c2cd68db5dc22bcc9aa5ab
            2b8a0473993bc0e74949e813bcda1e088bdab5e5b78023ff4ddc0addbcd8936d59323180c59dc478586c8abe434a7eb1
            383e279e1ac3036adc15a45ef605393694ff5b25fe99a56ab976b2d3d4a7b858b38eeedf5588545143336d82db8b4765
            9563092d73921d10292d605ea179807572edc66516774e37e74299bcf6677bbcf3d05a73e6e77d647e30a448dbcfb87c
            999b74a60893fdce6ffa3874a4e583480120071dbb9863471d5982eaf21005ff2f866edf2f45a3b9934b60afff756cca
            e374e3822ba48503ab1d3b8c87227a148630654daa1b27b84e494e025335c528921e5760a1ef25e9a11b524a159b1be6
            cf101478b590a428cfa568c2e1721846
            """,
        childMaterial: """
            be009dbe9c69f02115d7f935204547eea50249f6d918546687d77f1a0afd72cc804b315fa461e85dff77209be8f9b2c3
            3f0ee0692193d64f1087f2e008c54221e732f42c992e13e8b48360e2223d10645d7a7a5d0ba16419923c97ba9597bf5e
            40cc0e910697f7749e4bd313555e75758c25abc110106294a76e3f83bc6eda5f3a4aef8240097877f03caee0c269661c
            3258b9597c4b504604d25b7264c887fcc7214c281c0d9ba1942c2d43c6e65b4e1ba5cf3ae66ae583d989e34096e21f7c
            228d27b26d7dc861ae24c229ec8310b73ccb4420a2deacc7dd043b4768cb9cad5ccff6b4ffe9325ad6950a81f6862f5e
            47a73a17076af39836a6647bc04dd60e3ebdf6dd652b05f7941584fd37703097522b522d5170d109006a73c916e46ba4
            da588a8fe57b937c65a17f937d3c9e9e
            """,
        childMaterialWithKeyExchange: """
            a4566b029de759c729f4112343b5fa89d2d51e6c41d6c1492559c5ba2adeb15e8ff2c4721d8668e55e9cc11703d6955b
            39421e8972a9aa19d62e237af59b3835d1a12de165f31b6e248fc7e54e068ce95cdbf3628e2e0345b18e23be522b9b9a
            2b397c0122d6500e0afa26f07ffac60d50b1eb58d50f0ed984e0daab8449cc03b3804aae2b0baab5f6c82ec37abf5222
            1e37b9e0fb8c58c56186fda0707a6dae2865cb07b1f211b595b1920ebd64f31f77603c7a4cae555ae8de56030fee8ef2
            ea7b6dcd1c33b99082d9c5c4554ff8c3e8d25e84e6231a2b3320655bdfbe239b4e11226c1d695e02b4fce146233d3f11
            52efcbbeede62c8b01373e28a5198ba6de365d6e27c851f4921f9698edb5ce4856e9e72586983f8f0e7da82b31a6b617
            bd5fd181a612ce1e5cb92036c481574e
            """,
        rekeyedSKEYSEED: """
            fd993f3c96d101c78f38cc133861aeaebc1ca616890c2fb927410e57883044cc63aaa5cc6e5f7115bb492316a74a3ee8
            """
    ),
    KeyScheduleVector(
        name: "NIST ACVP sample, SHA2-512",
        prf: .hmacSHA512,
        inputs: KeyScheduleInputs(
            ni: """
                834ea4753e9a06832072fa15e89e799035a1285ce241caf3b5c724ece8ecd0d2d1ac46fab3d9d86bf2ebf4cc8f93e06c
                5342415e14dfcbc949574e1606f96f143e8aa8c80bccd376ff3d3bae0b134a04dd2ae557010e5d7a7552c6864fd8a82d
                99ffdfda97be97389a426d7259411b10dd9eefae2709141e654087a2056eb86daf95ef262328a2cdd90c61152dc2bbfc
                f4ccf4084557c3892603023a8b7045fc589a35143e10dcd1a73406ea923b21687a12134b6a1007e4aa2e37fffa4901df
                f6f3514e2b350f08175e194d3c6db75e03fd838d503cefa9e9604a4e18f330c08142574a992465fea063875abaf144f4
                7c50f32a0a83224e3eea739033af6b9f
                """,
            nr: """
                f833709de457fb58abe1d26e8decc8fe889d503954c4812ac0f41271394af7c148b15a241c2d6d6502c3c57dae854a97
                bfb3ccdcec650153578ccb51bdfe1c715e81f3d78488b1547a3c9e5617d9b78b46d06f56bb56423c88deaccd82e7a2a1
                1add56651091682f0987332ea28a32045a4d39609f364eb5e70468ecb7bbdcad6b41e04add11d97f300e8d0a0c2941f1
                cb64885f940ee2fa273477e910983e96913f58e37bfd68e3adcd6e813176e95fee7985f5526eedc3245c4746f5864d9e
                90bf80f6882f6a505adacd81d106576f7a6c705e37ce551235e012e64ec3be7b4f3f8889e664cc5ed7bcc4a88022a437
                439609b3019cde1948665a548e420d1e
                """,
            spii: 0x6E5F_49D2_79F4_FBBB,
            spir: 0xFF7A_E472_AA4D_D7AF,
            sharedSecret: """
                9566a04bf95f433c6497b3ae8cb0f600043f8438eb2b9e97e912af1c5ace9a73a8884bf1ff80a895eb97a6f5494b6cea
                5b1c3123c3a9cbe057a0cba2f52fd40a8dfdf9f99b521d356347e2b70cf637b5b4a44c2ed92770a281e6431cb50bddce
                4fb2ec8100218fa84b0a4a344c4dc79bbc81add2fd23bc797efa1b2afa6840ad7b2e04d391f33662774a5296a0ef9c9c
                113e84f5b958fd54857e75378406f29da1eb23e9e9d9d94177672bfa7742f7f4319f31ed06e1999e17eeac6b35adc9a2
                45cad998e3ce3c422b8ad752f7144332e9aae44ea837677a8406b7261c04cb4eb9230fba75e09e16eeda246d5b1da5cf
                14c96f00fc83c555854e7982e52a1d4f
                """,
            newSharedSecret: """
                f34450ec9f4b07881ff17db4ae1681b26f2fc8cbecdb7ef0463b09c4fe79f8414fbea9fd3e7c18c845d04e283e1eeb78
                24484c72354a7a9c418e69b8134d596e1abcd2998ea5fabca1fd156678bf7fb0f31c1158e812fd215837a23938bac55b
                37c6e8becedf9435a03484326cd2d4e3c7a273d8a99135027aa17823da9bf0263082394ca3475266f5bae91d1577c3d1
                5a7dd429e1f5de70138b05214589ef8a519aa930a42f609ccc54ce8701488e80c2beacca2542c0d9b2dd7c04e41ebbc3
                41eb65a3f786900747fa6ca2cf914e908fea40014d3175b73da1b63437a89638f69e184fd91e6a02c0f9fc9afafe7b68
                11b3ac7a57b2615a3b3fc26289500143
                """
        ),
        skeyseed: """
            3daa296c25dd8cbde8e9f5fe85498cb06339fc7aaa93f60987831a0fa79829e244afe92bd66590d8c7f1bc281badc619
            ed2c9762fdb913b052842e50e3989863
            """,
        ikeMaterial: """
            2bd66826c397a19618e3133ace96f6168a04ef9afa53f2f07cecda9e0f6139c37cc6512551f523006b74d501c5dd1ae5
            02689ece8a43ce7b3d866c7372176b1d5bc4a0b863f642351fd4822c79f0a8d97b03b09fa1393679149432798bea545f
            70c663675e751a68aeeb7b238ca790229c7775e6a074becdfaad324ac546eeb5d0a9480b1aa06b6f225cbfac7447de3d
            8d292b0beb7d9a5b709c02946a10f8799dd4e4b18c6d10ceda39a82b9dae01efebe6c31735590ef7d44e1c8dbbad98da
            fe620843065e5141d7c57770234128599e3223139656dbb3d0c494faba482ae9740faa3d3957efd9d90fd24144bc9b31
            7c7955722426a6719d0095d068fd0b63469140d1ef9ddefc43b2bcfff971a08a7e67e75b8f0ded8c4737175abf04c32b
            906fe7d53e8c3b11b3829db0082b73f44c042c285f079a3bd6c33f91559f31043e23bb0a79b83c93aaf1cfeaf6c5996e
            717869c2d7f6528c8acae6656a8430164886385441484107261de0d9a9b6b39a24812ccfa24c1f964aeac69ce6d00541
            """,
        childMaterial: """
            0b0d01a13515ac0727f7d90456d3d2fd9c1172096cded4a20bda43fc796184baeb3a7f34ffc09c584dd9beebc7629a36
            a5d143dfb1c2931f369e6702769b6a01aa20b7b955c30481d7894df2aebab0dd669c3e1e168be5f122f8a9d8a589f3c6
            c48efc031129481e2dea1f6fc10e07f3e39a1fcc3d660e289778458e752802501dbde1eb0ede3d2227de7fae3f265d66
            986b1ae4cf407edc3a5168a6179ed8ca2006acc2d9104749c3e2231482374e5f0ce3da3c8b8520d37f37092669fbb78e
            aa4cc818be8ca31935529e085bce3830040f679883e3375c274cef5bf5f36f34d8705b9ec48b4dc2fe9e3a269b41bed2
            d659767726dc775404610ed1b285067d900d20a38d02192475d2934ae8e4c47b4cf5729a42fec7af15c01aeb019069f2
            c87f2e6429d6cb2755384980dfab9173c70aedb30611a05fcd03078f2caa8cb323452d6e899197992cf3b93343eebaa1
            251e1d8f0b3664d0d0310217889510885d319c2bd8cd3a8fd49848d8331f8c248e6c3c7b6e3d4e376f7bc71ff10d66d1
            """,
        childMaterialWithKeyExchange: """
            48e185dc18e52193e01eca3c0d739c3070a73b89a4d0fac7b40e4d51250eeae7232c2031daa700e3a2d570ba67eca56f
            1dbe5de5b96cd718faf2fcc7ebca08d1fefa2db5b024cc9a03f50ef310d43a3e66d53912af846cff6bb039cbff37bdd1
            c2d329993a98d3faf9026a32ebf6747e347115aa3c604d187a25204407db7e3fd4e1d28300e898028542c4b8d3c4eb26
            bd0adf87439ccb7c0230351d38c92772ca234b887ca8f7667b4fbb9619151d75fecb2c30f570bc0eedd5c6d89f39de1a
            547ac99cfb7cf608ad4c56c83077e97ce850be40344177cbef2f22e37353e6a164a2683de957a48754e8e74331a07503
            069e8ed44c68f27c0a414d582aa2dd7a66098e3c4d0be5f0cc5fe9ebc042c3e794e53639a452f0449685dc3fc34c0eae
            58af6c7e862faf0fc2e2c8f57c889e1dc19e8dae2e92f828a3f01a1d3dbdcf3c7a0f61828e0e5c26e559e8d1320110d8
            477ff8a28d90bc9693bb99e10b7a3ea62e3559d7cc2e54279012d2c3cc7fba3349e098d6756bcc7ee62507b350dbf3a3
            """,
        rekeyedSKEYSEED: """
            1cc9237ebb1704d703952b6edbe275ca51ac17e2e224f13e38f4c49f5fa9af00f8ecb96fa0ecd6ff282c08a29d3e313a
            b4a4ee1022580118b8deff0cd8432a00
            """
    ),
]
