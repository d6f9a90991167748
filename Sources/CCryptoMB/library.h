// What is called in libcrypto_mb, as its API of interface version 13 has it (Apache License 2.0).
#pragma once

#include <stdint.h>

#include "CCryptoMB.h"

// Four bits for each lane, the first lane's lowest; 0 is success.
typedef uint32_t mbx_status;

typedef struct {
    int major, minor, patch;
    char processor[4];
    const char *name, *build_date, *text;
} mbx_version;

// The numbers of MBX_ALGO.
enum { mbx_rsa_2k = 1, mbx_x25519 = 4, mbx_p256 = 5, mbx_p384 = 6, mbx_ed25519 = 14, mbx_exp = 15 };

typedef uint8_t *const *octets_out;
typedef const uint8_t *const *octets_in;
typedef uint64_t *const *limbs_out;
typedef const uint64_t *const *limbs_in;

typedef struct {
    mbx_status (*public_key)(limbs_out x, limbs_out y, limbs_out z, limbs_in private_keys, uint8_t *buffer);
    mbx_status (*ecdh)(
        octets_out secrets, limbs_in private_keys, limbs_in x, limbs_in y, limbs_in z, uint8_t *buffer);
    mbx_status (*sign)(
        octets_out r, octets_out s, octets_in digests, limbs_in nonces, limbs_in private_keys, uint8_t *buffer);
    mbx_status (*verify)(
        octets_in r, octets_in s, octets_in digests, limbs_in x, limbs_in y, limbs_in z, uint8_t *buffer);
} mbx_curve;

typedef struct {
    uint32_t abilities;
    char version[32];
    const mbx_version *(*get_version)(void);
    uint64_t (*algorithm_info)(int algorithm);
    mbx_status (*x25519_public)(octets_out public_values, octets_in private_keys);
    mbx_status (*x25519)(octets_out secrets, octets_in private_keys, octets_in public_values);
    mbx_curve curves[2];
    int (*exp_buffer_size)(int modulus_bits);
    mbx_status (*exp)(
        limbs_out powers, limbs_in bases, limbs_in exponents, int exponent_bits, limbs_in moduli, int modulus_bits,
        uint8_t *buffer, int buffer_size);
    const void *(*rsa_public_method)(int bits);
    const void *(*rsa_private_method)(int bits);
    int (*rsa_buffer_size)(const void *method);
    mbx_status (*rsa_public)(
        octets_in inputs, octets_out results, limbs_in moduli, int bits, const void *method, uint8_t *buffer);
    mbx_status (*rsa_private)(
        octets_in inputs, octets_out results, limbs_in p, limbs_in q, limbs_in dp, limbs_in dq, limbs_in iq, int bits,
        const void *method, uint8_t *buffer);
    mbx_status (*ed25519_sign)(
        octets_out r, octets_out s, octets_in messages, const uint32_t *message_octets, octets_in private_keys,
        octets_in public_keys);
    mbx_status (*ed25519_verify)(
        octets_in r, octets_in s, octets_in messages, const uint32_t *message_octets, octets_in public_keys);
} ccmb_library;

// NULL where there is none.
const ccmb_library *ccmb_library_loaded(void);

// The library, where it can do this; else NULL.
static inline const ccmb_library *ccmb_library_for(enum ccmb_ability ability) {
    const ccmb_library *library = ccmb_library_loaded();
    return library != NULL && (library->abilities & ability) != 0 ? library : NULL;
}
