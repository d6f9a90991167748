// What EAP and RADIUS are made of and nothing new should be: MD4, MD5 and DES by their low-level calls, since OpenSSL 3
// keeps MD4 and DES from EVP unless a provider is loaded for them.
#pragma once

#include <openssl/des.h>
#include <openssl/md4.h>
#include <openssl/md5.h>
#include <stdint.h>
#include <string.h>

// Encrypts one block under a key of 7 octets, whose bits DES spreads over 8 (RFC 2759 section 8.6).
static inline void cossl_des_encrypt(const uint8_t *key, const uint8_t *block, uint8_t *out) {
    DES_cblock spread, plaintext, ciphertext;
    DES_key_schedule schedule;
    uint64_t bits = 0;
    for (int i = 0; i < 7; i++) bits = bits << 8 | key[i];
    for (int i = 0; i < 8; i++) spread[i] = (uint8_t)(bits >> (49 - 7 * i) << 1);
    DES_set_key_unchecked(&spread, &schedule);
    memcpy(plaintext, block, 8);
    DES_ecb_encrypt(&plaintext, &ciphertext, &schedule, DES_ENCRYPT);
    memcpy(out, ciphertext, 8);
    OPENSSL_cleanse(spread, sizeof spread);
    OPENSSL_cleanse(&schedule, sizeof schedule);
}
