// Key exchanges.

#include <stdlib.h>

#include "lanes.h"

enum { x25519_octets = 32 };

uint32_t ccmb_x25519_public(uint32_t count, uint8_t *public_values, const uint8_t *private_keys) {
    const ccmb_library *library = ccmb_library_for(ccmb_can_x25519);
    if (library == NULL) return 0;
    uint8_t *out[8];
    const uint8_t *in[8];
    point_out(out, public_values, x25519_octets, count);
    point_in(in, private_keys, x25519_octets, count);
    return succeeded(library->x25519_public(out, in), count);
}

// Version 2.3.0 computes something else from values whose upper 47 of 255 bits are all set, as near the prime, -1 among
// them: it loses a carry. One in 2^47 is such a value.
static int is_near_prime(const uint8_t *value) {
    static const uint8_t ones[5] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    return (value[31] & 0x7F) == 0x7F && memcmp(value + 26, ones, sizeof ones) == 0;
}

uint32_t ccmb_x25519(
    uint32_t count, uint8_t *secrets, const uint8_t *private_keys, const uint8_t *peer_values) {
    const ccmb_library *library = ccmb_library_for(ccmb_can_x25519);
    if (library == NULL) return 0;
    uint8_t *out[8];
    const uint8_t *own[8], *peers[8];
    point_out(out, secrets, x25519_octets, count);
    point_in(own, private_keys, x25519_octets, count);
    point_in(peers, peer_values, x25519_octets, count);
    uint32_t done = succeeded(library->x25519(out, own, peers), count);
    for (uint32_t lane = 0; lane < count; lane++)
        if (is_near_prime(peers[lane])) done &= ~(UINT32_C(1) << lane);
    return done;
}

uint32_t ccmb_ec_public(
    enum ccmb_curve curve, uint32_t count, uint8_t *public_values, const uint8_t *private_keys) {
    const ccmb_library *library = library_for_curve(curve);
    if (library == NULL) return 0;
    size_t octets = coordinate_octets(curve);
    numbers keys, x, y;
    read_numbers(&keys, private_keys, octets, octets, count);
    point_limbs(x.lanes, x.limbs, octets / 8, count);
    point_limbs(y.lanes, y.limbs, octets / 8, count);
    // Without a place for Z the coordinates are affine.
    mbx_status status = library->curves[curve].public_key(x.lanes, y.lanes, NULL, in(&keys), NULL);
    for (uint32_t lane = 0; lane < count; lane++) {
        from_limbs(public_values + 2 * lane * octets, octets, x.lanes[lane]);
        from_limbs(public_values + (2 * lane + 1) * octets, octets, y.lanes[lane]);
    }
    wipe(&keys, sizeof keys);
    return succeeded(status, count);
}

// Version 2.3.0 computes something else from order - 2. No random scalar begins as the orders do.
static int is_near_order(enum ccmb_curve curve, const uint8_t *scalar) {
    static const uint8_t beginnings[2][16] = {
        {0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF},
        {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}};
    return memcmp(scalar, beginnings[curve], sizeof beginnings[curve]) == 0;
}

uint32_t ccmb_ecdh(
    enum ccmb_curve curve, uint32_t count, uint8_t *secrets, const uint8_t *private_keys, const uint8_t *peer_values) {
    const ccmb_library *library = library_for_curve(curve);
    if (library == NULL) return 0;
    size_t octets = coordinate_octets(curve);
    numbers keys, x, y;
    read_numbers(&keys, private_keys, octets, octets, count);
    read_numbers(&x, peer_values, octets, 2 * octets, count);
    read_numbers(&y, peer_values + octets, octets, 2 * octets, count);
    uint8_t *out[8];
    point_out(out, secrets, octets, count);
    mbx_status status = library->curves[curve].ecdh(out, in(&keys), in(&x), in(&y), NULL, NULL);
    wipe(&keys, sizeof keys);
    uint32_t done = succeeded(status, count);
    for (uint32_t lane = 0; lane < count; lane++)
        if (is_near_order(curve, private_keys + lane * octets)) done &= ~(UINT32_C(1) << lane);
    return done;
}

uint32_t ccmb_power(
    uint32_t modulus_bits, uint32_t count, uint8_t *powers, const uint8_t *bases, const uint8_t *exponents,
    size_t exponent_octets, const uint8_t *modulus) {
    const ccmb_library *library = ccmb_library_for(ccmb_can_exponentiate);
    if (library == NULL) return 0;
    int buffer_size = library->exp_buffer_size((int)modulus_bits);
    size_t octets = modulus_bits / 8, limb_count = octets / 8, exponent_limbs = (exponent_octets + 7) / 8;
    size_t room = 8 * (8 * (2 * limb_count + exponent_limbs) + limb_count);
    if (buffer_size <= 0) return 0;
    uint8_t *memory = malloc((size_t)buffer_size + room);
    if (memory == NULL) return 0;

    uint64_t *base_limbs = (uint64_t *)memory, *power_limbs = base_limbs + 8 * limb_count;
    uint64_t *exponent = power_limbs + 8 * limb_count, *modulus_limbs = exponent + 8 * exponent_limbs;
    uint64_t *base_lanes[8], *power_lanes[8], *exponent_lanes[8], *modulus_lanes[8];
    point_limbs(base_lanes, base_limbs, limb_count, count);
    point_limbs(power_lanes, power_limbs, limb_count, count);
    point_limbs(exponent_lanes, exponent, exponent_limbs, count);
    point_limbs(modulus_lanes, modulus_limbs, 0, count);
    to_limbs(modulus_limbs, limb_count, modulus, octets);
    for (uint32_t lane = 0; lane < count; lane++) {
        to_limbs(base_lanes[lane], limb_count, bases + lane * octets, octets);
        to_limbs(exponent_lanes[lane], exponent_limbs, exponents + lane * exponent_octets, exponent_octets);
    }
    mbx_status status = library->exp(
        power_lanes, (limbs_in)base_lanes, (limbs_in)exponent_lanes, (int)(8 * exponent_octets),
        (limbs_in)modulus_lanes, (int)modulus_bits, memory + room, buffer_size);
    for (uint32_t lane = 0; lane < count; lane++) from_limbs(powers + lane * octets, octets, power_lanes[lane]);
    wipe(memory, (size_t)buffer_size + room);
    free(memory);
    return succeeded(status, count);
}
