// What a library that computes signatures without EVP needs from libcrypto: keys in octets, encodings, ECDSA's k.

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#include "COpenSSL.h"
#include "seed.h"

static const EVP_MD *hash_of(int bits) {
    switch (bits) {
    case 160: return EVP_sha1();
    case 256: return EVP_sha256();
    case 384: return EVP_sha384();
    case 512: return EVP_sha512();
    default: return NULL;
    }
}

static size_t digest_of(int hash_bits, const uint8_t *octets, size_t octet_count, uint8_t *digest) {
    switch (hash_bits) {
    case 160: SHA1(octets, octet_count, digest); break;
    case 256: SHA256(octets, octet_count, digest); break;
    case 384: SHA384(octets, octet_count, digest); break;
    case 512: SHA512(octets, octet_count, digest); break;
    default: return 0;
    }
    return (size_t)hash_bits / 8;
}

// The leftmost octets of a digest, with zeros before a shorter one (FIPS 186-5 section 6.4.1).
static void fit(const uint8_t *digest, size_t digest_count, uint8_t *out, size_t count) {
    size_t taken = digest_count < count ? digest_count : count;
    memset(out, 0, count - taken);
    memcpy(out + count - taken, digest, taken);
}

int cossl_ecdsa_inputs(
    const EVP_PKEY *key, int hash_bits, const uint8_t *octets, size_t octet_count, const uint8_t *seed,
    size_t seed_count, uint8_t *digest, uint8_t *nonce, uint8_t *scalar, size_t count) {
    uint8_t whole[SHA512_DIGEST_LENGTH];
    size_t digest_count = digest_of(hash_bits, octets, octet_count, whole);
    const EC_KEY *ec = EVP_PKEY_get0_EC_KEY(key);
    const BIGNUM *secret = ec == NULL ? NULL : EC_KEY_get0_private_key(ec);
    BN_CTX *context = BN_CTX_secure_new();
    BIGNUM *k = BN_secure_new();
    cossl_set_seed(seed, seed_count);
    // What ECDSA_sign draws, in the same order, with what it signs: a digest longer than the order is cut first.
    size_t signed_count = digest_count < count ? digest_count : count;
    int is_done = digest_count > 0 && secret != NULL && context != NULL && k != NULL
        && BN_generate_dsa_nonce(
               k, EC_GROUP_get0_order(EC_KEY_get0_group(ec)), secret, whole, signed_count, context) == 1
        && !BN_is_zero(k) && BN_bn2binpad(k, nonce, (int)count) == (int)count
        && BN_bn2binpad(secret, scalar, (int)count) == (int)count;
    cossl_set_seed(NULL, 0);
    BN_clear_free(k);
    BN_CTX_free(context);
    fit(whole, digest_count, digest, count);
    ERR_clear_error();
    return is_done;
}

int cossl_ecdsa_check_inputs(
    const EVP_PKEY *key, int hash_bits, const uint8_t *octets, size_t octet_count, uint8_t *digest,
    uint8_t *public_value, size_t count) {
    uint8_t whole[SHA512_DIGEST_LENGTH];
    size_t digest_count = digest_of(hash_bits, octets, octet_count, whole);
    const EC_KEY *ec = EVP_PKEY_get0_EC_KEY(key);
    const EC_POINT *point = ec == NULL ? NULL : EC_KEY_get0_public_key(ec);
    BIGNUM *x = BN_new(), *y = BN_new();
    int is_done = digest_count > 0 && point != NULL && x != NULL && y != NULL
        && EC_POINT_get_affine_coordinates(EC_KEY_get0_group(ec), point, x, y, NULL) == 1
        && BN_bn2binpad(x, public_value, (int)count) == (int)count
        && BN_bn2binpad(y, public_value + count, (int)count) == (int)count;
    BN_free(x);
    BN_free(y);
    fit(whole, digest_count, digest, count);
    ERR_clear_error();
    return is_done;
}

// DigestInfo up to its digest (RFC 8017 section 9.2, note 1).
static const uint8_t *digest_info(int hash_bits, size_t *count) {
    static const uint8_t sha1[] = {0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00,
        0x04, 0x14};
    static const uint8_t sha2[3][19] = {
        {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04,
            0x20},
        {0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0x04,
            0x30},
        {0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00, 0x04,
            0x40},
    };
    *count = hash_bits == 160 ? sizeof sha1 : sizeof sha2[0];
    return hash_bits == 160 ? sha1 : sha2[hash_bits / 128 - 2];
}

// EMSA-PKCS1-v1_5 (RFC 8017 section 9.2).
static int encode_pkcs1(int hash_bits, const uint8_t *digest, size_t digest_count, uint8_t *encoded, size_t count) {
    size_t info_count;
    const uint8_t *info = digest_info(hash_bits, &info_count);
    size_t fill = count - 3 - info_count - digest_count;
    encoded[0] = 0;
    encoded[1] = 1;
    memset(encoded + 2, 0xFF, fill);
    encoded[2 + fill] = 0;
    memcpy(encoded + 3 + fill, info, info_count);
    memcpy(encoded + 3 + fill + info_count, digest, digest_count);
    return 1;
}

// The key, where its modulus has all of `count` octets and its public exponent is the usual one.
static RSA *usual_rsa(const EVP_PKEY *key, size_t count) {
    RSA *rsa = (RSA *)EVP_PKEY_get0_RSA(key);
    if (rsa == NULL || RSA_bits(rsa) != (int)(8 * count)) return NULL;
    return BN_is_word(RSA_get0_e(rsa), RSA_F4) ? rsa : NULL;
}

int cossl_rsa_inputs(
    const EVP_PKEY *key, int hash_bits, int is_pss, const uint8_t *octets, size_t octet_count, const uint8_t *seed,
    size_t seed_count, uint8_t *encoded, uint8_t *parts, size_t count) {
    RSA *rsa = usual_rsa(key, count);
    uint8_t digest[SHA512_DIGEST_LENGTH];
    size_t digest_count = digest_of(hash_bits, octets, octet_count, digest);
    if (rsa == NULL || digest_count == 0 || RSA_get_multi_prime_extra_count(rsa) != 0) return 0;
    const BIGNUM *numbers[5] = {
        RSA_get0_p(rsa), RSA_get0_q(rsa), RSA_get0_dmp1(rsa), RSA_get0_dmq1(rsa), RSA_get0_iqmp(rsa)};
    int half = (int)count / 2;
    for (int part = 0; part < 5; part++)
        if (numbers[part] == NULL || BN_bn2binpad(numbers[part], parts + part * half, half) != half) return 0;
    if (!is_pss) return encode_pkcs1(hash_bits, digest, digest_count, encoded, count);
    const EVP_MD *hash = hash_of(hash_bits);
    cossl_set_seed(seed, seed_count);
    int is_done = RSA_padding_add_PKCS1_PSS_mgf1(rsa, encoded, digest, hash, hash, RSA_PSS_SALTLEN_DIGEST) == 1;
    cossl_set_seed(NULL, 0);
    ERR_clear_error();
    return is_done;
}

int cossl_rsa_modulus(const EVP_PKEY *key, uint8_t *modulus, size_t count) {
    RSA *rsa = usual_rsa(key, count);
    return rsa != NULL && BN_bn2binpad(RSA_get0_n(rsa), modulus, (int)count) == (int)count;
}

int cossl_rsa_is_encoded(
    const EVP_PKEY *key, int hash_bits, int is_pss, const uint8_t *octets, size_t octet_count, const uint8_t *encoded,
    size_t count) {
    uint8_t digest[SHA512_DIGEST_LENGTH], expected[512];
    size_t digest_count = digest_of(hash_bits, octets, octet_count, digest);
    if (digest_count == 0 || count > sizeof expected) return 0;
    if (!is_pss)
        return encode_pkcs1(hash_bits, digest, digest_count, expected, count) && memcmp(expected, encoded, count) == 0;
    const EVP_MD *hash = hash_of(hash_bits);
    RSA *rsa = usual_rsa(key, count);
    int is_encoded = rsa != NULL
        && RSA_verify_PKCS1_PSS_mgf1(rsa, digest, hash, hash, encoded, RSA_PSS_SALTLEN_DIGEST) == 1;
    ERR_clear_error();
    return is_encoded;
}
