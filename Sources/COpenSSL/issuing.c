#include "signatures.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "seed.h"

static EVP_PKEY_CTX *generator(enum cossl_key_kind kind, int bit_count) {
    const char *type = kind == cossl_key_rsa ? "RSA" : kind == cossl_key_ed25519 ? "ED25519" : "EC";
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (context == NULL || EVP_PKEY_keygen_init(context) != 1) return context;
    switch (kind) {
    case cossl_key_rsa: EVP_PKEY_CTX_set_rsa_keygen_bits(context, bit_count); break;
    case cossl_key_p256: EVP_PKEY_CTX_set_group_name(context, "P-256"); break;
    case cossl_key_p384: EVP_PKEY_CTX_set_group_name(context, "P-384"); break;
    case cossl_key_p521: EVP_PKEY_CTX_set_group_name(context, "P-521"); break;
    default: break;
    }
    return context;
}

EVP_PKEY *cossl_generate_key(enum cossl_key_kind kind, int bit_count, const uint8_t *seed, size_t seed_count) {
    EVP_PKEY *key = NULL;
    cossl_set_seed(seed, seed_count);
    EVP_PKEY_CTX *context = generator(kind, bit_count);
    if (context != NULL) EVP_PKEY_keygen(context, &key);
    EVP_PKEY_CTX_free(context);
    cossl_set_seed(NULL, 0);
    ERR_clear_error();
    return key;
}

static int set_subject(X509 *certificate, const cossl_terms *terms) {
    X509_NAME *name = X509_get_subject_name(certificate);
    return X509_NAME_add_entry_by_txt(
               name, "O", MBSTRING_UTF8, (const unsigned char *)terms->organization, -1, -1, 0) == 1
        && X509_NAME_add_entry_by_txt(
               name, "CN", MBSTRING_UTF8, (const unsigned char *)terms->common_name, -1, -1, 0) == 1;
}

static int add_extension(X509 *certificate, X509V3_CTX *context, int nid, const char *value) {
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, context, nid, value);
    int is_added = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return is_added;
}

static int add_extensions(X509 *certificate, X509 *issuer, const cossl_terms *terms) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    const char *constraints = terms->is_authority ? "critical,CA:TRUE" : "critical,CA:FALSE";
    const char *usage = terms->is_authority ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature";
    return add_extension(certificate, &context, NID_basic_constraints, constraints)
        && add_extension(certificate, &context, NID_key_usage, usage)
        && add_extension(certificate, &context, NID_subject_key_identifier, "hash")
        && add_extension(certificate, &context, NID_authority_key_identifier, "keyid")
        && (terms->alternative_name == NULL
            || add_extension(certificate, &context, NID_subject_alt_name, terms->alternative_name));
}

static int set_fields(X509 *certificate, const cossl_terms *terms, EVP_PKEY *key, X509 *issuer) {
    return X509_set_version(certificate, X509_VERSION_3) == 1
        && ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), terms->serial) == 1
        && ASN1_TIME_set(X509_getm_notBefore(certificate), (time_t)terms->valid_from) != NULL
        && ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)terms->valid_until) != NULL
        && set_subject(certificate, terms)
        && X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1
        && X509_set_pubkey(certificate, key) == 1 && add_extensions(certificate, issuer, terms);
}

X509 *cossl_issue(
    const cossl_terms *terms, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key, const uint8_t *seed,
    size_t seed_count) {
    X509 *certificate = X509_new();
    if (certificate == NULL) return NULL;
    const EVP_MD *hash = NULL;
    switch (cossl_kind_of(issuer_key)) {
    case cossl_key_ed25519: break;
    case cossl_key_p384: hash = EVP_sha384(); break;
    case cossl_key_p521: hash = EVP_sha512(); break;
    default: hash = EVP_sha256();
    }
    cossl_set_seed(seed, seed_count);
    int is_issued = set_fields(certificate, terms, key, issuer == NULL ? certificate : issuer)
        && X509_sign(certificate, issuer_key, hash) > 0;
    cossl_set_seed(NULL, 0);
    ERR_clear_error();
    if (is_issued) return certificate;
    X509_free(certificate);
    return NULL;
}

int cossl_encode_certificate(X509 *certificate, uint8_t **der) {
    *der = NULL;
    return i2d_X509(certificate, der);
}

int cossl_encode_private_key(EVP_PKEY *key, uint8_t **der) {
    *der = NULL;
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    if (info == NULL) return 0;
    int count = i2d_PKCS8_PRIV_KEY_INFO(info, der);
    PKCS8_PRIV_KEY_INFO_free(info);
    return count;
}
