#include "signatures.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <string.h>

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

static int set_padding(EVP_PKEY *key, EVP_PKEY_CTX *context, int is_pss) {
    if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA) return 1;
    if (!is_pss) return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1
        && EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

enum cossl_key_kind cossl_kind_of(const EVP_PKEY *key) {
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA: return cossl_key_rsa;
    case EVP_PKEY_ED25519: return cossl_key_ed25519;
    case EVP_PKEY_EC: break;
    default: return cossl_key_other;
    }
    char group[32];
    if (EVP_PKEY_get_group_name(key, group, sizeof group, NULL) != 1) return cossl_key_other;
    switch (OBJ_sn2nid(group)) {
    case NID_X9_62_prime256v1: return cossl_key_p256;
    case NID_secp384r1: return cossl_key_p384;
    case NID_secp521r1: return cossl_key_p521;
    default: return cossl_key_other;
    }
}

int cossl_sign(
    EVP_PKEY *key, int hash_bits, int is_pss, const uint8_t *octets, size_t octet_count, const uint8_t *seed,
    size_t seed_count, uint8_t *signature, size_t *signature_count) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *parameters = NULL;
    cossl_set_seed(seed, seed_count);
    int is_signed = context != NULL
        && EVP_DigestSignInit(context, &parameters, hash_of(hash_bits), NULL, key) == 1
        && set_padding(key, parameters, is_pss)
        && EVP_DigestSign(context, signature, signature_count, octets, octet_count) == 1;
    cossl_set_seed(NULL, 0);
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return is_signed;
}

int cossl_verify(
    EVP_PKEY *key, int hash_bits, int is_pss, const uint8_t *octets, size_t octet_count, const uint8_t *signature,
    size_t signature_count) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *parameters = NULL;
    int is_genuine = context != NULL
        && EVP_DigestVerifyInit(context, &parameters, hash_of(hash_bits), NULL, key) == 1
        && set_padding(key, parameters, is_pss)
        && EVP_DigestVerify(context, signature, signature_count, octets, octet_count) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return is_genuine;
}

int cossl_ecdsa_to_raw(const uint8_t *der, size_t der_count, uint8_t *raw, size_t raw_count) {
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)der_count);
    if (signature == NULL) return 0;
    int half = (int)raw_count / 2;
    int is_done = BN_bn2binpad(ECDSA_SIG_get0_r(signature), raw, half) == half
        && BN_bn2binpad(ECDSA_SIG_get0_s(signature), raw + half, half) == half;
    ECDSA_SIG_free(signature);
    return is_done;
}

int cossl_ecdsa_from_raw(const uint8_t *raw, size_t raw_count, uint8_t *der, size_t *der_count) {
    int half = (int)raw_count / 2;
    ECDSA_SIG *signature = ECDSA_SIG_new();
    if (signature == NULL) return 0;
    BIGNUM *r = BN_bin2bn(raw, half, NULL);
    BIGNUM *s = BN_bin2bn(raw + half, half, NULL);
    if (r == NULL || s == NULL || ECDSA_SIG_set0(signature, r, s) != 1) {
        BN_free(r);
        BN_free(s);
        ECDSA_SIG_free(signature);
        return 0;
    }
    int count = i2d_ECDSA_SIG(signature, NULL);
    int fits = count > 0 && (size_t)count <= *der_count;
    if (fits) *der_count = (size_t)i2d_ECDSA_SIG(signature, &der);
    ECDSA_SIG_free(signature);
    return fits;
}

EVP_PKEY *cossl_private_key(const uint8_t *der, size_t der_count) {
    EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &der, (long)der_count);
    ERR_clear_error();
    return key;
}

int cossl_public_key_digest(const EVP_PKEY *key, uint8_t *sha256) {
    uint8_t *der = NULL;
    int count = i2d_PUBKEY(key, &der);
    if (count <= 0) return 0;
    SHA256(der, (size_t)count, sha256);
    OPENSSL_free(der);
    return 1;
}
