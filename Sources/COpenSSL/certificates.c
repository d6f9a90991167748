#include "signatures.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

X509 *cossl_certificate(const uint8_t *der, size_t der_count) {
    const uint8_t *end = der + der_count;
    X509 *certificate = d2i_X509(NULL, &der, (long)der_count);
    ERR_clear_error();
    if (certificate == NULL || der == end) return certificate;
    X509_free(certificate);
    return NULL;
}

int cossl_key_digest(X509 *certificate, uint8_t *sha1) {
    uint8_t *der = NULL;
    int count = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    if (count <= 0) return 0;
    SHA1(der, (size_t)count, sha1);
    OPENSSL_free(der);
    return 1;
}

X509_STORE *cossl_store(void) {
    X509_STORE *store = X509_STORE_new();
    // A test's authority may sign intermediates that are anchors themselves: a chain ends at the first one.
    if (store != NULL) X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
    return store;
}

static int64_t seconds(const ASN1_TIME *time, int64_t otherwise) {
    struct tm parts;
    return ASN1_TIME_to_tm(time, &parts) == 1 ? (int64_t)timegm(&parts) : otherwise;
}

static void narrow(X509_STORE_CTX *context, int64_t *valid_from, int64_t *valid_until) {
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(context);
    *valid_from = INT64_MIN;
    *valid_until = INT64_MAX;
    for (int i = 0; i < sk_X509_num(chain); i++) {
        X509 *certificate = sk_X509_value(chain, i);
        int64_t from = seconds(X509_get0_notBefore(certificate), INT64_MAX);
        int64_t until = seconds(X509_get0_notAfter(certificate), INT64_MIN);
        if (from > *valid_from) *valid_from = from;
        if (until < *valid_until) *valid_until = until;
    }
}

int cossl_is_trusted(
    X509_STORE *store, X509 *leaf, X509 *const *others, size_t other_count, int64_t *valid_from, int64_t *valid_until) {
    STACK_OF(X509) *untrusted = sk_X509_new_null();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    int is_trusted = untrusted != NULL && context != NULL;
    for (size_t i = 0; is_trusted && i < other_count; i++) is_trusted = sk_X509_push(untrusted, others[i]) > 0;
    if (is_trusted && X509_STORE_CTX_init(context, store, leaf, untrusted) == 1) {
        // The caller looks at the time, so that the answer holds for ever.
        X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(context), X509_V_FLAG_NO_CHECK_TIME);
        is_trusted = X509_verify_cert(context) == 1;
        if (is_trusted) narrow(context, valid_from, valid_until);
    } else {
        is_trusted = 0;
    }
    X509_STORE_CTX_free(context);
    sk_X509_free(untrusted);
    ERR_clear_error();
    return is_trusted;
}

int cossl_may_sign(X509 *certificate) {
    return (X509_get_key_usage(certificate) & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)) != 0;
}

static int is_subject(X509 *certificate, const uint8_t *der, size_t der_count) {
    const uint8_t *end = der + der_count;
    X509_NAME *name = d2i_X509_NAME(NULL, &der, (long)der_count);
    int is_equal = name != NULL && der == end && X509_NAME_cmp(X509_get_subject_name(certificate), name) == 0;
    X509_NAME_free(name);
    return is_equal;
}

int cossl_is_named(X509 *certificate, enum cossl_name kind, const uint8_t *name, size_t name_count) {
    unsigned flags = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_WILDCARDS;
    const char *text = (const char *)name;
    int is_named = 0;
    if (name_count == 0) return 0;
    switch (kind) {
    case cossl_name_host: is_named = X509_check_host(certificate, text, name_count, flags, NULL); break;
    case cossl_name_mailbox: is_named = X509_check_email(certificate, text, name_count, flags); break;
    case cossl_name_address: is_named = X509_check_ip(certificate, name, name_count, flags); break;
    case cossl_name_distinguished: is_named = is_subject(certificate, name, name_count); break;
    }
    ERR_clear_error();
    return is_named == 1;
}

int cossl_subject(X509 *certificate, uint8_t **der) {
    *der = NULL;
    return i2d_X509_NAME(X509_get_subject_name(certificate), der);
}

void cossl_free_octets(uint8_t *octets) { OPENSSL_free(octets); }
