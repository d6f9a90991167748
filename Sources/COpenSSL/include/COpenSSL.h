// What IKECrypto calls in libcrypto, and an inline function for each macro and each step that Swift cannot name.
#pragma once

// The low-level hashes are deprecated, and have no replacement of their speed.
#ifndef OPENSSL_SUPPRESS_DEPRECATED
#define OPENSSL_SUPPRESS_DEPRECATED
#endif

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/dh.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/params.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdint.h>
#include <string.h>

#include "COpenSSLLegacy.h"
#include "COpenSSLTLS.h"
#include "signatures.h"

// Overwrites memory with zeros; the barrier keeps the compiler from dropping a store that nobody reads.
static inline void cossl_wipe(void *memory, size_t byte_count) {
    memset(memory, 0, byte_count);
    __asm__ __volatile__("" : : "r"(memory) : "memory");
}

// Whether two memories hold the same octets, in a time that depends on their size alone: eight at a time, where
// CRYPTO_memcmp takes one. The barrier keeps the compiler from looking before the end.
static inline int cossl_equal(const void *one, const void *other, size_t byte_count) {
    const uint8_t *left = one;
    const uint8_t *right = other;
    uint64_t difference = 0;
    for (; byte_count >= 8; byte_count -= 8, left += 8, right += 8) {
        uint64_t a, b;
        memcpy(&a, left, 8);
        memcpy(&b, right, 8);
        difference |= a ^ b;
        __asm__ __volatile__("" : "+r"(difference));
    }
    for (; byte_count > 0; byte_count -= 1, left += 1, right += 1) {
        difference |= (uint64_t)(*left ^ *right);
        __asm__ __volatile__("" : "+r"(difference));
    }
    return difference == 0;
}

// HMAC (RFC 2104) over the low-level hashes, with the padded key absorbed once: EVP_MAC takes three times as long.
enum cossl_digest { cossl_sha256 = 0, cossl_sha384 = 1, cossl_sha512 = 2, cossl_sha1 = 3 };

typedef union {
    SHA_CTX sha1;
    SHA256_CTX sha256;
    SHA512_CTX sha512;
} cossl_hash;

typedef struct {
    enum cossl_digest digest;
    cossl_hash inner, outer, running;
} cossl_hmac;

static inline size_t cossl_digest_byte_count(enum cossl_digest digest) {
    switch (digest) {
    case cossl_sha1: return 20;
    case cossl_sha256: return 32;
    case cossl_sha384: return 48;
    default: return 64;
    }
}

static inline size_t cossl_block_byte_count(enum cossl_digest digest) {
    return digest == cossl_sha256 || digest == cossl_sha1 ? 64 : 128;
}

static inline void cossl_hash_start(cossl_hash *hash, enum cossl_digest digest) {
    switch (digest) {
    case cossl_sha1: SHA1_Init(&hash->sha1); break;
    case cossl_sha256: SHA256_Init(&hash->sha256); break;
    case cossl_sha384: SHA384_Init(&hash->sha512); break;
    case cossl_sha512: SHA512_Init(&hash->sha512); break;
    }
}

static inline void cossl_hash_update(cossl_hash *hash, enum cossl_digest digest, const void *data, size_t byte_count) {
    if (digest == cossl_sha256)
        SHA256_Update(&hash->sha256, data, byte_count);
    else if (digest == cossl_sha1)
        SHA1_Update(&hash->sha1, data, byte_count);
    else
        SHA512_Update(&hash->sha512, data, byte_count);
}

static inline void cossl_hash_finish(cossl_hash *hash, enum cossl_digest digest, uint8_t *out) {
    if (digest == cossl_sha256)
        SHA256_Final(out, &hash->sha256);
    else if (digest == cossl_sha1)
        SHA1_Final(out, &hash->sha1);
    else
        SHA512_Final(out, &hash->sha512);
}

static inline void cossl_hash_copy(cossl_hash *to, const cossl_hash *from, enum cossl_digest digest) {
    size_t byte_count = digest == cossl_sha256 ? sizeof from->sha256
        : digest == cossl_sha1                 ? sizeof from->sha1
                                               : sizeof from->sha512;
    memcpy(to, from, byte_count);
}

static inline void cossl_hmac_start(
    cossl_hmac *hmac, enum cossl_digest digest, const void *key, size_t key_byte_count) {
    uint8_t pad[128] = {0};
    size_t block = cossl_block_byte_count(digest);
    hmac->digest = digest;
    if (key_byte_count > block) {
        cossl_hash_start(&hmac->running, digest);
        cossl_hash_update(&hmac->running, digest, key, key_byte_count);
        cossl_hash_finish(&hmac->running, digest, pad);
    } else if (key_byte_count > 0) {
        memcpy(pad, key, key_byte_count);
    }
    for (size_t i = 0; i < block; i++) pad[i] ^= 0x36;
    cossl_hash_start(&hmac->inner, digest);
    cossl_hash_update(&hmac->inner, digest, pad, block);
    for (size_t i = 0; i < block; i++) pad[i] ^= 0x36 ^ 0x5c;
    cossl_hash_start(&hmac->outer, digest);
    cossl_hash_update(&hmac->outer, digest, pad, block);
    cossl_hash_copy(&hmac->running, &hmac->inner, digest);
    cossl_wipe(pad, sizeof pad);
}

static inline void cossl_hmac_update(cossl_hmac *hmac, const void *data, size_t byte_count) {
    if (byte_count > 0) cossl_hash_update(&hmac->running, hmac->digest, data, byte_count);
}

// Writes the code of what was absorbed, and is ready for the next message under the same key.
static inline void cossl_hmac_finish(cossl_hmac *hmac, uint8_t *out) {
    cossl_hash_finish(&hmac->running, hmac->digest, out);
    cossl_hash_copy(&hmac->running, &hmac->outer, hmac->digest);
    cossl_hash_update(&hmac->running, hmac->digest, out, cossl_digest_byte_count(hmac->digest));
    cossl_hash_finish(&hmac->running, hmac->digest, out);
    cossl_hash_copy(&hmac->running, &hmac->inner, hmac->digest);
}

// The parameters from which EVP_PKEY_fromdata makes an X25519 or X448 key of the parts that are not empty: with both
// it computes neither from the other.
static inline int cossl_raw_key(
    EVP_PKEY_CTX *context, EVP_PKEY **key, const uint8_t *private_key, size_t private_byte_count,
    const uint8_t *public_key, size_t public_byte_count
) {
    OSSL_PARAM parameters[3];
    int count = 0;
    if (private_byte_count > 0)
        parameters[count++] =
            OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, (void *)private_key, private_byte_count);
    if (public_byte_count > 0)
        parameters[count++] =
            OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)public_key, public_byte_count);
    parameters[count] = OSSL_PARAM_construct_end();
    int selection = private_byte_count > 0 ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;
    return EVP_PKEY_fromdata(context, key, selection, parameters);
}

// A parameter of the 2048-bit MODP group with a subgroup of 256 bits (RFC 5114 section 2.3), by its letter.
static inline BIGNUM *cossl_modp2048s256(char letter) {
    DH *group = DH_get_2048_256();
    if (group == NULL) return NULL;
    const BIGNUM *parameter =
        letter == 'p' ? DH_get0_p(group) : letter == 'q' ? DH_get0_q(group) : DH_get0_g(group);
    BIGNUM *copy = BN_dup(parameter);
    DH_free(group);
    return copy;
}

static inline int cossl_get_tag(EVP_CIPHER_CTX *context, void *tag, int byte_count) {
    return EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, byte_count, tag);
}

static inline int cossl_set_tag(EVP_CIPHER_CTX *context, const void *tag, int byte_count) {
    return EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, byte_count, (void *)tag);
}
