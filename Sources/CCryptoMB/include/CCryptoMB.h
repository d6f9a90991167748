// libcrypto_mb: Intel's multi-buffer library of public-key operations, eight at a time by AVX-512 IFMA. It is loaded
// when it is first asked for, where it is there; nothing of it is needed to build.
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { ccmb_lane_count = 8 };

// Where `scripts/crypto-mb` puts the library and those that it needs; the system's own places come first.
#define CCMB_FOLDER "/opt/ikestorm/crypto-mb"

// What this processor can do with it.
enum ccmb_ability {
    ccmb_can_x25519 = 1,
    ccmb_can_p256 = 2,
    ccmb_can_p384 = 4,
    ccmb_can_exponentiate = 8,
    ccmb_can_rsa = 16,
    ccmb_can_ed25519 = 32,
};

// 1 where the library is there, whatever the processor.
int ccmb_is_loaded(void);

// Of ccmb_ability; 0 without the library.
uint32_t ccmb_abilities(void);

// As in `2.3.0`; empty without the library.
const char *ccmb_version(void);

// All of the following take up to eight operations, the octets of each behind those of the last, and answer with a bit
// for each that was carried out. What has no bit is to be computed by someone else, who then says what is wrong with
// it. Nothing is left of what is secret but what the caller has.

// X25519 (RFC 7748): 32 octets each. An all-zero secret is not carried out.
uint32_t ccmb_x25519_public(uint32_t count, uint8_t *public_values, const uint8_t *private_keys);
uint32_t ccmb_x25519(
    uint32_t count, uint8_t *secrets, const uint8_t *private_keys, const uint8_t *peer_values);

// A curve over a prime field; numbers have the length of a coordinate, the most significant octet first.
enum ccmb_curve { ccmb_p256 = 0, ccmb_p384 = 1 };
enum { ccmb_p256_octets = 32, ccmb_p384_octets = 48 };

// x | y each.
uint32_t ccmb_ec_public(
    enum ccmb_curve curve, uint32_t count, uint8_t *public_values, const uint8_t *private_keys);

// The x of the product. The points have to be on the curve.
uint32_t ccmb_ecdh(
    enum ccmb_curve curve, uint32_t count, uint8_t *secrets, const uint8_t *private_keys, const uint8_t *peer_values);

// ECDSA: r | s each, of digests that have been cut or filled to the length of the order.
uint32_t ccmb_ecdsa_sign(
    enum ccmb_curve curve, uint32_t count, uint8_t *signatures, const uint8_t *digests, const uint8_t *nonces,
    const uint8_t *private_keys);
uint32_t ccmb_ecdsa_verify(
    enum ccmb_curve curve, uint32_t count, const uint8_t *signatures, const uint8_t *digests,
    const uint8_t *public_values);

// Powers by a modulus of 2048, 3072 or 4096 bits, the most significant octet first. Bases are below the modulus.
uint32_t ccmb_power(
    uint32_t modulus_bits, uint32_t count, uint8_t *powers, const uint8_t *bases, const uint8_t *exponents,
    size_t exponent_octets, const uint8_t *modulus);

// RSA of 2048, 3072 or 4096 bits: each key has its modulus; the public exponent is 65537. A private key is
// p | q | dp | dq | iq, each half as long as the modulus.
uint32_t ccmb_rsa_public(
    uint32_t modulus_bits, uint32_t count, uint8_t *results, const uint8_t *inputs, const uint8_t *moduli);
uint32_t ccmb_rsa_private(
    uint32_t modulus_bits, uint32_t count, uint8_t *results, const uint8_t *inputs, const uint8_t *private_keys);

// Ed25519 (RFC 8032): signatures of 64 octets, keys of 32; messages of any length, one behind the other.
uint32_t ccmb_ed25519_sign(
    uint32_t count, uint8_t *signatures, const uint8_t *messages, const uint32_t *message_octets,
    const uint8_t *private_keys, const uint8_t *public_keys);
uint32_t ccmb_ed25519_verify(
    uint32_t count, const uint8_t *signatures, const uint8_t *messages, const uint32_t *message_octets,
    const uint8_t *public_keys);
