import IKECrypto
import Testing

/// Samples of NIST's Cryptographic Algorithm Validation Program (gcmEncryptExtIV*.rsp) whose nonces have 96 bits.
extension SealedVector {
    static let ofCAVP = [
        SealedVector(
            name: "CAVP, AES-128, PTlen 256, AADlen 160, Taglen 64",
            cipher: .aesGCM8With128,
            key: "653a6208c95313be1c279379eeeb9a37",
            salt: "eaf78603",
            iv: "d2dcc894e61c20f6",
            associated: "b494bdab6bba3c4286a6d8924b40910c562d9e99",
            plaintext: "b51b7d7b43c6f3f5b6a5005e23d76fde51e466af52ee7d50172bc8325f242c97",
            sealed: """
                7996fe1a4881fb2616d82e93b1e4370d374537c6b14325b9fe90fd60df393c7776b30c4df67057d2
                """
        ),
        SealedVector(
            name: "CAVP, AES-128, PTlen 256, AADlen 160, Taglen 96",
            cipher: .aesGCM12With128,
            key: "b4ad9a826ac50d244102f1f8ca9142c2",
            salt: "d7dd062d",
            iv: "0981faf163f5e1e1",
            associated: "bdbee42acbbc5efc021dbea63f7df5271763a75a",
            plaintext: "06dbb7f7e3162f1014d1f63e02fd0240c87d7735229e5e4ca21d26335254ad2f",
            sealed: """
                3fdb1e150bcfaefdf74a30713d0842eadeab1e80149313fcc5ffda703c1ed4cf5b1cf40cd64ea5a49893f7ff
                """
        ),
        SealedVector(
            name: "CAVP, AES-128, PTlen 256, AADlen 160, Taglen 128",
            cipher: .aesGCM128,
            key: "fedc7155192d00b23cdd98750db9ebba",
            salt: "a76b74f5",
            iv: "5c1a1756a08338b1",
            associated: "2ad206c4176e7e552aa08836886816fafa77e759",
            plaintext: "6831435b8857daf1c513b148820d13b5a72cc490bda79a98a6f520d8763c39d1",
            sealed: """
                15823805da89a1923bfc1d6f87784d56bad1128b4dffdbdeefbb2fa562c35e68d23dc455ced49887c717e8eabeec2984
                """
        ),
        SealedVector(
            name: "CAVP, AES-192, PTlen 256, AADlen 160, Taglen 64",
            cipher: .aesGCM8With192,
            key: "5cbebeb73e6a099bd5b3f954e22cf8ca9ad05a51293a251d",
            salt: "eaec1a1a",
            iv: "f77d715214fd1eb9",
            associated: "26e804392cf031c50b4d419e227361597c3a5edd",
            plaintext: "7b8ac3931d505453211cc367164a281588b1984e5d0e2ff3dad8bbf473a04602",
            sealed: """
                0f6b2f779c383f2913e1ccfcc024cc09d0895269d9946a6810b55704369fce524d72974d09d21e8e
                """
        ),
        SealedVector(
            name: "CAVP, AES-192, PTlen 256, AADlen 160, Taglen 96",
            cipher: .aesGCM12With192,
            key: "c6320eccdc268622378195e3196375ef7fa760c4d7cd403e",
            salt: "637b850e",
            iv: "a3174252d31efc25",
            associated: "6c71c2cbf373663bb61fd265afa7c8b8fdcd1c29",
            plaintext: "bee694e901ef80b18380616277496a4d7318e37f5565a3f9c40356565ac45ea1",
            sealed: """
                0fb76b38017613447cb11e57f70b16cce4d42e16b10642f9516db2e05083a396a5b14f6a0e0549305db7a72b
                """
        ),
        SealedVector(
            name: "CAVP, AES-192, PTlen 256, AADlen 160, Taglen 128",
            cipher: .aesGCM192,
            key: "0f8877b56237ebca4685abddf394ce662a9c012d88eeeda1",
            salt: "1817a5ca",
            iv: "06e3432b2e015db6",
            associated: "0bb495977ba3ea02e8020293817ce5c5eaba0c5d",
            plaintext: "2fa4c38377f66842ad546c043c9ee81b33e6b4cd5a6647520fd5589cba20e366",
            sealed: """
                7c03dad4c8ac7fdf40453b1484a4db42839a0a06b69951a573123a0d8032d6b33fc49f14bee122324aef236546b301d9
                """
        ),
        SealedVector(
            name: "CAVP, AES-256, PTlen 256, AADlen 160, Taglen 64",
            cipher: .aesGCM8With256,
            key: "3e6a1d2e002f2d6ec7b45379e3149be05a1b35fe4ba50c6e32038cad21a44a42",
            salt: "4e4268fd",
            iv: "909d8db8a2015b7b",
            associated: "00ebbc279ed454c7fc3232e9d98bb4385092c0f2",
            plaintext: "afb3297465013a06ae07f60bd244e923e0ff82a8205152e256b60fda2d37ab4d",
            sealed: """
                9d96140a78c1e957a2b2ebc23e7f4f3765506d30e659daf7e8cab6d9a600bdbd4c721772e64d64be
                """
        ),
        SealedVector(
            name: "CAVP, AES-256, PTlen 256, AADlen 160, Taglen 96",
            cipher: .aesGCM12With256,
            key: "f1dbae7f4e6978de87ca7d950daf402e58155a325bd4dba03a2473307ba14ef0",
            salt: "4c6d21df",
            iv: "daad3e0888b0177a",
            associated: "c9d79aba7ef84c2f726aba61bfd5d07d4fc2fb41",
            plaintext: "a4bb48e22a91c52ec5e0f8df31abf7af2f2032b2e1dbc8ad73c32cbcb8ed47ee",
            sealed: """
                36795e4a034c96d6f2009845ae8c20a6b5318b62b41634f26a9e96ded6ec64900158ce9cd418eac9239e2691
                """
        ),
        SealedVector(
            name: "CAVP, AES-256, PTlen 256, AADlen 160, Taglen 128",
            cipher: .aesGCM256,
            key: "5853c020946b35f2c58ec427152b840420c40029636adcbb027471378cfdde0f",
            salt: "eec313dd",
            iv: "07cc1b3e6b068a47",
            associated: "1389b522c24a774181700553f0246bbabdd38d6f",
            plaintext: "ce7458e56aef9061cb0c42ec2315565e6168f5a6249ffd31610b6d17ab64935e",
            sealed: """
                eadc3b8766a77ded1a58cb727eca2a9790496c298654cda78febf0da16b6903b3d49a5b32fde7eafcce90079217ffb57
                """
        ),
    ]
}

/// A message under AES-CBC.
struct CBCVector: Sendable, CustomTestStringConvertible {
    var name: String
    var cipher: Cipher
    var key: String
    var ciphertext: String

    var testDescription: String { name }

    static let iv = "000102030405060708090a0b0c0d0e0f"

    static let plaintext = """
        6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52ef
        f69f2445df4f9b17ad2b417be66c3710
        """

    static let all = [
        CBCVector(
            name: "SP 800-38A section F.2.1",
            cipher: .aesCBC128,
            key: "2b7e151628aed2a6abf7158809cf4f3c",
            ciphertext: """
                7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b273bed6b8e3c1743b7116e69e22229516
                3ff1caa1681fac09120eca307586e1a7
                """
        ),
        CBCVector(
            name: "SP 800-38A section F.2.3",
            cipher: .aesCBC192,
            key: "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
            ciphertext: """
                4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a571b242012fb7ae07fa9baac3df102e0
                08b0e27988598881d920a9e64f5615cd
                """
        ),
        CBCVector(
            name: "SP 800-38A section F.2.5",
            cipher: .aesCBC256,
            key: "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
            ciphertext: """
                f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d39f23369a9d9bacfa530e26304231461
                b2eb05e2c39be9fcda6c19078c6a9d1b
                """
        ),
    ]
}
