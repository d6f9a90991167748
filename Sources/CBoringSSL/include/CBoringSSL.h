// ML-KEM as swift-crypto's BoringSSL computes it, with its chance given: swift-crypto's own interface draws it.
#ifndef CBORINGSSL_H
#define CBORINGSSL_H

#include <stdint.h>

// The encapsulation key that belongs to a seed, d | z (FIPS 203 section 7.1).
void cboring_mlkem768_key(uint8_t encapsulation_key[1184], const uint8_t seed[64]);
void cboring_mlkem1024_key(uint8_t encapsulation_key[1568], const uint8_t seed[64]);

// A secret and its ciphertext, made from m (FIPS 203 section 7.2); 0 where the key is none.
int cboring_mlkem768_encapsulate(uint8_t ciphertext[1088], uint8_t secret[32], const uint8_t encapsulation_key[1184],
                                 const uint8_t m[32]);
int cboring_mlkem1024_encapsulate(uint8_t ciphertext[1568], uint8_t secret[32], const uint8_t encapsulation_key[1568],
                                  const uint8_t m[32]);

// The secret of a ciphertext, or another one where it was not made for this key (FIPS 203 section 7.3).
int cboring_mlkem768_decapsulate(uint8_t secret[32], const uint8_t ciphertext[1088], const uint8_t seed[64]);
int cboring_mlkem1024_decapsulate(uint8_t secret[32], const uint8_t ciphertext[1568], const uint8_t seed[64]);

#endif
