#include "CBoringSSL.h"

#include <stddef.h>

// BoringSSL's parsed keys: what swift-crypto 4.5.2 makes of them, and room for more. Nothing here looks into them.
typedef struct { _Alignas(16) uint8_t octets[16384]; } boring_key;
typedef struct { const uint8_t *data; size_t len; } boring_cbs;

void CCryptoBoringSSL_OPENSSL_cleanse(void *octets, size_t count);

#define MLKEM(SIZE, KEY_BYTES, CIPHERTEXT_BYTES)                                                                       \
    int CCryptoBoringSSL_MLKEM##SIZE##_private_key_from_seed(boring_key *, const uint8_t *, size_t);                   \
    int CCryptoBoringSSL_MLKEM##SIZE##_parse_public_key(boring_key *, boring_cbs *);                                   \
    int CCryptoBoringSSL_MLKEM##SIZE##_decap(uint8_t *, const uint8_t *, size_t, const boring_key *);                  \
    int CCryptoBoringSSL_BCM_mlkem##SIZE##_generate_key_external_seed(uint8_t *, boring_key *, const uint8_t *);       \
    int CCryptoBoringSSL_BCM_mlkem##SIZE##_encap_external_entropy(uint8_t *, uint8_t *, const boring_key *,            \
                                                                  const uint8_t *);                                    \
                                                                                                                       \
    void cboring_mlkem##SIZE##_key(uint8_t encapsulation_key[KEY_BYTES], const uint8_t seed[64]) {                     \
        boring_key key;                                                                                                \
        CCryptoBoringSSL_BCM_mlkem##SIZE##_generate_key_external_seed(encapsulation_key, &key, seed);                  \
        CCryptoBoringSSL_OPENSSL_cleanse(&key, sizeof key);                                                            \
    }                                                                                                                  \
                                                                                                                       \
    int cboring_mlkem##SIZE##_encapsulate(uint8_t ciphertext[CIPHERTEXT_BYTES], uint8_t secret[32],                    \
                                          const uint8_t encapsulation_key[KEY_BYTES], const uint8_t m[32]) {           \
        boring_key key;                                                                                                \
        boring_cbs octets = {encapsulation_key, KEY_BYTES};                                                            \
        if (CCryptoBoringSSL_MLKEM##SIZE##_parse_public_key(&key, &octets) != 1) return 0;                             \
        CCryptoBoringSSL_BCM_mlkem##SIZE##_encap_external_entropy(ciphertext, secret, &key, m);                        \
        return 1;                                                                                                      \
    }                                                                                                                  \
                                                                                                                       \
    int cboring_mlkem##SIZE##_decapsulate(uint8_t secret[32], const uint8_t ciphertext[CIPHERTEXT_BYTES],              \
                                          const uint8_t seed[64]) {                                                    \
        boring_key key;                                                                                                \
        int status = CCryptoBoringSSL_MLKEM##SIZE##_private_key_from_seed(&key, seed, 64)                              \
                     && CCryptoBoringSSL_MLKEM##SIZE##_decap(secret, ciphertext, CIPHERTEXT_BYTES, &key);              \
        CCryptoBoringSSL_OPENSSL_cleanse(&key, sizeof key);                                                            \
        return status;                                                                                                 \
    }

MLKEM(768, 1184, 1088)
MLKEM(1024, 1568, 1568)
