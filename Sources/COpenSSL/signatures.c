#include "signatures.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/params.h>
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

// The content of the next element of a structure, if it is of this tag and class; the structure begins behind it then.
static const uint8_t *element(const uint8_t **octets, const uint8_t *end, int tag, int class, long *count) {
    const uint8_t *content = *octets;
    int found_tag, found_class;
    if (content >= end) return NULL;
    int flags = ASN1_get_object(&content, count, &found_tag, &found_class, end - content);
    if (flags & 0x80 || found_tag != tag || found_class != class || *count > end - content) return NULL;
    *octets = content + *count;
    return content;
}

// ECPrivateKey ::= SEQUENCE { INTEGER, OCTET STRING, [0] parameters OPTIONAL, [1] BIT STRING OPTIONAL } (RFC 5915
// section 3), which has its public key.
static EVP_PKEY *elliptic_key(const char *group, const uint8_t *der, size_t der_count) {
    const uint8_t *end = der + der_count;
    long count, private_count, public_count;
    const uint8_t *inside = element(&der, end, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, &count);
    if (inside == NULL || der != end) return NULL;
    const uint8_t *private_key = NULL;
    if (element(&inside, end, V_ASN1_INTEGER, V_ASN1_UNIVERSAL, &count) != NULL)
        private_key = element(&inside, end, V_ASN1_OCTET_STRING, V_ASN1_UNIVERSAL, &private_count);
    if (private_key == NULL || private_count > 66) return NULL;
    element(&inside, end, 0, V_ASN1_CONTEXT_SPECIFIC, &count);
    const uint8_t *wrapped = element(&inside, end, 1, V_ASN1_CONTEXT_SPECIFIC, &count);
    const uint8_t *public_key = NULL;
    if (wrapped != NULL) public_key = element(&wrapped, end, V_ASN1_BIT_STRING, V_ASN1_UNIVERSAL, &public_count);
    if (public_key == NULL || public_count < 2 || public_key[0] != 0) return NULL;

    // A number of OSSL_PARAM is in the machine's order.
    uint8_t number[66];
    BIGNUM *value = BN_bin2bn(private_key, (int)private_count, NULL);
    int is_number = value != NULL && BN_bn2nativepad(value, number, (int)private_count) == private_count;
    BN_clear_free(value);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *key = NULL;
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)group, 0),
        OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, number, (size_t)private_count),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)(public_key + 1), (size_t)public_count - 1),
        OSSL_PARAM_construct_end(),
    };
    if (is_number && context != NULL && EVP_PKEY_fromdata_init(context) == 1)
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, parameters);
    OPENSSL_cleanse(number, sizeof number);
    EVP_PKEY_CTX_free(context);
    return key;
}

// PKCS #8 with a key of a named curve, as nearly all are; NULL for any other. It takes a twentieth of what libcrypto's
// decoders take, which try one form of key after the other.
static EVP_PKEY *named_curve_key(const uint8_t *der, size_t der_count) {
    const uint8_t *end = der + der_count;
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &der, (long)der_count);
    const X509_ALGOR *algorithm;
    const uint8_t *inner;
    int inner_count;
    EVP_PKEY *key = NULL;
    if (info != NULL && der == end && PKCS8_pkey_get0(NULL, &inner, &inner_count, &algorithm, info) == 1) {
        const ASN1_OBJECT *object;
        const void *parameter;
        int type;
        X509_ALGOR_get0(&object, &type, &parameter, algorithm);
        if (OBJ_obj2nid(object) == NID_X9_62_id_ecPublicKey && type == V_ASN1_OBJECT) {
            int curve = OBJ_obj2nid(parameter);
            int is_known = curve == NID_X9_62_prime256v1 || curve == NID_secp384r1 || curve == NID_secp521r1;
            if (is_known) key = elliptic_key(OBJ_nid2sn(curve), inner, (size_t)inner_count);
        }
    }
    PKCS8_PRIV_KEY_INFO_free(info);
    return key;
}

EVP_PKEY *cossl_private_key(const uint8_t *der, size_t der_count) {
    EVP_PKEY *key = named_curve_key(der, der_count);
    if (key == NULL) key = d2i_AutoPrivateKey(NULL, &der, (long)der_count);
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
