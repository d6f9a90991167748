// Signatures and X.509 certificates, as RFC 7427 and RFC 4945 have them.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

// What kind of public key signs. The values are SignatureKey's.
enum cossl_key_kind {
    cossl_key_other = 0,
    cossl_key_rsa = 1,
    cossl_key_p256 = 2,
    cossl_key_p384 = 3,
    cossl_key_p521 = 4,
    cossl_key_ed25519 = 5
};

enum cossl_key_kind cossl_kind_of(const EVP_PKEY *key);

// Signs with a hash (256, 384 or 512 bits of SHA-2, 160 for SHA-1, 0 for none), and by PSS where the key is RSA and
// `is_pss` is set. All chance that the operation needs follows from the seed.
int cossl_sign(
    EVP_PKEY *key, int hash_bits, int is_pss, const uint8_t *octets, size_t octet_count, const uint8_t *seed,
    size_t seed_count, uint8_t *signature, size_t *signature_count);

// Returns 1 for a genuine signature.
int cossl_verify(
    EVP_PKEY *key, int hash_bits, int is_pss, const uint8_t *octets, size_t octet_count, const uint8_t *signature,
    size_t signature_count);

// ECDSA-Sig-Value (RFC 3279) to r | s (RFC 4754), each as long as the group's order, and back.
int cossl_ecdsa_to_raw(const uint8_t *der, size_t der_count, uint8_t *raw, size_t raw_count);
int cossl_ecdsa_from_raw(const uint8_t *raw, size_t raw_count, uint8_t *der, size_t *der_count);

// For a library that computes signatures without EVP: numbers of `count` octets, the most significant first. All return
// 1 where everything could be written.
//
// What ECDSA_sign would compute with: the digest cut or filled to the order's length, k, the private key.
int cossl_ecdsa_inputs(
    const EVP_PKEY *key, int hash_bits, const uint8_t *octets, size_t octet_count, const uint8_t *seed,
    size_t seed_count, uint8_t *digest, uint8_t *nonce, uint8_t *scalar, size_t count);
// The digest, and x | y of the public key.
int cossl_ecdsa_check_inputs(
    const EVP_PKEY *key, int hash_bits, const uint8_t *octets, size_t octet_count, uint8_t *digest,
    uint8_t *public_value, size_t count);
// The encoded message (RFC 8017 section 9), and p | q | dp | dq | iq.
int cossl_rsa_inputs(
    const EVP_PKEY *key, int hash_bits, int is_pss, const uint8_t *octets, size_t octet_count, const uint8_t *seed,
    size_t seed_count, uint8_t *encoded, uint8_t *parts, size_t count);
int cossl_rsa_modulus(const EVP_PKEY *key, uint8_t *modulus, size_t count);
// Whether a message was encoded so.
int cossl_rsa_is_encoded(
    const EVP_PKEY *key, int hash_bits, int is_pss, const uint8_t *octets, size_t octet_count, const uint8_t *encoded,
    size_t count);

EVP_PKEY *cossl_private_key(const uint8_t *der, size_t der_count);

X509 *cossl_certificate(const uint8_t *der, size_t der_count);

// The SHA-1 of a certificate's SubjectPublicKeyInfo, which a CERTREQ payload names an authority by.
int cossl_key_digest(X509 *certificate, uint8_t *sha1);

X509_STORE *cossl_store(void);

// Whether a chain leads from its first certificate to one of the store's, and the span of time within which all
// certificates of that chain are valid, in seconds since 1970.
int cossl_is_trusted(
    X509_STORE *store, X509 *leaf, X509 *const *others, size_t other_count, int64_t *valid_from, int64_t *valid_until);

// Whether the certificate allows signatures of its subject's (RFC 4945 section 5.1.3.2).
int cossl_may_sign(X509 *certificate);

enum cossl_name {
    cossl_name_host = 0,
    cossl_name_mailbox = 1,
    cossl_name_address = 2,
    cossl_name_distinguished = 3
};

// Whether the subject, or one of its alternative names, is this one.
int cossl_is_named(X509 *certificate, enum cossl_name kind, const uint8_t *name, size_t name_count);

// The subject, encoded; the caller gives it back with cossl_free_octets.
int cossl_subject(X509 *certificate, uint8_t **der);
void cossl_free_octets(uint8_t *octets);

// The SHA-256 of a public key as SubjectPublicKeyInfo has it.
int cossl_public_key_digest(const EVP_PKEY *key, uint8_t *sha256);

// A new key pair; the same seed gives the same one. `bit_count` is RSA's.
EVP_PKEY *cossl_generate_key(enum cossl_key_kind kind, int bit_count, const uint8_t *seed, size_t seed_count);

// What a certificate says. An issuer of NULL is the subject itself.
typedef struct {
    const char *organization;
    const char *common_name;
    // A subject alternative name, as in `email:user@example.org`; NULL for none.
    const char *alternative_name;
    int64_t valid_from, valid_until;
    uint64_t serial;
    int is_authority;
} cossl_terms;

X509 *cossl_issue(
    const cossl_terms *terms, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key, const uint8_t *seed,
    size_t seed_count);

// DER; the caller gives them back with cossl_free_octets.
int cossl_encode_certificate(X509 *certificate, uint8_t **der);
int cossl_encode_private_key(EVP_PKEY *key, uint8_t **der);
