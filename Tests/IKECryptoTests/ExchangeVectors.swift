import IKECrypto
import Testing

/// Both ends of a key exchange, from their randomness to the secret that they share.
struct ExchangeVector: Sendable, CustomTestStringConvertible {
    var name: String
    var method: KeyExchangeMethod
    var initiatorRandomness: String
    var initiatorValue: String
    var responderRandomness: String
    var responderValue: String
    var sharedSecret: String

    var testDescription: String { name }
}

/// A NIST curve's private key, and that of a MODP group with a subgroup, is 1 more than its randomness modulo the order
/// less 1, so that the randomness of a published private key is that key less 1.
let exchangeVectors = [
    ExchangeVector(
        name: "RFC 7748 section 6.1",
        method: .curve25519,
        initiatorRandomness: "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
        initiatorValue: "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
        responderRandomness: "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
        responderValue: "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
        sharedSecret: "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"
    ),
    ExchangeVector(
        name: "RFC 5903 section 8.1",
        method: .ecp256,
        initiatorRandomness: """
            0000000000000000c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1432
            """,
        initiatorValue: """
            dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180
            5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3
            """,
        responderRandomness: """
            0000000000000000c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee52
            """,
        responderValue: """
            d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63
            56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab
            """,
        sharedSecret: "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de"
    ),
    ExchangeVector(
        name: "RFC 5903 section 8.2",
        method: .ecp384,
        initiatorRandomness: """
            0000000000000000099f3c7034d4a2c699884d73a375a67f7624ef7c6b3c0f16
            0647b67414dce655e35b538041e649ee3faef896783ab193
            """,
        initiatorValue: """
            667842d7d180ac2cde6f74f37551f55755c7645c20ef73e31634fe72b4c55ee6de3ac808acb4bdb4c88732aee95f41aa
            9482ed1fc0eeb9cafc4984625ccfc23f65032149e0e144ada024181535a0f38eeb9fcff3c2c947dae69b4c634573a81c
            """,
        responderRandomness: """
            000000000000000041cb0779b4bdb85d47846725fbec3c9430fab46cc8dc5060
            855cc9bda0aa2942e0308312916b8ed2960e4bd55a7448fb
            """,
        responderValue: """
            e558dbef53eecde3d3fccfc1aea08a89a987475d12fd950d83cfa41732bc509d0d1ac43a0336def96fda41d0774a3571
            dcfbec7aacf3196472169e838430367f66eebe3c6e70c416dd5f0c68759dd1fff83fa40142209dff5eaad96db9e6386c
            """,
        sharedSecret: """
            11187331c279962d93d604243fd592cb9d0a926f422e47187521287e7156c5c4d603135569b9e9d09cf5d4a270f59746
            """
    ),
    ExchangeVector(
        name: "modp2048, computed with Python's pow",
        method: .modp2048,
        initiatorRandomness: "c99df28f4f72de5fb10c423fce1bc4d19a7151513dd0da2abfccda113c8dd5a6",
        initiatorValue: """
            2635ae669d2149309ead3bb187ee5f445ada052922a6ef99b4f191a5e95f107cc159b8f85b397da7f022c09d2a9fca79
            a0126d62317a3dcaee7cc24494a477573d5cbfd575c5b0f537a7cfe5aad91d9c678d4726fb1678acb30ec051c99d24e1
            af1e25ab0cc29f48051e7f851fb398204b564791e4be4aadfe7314c64d75f13abc818a564f3c3f56021969e951ab599e
            9ec8d94d7469ac1088a6b2aabe95f73003d1468e87c102cec991e1ddb685b4bbeed6c8abc11cb60235dbc3f3e5fe014b
            4825a3251c73c0f198104b4a7d88b70275582debdebf32f1db84c33c692ba99d4de3cda34988d122703ff85cb7bc8611
            5d8fe174147d332ff02112571c7c7b49
            """,
        responderRandomness: "eaf9e71bbd2c84601f366d7bdd95325736031d0ab0c3e119272548d175a0cc5d",
        responderValue: """
            a8faf9f2afbbb39a73839f0af130ce8131dcf5da047cdbc1d71a385b7aa18f2a7b742ed4c39d7eed7611e0cde0af2a8e
            d33ced37616ea712342a7c01a9219cd5a2cbe1c58a13198b91ce3ac5a68c6158b4fecccb90f075b18701879e9f9c5f2a
            430bcc5fc1c9cd5caaaaeb6507ff9d55d62b101848b55db7a51d57dd9c53683026564e25beed2b9c5dc7f2ee234d144e
            7bb3838dad11eb619af716c5a70e43003f07692b814c7263bdf4b6f1148170d18bb8ac13add64b125cb93bcc0586128a
            c64cf978dfc30e5a34a25cc05a7b3e549681975bca4a38c616714a4207d7e5b6d5dc5de13b0b99b2440fb3fec506f64e
            4e7d1369ffc35bdc619bee5a6203b79d
            """,
        sharedSecret: """
            a9ff9baa749e53e970020fb8bbd8c1806c889d6bfc8a50e9445f01e51af0fc76c13ceef125e0608c64fc0189e5ed20c9
            ead7423468506a5495f8ff6f655af12ccba3b43c4e29c7a4132b938d9bb4bda1f7357d73b8fc55af14366a944b7d2cbf
            fe4170e7ec20acdd86abed747333b0861c2f5b516910967ca87c9cb6bca5bf16b1a709f9740d276cce4338f1131642a6
            7556412dc4cbe023f7e8953ef4aae9a9551a6dbed7e8147ccb78a6718f858d4d80f1de6d5a2a8b4b9b859b5da32cf90d
            2e22b6776dcc37bc959d3be369b6b359b37acf1d3f09cc7f5eed8391bf21725c51dfd04c9171126e8a03f8b3415ecca6
            7f46a22a1adf99fd3ba41fbeb7e788cb
            """
    ),
    ExchangeVector(
        name: "modp3072, computed with Python's pow",
        method: .modp3072,
        initiatorRandomness: "ff8f41181b6ae253795a1f958689d8c35068c29de68c5b666611cde8374479271976e7a3",
        initiatorValue: """
            e9609e08a7a2802846e933515fe8c95f8e8bf9ae2910d96e689d59dc446fe37640f332c4fd868f97263116fa0981e239
            a1fbcbf0482dde1e49d6dc7ff831561985af859390a57fc50082ede1ef0adfb333d59569a15b212d25a519ad8e8d1b84
            a3687e62191939783c4ad9c49c0abd05dcf2e9e6869ac63b0be777e469de6c1fada8d029c3ebb2acf683d8751123bb06
            97bf1370083f90ea6ebbbe5cc7e5ce5d57a64e292bb3e0432beaf4255391a5f870d0e6eec46cd969591dde18a39f5a6b
            d5aba95f4a21414c8b0fd0a0cdd37d22349a870f941ddf17a38eb2beedd90e82483f94cd8c92690ea620057eba4f3d70
            eb4e028960b3880af08dafdeedb608a72a76e1f3bcc9268ad8b7cf38b47c80af78b9240001c981db771f1692779cc092
            b263804a99abc95e65b9b352e502ecc392ace03dc6bbcce9378a7e11add0e3f1731dd545986362e30b73b00f2c177cbc
            0ec2a2b2c40a1083e1b1c25efb083bb5c521f674cc2c328c6aa3443aa36e342014277845d5cf87b82685f24e662beb81
            """,
        responderRandomness: "e16dbf7e628f6ec6a454dec20c04acf68b099bd76810769e40aa1287ba0f9bf0aa193fa6",
        responderValue: """
            0ceddb508debca5f28ae873125c2dba9ee793c4982ae52aa9c5db9a7b9accc083eb2d3ddd0937decce9d284396aa8315
            8680553976319faf6ee8079c4fe0e5e35b8d1660b3183844245c1d7eddd9e893ca598c89a400c5bf32d92c742ffa1ef4
            aca5c25bb201398ba1b4a48d48f105596d9e047433a17b5fe9786ef6bb704932d1fb5079e3c4d5dacfe54b1d7ed41290
            f139172f40c8b7af239fd128f855b0c033d4c4c9a2082ee6dc9ae12a01270053dd6ffc843d0149138a8cf328d85b83b3
            9571f1066ca4fa3bd2a447d476bbd50db00ee88bc8453c9811ebbda341a45f7a02abbfa7d750ed6d68f923b408046e7c
            3e944d0c7d24013b10186143166f10a53bea034b2e857a195b7361c1accc3b477e9d5d1589663db0755d010795894986
            ea2072e055f6fa43d79aa5de8d2048e04acc373c6d237206ec591ea825eb69d3d49fa9fecdf0bbed244ae80a60ac119a
            deb8cbe48de81c6d7ba52d2f1406b97627025dd2fe7ac00f3f56ff4482d41eec9e571c1ecab4b75439ba56d3c2d65d24
            """,
        sharedSecret: """
            ceccb8d78b65b3d264d87448ac1bee13a22f4ff72fb7a7af76b09b6ae145bd99ea0aec4a10238004eb1651e275791bdb
            1f035638802c8e1864ee50efefffdc4d062d3beab17fab724892542a15b1ed7b9534c36d53269795e60a031eaf192932
            a2eacd1973e3a25cf92948c2b9e3e8f6b947951422d9f665beb2d7ddc14a8759d28a7236d417827d79b092f16cfcac0e
            d80cade97236de3c664e3a2131d7d0894482f946ea81bf763200802aa8049bf41c6186a7eab9589d94e68ac04b010fc9
            12198bd44e22339ab4d7c1e450a10f0063f2218b29743accc652a7452c602843c1fa6154e6f4ae66b7d2203966b0f404
            f9c5db6d5f9734066d81b9bee48726dc5d90ed89abc527bffb76a72c124264985f6d57fe61a80540826b5e85074e16b2
            de4a513465d8fb2d34a0642e294bf02f1c9c378a2fa5e860c2a4c33014f5aba619b0f804c42dd24a240202dbbc47a217
            d1bb2ddb808213ec0181b3051513e06d5d830f5776fd35351a72c9ef251dea9d282e9f3f76d762b44cae78c62c456311
            """
    ),
]

/// RFC 3526 section 3: it begins with the digits of the larger primes, which are those of pi.
let modp2048Prime = modpPrime(lines: 5, "15728e5a8aacaa68ffffffffffffffff")

/// RFC 3526 section 4.
let modp3072Prime = modpPrime(
    lines: 7,
    "bbe117577a615d6c770988c0bad946e208e24fa074e5ab3143db5bfce0fd108e4b82d120a93ad2caffffffffffffffff"
)

private func modpPrime(lines: Int, _ end: String) -> String {
    modp4096Prime.split(separator: "\n").prefix(lines).joined() + end
}
